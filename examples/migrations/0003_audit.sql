-- The audit trail: one row for each change that was made or refused. A row is inserted with its change, and
-- never changed.
CREATE TABLE audit (
    tenant   TEXT   NOT NULL,
    -- Nanoseconds since 1970, UTC.
    time     BIGINT NOT NULL,
    -- Tells records of one moment apart.
    id       TEXT   NOT NULL,
    -- Type and `id` of the resource; empty where there is none.
    type     TEXT   NOT NULL,
    resource TEXT   NOT NULL,
    -- The record as JSON.
    body     TEXT   NOT NULL,
    PRIMARY KEY (tenant, time, id)
);

CREATE INDEX audit_by_resource ON audit (tenant, type, resource, time, id);
