//! That no group comes to be in itself.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use scim_filter::compare;

use super::{Scope, Store, StoreError};
use crate::error::quote;
use crate::membership::{MEMBERS, member_value};
use crate::schema::ResourceSchema;
use crate::{Error, ResourceId, ScimType, TenantId};

/// The members that a change adds to a group, none of which may be *above* it: have the group as a member, directly
/// or through other groups ([`Nesting::NoCircle`](crate::membership::Nesting::NoCircle)).
///
/// The groups above a group are searched for until there are no more, each looked at once, so that circles that
/// are there already end. Above [`MOST`](Self::MOST) groups it is given up, and the change refused: what cannot be
/// known does not count as no.
///
/// Two changes at the same time may close a circle that neither closes alone. So a store that has transactions, or a
/// lock, should search in that of the change, such that no other change of the tenant that names such members comes
/// between its search and its end, and say so by [`Store::checks_circles`].
#[derive(Clone, Copy, Debug, Default)]
pub struct NoCircle<'a> {
    /// Their ids, of the tenant of the change, in the order of the request: of those that are, or may be, groups.
    pub members: &'a [ResourceId],
    /// The types of groups that have groups as members.
    pub types: &'a [Arc<ResourceSchema>],
}

impl<'a> NoCircle<'a> {
    /// The most groups above one among which is searched. Directories have a few; the search is one of an identity
    /// provider's requests, which is not to keep the store busy for long.
    pub const MOST: usize = 10_000;

    /// Whether nothing is to be looked for.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Begins to search upwards from `group`.
    ///
    /// ```
    /// use scim_core::ResourceId;
    /// use scim_core::schema::Registry;
    /// use scim_core::store::{NoCircle, StoreError};
    ///
    /// // The staff are part of all, who are to be made part of the team, which is part of the staff.
    /// let groups_of = |id: &str| match id {
    ///     "team" => vec![ResourceId::new("staff")],
    ///     "staff" => vec![ResourceId::new("all")],
    ///     _ => Vec::new(),
    /// };
    /// let registry = Registry::standard();
    /// let types = registry.group_types(registry.by_name("Group").expect("a standard type"));
    /// let search = |member: &str| -> Result<(), StoreError> {
    ///     let members = [ResourceId::new(member)];
    ///     let mut search = NoCircle { members: &members, types: &types }.search(&ResourceId::new("team"))?;
    ///     while let Some(asked) = search.ask() {
    ///         search.learn(asked.iter().flat_map(|id| groups_of(id.as_str())))?;
    ///     }
    ///     Ok(())
    /// };
    /// assert!(search("others").is_ok());
    /// assert!(matches!(search("all"), Err(StoreError::Circle(id)) if id.as_str() == "all"));
    /// assert!(matches!(search("team"), Err(StoreError::Circle(_))));
    /// ```
    ///
    /// # Errors
    ///
    /// [`StoreError::Circle`] where the group itself is among the members.
    pub fn search(&self, group: &ResourceId) -> Result<CircleSearch<'a>, StoreError> {
        let mut search = CircleSearch {
            added: HashMap::new(),
            first: self.members.first(),
            folds: self.types.iter().filter_map(|schema| member_value(schema)).any(|value| !value.case_exact),
            met: HashSet::new(),
            next: Vec::new(),
        };
        search.added = self.members.iter().rev().map(|id| (search.key(id).into_owned(), id)).collect();
        if !self.is_empty() {
            search.learn([group.clone()])?;
        }
        Ok(search)
    }

    /// Searches in `store` as it is now, which is too early for a store in which others write until the change is
    /// made.
    ///
    /// # Errors
    ///
    /// [`StoreError::Circle`] with a member that is above `group`, [`StoreError::Refused`] where too many groups
    /// are, and the errors of [`Store::memberships`].
    pub async fn look_up<S: Store + ?Sized>(
        &self,
        store: &S,
        tenant: &TenantId,
        group: &ResourceId,
    ) -> Result<(), StoreError> {
        let mut search = self.search(group)?;
        while let Some(asked) = search.ask() {
            for schema in self.types {
                let found = store.memberships(Scope { tenant, schema }, &asked).await?;
                search.learn(found.into_iter().map(|membership| membership.group))?;
            }
        }
        Ok(())
    }
}

/// A search for the members among the groups above one, which asks level by level and about no group twice.
#[derive(Debug)]
pub struct CircleSearch<'a> {
    // The members, by what they compare as.
    added: HashMap<String, &'a ResourceId>,
    first: Option<&'a ResourceId>,
    // Whether a group may name its members in another case.
    folds: bool,
    met: HashSet<ResourceId>,
    next: Vec<ResourceId>,
}

impl CircleSearch<'_> {
    /// Which groups' groups are to be told; `None` when there are no more, and so no circle.
    pub fn ask(&mut self) -> Option<Vec<ResourceId>> {
        Some(std::mem::take(&mut self.next)).filter(|asked| !asked.is_empty())
    }

    /// Learns of groups that are above.
    ///
    /// # Errors
    ///
    /// [`StoreError::Circle`] where one of them is a member, and [`StoreError::Refused`] where they become
    /// [too many](NoCircle::MOST).
    pub fn learn(&mut self, groups: impl IntoIterator<Item = ResourceId>) -> Result<(), StoreError> {
        for group in groups {
            if let Some(member) = self.added.get(self.key(&group).as_ref()) {
                return Err(StoreError::Circle((*member).clone()));
            }
            if self.met.insert(group.clone()) {
                self.next.push(group);
            }
            // The group itself is none of those above it.
            if self.met.len() > NoCircle::MOST + 1 {
                return Err(self.too_many());
            }
        }
        Ok(())
    }

    fn key<'t>(&self, id: &'t ResourceId) -> Cow<'t, str> {
        if self.folds { compare::fold(id.as_str()) } else { id.as_str().into() }
    }

    fn too_many(&self) -> StoreError {
        let member = self.first.map(|id| quote(id.as_str())).unwrap_or_default();
        let detail = format!(
            "`{MEMBERS}` names {member}, and whether that closes a circle cannot be told: more than {} groups have the \
             group as a member, directly or through other groups",
            NoCircle::MOST
        );
        StoreError::Refused(Error::bad_request(ScimType::InvalidValue, detail))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Groups of a new name each, from `from` on.
    fn groups(from: usize, number: usize) -> impl Iterator<Item = ResourceId> {
        (from..from + number).map(|number| ResourceId::new(format!("g{number}")))
    }

    /// Wide or deep, with circles or without, what is above is searched up to the limit, and refused behind it.
    #[test]
    fn what_cannot_be_known_is_refused() {
        let member = [ResourceId::new("new")];
        let wanted = NoCircle { members: &member, types: &[] };
        let group = ResourceId::new("group");
        for each in [1, 100, NoCircle::MOST] {
            let mut search = wanted.search(&group).unwrap();
            let mut met = 0;
            while met < NoCircle::MOST {
                assert!(search.ask().is_some());
                search.learn(groups(met, each)).unwrap();
                met += each;
                search.learn(groups(met - each, each).chain([group.clone()])).unwrap();
            }
            assert!(matches!(search.learn(member.clone()), Err(StoreError::Circle(_))));
            let refused = search.learn(groups(met, 1));
            let Err(StoreError::Refused(error)) = refused else { panic!("{refused:?}") };
            assert_eq!(error.scim_type(), Some(ScimType::InvalidValue));
            assert_eq!(
                error.detail(),
                "`members` names `new`, and whether that closes a circle cannot be told: more than 10000 groups have \
                 the group as a member, directly or through other groups"
            );
        }
        let nobody = NoCircle { members: &[], types: &[] };
        assert!(nobody.search(&group).unwrap().ask().is_none(), "without members nothing is asked");
    }

    /// Where a group may name its members in any case, a circle is one in any case.
    #[test]
    fn case_counts_as_the_schema_says() {
        for (schema, is_circle) in [(group_type(true), false), (group_type(false), true)] {
            let (types, member) = ([Arc::new(schema)], [ResourceId::new("ABOVE")]);
            let mut search =
                NoCircle { members: &member, types: &types }.search(&ResourceId::new("g")).unwrap();
            assert_eq!(search.learn([ResourceId::new("above")]).is_err(), is_circle);
        }
    }

    fn group_type(case_exact: bool) -> ResourceSchema {
        use crate::schema::{Registry, builtin};
        let mut group = builtin::group();
        let members = group.attributes.iter_mut().find(|attribute| attribute.name == MEMBERS).unwrap();
        let value = members.sub_attributes.iter_mut().find(|attribute| attribute.name == "value").unwrap();
        value.case_exact = case_exact;
        let registry = Registry::new(vec![group], vec![builtin::group_resource_type()]).unwrap();
        registry.by_name("Group").unwrap().as_ref().clone()
    }
}
