-- What the database was made for: a row for each schema of each resource type of the profile that is served
-- from it.
CREATE TABLE serves (
    profile TEXT NOT NULL,
    type    TEXT NOT NULL,
    -- The URI of a schema that its resources may have.
    schema  TEXT NOT NULL,
    PRIMARY KEY (profile, type, schema)
);
