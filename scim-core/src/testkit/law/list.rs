//! Lists: order, pages, projections and filters.

use serde_json::json;

use super::write::{group, of_members, user};
use crate::patch::Change;
use crate::pieces::Pieces;
use crate::projection::Projection;
use crate::query::{Query, Start};
use crate::store::{self, Scope, Store};
use crate::testkit::random::{self, Random, write};
use crate::testkit::trial::{bound, everything, ids, in_version, name, same};
use crate::testkit::{Broken, Trial, demand, trial};
use crate::{Resource, ResourceId, Version};

/// Unsorted, a list is in the order of creation: nothing that is written later moves a resource,
/// and what is created later comes after it. Pages by index hold together only so.
pub async fn a_list_is_in_the_order_of_creation<S: Store>(trial: &Trial<S>) -> Result<(), Broken> {
    let users = trial.users()?;
    for (id, name) in [("9", "z"), ("1", "y"), ("5", "x"), ("a", "w")] {
        trial.create(users, &user(id, name)).await?;
    }
    in_order(trial, &["9", "1", "5", "a"]).await?;
    trial.replace(users, &in_version(&user("9", "zz"), 2), Version(1)).await?;
    let title = Change { writes: vec![write("title", Some("Boss".into()))], ..Change::default() };
    trial.apply(users, &user("1", "y"), &title, Version(1)).await?;
    in_order(trial, &["9", "1", "5", "a"]).await?;
    trial.delete(users, "1").await?;
    trial.create(users, &user("1", "v")).await?;
    in_order(trial, &["9", "5", "a", "1"]).await?;
    let filtered = Query { filter: Some(bound(users.schema, "userName pr")?), ..everything() };
    let found = ids(&trial.query(users, &filtered).await?.resources);
    demand!(found == ["9", "5", "a", "1"], "a filtered list: expected 9, 5, a, 1, got {found:?}");
    Ok(())
}

async fn in_order<S: Store>(trial: &Trial<S>, expected: &[&str]) -> Result<(), Broken> {
    let listed = ids(&trial.query(trial.users()?, &everything()).await?.resources);
    demand!(listed == expected, "expected the list {expected:?}, got {listed:?}");
    Ok(())
}

/// A page holds `count` of the matches from the 1-based `startIndex` on, and the total is of all.
pub async fn a_page_is_the_part_asked_for<S: Store>(trial: &Trial<S>) -> Result<(), Broken> {
    let users = trial.users()?;
    let all = some_users(trial, 17).await?;
    for filter in [None, Some("userName pr"), Some("userName co \"1\""), Some("userName eq \"Name7\"")] {
        for (start_index, count) in [(0, 3), (1, 3), (2, 3), (4, 100), (1, 16), (1, 17), (17, 1), (18, 1)] {
            let filter = filter.map(|text| bound(users.schema, text)).transpose()?;
            let query = Query { filter, start: Start::Index(start_index), count, ..Query::default() };
            let expected = store::evaluate(users.schema, &query, &all);
            let page = trial.query(users, &query).await?;
            let what = format!("startIndex {start_index}, count {count}");
            demand!(
                page.total == expected.total,
                "{what}: expected total {:?}, got {:?}",
                expected.total,
                page.total
            );
            // More than asked for is the service's to cut off.
            let found = ids(&page.resources);
            let found: Vec<_> = found.iter().take(count).collect();
            let expected = ids(&expected.resources);
            demand!(
                found == expected.iter().collect::<Vec<_>>(),
                "{what}: expected {expected:?}, got {found:?}"
            );
        }
    }
    Ok(())
}

/// A `count` of 0 asks for the total alone.
pub async fn a_count_of_zero_asks_for_the_total<S: Store>(trial: &Trial<S>) -> Result<(), Broken> {
    let users = trial.users()?;
    let empty = trial.query(users, &Query::default()).await?;
    demand!(empty.total == Some(0), "the total of nothing is {:?}", empty.total);
    some_users(trial, 12).await?;
    for (filter, total) in [("userName pr", 12), ("userName co \"1\"", 3), ("userName eq \"x\"", 0)] {
        let filter = Some(bound(users.schema, filter)?);
        let page = trial.query(users, &Query { filter, ..Query::default() }).await?;
        let found = trial::total(&page)?;
        demand!(found == total, "count 0: expected total {total}, got {found}");
    }
    Ok(())
}

/// Indexes and counts of any size are answered.
pub async fn any_window_is_answered<S: Store>(trial: &Trial<S>) -> Result<(), Broken> {
    let users = trial.users()?;
    let all = some_users(trial, 3).await?;
    for filter in [None, Some("userName pr"), Some("userName ew \"2\"")] {
        for start_index in [0, 1, 4, usize::MAX / 2, usize::MAX - 1, usize::MAX] {
            for count in [0, 1, usize::MAX / 2, usize::MAX] {
                let filter = filter.map(|text| bound(users.schema, text)).transpose()?;
                let query = Query { filter, start: Start::Index(start_index), count, ..Query::default() };
                let expected = store::evaluate(users.schema, &query, &all).resources.len();
                let found = trial.query(users, &query).await?.resources.len().min(count);
                demand!(
                    found == expected,
                    "startIndex {start_index}, count {count}: expected {expected} of {}, got {found}",
                    all.len()
                );
            }
        }
    }
    Ok(())
}

/// Who was there all the time is on the pages of a list exactly once, though others are created and
/// changed between one page and the next.
pub async fn pages_hold_still_while_others_write<S: Store>(trial: &Trial<S>) -> Result<(), Broken> {
    let users = trial.users()?;
    let mut all = some_users(trial, 20).await?;
    let mut random = Random::new(3);
    let mut seen = Vec::new();
    for page in 0..10 {
        let query = Query { start: Start::Index(page * 2 + 1), count: 2, ..Query::default() };
        seen.extend(ids(&trial.query(users, &query).await?.resources).into_iter().take(2));
        // Ids and names that sort before all others, behind all, and between.
        let id = random.pick(&["0", "Name", "zz", "~", "A"]);
        trial.create(users, &user(&format!("{id}-{page}"), &format!("{id}{page}"))).await?;
        for _ in 0..3 {
            let at = random.below(all.len());
            let Some(user) = all.get_mut(at) else { continue };
            let version = user.version().unwrap_or(Version(1));
            let mut next = in_version(user, version.0 + 1);
            next.0.insert("userName", format!("{id}{page}-{at}-{}", version.0));
            trial.replace(users, &next, version).await?;
            *user = next;
        }
    }
    let expected = ids(&all);
    demand!(seen == expected, "expected {expected:?} on the first pages, got {seen:?}");
    Ok(())
}

/// Reads and lists carry what the projection includes, and always `schemas`, `id` and `meta`.
pub async fn reads_carry_what_is_asked_for<S: Store>(trial: &Trial<S>) -> Result<(), Broken> {
    let mut ann = user("1", "ann");
    let extension = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    ann.0.insert("title", "Boss");
    ann.0.insert("emails", json!([{"value": "a@example.com", "type": "work"}]));
    ann.0.insert(extension, json!({"department": "Tours", "division": "Parks"}));
    let department = format!("{extension}:department");
    let of_users = [
        (Some("title"), None),
        (Some("emails.value"), None),
        (Some(&*department), None),
        (None, Some("title,meta")),
        (None, Some("emails.type")),
        (Some("members"), None),
    ];
    let of_groups = [
        (Some("displayName"), None),
        (Some("members"), None),
        (Some("members.value"), None),
        (None, Some("members")),
        (None, Some("displayName")),
    ];
    for (scope, stored, projections) in
        [(trial.users()?, ann, &of_users[..]), (trial.groups()?, group("g", &["1", "2"]), &of_groups[..])]
    {
        trial.create(scope, &stored).await?;
        for (attributes, excluded) in projections {
            let projection = Projection::parse(scope.schema, *attributes, *excluded)
                .map_err(|error| Broken::new(error.to_string()))?;
            carries(trial, scope, &stored, projection, &format!("{attributes:?} without {excluded:?}"))
                .await?;
        }
        carries(trial, scope, &stored, Projection::without("members"), "without members").await?;
    }
    // The members that are named, and perhaps others.
    let some = Projection::default().with_values("members", &["2".into(), "9".into()]);
    let read = trial.read_with(trial.groups()?, "g", &some).await?.unwrap_or_default();
    let named = read.get("displayName").is_some()
        && read.get("members").is_some_and(|all| all.values().contains(&json!({"value": "2"}).into()))
        && read.get("members").is_some_and(|all| all.values().len() <= 2);
    demand!(named, "read of a group with the member `2`: found {}", read.0);
    Ok(())
}

async fn carries<S: Store>(
    trial: &Trial<S>,
    scope: Scope<'_>,
    stored: &Resource,
    projection: Projection,
    what: &str,
) -> Result<(), Broken> {
    let expected = store::project(scope.schema, stored, &projection);
    let id = name(stored);
    let read = trial.read_with(scope, &id, &projection).await?;
    let read = read.ok_or_else(|| Broken::new(format!("read of `{id}`, {what}: not found")))?;
    // More than was asked for is no error.
    same(&format!("read of {what}"), &store::project(scope.schema, &read, &projection), &expected)?;
    let page = trial.query(scope, &Query { projection: projection.clone(), ..everything() }).await?;
    for found in &page.resources {
        same(&format!("list of {what}"), &store::project(scope.schema, found, &projection), &expected)?;
    }
    demand!(page.resources.len() == 1, "list of {what}: expected one, got {}", page.resources.len());
    Ok(())
}

/// A filter may name what the response does not carry.
pub async fn a_filter_sees_what_the_projection_leaves_out<S: Store>(trial: &Trial<S>) -> Result<(), Broken> {
    let (users, groups) = (trial.users()?, trial.groups()?);
    let mut ann = user("1", "ann");
    ann.0.insert("title", "Boss");
    trial.create(users, &ann).await?;
    trial.create(users, &user("2", "bob")).await?;
    trial.create(groups, &group("g", &["1"])).await?;
    trial.create(groups, &group("h", &["2"])).await?;
    for (scope, filter, id) in [
        (users, "title eq \"boss\"", "1"),
        (users, "not (title pr)", "2"),
        (groups, "members.value eq \"2\"", "h"),
        (groups, "not (members[value eq \"2\"])", "g"),
    ] {
        for projection in [
            Projection::parse(scope.schema, Some("id"), None).unwrap_or_default(),
            Projection::without("members"),
        ] {
            let query = Query { filter: Some(bound(scope.schema, filter)?), projection, ..everything() };
            let page = trial.query(scope, &query).await?;
            let found = ids(&page.resources);
            demand!(found == [id], "`{filter}` without what it names: expected {id}, found {found:?}");
        }
    }
    Ok(())
}

/// A resource that is read in pieces, alone or in a list, is the one that is read as a whole, whatever the
/// order of its members.
pub async fn what_is_read_in_pieces_is_what_is_read<S: Store>(trial: &Trial<S>) -> Result<(), Broken> {
    let groups = trial.groups()?;
    let many: Vec<String> = (0..trial.cases(2500)).map(|number| format!("u{number}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    for (id, members) in [("many", &many[..]), ("none", &[]), ("few", &["b", "a", "c"])] {
        trial.create(groups, &group(id, members)).await?;
        let pieces = trial.store().read_in_pieces(groups, &ResourceId::new(id), &Projection::default()).await;
        let pieces = pieces.map_err(|error| trial::failed("read in pieces", id, &error))?;
        let pieces = pieces.ok_or_else(|| Broken::new(format!("read in pieces of `{id}`: not found")))?;
        same(&format!("read in pieces of `{id}`"), &whole(pieces).await?, &trial.stored(groups, id).await?)?;
    }
    let list = trial.query(groups, &everything()).await?.resources;
    let page = trial.store().query_in_pieces(groups, &everything()).await;
    let page = page.map_err(|error| trial::failed("query in pieces", "", &error))?;
    demand!(page.resources.len() == list.len(), "query in pieces: {} of three", page.resources.len());
    for (pieces, read) in page.resources.into_iter().zip(&list) {
        same("query in pieces", &whole(pieces).await?, read)?;
    }
    let gone = trial.store().read_in_pieces(groups, &ResourceId::new("gone"), &Projection::default()).await;
    demand!(matches!(gone, Ok(None)), "read in pieces of what is not there: got {gone:?}");
    Ok(())
}

/// The resource with all its pieces.
async fn whole(pieces: Pieces) -> Result<Resource, Broken> {
    let resource = pieces.resource.into_resource();
    let mut resource = resource.map_err(|error| trial::failed("read in pieces", "", &error))?;
    for mut rest in pieces.rest {
        let mut values = Vec::new();
        loop {
            let some = rest.values.next().await;
            let some =
                some.map_err(|error| trial::failed("read of the next piece", &rest.attribute, &error))?;
            if some.is_empty() {
                break;
            }
            values.extend(some);
        }
        resource.0.remove(&rest.attribute);
        if !values.is_empty() {
            resource.0.insert(&*rest.attribute, values);
        }
    }
    Ok(resource)
}

/// Random filters over random resources find what evaluating them on each resource finds.
pub async fn a_filter_finds_what_evaluation_finds<S: Store>(trial: &Trial<S>) -> Result<(), Broken> {
    let mut random = Random::new(7);
    for kind in ["User", "Group"] {
        let scope = trial.scope(kind)?;
        let mut all = Vec::new();
        for number in 0..30 {
            let resource = match kind {
                "User" => random::user(&mut random, number, number),
                _ => random::group(&mut random, number),
            };
            trial.create(scope, &resource).await?;
            all.push(resource);
        }
        for _ in 0..trial.cases(200) {
            let depth = random.below(4);
            let text = random::filter(&mut random, kind, depth);
            let query = Query { filter: Some(bound(scope.schema, &text)?), ..everything() };
            agrees(trial, scope, &query, &text, &all).await?;
        }
    }
    Ok(())
}

/// The store answers `query` as evaluation over all resources does.
pub(super) async fn agrees<S: Store>(
    trial: &Trial<S>,
    scope: Scope<'_>,
    query: &Query,
    text: &str,
    all: &[Resource],
) -> Result<(), Broken> {
    let expected = store::evaluate(scope.schema, query, all);
    let page = trial.query(scope, query).await?;
    let (found, wanted) = (ids(&page.resources), ids(&expected.resources));
    let found: Vec<String> = found.into_iter().take(query.count).collect();
    demand!(
        (page.total, &found) == (expected.total, &wanted),
        "`{text}` from {:?} on, {} at most: expected {wanted:?} of {:?}, got {found:?} of {:?}",
        query.start,
        query.count,
        expected.total,
        page.total
    );
    for (found, expected) in page.resources.iter().zip(&expected.resources) {
        let found = store::project(scope.schema, found, &query.projection);
        same(&format!("`{text}`"), &found, expected)?;
    }
    Ok(())
}

/// Every write is seen by filters: they find the values there are now, and none there were before.
pub async fn a_filter_finds_what_was_last_written<S: Store>(trial: &Trial<S>) -> Result<(), Broken> {
    let (users, groups) = (trial.users()?, trial.groups()?);
    let mut first = user("1", "ann");
    first.0.insert("externalId", "E1");
    first.0.insert("emails", json!([{"type": "work", "value": "a@example.com"}]));
    trial.create(users, &first).await?;
    let work = |address: &str| format!("emails[type eq \"work\" and value eq \"{address}\"]");
    trial.finds(users, "externalId eq \"E1\"", &["1"]).await?;
    trial.finds(users, &work("A@example.com"), &["1"]).await?;

    let mut second = in_version(&user("1", "bea"), 2);
    second.0.insert("externalId", "E2");
    trial.replace(users, &second, Version(1)).await?;
    trial.finds(users, "userName eq \"ann\" or externalId eq \"E1\"", &[]).await?;
    trial.finds(users, &work("a@example.com"), &[]).await?;
    trial.finds(users, "userName eq \"bea\" and externalId eq \"E2\"", &["1"]).await?;

    let change = Change {
        writes: vec![
            write("externalId", None),
            write("displayName", Some("Bea".into())),
            write("emails", Some(json!([{"type": "work", "value": "b@example.com"}]).into())),
        ],
        ..Change::default()
    };
    trial.apply(users, &second, &change, Version(2)).await?;
    trial.finds(users, "externalId pr", &[]).await?;
    trial.finds(users, "externalId eq \"E2\"", &[]).await?;
    trial.finds(users, "displayName eq \"bea\"", &["1"]).await?;
    trial.finds(users, &work("b@example.com"), &["1"]).await?;

    let staff = group("g", &["1", "2"]);
    trial.create(groups, &staff).await?;
    trial.apply(groups, &staff, &of_members(&["1"], &["3"]), Version(1)).await?;
    trial.finds(groups, "members eq \"1\"", &[]).await?;
    for id in ["2", "3"] {
        trial.finds(groups, &format!("members.value eq \"{id}\""), &["g"]).await?;
    }
    trial.replace(groups, &in_version(&group("g", &["4"]), 3), Version(2)).await?;
    trial.finds(groups, "members eq \"2\" or members eq \"3\"", &[]).await?;
    trial.finds(groups, "id eq \"g\" and members eq \"4\"", &["g"]).await
}

/// Creates users whose ids and names are not in the order of creation.
async fn some_users<S: Store>(trial: &Trial<S>, number: usize) -> Result<Vec<Resource>, Broken> {
    let mut all = Vec::new();
    for number in 0..number {
        let resource = user(&format!("{}", (number * 7) % 31), &format!("Name{number}"));
        trial.create(trial.users()?, &resource).await?;
        all.push(resource);
    }
    Ok(all)
}
