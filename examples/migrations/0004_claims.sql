-- A unique value is had once among all resources of a tenant whose type has the schema of its attribute (RFC 7643
-- erratum 8279), not only among those of one type.

-- Of a claimed value, the attribute with the URI of its schema, in lower case; otherwise empty.
ALTER TABLE resource_keys ADD COLUMN claim TEXT NOT NULL DEFAULT '';

-- Attributes of extensions have the URI already. The base schema comes first in `schemas`.
UPDATE resource_keys SET claim = lower(
    CASE WHEN attribute LIKE '%:%' THEN attribute ELSE (
        SELECT coalesce(r.keys -> 'schemas' ->> 0, '') FROM resources AS r
        WHERE r.tenant = resource_keys.tenant AND r.type = resource_keys.type AND r.id = resource_keys.id
    ) || ':' || attribute END
) WHERE claimed;

-- Where resources of several types have one value, which was allowed, the first type keeps it. The others
-- keep theirs until they are written again, and are then refused it.
UPDATE resource_keys SET claimed = FALSE, claim = ''
WHERE claimed AND (tenant, claim, value) IN (
    SELECT tenant, claim, value FROM resource_keys WHERE claimed
    GROUP BY tenant, claim, value HAVING count(*) > 1
) AND (tenant, claim, value, type || '/' || id) NOT IN (
    SELECT tenant, claim, value, min(type || '/' || id) FROM resource_keys WHERE claimed
    GROUP BY tenant, claim, value HAVING count(*) > 1
);

DROP INDEX resource_keys_claimed;
CREATE UNIQUE INDEX resource_keys_claimed ON resource_keys (tenant, claim, value) WHERE claimed;
