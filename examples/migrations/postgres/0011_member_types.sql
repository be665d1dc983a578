-- As `../0011_member_types.sql`.
UPDATE members SET body = CAST((
    SELECT json_object_agg(e.key, e.value) FROM (
        SELECT key, value FROM json_each(CAST(members.body AS json)) WHERE key NOT IN ('type', '$ref')
        UNION ALL
        SELECT 'type', to_json(t.type) FROM (SELECT coalesce(
            (SELECT c.type FROM counters AS c
                WHERE c.tenant = members.tenant
                AND (members.type = 'Group' OR CAST(members.body AS json) ->> 'type' IS NOT NULL)
                AND EXISTS (
                    SELECT 1 FROM resources AS r
                    WHERE r.tenant = c.tenant AND r.type = c.type
                        AND r.id = CAST(members.body AS json) ->> 'value'
                ) ORDER BY c.type <> 'User', c.type <> 'Group', c.type LIMIT 1),
            (SELECT c.type FROM counters AS c
                WHERE c.tenant = members.tenant
                AND lower(c.type) = lower(CAST(members.body AS json) ->> 'type'))
        ) AS type) AS t WHERE t.type IS NOT NULL
    ) AS e
) AS text);

UPDATE members SET keys = CASE
    WHEN CAST(body AS json) ->> 'type' IS NULL THEN keys - '$ref' - 'type'
    ELSE (keys - '$ref') || jsonb_build_object('type', lower(CAST(body AS json) ->> 'type'))
END;
