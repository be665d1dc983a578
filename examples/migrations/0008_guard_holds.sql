-- What requests hold while they look and write, so that the requests of other servers that concern the same wait.
CREATE TABLE guard_holds (
    tenant TEXT   NOT NULL,
    -- People or groups, many under one key.
    held   TEXT   NOT NULL,
    -- The request.
    holder TEXT   NOT NULL,
    -- When it is held no more, if the server that does has ended: nanoseconds since 1970, UTC.
    ends   BIGINT NOT NULL,
    PRIMARY KEY (tenant, held)
);
