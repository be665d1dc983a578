-- Lists are sorted by the first 128 characters of a text, so that cursors are short. A text that is longer has a row
-- for its beginning too, which lists are read in the order of, beside the one that it is looked up by.
INSERT INTO resource_keys (tenant, type, attribute, value, id, claimed, claim)
SELECT tenant, type, attribute, substr(value, 1, 128), id, FALSE, '' FROM resource_keys
WHERE attribute IN ('userName', 'externalId', 'displayName') AND length(value) > 128
ON CONFLICT DO NOTHING;
