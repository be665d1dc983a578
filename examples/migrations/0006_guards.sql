-- How the guards of a tenant are lifted. To note something in `guard_charges` is to hold the row until that is
-- done, so that nobody else of the tenant notes anything meanwhile.
CREATE TABLE guards (
    tenant           TEXT    NOT NULL,
    -- Nanoseconds since 1970, UTC; 0 if they are not.
    lifted_until     BIGINT  NOT NULL,
    lifts_protection BOOLEAN NOT NULL,
    PRIMARY KEY (tenant)
);

-- What went, so that ceilings know what went within a window of time: one row for each step of a window, of
-- which there are sixty, however much goes.
CREATE TABLE guard_charges (
    tenant     TEXT   NOT NULL,
    -- Of what.
    noted      TEXT   NOT NULL,
    -- When the step begins, and when it has left the window: nanoseconds since 1970, UTC.
    step       BIGINT NOT NULL,
    ends       BIGINT NOT NULL,
    amount     BIGINT NOT NULL,
    -- The largest population measured; -1 if none was.
    population BIGINT NOT NULL,
    PRIMARY KEY (tenant, noted, step)
);

CREATE INDEX guard_charges_by_end ON guard_charges (tenant, ends);
