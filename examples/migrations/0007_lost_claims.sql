-- A resource may have a unique value that another one has claimed, since both had it before the rule came: it keeps
-- it, and the claim that it would have is noted, so that it can be said who they are.
UPDATE resource_keys SET claim = lower(
    CASE WHEN attribute LIKE '%:%' THEN attribute ELSE (
        SELECT coalesce(r.keys -> 'schemas' ->> 0, '') FROM resources AS r
        WHERE r.tenant = resource_keys.tenant AND r.type = resource_keys.type AND r.id = resource_keys.id
    ) || ':' || attribute END
) WHERE NOT claimed AND (tenant, attribute, value) IN (
    SELECT tenant, attribute, value FROM resource_keys WHERE claimed
) AND (tenant, lower(
    CASE WHEN attribute LIKE '%:%' THEN attribute ELSE (
        SELECT coalesce(r.keys -> 'schemas' ->> 0, '') FROM resources AS r
        WHERE r.tenant = resource_keys.tenant AND r.type = resource_keys.type AND r.id = resource_keys.id
    ) || ':' || attribute END
), value) IN (
    SELECT tenant, claim, value FROM resource_keys WHERE claimed
);

CREATE INDEX resource_keys_lost ON resource_keys (tenant, type, id) WHERE NOT claimed AND claim <> '';
