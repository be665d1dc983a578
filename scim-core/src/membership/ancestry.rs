//! The groups above resources, found level by level.

use std::collections::{HashMap, HashSet, VecDeque};
use std::fmt;
use std::sync::Arc;

use super::{groups_attribute, put_groups};
use crate::schema::{Registry, ResourceSchema};
use crate::service::BaseUrl;
use crate::value::{Object, Value};
use crate::{Resource, ResourceId};

/// That a group has a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// The member.
    pub member: ResourceId,
    /// The group.
    pub group: ResourceId,
    /// The `displayName` of the group.
    pub display: Option<String>,
}

/// Which types of groups there are, and how far nested groups count.
#[derive(Clone)]
pub struct Hierarchy {
    // Of each type of resources.
    types: Vec<Type>,
    levels: usize,
    base_url: BaseUrl,
}

/// What there is to know of one type of resources.
#[derive(Clone)]
struct Type {
    name: String,
    /// The types of the groups they may be in.
    groups: Vec<Arc<ResourceSchema>>,
    computes: bool,
}

impl Hierarchy {
    /// The groups of `registry`, which are found below `base_url`; a group counts if no more than
    /// `levels` memberships lead to it.
    pub fn new(registry: &Registry, levels: usize, base_url: &url::Url) -> Self {
        let types = registry.resource_types().map(|schema| {
            let groups = registry.group_types(schema);
            let computes = groups_attribute(schema).is_some() && !groups.is_empty();
            Type { name: schema.name().to_owned(), groups, computes }
        });
        Self { types: types.collect(), levels, base_url: BaseUrl::of(base_url) }
    }

    /// The types of the groups that resources of the type may be in.
    pub fn group_types(&self, schema: &ResourceSchema) -> &[Arc<ResourceSchema>] {
        self.of(schema).map(|known| &*known.groups).unwrap_or_default()
    }

    /// How many memberships may lead to a group.
    pub fn levels(&self) -> usize {
        self.levels
    }

    /// Whether resources of the type have `groups` that are computed.
    pub fn computes(&self, schema: &ResourceSchema) -> bool {
        self.of(schema).is_some_and(|known| known.computes)
    }

    fn of(&self, schema: &ResourceSchema) -> Option<&Type> {
        self.types.iter().find(|known| known.name == schema.name())
    }
}

impl fmt::Debug for Hierarchy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hierarchy").field("levels", &self.levels).finish_non_exhaustive()
    }
}

/// The groups above resources, as far as it was told of them. It asks, level by level, who has
/// whom as a member, and about nobody twice, so that circles end and the work is bounded by the number of
/// memberships.
///
/// ```
/// use std::sync::Arc;
/// use scim_core::ResourceId;
/// use scim_core::membership::{Ancestry, Hierarchy, Membership};
/// use scim_core::schema::Registry;
///
/// let registry = Registry::standard();
/// let hierarchy = Hierarchy::new(&registry, 8, &"https://example.com/scim/v2".parse()?);
/// let user = registry.by_name("User").expect("a standard type");
///
/// // Ann is one of the staff, who are part of all, who are part of the staff.
/// let memberships = [("ann", "staff"), ("staff", "all"), ("all", "staff")];
/// let mut ancestry = Ancestry::new(Arc::new(hierarchy));
/// ancestry.begin(user, [ResourceId::new("ann")]);
/// while let Some(ask) = ancestry.ask() {
///     let asked = |member: &str| ask.members.iter().any(|id| id.as_str() == member);
///     let found = memberships.iter().filter(|(member, _)| asked(member)).map(|(member, group)| Membership {
///         member: ResourceId::new(*member),
///         group: ResourceId::new(*group),
///         display: None,
///     });
///     ancestry.learn(&ask, found.collect());
/// }
/// let groups = ancestry.groups(user, &ResourceId::new("ann"));
/// assert_eq!(
///     groups.iter().map(|group| group.to_string()).collect::<Vec<_>>(),
///     [
///         r#"{"value":"staff","$ref":"https://example.com/scim/v2/Groups/staff","type":"direct"}"#,
///         r#"{"value":"all","$ref":"https://example.com/scim/v2/Groups/all","type":"indirect"}"#,
///     ]
/// );
/// # Ok::<(), url::ParseError>(())
/// ```
#[derive(Debug)]
pub struct Ancestry {
    hierarchy: Arc<Hierarchy>,
    // The groups of whom was asked about.
    above: HashMap<ResourceId, Vec<ResourceId>>,
    groups: HashMap<ResourceId, Group>,
    // Met since the search began.
    met: HashSet<ResourceId>,
    level: usize,
    ended_at_limit: bool,
    // To be asked about on this level.
    asks: VecDeque<Ask>,
    // To be looked at on the next one.
    next: Vec<(Arc<ResourceSchema>, ResourceId)>,
}

#[derive(Debug)]
struct Group {
    schema: Arc<ResourceSchema>,
    display: Option<String>,
}

/// A question: which groups of a type have these members.
#[derive(Clone, Debug)]
pub struct Ask {
    /// The type of the groups.
    pub groups: Arc<ResourceSchema>,
    /// The members, each once.
    pub members: Vec<ResourceId>,
}

impl Ancestry {
    /// Nothing known yet.
    pub fn new(hierarchy: Arc<Hierarchy>) -> Self {
        Self {
            hierarchy,
            above: HashMap::new(),
            groups: HashMap::new(),
            met: HashSet::new(),
            level: 0,
            ended_at_limit: false,
            asks: VecDeque::new(),
            next: Vec::new(),
        }
    }

    /// Begins to search for the groups of these resources of one type. What was learned before is
    /// not asked again.
    pub fn begin(&mut self, schema: &ResourceSchema, ids: impl IntoIterator<Item = ResourceId>) {
        self.met.clear();
        self.asks.clear();
        self.next.clear();
        self.level = 0;
        let ids: Vec<ResourceId> = ids.into_iter().filter(|id| self.met.insert(id.clone())).collect();
        if self.hierarchy.levels > 0 {
            let types = self.hierarchy.group_types(schema).to_vec();
            self.look_at(&types, ids);
        }
    }

    /// What has to be known next; `None` when the search is over.
    pub fn ask(&mut self) -> Option<Ask> {
        while self.asks.is_empty() && !self.next.is_empty() {
            self.level += 1;
            let mut next = std::mem::take(&mut self.next);
            if self.level >= self.hierarchy.levels {
                self.ended_at_limit = true;
                break;
            }
            while let Some((schema, _)) = next.first() {
                let schema = Arc::clone(schema);
                let (same, others): (Vec<_>, Vec<_>) =
                    next.into_iter().partition(|(other, _)| Arc::ptr_eq(other, &schema));
                let types = self.hierarchy.group_types(&schema).to_vec();
                self.look_at(&types, same.into_iter().map(|(_, id)| id).collect());
                next = others;
            }
        }
        self.asks.pop_front()
    }

    /// Whether a search ended at the limit of levels, where it was not asked whether there are groups further up.
    pub fn ended_at_limit(&self) -> bool {
        self.ended_at_limit
    }

    /// Learns the answer to a question.
    pub fn learn(&mut self, ask: &Ask, memberships: Vec<Membership>) {
        for Membership { member, group, display } in memberships {
            // Whoever was not asked about is nobody's business.
            let Some(above) = self.above.get_mut(&member) else { continue };
            above.push(group.clone());
            let schema = &ask.groups;
            self.groups.entry(group.clone()).or_insert_with(|| Group { schema: Arc::clone(schema), display });
            if self.met.insert(group.clone()) {
                self.next.push((Arc::clone(schema), group));
            }
        }
    }

    /// The groups of a resource that was searched for, the direct ones first, as the values of its
    /// `groups`.
    pub fn groups(&self, schema: &ResourceSchema, id: &ResourceId) -> Vec<Value> {
        let Some(attribute) = groups_attribute(schema) else { return Vec::new() };
        let value = |(id, level): (&ResourceId, usize)| {
            let mut value = Object::new();
            let mut put = |name: &str, text: Option<String>| {
                if let Some(text) = text.filter(|_| attribute.sub_attribute(name).is_some()) {
                    value.insert(name, text);
                }
            };
            let group = self.groups.get(id)?;
            let endpoint = &group.schema.resource_type().endpoint;
            put("value", Some(id.as_str().to_owned()));
            put("$ref", Some(self.hierarchy.base_url.locate(endpoint, id.as_str())));
            put("display", group.display.clone());
            put("type", Some(if level == 1 { "direct" } else { "indirect" }.to_owned()));
            Some(Value::Object(value))
        };
        self.levels(id).into_iter().filter_map(value).collect()
    }

    /// Gives a resource that was searched for its `groups`, in place of those it has.
    pub fn complete(&self, schema: &ResourceSchema, resource: &mut Resource) {
        let groups = resource.id().map(|id| self.groups(schema, &id)).unwrap_or_default();
        put_groups(resource, groups);
    }

    /// The groups above `id`, each with the number of memberships that lead to it.
    fn levels(&self, id: &ResourceId) -> Vec<(&ResourceId, usize)> {
        let mut met = HashSet::from([id]);
        let mut found: Vec<(&ResourceId, usize)> = Vec::new();
        let mut at = 0;
        let (mut from, mut level) = (id, 0);
        loop {
            if level < self.hierarchy.levels {
                let above = self.above.get(from).map(Vec::as_slice).unwrap_or_default();
                found.extend(above.iter().filter(|group| met.insert(*group)).map(|group| (group, level + 1)));
            }
            let Some(next) = found.get(at) else { return found };
            (from, level) = *next;
            at += 1;
        }
    }

    /// Asks about these resources, which may be in groups of `types`, or goes on from what is known
    /// of them.
    fn look_at(&mut self, types: &[Arc<ResourceSchema>], ids: Vec<ResourceId>) {
        let (known, unknown): (Vec<_>, Vec<_>) = ids.into_iter().partition(|id| self.above.contains_key(id));
        for id in known {
            for group in self.above.get(&id).into_iter().flatten() {
                if self.met.insert(group.clone())
                    && let Some(Group { schema, .. }) = self.groups.get(group)
                {
                    self.next.push((Arc::clone(schema), group.clone()));
                }
            }
        }
        if unknown.is_empty() {
            return;
        }
        for id in &unknown {
            self.above.insert(id.clone(), Vec::new());
        }
        let ask = |groups: &Arc<ResourceSchema>| Ask { groups: Arc::clone(groups), members: unknown.clone() };
        self.asks.extend(types.iter().map(ask));
    }
}
