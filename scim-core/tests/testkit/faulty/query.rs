//! Faults of lists.

use std::collections::HashSet;

use scim_core::membership::Hierarchy;
use scim_core::query::{Place, Query, Start};
use scim_core::schema::Registry;
use scim_core::store::{self, Page, Scope, Store as _, StoreError};
use scim_core::{Resource, ResourceId};
use scim_filter::{BoundExpr, BoundFilter, BoundTerm, Scalar};

use super::{Faulty, id_of};

/// The laws of lists that are sorted or paged by cursor; the faults of others show in plain ones.
const OF_ORDER: [&str; 3] = [
    "a_sorted_list_is_in_its_order",
    "cursors_lead_through_the_list_and_back",
    "pages_by_cursor_hold_still_while_others_write",
];

impl Faulty {
    pub(super) async fn query_now(&self, scope: Scope<'_>, query: &Query) -> Result<Page, StoreError> {
        let filter = query.filter.as_ref();
        let base_url = "https://example.com/scim".parse().unwrap();
        let direct = Hierarchy::new(&Registry::standard(), 1, &base_url);
        let query = &match self.breaks {
            // As one does that looks no further than the groups of a user.
            "a_filter_finds_who_is_in_groups" if query.hierarchy.is_some() => {
                Query { hierarchy: Some(direct.into()), ..query.clone() }
            }
            _ => query.clone(),
        };
        let mut page = self.inner.query(scope, query).await?;
        let is_user = scope.schema.name() == "User";
        let is_plain = query.sort.is_none() && matches!(query.start, Start::Index(_));
        if query.hierarchy.is_some() || (!is_plain && !OF_ORDER.contains(&self.breaks)) {
            return Ok(page);
        }
        match self.breaks {
            "what_is_deleted_is_gone" if filter.is_some() && is_user => {
                let mut all = self.all(scope, filter).await;
                let there: HashSet<String> = self.all(scope, None).await.iter().map(id_of).collect();
                let gone = self.remembered(scope).into_iter().filter(|old| !there.contains(&id_of(old)));
                all.extend(gone);
                page = store::evaluate(scope.schema, query, &all);
            }
            "a_list_is_in_the_order_of_creation" if filter.is_none() => {
                let mut all = self.all(scope, None).await;
                let moved = self.seen.lock().unwrap().moved.clone();
                all.sort_by_key(|resource| moved.contains(&id_of(resource)));
                page = store::evaluate(scope.schema, query, &all);
            }
            "a_page_is_the_part_asked_for" if query.count > 0 => page.total = Some(page.resources.len()),
            "a_count_of_zero_asks_for_the_total" if query.count == 0 => page.total = Some(0),
            "any_window_is_answered" => {
                i64::try_from(query.start.skip()).map_err(|error| StoreError::Internal(error.into()))?;
            }
            "pages_hold_still_while_others_write" if filter.is_none() => {
                let mut all = self.all(scope, None).await;
                all.sort_by_key(|resource| !id_of(resource).starts_with('0'));
                page = store::evaluate(scope.schema, query, &all);
            }
            "a_sorted_list_is_in_its_order" if query.sort.is_some() && query.start.skip() > 0 => {
                page.resources.reverse();
            }
            "cursors_lead_through_the_list_and_back" if query.start.is_backward() => {
                page.resources.reverse();
            }
            "pages_by_cursor_hold_still_while_others_write" => {
                // As one does that looks the last result up to go on behind it.
                if let Some(Place::Sorted(_, id)) = query.start.place()
                    && self.now(scope, &ResourceId::new(id.clone())).await.is_none()
                {
                    page = Page::default();
                }
            }
            "a_filter_sees_what_the_projection_leaves_out" if filter.is_some() => {
                let mut all = self.all(scope, None).await;
                for resource in &mut all {
                    *resource = store::project(scope.schema, resource, &query.projection);
                }
                page = store::evaluate(scope.schema, query, &all);
            }
            "a_filter_finds_what_evaluation_finds" if filter.is_some() => {
                let odd = |resource: &Resource| resource.get("externalId") == Some(&"e1".into());
                page.resources.retain(|resource| !odd(resource));
            }
            "a_filter_finds_what_was_last_written" if filter.is_some() && is_user => {
                let mut all = self.all(scope, None).await;
                let stale = self.remembered(scope);
                for resource in &mut all {
                    if let Some(old) = stale.iter().find(|old| old.id() == resource.id()) {
                        *resource = old.clone();
                    }
                }
                page = store::evaluate(scope.schema, query, &all);
            }
            "any_text_is_found" if filter.is_some_and(|filter| any(filter, |text| text.contains('\\'))) => {
                page = Page { total: Some(0), ..Page::default() };
            }
            "a_filter_up_to_the_limits_is_answered" if filter.is_some_and(|filter| terms(filter) > 500) => {
                return Err(StoreError::UnsupportedFilter("too many terms".to_owned()));
            }
            _ => {}
        }
        Ok(page)
    }
}

fn terms(filter: &BoundFilter) -> usize {
    let mut count = 0;
    walk(filter, |_| count += 1);
    count
}

fn any(filter: &BoundFilter, is: impl Fn(&str) -> bool) -> bool {
    let mut found = false;
    walk(filter, |text| found |= is(text));
    found
}

/// Visits the strings that the filter compares with.
fn walk(filter: &BoundFilter, mut visit: impl FnMut(&str)) {
    let mut open = vec![filter.expr()];
    while let Some(expr) = open.pop() {
        match expr {
            BoundExpr::And(terms) | BoundExpr::Or(terms) => open.extend(terms.map(BoundTerm::expr)),
            BoundExpr::Not(term) | BoundExpr::ValuePath(_, term) => open.push(term.expr()),
            BoundExpr::Compare(_, _, Scalar::String(text)) => visit(text),
            BoundExpr::Compare(..) | BoundExpr::Present(_) => {}
        }
    }
}
