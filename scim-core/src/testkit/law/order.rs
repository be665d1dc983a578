//! Sorted lists and pages by cursor, as far as the store says that it has them
//! ([`query_support`](Store::query_support)).

use std::collections::BTreeSet;

use super::list::agrees;
use super::write::user;
use crate::query::{Place, Query, Start};
use crate::sort::{Sort, SortKey};
use crate::store::{self, Page, Scope, Store, StoreError};
use crate::testkit::random::{self, Random};
use crate::testkit::trial::{bound, ids};
use crate::testkit::{Broken, Trial, demand};

/// A sorted list is in the order of RFC 7644 §3.4.2.3, ties in that of `id`, whichever part of it
/// is asked for. An attribute that the store does not sort by is refused.
pub async fn a_sorted_list_is_in_its_order<S: Store>(trial: &Trial<S>) -> Result<(), Broken> {
    if !trial.store().query_support().sort {
        return Ok(());
    }
    let users = trial.users()?;
    let mut random = Random::new(13);
    let mut all = Vec::new();
    for number in 0..30 {
        // Not in the order of creation, neither by id nor by name.
        let number = (number * 17) % 31;
        let user = random::user(&mut random, number, (number * 7) % 31);
        trial.create(users, &user).await?;
        all.push(user);
    }
    // What differs behind the characters that count alone, not in the order of `id`.
    for (id, end) in [("1-long", "zz"), ("2-long", ""), ("3-long", "aa")] {
        let mut user = user(id, &format!("{}{end}", beginning()));
        for name in ["externalId", "displayName"] {
            user.0.insert(name, format!("{}{end}", beginning()));
        }
        trial.create(users, &user).await?;
        all.push(user);
    }
    let by = BY.iter().take(trial.cases(BY.len()));
    for (sort_by, sort_order) in by.flat_map(|by| ["ascending", "descending"].map(|order| (by, order))) {
        let sort = sort(users, sort_by, sort_order)?;
        let refused = trial.store().query(users, &Query { sort: sort.clone(), ..Query::default() }).await;
        if matches!(refused, Err(StoreError::UnsupportedSort(_))) {
            continue;
        }
        for filter in ["id pr", "active eq true", "externalId eq \"E1\"", "not (displayName eq \"ann\")"] {
            for (index, count) in [(1, 100), (4, 5), (27, 9)] {
                let filter = Some(bound(users.schema, filter)?);
                let start = Start::Index(index);
                let query = Query { filter, sort: sort.clone(), start, count, ..Query::default() };
                agrees(trial, users, &query, &format!("sortBy {sort_by}, {sort_order}"), &all).await?;
            }
        }
    }
    Ok(())
}

/// Cursors lead from the first page of a list to its last, past every match once, and the same way
/// back; the first page has the total.
pub async fn cursors_lead_through_the_list_and_back<S: Store>(trial: &Trial<S>) -> Result<(), Broken> {
    if !trial.store().query_support().cursor {
        return Ok(());
    }
    let users = trial.users()?;
    let mut random = Random::new(17);
    let mut all = Vec::new();
    for number in 0..20 {
        let number = (number * 7) % 23;
        let user = random::user(&mut random, number, (number * 5) % 23);
        trial.create(users, &user).await?;
        all.push(user);
    }
    for sort in sorts(trial, users)? {
        for (filter, count) in
            [(None, 3), (None, 20), (Some("active eq true"), 2), (Some("userName co \"1\""), 1)]
        {
            let filter = filter.map(|text| bound(users.schema, text)).transpose()?;
            let query = Query { filter, sort: sort.clone(), start: Start::First, count, ..Query::default() };
            let everything = Query { start: Start::Index(1), count: usize::MAX, ..query.clone() };
            let mut expected = ids(&store::evaluate(users.schema, &everything, &all).resources);
            let what = format!("sort {sort:?}, {count} at a time");

            let mut pages: Vec<Page> = Vec::new();
            let mut next = Some(Start::First);
            while let Some(start) = next {
                demand!(pages.len() <= all.len(), "{what}: there is always a next page");
                let page = trial.query(users, &Query { start, ..query.clone() }).await?;
                demand!(page.resources.len() <= count, "{what}: a page of {}", page.resources.len());
                next = page.next.clone().map(Start::After);
                pages.push(page);
            }
            let first = pages.first();
            let total = first.and_then(|page| page.total);
            demand!(
                total == Some(expected.len()),
                "{what}: expected total {}, got {total:?}",
                expected.len()
            );
            demand!(first.is_some_and(|page| page.previous.is_none()), "{what}: a page before the first");
            let mut found: Vec<String> = pages.iter().flat_map(|page| ids(&page.resources)).collect();
            if sort.is_none() {
                // Then the order is the store's own.
                found.sort();
                expected.sort();
            }
            demand!(found == expected, "{what}: expected {expected:?}, got {found:?}");

            let mut place = pages.pop().and_then(|page| page.previous);
            while let Some(start) = place.map(Start::Before) {
                let page = trial.query(users, &Query { start, ..query.clone() }).await?;
                let (found, forth) = (ids(&page.resources), pages.pop().map(|page| ids(&page.resources)));
                demand!(
                    Some(&found) == forth.as_ref(),
                    "{what}, on the way back: expected {forth:?}, got {found:?}"
                );
                place = page.previous;
            }
            demand!(pages.is_empty(), "{what}: the way back ends before the first page");
        }
    }
    Ok(())
}

/// Who goes from page to page by cursor meets each match that is there all the time exactly once,
/// though others come and go, the last one of a page among them; also where all values begin with as
/// many characters as [count](SortKey::LONGEST), which no place has more of.
pub async fn pages_by_cursor_hold_still_while_others_write<S: Store>(trial: &Trial<S>) -> Result<(), Broken> {
    if !trial.store().query_support().cursor {
        return Ok(());
    }
    let users = trial.users()?;
    let sorts = sorts(trial, users)?;
    let lists = [String::new(), beginning()]
        .map(|begin| sorts.iter().cloned().map(move |sort| (sort, begin.clone())));
    for (round, (sort, begin)) in lists.into_iter().flatten().enumerate() {
        let id = |number: usize| format!("{round}-{:02}", (number * 7) % 31);
        let mut staying = BTreeSet::new();
        for number in 0..24 {
            let id = id(number);
            trial.create(users, &user(&id, &format!("{begin}Name{number}-{round}"))).await?;
            staying.insert(id);
        }
        let filter = Some(bound(users.schema, &format!("id sw \"{round}-\""))?);
        let mut query = Query { filter, sort, start: Start::First, count: 4, ..Query::default() };
        let mut met: Vec<String> = Vec::new();
        for page_number in 0.. {
            demand!(page_number < 40, "there is always a next page");
            let page = trial.query(users, &query).await?;
            let shown = ids(&page.resources);
            // The last of the page goes, and somebody before it and behind it comes.
            if let Some(last) = shown.last() {
                trial.delete(users, last).await?;
                staying.remove(last);
            }
            for name in ["0", "zz"] {
                let id = format!("{round}-{name}-{page_number}");
                trial.create(users, &user(&id, &format!("{begin}{name}-{page_number}-{round}"))).await?;
            }
            let is_short = |place: &Place| match place {
                Place::Sorted(Some(SortKey::Text(text)), _) => text.chars().count() <= SortKey::LONGEST,
                _ => true,
            };
            let places = [&page.previous, &page.next];
            demand!(places.into_iter().flatten().all(is_short), "a place of more than a key: {places:?}");
            met.extend(shown);
            // What comes behind may never end; what was there first does.
            let Some(place) = page.next.filter(|_| page_number < 20) else { break };
            query.start = Start::After(place);
        }
        let distinct: BTreeSet<&String> = met.iter().collect();
        demand!(distinct.len() == met.len(), "somebody is on two pages: {met:?}");
        let missed: Vec<&String> = staying.iter().filter(|id| !distinct.contains(id)).collect();
        demand!(missed.is_empty(), "sort {:?}: {missed:?} are on no page", query.sort);
    }
    Ok(())
}

/// More characters than count.
fn beginning() -> String {
    "\u{e9}t\u{e9} ".repeat(SortKey::LONGEST / 4 + 1)
}

/// No sort, and one of each order where the store sorts.
fn sorts<S: Store>(trial: &Trial<S>, scope: Scope<'_>) -> Result<Vec<Option<Sort>>, Broken> {
    let mut sorts = vec![None];
    if trial.store().query_support().sort {
        sorts.push(sort(scope, "userName", "ascending")?);
        sorts.push(sort(scope, "userName", "descending")?);
    }
    Ok(sorts)
}

fn sort(scope: Scope<'_>, sort_by: &str, sort_order: &str) -> Result<Option<Sort>, Broken> {
    Sort::parse(scope.schema, Some(sort_by), Some(sort_order)).map_err(|error| Broken::new(error.to_string()))
}

const BY: [&str; 10] = [
    "id",
    "userName",
    "externalId",
    "displayName",
    "emails",
    "emails.type",
    "active",
    "name.familyName",
    "meta.lastModified",
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value",
];
