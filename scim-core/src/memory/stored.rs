//! A resource as it is stored: the values of its keyed attributes apart from the rest.

use std::borrow::Cow;
use std::sync::Arc;

use scim_filter::{AttrName, BoundAttr, BoundExpr, BoundFilter, CompareOp, Scalar};

use super::keyed::{Chunks, Keyed, Values};
use crate::membership::{MEMBERS, member_ids, remove_member};
use crate::patch::{self, Change, Delta, Write};
use crate::pieces::{Document, Pieces, Rendered, Rest};
use crate::projection::Projection;
use crate::query::Query;
use crate::schema::{Attribute, ResourceSchema};
use crate::store::{ChangedMembers, project};
use crate::validate::UniqueKey;
use crate::value::Value;
use crate::{Resource, ResourceId};

/// A resource as it is stored.
pub(super) struct Row {
    // INVARIANT: in `head` an empty array stands where the values of each of `keyed` are missing,
    // and none of them is empty. Readers share it, so that a page is collected under the lock but
    // copied outside.
    head: Arc<Rendered>,
    keyed: Vec<Keyed>,
    pub(super) claims: Vec<UniqueKey>,
}

/// A resource as readers hold it without the lock.
#[derive(Clone)]
pub(super) struct Stored {
    head: Arc<Rendered>,
    keyed: Vec<(AttrName, Arc<Values>)>,
}

/// What of keyed attributes a query looks at, to tell which resources match and in which order.
pub(super) enum Looks {
    Nothing,
    /// Values of which only those with these keys make a difference.
    Keys(Vec<(AttrName, Box<str>)>),
    Everything,
}

/// A resource that a query has to look at.
pub(super) struct Candidate {
    pub(super) number: u64,
    pub(super) stored: Stored,
    seen: Seen,
}

/// What a query looks at of one resource.
enum Seen {
    Head,
    /// The head with some values of keyed attributes.
    Some(Resource),
    Everything(Stored),
}

impl Row {
    pub(super) fn new(schema: &ResourceSchema, resource: &Resource, claims: &[UniqueKey]) -> Self {
        let mut keyed = Vec::new();
        let head = resource.0.iter().map(|(name, value)| match value {
            Value::Array(values) if !values.is_empty() => match find_keyed(schema, name.as_str()) {
                Some(attribute) => {
                    keyed.push(Keyed::new(name.clone(), patch::ignores_case(attribute), values));
                    (name.clone(), Value::Array(Vec::new()))
                }
                None => (name.clone(), value.clone()),
            },
            value => (name.clone(), value.clone()),
        });
        let head = Arc::new(Rendered::new(Resource(head.collect())));
        Self { head, keyed, claims: claims.to_vec() }
    }

    /// The resource without the values of keyed attributes.
    pub(super) fn head(&self) -> &Resource {
        self.head.resource()
    }

    /// Makes what it is answered with ahead of the first answer.
    pub(super) fn render(&self) {
        self.head.text();
    }

    /// The resource without the values of keyed attributes, to be changed; copied if a reader
    /// still holds it.
    pub(super) fn head_mut(&mut self) -> &mut Resource {
        Rendered::make_mut(&mut self.head)
    }

    /// What is needed for a read with `projection`.
    pub(super) fn share(&self, schema: &ResourceSchema, projection: &Projection) -> Stored {
        let wanted = |keyed: &&Keyed| projection.includes(schema, None, keyed.name.as_str());
        let keyed = self.keyed.iter().filter(wanted).map(|keyed| {
            let values = match projection.values_of(keyed.name.as_str()) {
                None => keyed.share(),
                Some(keys) => keyed.share_some(keys),
            };
            (keyed.name.clone(), values)
        });
        Stored { head: Arc::clone(&self.head), keyed: keyed.collect() }
    }

    /// What `query`, which looks at `looks`, needs.
    pub(super) fn candidate(
        &self,
        number: u64,
        schema: &ResourceSchema,
        query: &Query,
        looks: &Looks,
    ) -> Candidate {
        let stored = self.share(schema, &query.projection);
        let seen = match looks {
            Looks::Everything if !self.keyed.is_empty() => {
                Seen::Everything(self.share(schema, &Projection::default()))
            }
            Looks::Keys(keys) => self.with_keys(keys).map_or(Seen::Head, Seen::Some),
            Looks::Everything | Looks::Nothing => Seen::Head,
        };
        Candidate { number, stored, seen }
    }

    /// The resource with the values of keyed attributes that have one of `keys`, if there are any.
    fn with_keys(&self, keys: &[(AttrName, Box<str>)]) -> Option<Resource> {
        let mut seen = None;
        for keyed in &self.keyed {
            let keys = keys.iter().filter(|(name, _)| *name == keyed.name).map(|(_, key)| &**key);
            let found = keyed.with_keys(keys);
            if !found.is_empty() {
                let seen = seen.get_or_insert_with(|| self.head.resource().clone());
                seen.0.insert(keyed.name.clone(), found);
            }
        }
        seen
    }

    /// Puts `change` onto the resource, and notes which members go and come; returns whether anything became
    /// different.
    pub(super) fn apply(
        &mut self,
        schema: &ResourceSchema,
        change: &Change,
        noted: Option<&ChangedMembers>,
    ) -> bool {
        let writes_keyed =
            |write: &Write| write.extension.is_none() && find_keyed(schema, &write.attribute).is_some();
        if change.writes.iter().any(writes_keyed) {
            let mut whole = self.share(schema, &Projection::default()).whole();
            let before = noted.and_then(|_| whole.get(MEMBERS).cloned());
            let changed = change.apply(&mut whole);
            if let Some(noted) = noted {
                noted.difference(before.as_ref(), whole.get(MEMBERS));
            }
            *self = Self::new(schema, &whole, &self.claims);
            return changed;
        }
        let mut changed = false;
        for write in &change.writes {
            changed |= patch::put(write, self.head_mut());
        }
        for delta in &change.deltas {
            changed |= match find_keyed(schema, &delta.attribute) {
                Some(attribute) => {
                    let noted = noted.filter(|_| delta.attribute.eq_ignore_ascii_case(MEMBERS));
                    self.put_delta(attribute, delta, noted)
                }
                None => patch::put_delta(delta, self.head_mut()),
            };
        }
        changed
    }

    /// The ids of the members, those without case folded.
    pub(super) fn member_ids(&self) -> impl Iterator<Item = &str> {
        let keyed = self.keyed.iter().filter(|keyed| keyed.name.matches(MEMBERS));
        member_ids(self.head().get(MEMBERS)).chain(keyed.flat_map(Keyed::keys))
    }

    /// How many members there are.
    pub(super) fn count_members(&self) -> usize {
        let keyed = self.keyed.iter().filter(|keyed| keyed.name.matches(MEMBERS));
        member_ids(self.head().get(MEMBERS)).count() + keyed.map(Keyed::len).sum::<usize>()
    }

    /// Notes that all members go.
    pub(super) fn note_members(&self, noted: &ChangedMembers) {
        noted.difference(self.head().get(MEMBERS), None);
        let keyed = self.keyed.iter().filter(|keyed| keyed.name.matches(MEMBERS));
        keyed.for_each(|keyed| keyed.note_all(noted));
    }

    /// Takes a member out; whether there was one.
    pub(super) fn remove_member(&mut self, schema: &ResourceSchema, id: &ResourceId) -> bool {
        match find_keyed(schema, MEMBERS) {
            None => remove_member(schema, self.head_mut(), id),
            Some(attribute) => {
                let removed = vec![id.as_str().into()];
                let ignore_case = patch::ignores_case(attribute);
                let delta = Delta { attribute: MEMBERS.into(), removed, ignore_case, ..Delta::default() };
                self.put_delta(attribute, &delta, None)
            }
        }
    }

    fn put_delta(&mut self, attribute: &Attribute, delta: &Delta, noted: Option<&ChangedMembers>) -> bool {
        let name = AttrName::new(&delta.attribute);
        let place = self.keyed.iter().position(|keyed| keyed.name == name).unwrap_or_else(|| {
            self.keyed.push(Keyed::new(name.clone(), patch::ignores_case(attribute), []));
            self.keyed.len() - 1
        });
        let Some(keyed) = self.keyed.get_mut(place) else { return false };
        let changed = keyed.apply(delta, noted);
        if keyed.is_empty() {
            self.keyed.remove(place);
            if changed {
                self.head_mut().0.remove(&delta.attribute);
            }
        } else if !matches!(self.head().get(&delta.attribute), Some(Value::Array(_))) {
            self.head_mut().0.insert(name, Vec::new());
        }
        changed
    }
}

impl Stored {
    /// What `projection` includes of the resource; what is left out is not copied.
    pub(super) fn project(&self, schema: &ResourceSchema, projection: &Projection) -> Resource {
        self.fill(project(schema, self.head.resource(), projection))
    }

    /// The resource to be written from where it is. It stays what it is: a writer copies what it
    /// changes meanwhile.
    pub(super) fn into_pieces(self) -> Pieces {
        let rest = |(attribute, values): (AttrName, _)| Rest {
            attribute: attribute.as_str().into(),
            values: Box::new(Chunks::new(values)),
        };
        Pieces { rest: self.keyed.into_iter().map(rest).collect(), ..Document::from(self.head).into() }
    }

    fn whole(&self) -> Resource {
        self.fill(self.head.resource().clone())
    }

    fn fill(&self, mut head: Resource) -> Resource {
        for (name, values) in &self.keyed {
            if let Some(empty) = head.0.get_mut(name.as_str()) {
                *empty = Value::Array(values.to_vec());
            }
        }
        head
    }
}

impl Candidate {
    /// The `id`.
    pub(super) fn id(&self) -> Option<ResourceId> {
        self.stored.head.resource().id()
    }

    /// Makes the query look at the resource as `change` makes it.
    pub(super) fn see(&mut self, change: impl FnOnce(&mut Resource)) {
        let mut seen = self.seen().into_owned();
        change(&mut seen);
        self.seen = Seen::Some(seen);
    }

    /// The resource, as far as the query looks at it.
    pub(super) fn seen(&self) -> Cow<'_, Resource> {
        match &self.seen {
            Seen::Head => Cow::Borrowed(self.stored.head.resource()),
            Seen::Some(resource) => Cow::Borrowed(resource),
            Seen::Everything(stored) => Cow::Owned(stored.whole()),
        }
    }
}

impl Looks {
    /// What `query` looks at.
    pub(super) fn of(schema: &ResourceSchema, query: &Query) -> Self {
        let sort = query.sort.as_ref().map(|sort| sort.by());
        if sort.is_some_and(|by| names_keyed(schema, by)) {
            return Self::Everything;
        }
        match query.filter.as_ref().map(|filter| keys(schema, filter)) {
            None => Self::Nothing,
            Some(None) => Self::Everything,
            Some(Some(keys)) if keys.is_empty() => Self::Nothing,
            Some(Some(keys)) => Self::Keys(keys),
        }
    }
}

/// The keys of the values that make a difference to `filter`, if it says: each comparison with a
/// keyed attribute is of `value` for equality, or among values of which that is asked.
fn keys(schema: &ResourceSchema, filter: &BoundFilter) -> Option<Vec<(AttrName, Box<str>)>> {
    let mut keys = Vec::new();
    let mut open = Vec::new();
    let mut next = Some(filter.expr());
    while let Some(expr) = next {
        match expr {
            BoundExpr::And(terms) | BoundExpr::Or(terms) => open.extend(terms.map(|term| term.expr())),
            BoundExpr::Not(term) => open.push(term.expr()),
            BoundExpr::Compare(attr, op, scalar) if names_keyed(schema, attr) => match (op, scalar) {
                (CompareOp::Eq | CompareOp::Ne, Scalar::String(text))
                    if attr.sub.as_ref().is_none_or(|sub| sub.matches("value")) =>
                {
                    keys.push((attr.name.clone(), text.into()));
                }
                _ => return None,
            },
            BoundExpr::ValuePath(attr, inner) if names_keyed(schema, attr) => {
                let inner = patch::selected_keys(inner.expr())?;
                keys.extend(inner.into_iter().map(|key| (attr.name.clone(), key)));
            }
            BoundExpr::Present(attr) if names_keyed(schema, attr) => return None,
            BoundExpr::Compare(..) | BoundExpr::Present(_) | BoundExpr::ValuePath(..) => {}
        }
        next = open.pop();
    }
    Some(keys)
}

fn names_keyed(schema: &ResourceSchema, attr: &BoundAttr) -> bool {
    attr.extension.is_none() && find_keyed(schema, attr.name.as_str()).is_some()
}

fn find_keyed<'s>(schema: &'s ResourceSchema, name: &str) -> Option<&'s Attribute> {
    schema.find(None, name).filter(|attribute| patch::keyed(attribute))
}
