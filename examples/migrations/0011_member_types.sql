-- A member has as `type` the resource type of what it is, whatever the client said, and its URI is no part of what is
-- stored. Who is no resource keeps what the client said, where that is a type. Groups of a type of one's own may have
-- no place for it.
--
-- PostgreSQL has other words for it, which are in `postgres`.
UPDATE members SET body = json_remove(json_set(body, '$.type', coalesce(
    (SELECT c.type FROM counters AS c
        WHERE c.tenant = members.tenant AND (members.type = 'Group' OR members.body ->> 'type' IS NOT NULL)
        AND EXISTS (
            SELECT 1 FROM resources AS r
            WHERE r.tenant = c.tenant AND r.type = c.type AND r.id = members.body ->> 'value'
        ) ORDER BY c.type <> 'User', c.type <> 'Group', c.type LIMIT 1),
    (SELECT c.type FROM counters AS c
        WHERE c.tenant = members.tenant AND lower(c.type) = lower(members.body ->> 'type')),
    ''
)), '$."$ref"');

UPDATE members SET body = json_remove(body, '$.type') WHERE body ->> 'type' = '';

UPDATE members SET keys = CASE
    WHEN body ->> 'type' IS NULL THEN jsonb_remove(keys, '$."$ref"', '$.type')
    ELSE jsonb_set(jsonb_remove(keys, '$."$ref"'), '$.type', lower(body ->> 'type'))
END;
