-- Plain SQL that SQLite and PostgreSQL both take. Every key starts with the tenant, so that the
-- tables can also be spread over machines by tenant.

CREATE TABLE resources (
    tenant  TEXT   NOT NULL,
    type    TEXT   NOT NULL,
    id      TEXT   NOT NULL,
    -- The place in the stable order of lists, which is that of creation.
    seq     BIGINT NOT NULL,
    -- What compare-and-swap compares; also in `body` as `meta.version`.
    version BIGINT NOT NULL,
    -- The resource as JSON, without `members`.
    body    TEXT   NOT NULL,
    -- The same for filters: names as in the schema, strings as comparison keys.
    keys    JSONB  NOT NULL,
    PRIMARY KEY (tenant, type, id)
);

CREATE UNIQUE INDEX resources_in_order ON resources (tenant, type, seq);

-- The values a resource is found by. A claimed value is one that no other resource of the type may
-- have: the index on claimed values is what keeps unique attributes unique.
CREATE TABLE resource_keys (
    tenant    TEXT    NOT NULL,
    type      TEXT    NOT NULL,
    attribute TEXT    NOT NULL,
    -- Case-folded unless the attribute is case-exact.
    value     TEXT    NOT NULL,
    id        TEXT    NOT NULL,
    claimed   BOOLEAN NOT NULL,
    PRIMARY KEY (tenant, type, attribute, value, id),
    FOREIGN KEY (tenant, type, id) REFERENCES resources (tenant, type, id) ON DELETE CASCADE
);

CREATE UNIQUE INDEX resource_keys_claimed ON resource_keys (tenant, type, attribute, value) WHERE claimed;
CREATE INDEX resource_keys_by_resource ON resource_keys (tenant, type, id);

-- The members of groups, one row each, so that a change of k members costs k rows whatever the
-- size of the group.
CREATE TABLE members (
    tenant TEXT   NOT NULL,
    type   TEXT   NOT NULL,
    -- The group.
    id     TEXT   NOT NULL,
    -- The member's `value`, case-folded unless that is case-exact.
    member TEXT   NOT NULL,
    -- The version of the group that brought the member, and the place in that write: their order
    -- is the order of joining, and needs no look at the other members to be given out.
    since  BIGINT NOT NULL,
    place  BIGINT NOT NULL,
    -- The whole member as JSON.
    body   TEXT   NOT NULL,
    -- The same for filters, `value` only where it is longer than `member` can be.
    keys   JSONB  NOT NULL,
    PRIMARY KEY (tenant, type, id, member),
    FOREIGN KEY (tenant, type, id) REFERENCES resources (tenant, type, id) ON DELETE CASCADE
);

CREATE INDEX members_by_member ON members (tenant, type, member, id);
