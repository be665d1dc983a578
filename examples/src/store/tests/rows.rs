//! Which rows a read or a write of some members touches.

use super::*;

/// One member into a group of thousands reads and writes what one into a group of ten does.
#[tokio::test]
async fn a_delta_touches_the_rows_it_names() {
    let registry = Registry::standard();
    let schema = registry.by_name("Group").unwrap();
    let tenant = TenantId::new("acme");
    let scope = Scope { tenant: &tenant, schema };
    let store = SqlStore::in_memory().await.unwrap();
    let members: Vec<_> = (0..3000).map(|number| json!({"value": format!("u{number}")})).collect();
    let group = resource(json!({
        "id": "g", "displayName": "All", "members": members, "meta": {"version": "W/\"1\""},
    }));
    store.create(scope, &group, &[]).await.unwrap();

    let delta = Delta {
        attribute: "members".into(),
        removed: vec!["u7".into(), "nobody".into()],
        added: vec![value(json!({"value": "new"})), value(json!({"value": "u8", "display": "Other"}))],
        ..Delta::default()
    };
    let change = Change { deltas: vec![delta], ..Change::default() };
    let update =
        Update { change: &change, unique: None, last_modified: "2026-02-02T00:00:00Z", members: None };
    let id = ResourceId::new("g");
    let applied = store.apply(scope, &id, &update, Some(Version(1))).await.unwrap();
    assert_eq!(applied, Applied::Changed(Version(2)));
    let written: Vec<(String,)> = sqlx::query_as("SELECT member FROM members WHERE since = 2")
        .fetch_all(readers(&store))
        .await
        .unwrap();
    assert_eq!(written, [("new".to_owned(),)]);
    let (count,): (i64,) =
        sqlx::query_as("SELECT count(*) FROM members").fetch_one(readers(&store)).await.unwrap();
    assert_eq!(count, 3000);

    // The same again changes nothing, the version included.
    for expected in [Some(Version(2)), None] {
        let applied = store.apply(scope, &id, &update, expected).await.unwrap();
        assert_eq!(applied, Applied::Unchanged(Version(2)));
    }
    let now = store.read(scope, &id, &Projection::without("members")).await.unwrap().unwrap();
    assert_eq!(now.version(), Some(Version(2)));
    assert_eq!(now.get("members"), None);

    // A member that takes the place of itself, with a name, is one row; and none, if it has that name.
    let named = value(json!({"value": "u9", "display": "Nine"}));
    let delta = Delta {
        attribute: "members".into(),
        removed: vec!["u9".into()],
        added: vec![named],
        ..Delta::default()
    };
    let change = Change { deltas: vec![delta], ..Change::default() };
    let update = Update { change: &change, ..update };
    let applied = store.apply(scope, &id, &update, Some(Version(2))).await.unwrap();
    assert_eq!(applied, Applied::Changed(Version(3)));
    let applied = store.apply(scope, &id, &update, Some(Version(3))).await.unwrap();
    assert_eq!(applied, Applied::Unchanged(Version(3)));
    let written: Vec<(String, String)> =
        sqlx::query_as("SELECT member, json(body) FROM members WHERE since > 2")
            .fetch_all(readers(&store))
            .await
            .unwrap();
    let [(member, body)] = &written[..] else { panic!("{written:?}") };
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!((&**member, body), ("u9", json!({"value": "u9", "display": "Nine"})));
}

/// Of the members those alone are read that are asked for: the others are rows that nobody could read.
#[tokio::test]
async fn members_that_are_not_named_are_not_read() {
    let registry = Registry::standard();
    let schema = registry.by_name("Group").unwrap();
    let tenant = TenantId::new("acme");
    let scope = Scope { tenant: &tenant, schema };
    let store = SqlStore::in_memory().await.unwrap();
    let group = resource(json!({
        "id": "g", "displayName": "All", "members": [{"value": "u1"}, {"value": "u2"}, {"value": "u3"}],
        "meta": {"version": "W/\"1\""},
    }));
    store.create(scope, &group, &[]).await.unwrap();
    let spoil = "UPDATE members SET body = 'unreadable' WHERE member = 'u2'";
    sqlx::query(spoil).execute(writer(&store)).await.unwrap();
    let id = ResourceId::new("g");
    for (named, expected) in [
        (vec!["u3", "nobody", "u1"], Some(json!([{"value": "u1"}, {"value": "u3"}]))),
        (vec!["nobody"], None),
        (vec![], None),
    ] {
        let named: Vec<Box<str>> = named.into_iter().map(Box::from).collect();
        let projection = Projection::default().with_values("members", &named);
        let read = store.read(scope, &id, &projection).await.unwrap().unwrap();
        assert_eq!(read.get("members").cloned().map(serde_json::Value::from), expected);
        assert_eq!(read.version(), Some(Version(1)));
    }
    let all = Projection::default().with_values("members", &["u2".into()]);
    assert!(store.read(scope, &id, &all).await.is_err());
}

/// Member rows that nobody could read show whether anybody does.
#[tokio::test]
async fn members_that_are_left_out_are_not_read() {
    let registry = Registry::standard();
    let schema = registry.by_name("Group").unwrap();
    let tenant = TenantId::new("acme");
    let scope = Scope { tenant: &tenant, schema };
    let store = SqlStore::in_memory().await.unwrap();
    let group = resource(json!({
        "id": "g", "displayName": "All", "members": [{"value": "u1"}, {"value": "u2"}], "meta": {"version": "W/\"1\""},
    }));
    store.create(scope, &group, &[]).await.unwrap();
    sqlx::query("UPDATE members SET body = 'unreadable'").execute(writer(&store)).await.unwrap();

    let id = ResourceId::new("g");
    let everything = Query { start: Start::First, count: 5, ..Query::default() };
    assert!(store.read(scope, &id, &Projection::default()).await.is_err());
    assert!(store.query(scope, &everything).await.is_err());
    for (attributes, excluded) in
        [(None, Some("members")), (Some("displayName"), None), (None, Some("displayName,MEMBERS"))]
    {
        let projection = Projection::parse(schema, attributes, excluded).unwrap();
        assert!(store.read(scope, &id, &projection).await.unwrap().is_some());
        for filter in [
            None,
            Some("members eq \"u2\""),
            Some("members.value eq \"u2\""),
            Some("members[value eq \"u1\"]"),
            Some("id eq \"g\" and members eq \"u1\""),
            Some("id eq \"g\" and members.value eq \"u1\""),
        ] {
            let filter = filter
                .map(|text| Filter::parse(text).unwrap().bind(&**schema, &BindOptions::default()).unwrap());
            for sort_by in [None, Some("displayName"), Some("meta.created")] {
                let sort = Sort::parse(&**schema, sort_by, None).unwrap();
                let (filter, projection) = (filter.clone(), projection.clone());
                let query = Query { filter, projection, sort, ..everything.clone() };
                assert_eq!(store.query(scope, &query).await.unwrap().total, Some(1), "{query:?}");
            }
        }
    }
}
