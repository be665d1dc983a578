-- Users are looked up and counted by the `value`s of their `entitlements` too, such as the licences of PagerDuty, so they
-- have keys for them. Values of more bytes than a key has as it is are shortened by a digest, which SQL does not know:
-- these are not looked up by keys.
WITH RECURSIVE entitled (tenant, type, id, entitlements, place) AS (
    SELECT tenant, type, id, keys -> 'entitlements', 0 FROM resources
    WHERE keys -> 'entitlements' -> 0 IS NOT NULL
    UNION ALL
    SELECT tenant, type, id, entitlements, place + 1 FROM entitled WHERE entitlements -> (place + 1) IS NOT NULL
)
INSERT INTO resource_keys (tenant, type, attribute, value, id, claimed, claim)
SELECT tenant, type, 'entitlements', entitlements -> place ->> 'value', id, FALSE, '' FROM entitled
WHERE octet_length(entitlements -> place ->> 'value') <= 512
ON CONFLICT DO NOTHING;

-- The keys of a resource are found by its `id` before its type: by the type alone, of which PostgreSQL without statistics
-- does not know that most keys have it, nobody should look for a key in this index.
DROP INDEX resource_keys_by_resource;
CREATE INDEX resource_keys_by_resource ON resource_keys (tenant, id, type);
