-- The last place given out in the order of each list. To give out the next one is to hold the row
-- until the write ends, so that resources appear in lists in the order of their places.
CREATE TABLE counters (
    tenant TEXT   NOT NULL,
    type   TEXT   NOT NULL,
    last   BIGINT NOT NULL,
    PRIMARY KEY (tenant, type)
);

INSERT INTO counters (tenant, type, last) SELECT tenant, type, max(seq) FROM resources GROUP BY tenant, type;
