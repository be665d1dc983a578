//! Resources in bulk, by statements that the database makes them with itself: what the service would
//! store of them, row for row.

use scim_filter::sql::Dialect;

/// The tenant that they are of.
pub(crate) const TENANT: &str = "scale";

/// Statements that make the users `u1` to `u{count}`.
pub(crate) fn users(dialect: Dialect, count: usize) -> Vec<String> {
    let body = |time: &str, case: &str, kind: &str| {
        format!(
            r#"'{{"schemas":["urn:ietf:params:scim:schemas:core:2.0:{kind}"],"id":"u' || n || '","externalId":"E' || n || '","userName":"{case}ser' || n || '@example.com","name":{{"familyName":"family","givenName":"given"}},"active":true,"emails":[{{"value":"{case}ser' || n || '@example.com","type":"work","primary":true}}],"meta":{{"resourceType":"User","created":"{time}","lastModified":"{time}","version":"W/\"1\""}}}}'"#
        )
    };
    let (body, keys) = (body("2026-01-01T00:00:00Z", "U", "User"), body("2026-01-01T00:00:00", "u", "user"));
    let all = series(dialect, count);
    let key = |attribute: &str, value: &str, claim: &str| {
        format!(
            "INSERT INTO resource_keys (tenant, type, attribute, value, id, claimed, claim) \
             SELECT '{TENANT}', 'User', '{attribute}', {value}, 'u' || n, '{claim}' <> '', '{claim}' FROM {all}"
        )
    };
    vec![
        format!(
            "INSERT INTO resources (tenant, type, id, seq, version, body, keys) \
             SELECT '{TENANT}', 'User', 'u' || n, n, 1, {body}, jsonb({keys}) FROM {all}"
        ),
        format!("INSERT INTO counters (tenant, type, last) VALUES ('{TENANT}', 'User', {count})"),
        key(
            "userName",
            "'user' || n || '@example.com'",
            "urn:ietf:params:scim:schemas:core:2.0:user:username",
        ),
        key("externalId", "'E' || n", ""),
        key("emails", "'user' || n || '@example.com'", ""),
    ]
}

/// Statements that make the group `id`, the `place`th, with the users `u1` to `u{count}` as members.
pub(crate) fn group(dialect: Dialect, id: &str, place: usize, count: usize) -> Vec<String> {
    let body = |time: &str, case: &str, kind: &str| {
        format!(
            r#"{{"schemas":["urn:ietf:params:scim:schemas:core:2.0:{kind}"],"id":"{id}","displayName":"{case}taff","meta":{{"resourceType":"Group","created":"{time}","lastModified":"{time}","version":"W/\"1\""}}}}"#
        )
    };
    let (body, keys) =
        (body("2026-01-01T00:00:00Z", "S", "Group"), body("2026-01-01T00:00:00", "s", "group"));
    let all = series(dialect, count);
    vec![
        format!(
            "INSERT INTO resources (tenant, type, id, seq, version, body, keys) \
             VALUES ('{TENANT}', 'Group', '{id}', {place}, 1, '{body}', jsonb('{keys}'))"
        ),
        format!(
            "INSERT INTO counters (tenant, type, last) VALUES ('{TENANT}', 'Group', {place}) \
             ON CONFLICT (tenant, type) DO UPDATE SET last = {place}"
        ),
        format!(
            "INSERT INTO resource_keys (tenant, type, attribute, value, id, claimed) \
             VALUES ('{TENANT}', 'Group', 'displayName', 'staff', '{id}', FALSE)"
        ),
        format!(
            "INSERT INTO members (tenant, type, id, since, place, member, body, keys) \
             SELECT '{TENANT}', 'Group', '{id}', 1, n, 'u' || n, '{{\"value\":\"u' || n || '\"}}', \
             jsonb('{{}}') FROM {all}"
        ),
    ]
}

/// The numbers `n` from 1 to `count`, as a table.
fn series(dialect: Dialect, count: usize) -> String {
    match dialect {
        Dialect::Postgres => format!("generate_series(1, {count}) AS s (n)"),
        Dialect::Sqlite if count == 0 => "(SELECT 1 AS n WHERE FALSE)".to_owned(),
        Dialect::Sqlite => format!(
            "(WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {count}) SELECT n FROM s)"
        ),
    }
}
