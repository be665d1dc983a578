//! A store in which groups manage teams.

use std::fmt;
use std::sync::Arc;

use http::StatusCode;
use scim_core::patch::Change;
use scim_core::projection::Projection;
use scim_core::query::{Query, Start};
use scim_core::schema::{ResourceSchema, builtin};
use scim_core::store::{
    Applied, Deletion, Modification, Modified, Scope, Store, StoreError, StoreLayer, Terms, Update,
};
use scim_core::validate::{self};
use scim_core::{Error, Object, Resource, ResourceId, ScimType, TenantId, Value, Version};
use scim_filter::{BindOptions, Filter, compare};

use super::options::{DatadogOptions, Handles, TeamMatch};
use super::record::Record;
use super::schema::{registry, team};
use super::teams::{Event, Team, TeamEdit, TeamError};
use crate::lint::shape::shown;

/// A store in which every group manages a team, and new users are invited.
///
/// - A new group takes over the team that [matches](TeamMatch) and is managed by no other, or makes one.
///   The name of a team that is not taken over is taken (`uniqueness`), since handles are unique, and so is
///   any other name of its handle; the refusal says which it is.
/// - A group's name and members are the team's. Elsewhere they cannot be changed ([`edit`](Self::edit)).
/// - A deletion of the group empties the team and unlinks it; the team stays, with its identifier, and a
///   group of its name takes it over again.
///
/// Teams without a group are no groups, so that no client sees them: Okta finds no match for one before
/// it is pushed. What is kept of teams are records beside the groups. Where the program ends between the
/// write of one and of the other, a record may name a group there is not: the team then counts as unmanaged
/// and empty, and [`synchronise`](Self::synchronise) gives each group that has none its team.
///
/// With [`DatadogOptions::teams`] off groups are no teams, and only [`Event::Invited`] is told.
///
/// ```
/// use std::sync::Arc;
/// use scim_core::{Environment, MemoryStore, Service};
/// use scim_core::auth::Authenticator;
/// use scim_profiles::datadog::{self, Datadog, DatadogOptions, RoleCatalogue, TeamStore};
///
/// fn rehearsal<A: Authenticator>(
///     application_key: A,
///     environment: Environment,
///     roles: RoleCatalogue,
/// ) -> Service<TeamStore<MemoryStore>, A, Datadog> {
///     let mut options = DatadogOptions::default();
///     options.teams = true;
///     let store = TeamStore::new(MemoryStore::new(), &options, Arc::clone(&environment.now));
///     let base_url = "http://localhost:8080/api/v2/scim".parse().expect("is a URL");
///     let config = datadog::config(base_url, &options);
///     Service::new(store, application_key, config, environment).with_policy(Datadog::new(options, roles))
/// }
/// ```
#[derive(Clone)]
pub struct TeamStore<S> {
    store: S,
    rule: Option<TeamMatch>,
    handles: Handles,
    now: Arc<dyn Fn() -> jiff::Timestamp + Send + Sync>,
    events: Arc<Events>,
}

/// Who is told what happened.
type Events = dyn Fn(&TenantId, &Event) + Send + Sync;

impl<S: fmt::Debug> fmt::Debug for TeamStore<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TeamStore")
            .field("store", &self.store)
            .field("rule", &self.rule)
            .finish_non_exhaustive()
    }
}

/// How often the record of one team is written when others write it meanwhile.
const ATTEMPTS: usize = 16;
/// How many resources are read at once.
const PAGE: usize = 200;
/// The row of the profile that says whose names are taken.
const NAME_TAKEN: &str = "team-name-taken";

/// A record that was written ahead of a group, and is put back where the group is not written.
enum Ahead {
    /// It was right already.
    Nothing,
    /// It is new, in this version.
    Made(Record, Version),
    /// It was this, and is now in this version.
    Changed(Record, Version),
    /// There is none, since another has the name or its handle.
    Taken(StoreError),
}

impl<S: Store> TeamStore<S> {
    /// A store for an organisation with these options. `now` is the clock.
    pub fn new(
        store: S,
        options: &DatadogOptions,
        now: Arc<dyn Fn() -> jiff::Timestamp + Send + Sync>,
    ) -> Self {
        let rule = options.teams.then_some(options.team_match);
        Self { store, rule, handles: options.handles, now, events: Arc::new(|_, _| {}) }
    }

    /// The same store, which tells `events` what happened; each once at most, after it was acknowledged,
    /// and not if the program ends in between.
    #[must_use]
    pub fn with_events(self, events: impl Fn(&TenantId, &Event) + Send + Sync + 'static) -> Self {
        Self { events: Arc::new(events), ..self }
    }

    /// The teams of the organisation, in the order in which they were made.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub async fn teams(&self, tenant: &TenantId) -> Result<Vec<Team>, StoreError> {
        let mut teams = Vec::new();
        let mut at = 1;
        loop {
            let query = Query { start: Start::Index(at), count: PAGE, ..Query::default() };
            let found = self.store.query(Scope { tenant, schema: team() }, &query).await?.resources;
            for (record, _) in found.iter().filter_map(Record::read) {
                teams.push(self.shown(tenant, record).await?);
            }
            if found.len() < PAGE {
                return Ok(teams);
            }
            at += PAGE;
        }
    }

    /// Makes a team that no group manages, as somebody in Datadog does.
    ///
    /// # Errors
    ///
    /// A team has the handle, or those of the store.
    pub async fn create_team(
        &self,
        tenant: &TenantId,
        id: ResourceId,
        name: &str,
    ) -> Result<Team, TeamError> {
        let record = Record::new(id, name, self.handles);
        match self.make(tenant, &record).await {
            Ok(_) => Ok(self.shown(tenant, record).await?),
            Err(StoreError::Conflict { .. }) => Err(TeamError::Taken(record.handle)),
            Err(error) => Err(error.into()),
        }
    }

    /// Changes a team from elsewhere than the identity provider.
    ///
    /// # Errors
    ///
    /// A group manages the team, there is none, another has the handle, or those of the store.
    pub async fn edit(&self, tenant: &TenantId, id: &ResourceId, edit: &TeamEdit) -> Result<Team, TeamError> {
        let scope = Scope { tenant, schema: team() };
        for _ in 0..ATTEMPTS {
            let found = self.store.read(scope, id, &Projection::default()).await?;
            let Some((record, version)) = found.as_ref().and_then(Record::read) else {
                return Err(TeamError::NotFound);
            };
            if self.is_managed(tenant, &record).await? {
                return Err(TeamError::Managed);
            }
            let mut edited = Record { group: None, ..record };
            match edit {
                TeamEdit::Rename(name) => edited = edited.named(name, self.handles),
                TeamEdit::Join(user) => {
                    if !edited.people.iter().any(|id| id == user.as_str()) {
                        edited.people.push(user.as_str().to_owned());
                    }
                }
                TeamEdit::Leave(user) => edited.people.retain(|id| id != user.as_str()),
            }
            match self.put(tenant, &edited, version).await {
                Ok(_) => return Ok(self.shown(tenant, edited).await?),
                Err(StoreError::VersionMismatch) => {}
                Err(StoreError::Conflict { .. }) => return Err(TeamError::Taken(edited.handle)),
                Err(error) => return Err(error.into()),
            }
        }
        Err(TeamError::Store(StoreError::VersionMismatch))
    }

    /// Gives every group of `tenant` its team, after managed teams were switched on or the program ended
    /// unexpectedly, and says how many got one. A group whose name another team has stays without. Before that every
    /// team gets the handle that its name has by the [options](DatadogOptions::handles), unless another has it.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub async fn synchronise(&self, tenant: &TenantId) -> Result<usize, StoreError> {
        let Some(schema) = registry().by_name("Group").filter(|_| self.rule.is_some()) else { return Ok(0) };
        self.synchronise_handles(tenant).await?;
        let (mut made, mut at) = (0, 1);
        loop {
            let query = Query {
                start: Start::Index(at),
                count: PAGE,
                projection: Projection::without("members"),
                ..Query::default()
            };
            let groups = self.store.query(Scope { tenant, schema }, &query).await?.resources;
            for group in &groups {
                let (Some(id), Some(name)) = (group.id(), name_of(group)) else { continue };
                match self.ahead(tenant, &id, name).await {
                    Ok(Ahead::Nothing | Ahead::Taken(_)) => {}
                    Ok(Ahead::Made(..) | Ahead::Changed(..)) => made += 1,
                    Err(error) => return Err(error),
                }
            }
            if groups.len() < PAGE {
                return Ok(made);
            }
            at += PAGE;
        }
    }

    async fn synchronise_handles(&self, tenant: &TenantId) -> Result<(), StoreError> {
        let mut at = 1;
        loop {
            let query = Query { start: Start::Index(at), count: PAGE, ..Query::default() };
            let found = self.store.query(Scope { tenant, schema: team() }, &query).await?.resources;
            for (record, version) in found.iter().filter_map(Record::read) {
                let named = record.clone().named(&record.name, self.handles);
                if named == record {
                    continue;
                }
                match self.put(tenant, &named, version).await {
                    Ok(_) | Err(StoreError::Conflict { .. } | StoreError::VersionMismatch) => {}
                    Err(error) => return Err(error),
                }
            }
            if found.len() < PAGE {
                return Ok(());
            }
            at += PAGE;
        }
    }

    /// The team as it is: what its group says, if that is there.
    async fn shown(&self, tenant: &TenantId, record: Record) -> Result<Team, StoreError> {
        let Record { id, name, handle, group, people } = record;
        let mut managed = None;
        if let (Some(group), Some(schema)) = (group, registry().by_name("Group")) {
            let scope = Scope { tenant, schema };
            managed = self.store.read(scope, &group, &Projection::default()).await?;
        }
        Ok(match managed {
            None => Team {
                id,
                name,
                handle,
                members: people.into_iter().map(ResourceId::new).collect(),
                group: None,
            },
            Some(group) => {
                let members = group.get("members").and_then(Value::as_array).unwrap_or_default();
                let member =
                    |member: &Value| Some(ResourceId::new(member.as_object()?.get("value")?.as_str()?));
                let members = members.iter().filter_map(member).collect();
                // Where the program ended between the writes of both, the record has another name.
                let (name, handle) = match name_of(&group).filter(|now| *now != name) {
                    Some(now) => (now.to_owned(), self.handles.of(now)),
                    None => (name, handle),
                };
                Team { id, handle, name, members, group: group.id() }
            }
        })
    }

    async fn is_managed(&self, tenant: &TenantId, record: &Record) -> Result<bool, StoreError> {
        let (Some(group), Some(schema)) = (&record.group, registry().by_name("Group")) else {
            return Ok(false);
        };
        let scope = Scope { tenant, schema };
        Ok(self.store.read(scope, group, &Projection::without("members")).await?.is_some())
    }

    /// The record whose `attribute`, which is unique, is `value`.
    async fn find(
        &self,
        tenant: &TenantId,
        attribute: &str,
        value: &str,
    ) -> Result<Option<(Record, Version)>, StoreError> {
        let found = self.found(tenant, attribute, value).await?;
        Ok(found.first().and_then(Record::read))
    }

    async fn found(
        &self,
        tenant: &TenantId,
        attribute: &str,
        value: &str,
    ) -> Result<Vec<Resource>, StoreError> {
        let internal = |error: Box<dyn std::error::Error + Send + Sync>| StoreError::Internal(error);
        let filter = Filter::parse(&format!("{attribute} eq {}", Value::from(value)));
        let filter = filter.map_err(|error| internal(error.into()))?;
        let filter = filter.bind(team(), &BindOptions::default()).map_err(|error| internal(error.into()))?;
        let query = Query { filter: Some(filter), count: PAGE, ..Query::default() };
        Ok(self.store.query(Scope { tenant, schema: team() }, &query).await?.resources)
    }

    /// Writes a new record.
    async fn make(&self, tenant: &TenantId, record: &Record) -> Result<Version, StoreError> {
        let resource = record.to_resource(&self.now());
        let unique = validate::unique_keys(team(), &resource);
        self.store.create(Scope { tenant, schema: team() }, &resource, &unique).await?;
        resource.version().ok_or_else(|| StoreError::Internal("a record without version".into()))
    }

    /// Writes a record in the place of that in `version`.
    async fn put(&self, tenant: &TenantId, record: &Record, version: Version) -> Result<Version, StoreError> {
        let now = self.now();
        let change = record.writes();
        let unique = validate::unique_keys(team(), &record.to_resource(&now));
        let update = Update { change: &change, unique: Some(&unique), last_modified: &now, members: None };
        let scope = Scope { tenant, schema: team() };
        match self.store.apply(scope, &record.id, &update, Some(version)).await? {
            Applied::Changed(version) | Applied::Unchanged(version) => Ok(version),
        }
    }

    fn now(&self) -> String {
        format!("{:.3}", (self.now)())
    }

    /// Writes the record of the team that the group `id` is to manage by this name.
    async fn ahead(&self, tenant: &TenantId, id: &ResourceId, name: &str) -> Result<Ahead, StoreError> {
        let Some(rule) = self.rule else { return Ok(Ahead::Nothing) };
        let handle = self.handles.of(name);
        for _ in 0..ATTEMPTS {
            let own = self.find(tenant, "group", id.as_str()).await?;
            let (before, version) = match own {
                Some((record, _)) if record.name == name => return Ok(Ahead::Nothing),
                Some(own) => own,
                None => match self.find(tenant, "handle", &handle).await? {
                    Some((team, version)) => {
                        let matches = rule == TeamMatch::Handle || team.name == name;
                        if !matches || self.is_managed(tenant, &team).await? {
                            return self.taken(tenant, name).await;
                        }
                        (team, version)
                    }
                    None => {
                        let record =
                            Record { group: Some(id.clone()), ..Record::new(id.clone(), name, self.handles) };
                        match self.make(tenant, &record).await {
                            Ok(version) => return Ok(Ahead::Made(record, version)),
                            // Somebody else made one for the handle.
                            Err(StoreError::Conflict { .. }) => continue,
                            Err(error) => return Err(error),
                        }
                    }
                },
            };
            let record = Record { group: Some(id.clone()), people: Vec::new(), ..before.clone() };
            let record = record.named(name, self.handles);
            match self.put(tenant, &record, version).await {
                Ok(version) => return Ok(Ahead::Changed(before, version)),
                Err(StoreError::VersionMismatch) => {}
                Err(StoreError::Conflict { .. }) => return self.taken(tenant, name).await,
                Err(error) => return Err(error),
            }
        }
        self.taken(tenant, name).await
    }

    /// Why there is no team for a group of this name: a group has the name, or another team its handle alone.
    async fn taken(&self, tenant: &TenantId, name: &str) -> Result<Ahead, StoreError> {
        let handle = self.handles.of(name);
        let of_group = match self.find(tenant, "handle", &handle).await? {
            Some((team, _)) if compare::fold(&team.name) == compare::fold(name) => {
                self.is_managed(tenant, &team).await?
            }
            _ => false,
        };
        if of_group {
            return Ok(Ahead::Taken(StoreError::Conflict { attribute: "displayName".to_owned() }));
        }
        let detail = format!(
            "displayName: the handle `{}` of this name is that of another team ({NAME_TAKEN})",
            shown(&handle)
        );
        let error = Error::bad_request(ScimType::Uniqueness, detail).with_rule(NAME_TAKEN);
        Ok(Ahead::Taken(StoreError::Refused(error.with_status(StatusCode::CONFLICT))))
    }

    /// Puts a record back whose group was not written. Where others have changed it since, or the store
    /// fails, it stays: a record that names no group that is there counts as that of an unmanaged team.
    async fn back(&self, tenant: &TenantId, ahead: Ahead) {
        let put_back = match ahead {
            Ahead::Nothing | Ahead::Taken(_) => return,
            Ahead::Made(record, version) => {
                let deletion = Deletion {
                    expected: Some(version),
                    groups: &[],
                    last_modified: &self.now(),
                    left: None,
                    members: None,
                };
                self.store.delete(Scope { tenant, schema: team() }, &record.id, &deletion).await
            }
            Ahead::Changed(record, version) => self.put(tenant, &record, version).await.map(drop),
        };
        drop(put_back);
    }

    async fn modify_group(
        &self,
        scope: Scope<'_>,
        modification: Modification<'_>,
        terms: Terms<'_>,
    ) -> Result<Modified, StoreError> {
        let (id, name) = match &modification {
            Modification::Create { resource, .. } | Modification::Replace { resource, .. } => {
                (resource.id(), name_of(resource))
            }
            Modification::Apply { id, update, .. } => (Some((*id).clone()), new_name(update.change)),
            Modification::Delete { id, .. } => {
                let modified = self.store.modify(scope, modification, terms).await?;
                self.unlink(scope.tenant, id).await;
                return Ok(modified);
            }
        };
        let (Some(id), Some(name)) = (id, name) else {
            return self.store.modify(scope, modification, terms).await;
        };
        let is_new = matches!(modification, Modification::Create { .. });
        // INVARIANT: the record first, whose handle is unique, so that of two groups for one handle one
        // is refused before it is there.
        let ahead = match self.ahead(scope.tenant, &id, name).await? {
            Ahead::Taken(error) => return Err(error),
            ahead => ahead,
        };
        match self.store.modify(scope, modification, terms).await {
            Ok(modified) => {
                match ahead {
                    Ahead::Made(team, _) => self.tell(scope, &Event::TeamCreated { team: team.id }),
                    Ahead::Changed(team, _) if is_new => {
                        self.tell(scope, &Event::TeamLinked { team: team.id });
                    }
                    _ => {}
                }
                Ok(modified)
            }
            Err(error) => {
                self.back(scope.tenant, ahead).await;
                Err(error)
            }
        }
    }

    /// Empties the team of a group that is gone. That fails no request: without it the record names a
    /// group that is not there, which comes to the same.
    async fn unlink(&self, tenant: &TenantId, group: &ResourceId) {
        let Ok(Some((record, version))) = self.find(tenant, "group", group.as_str()).await else { return };
        let unlinked = Record { group: None, people: Vec::new(), ..record };
        if self.put(tenant, &unlinked, version).await.is_ok() {
            let scope = Scope { tenant, schema: team() };
            self.tell(scope, &Event::TeamUnlinked { team: unlinked.id });
        }
    }

    async fn modify_user(
        &self,
        scope: Scope<'_>,
        modification: Modification<'_>,
        terms: Terms<'_>,
    ) -> Result<Modified, StoreError> {
        let modified = self.store.modify(scope, modification, terms).await?;
        match modification {
            Modification::Create { resource, .. } => {
                if let Some(user) = resource.id() {
                    self.tell(scope, &Event::Invited { user, email: email_of(&resource.0) });
                }
            }
            Modification::Delete { id, .. } if self.rule.is_some() => {
                for (record, version) in
                    self.found(scope.tenant, "people", id.as_str()).await?.iter().filter_map(Record::read)
                {
                    let people = record.people.iter().filter(|person| *person != id.as_str()).cloned();
                    let left = Record { people: people.collect(), ..record };
                    // Who changes the team meanwhile keeps it as they have it.
                    match self.put(scope.tenant, &left, version).await {
                        Ok(_) | Err(StoreError::VersionMismatch) => {}
                        Err(error) => return Err(error),
                    }
                }
            }
            _ => {}
        }
        Ok(modified)
    }

    fn tell(&self, scope: Scope<'_>, event: &Event) {
        (self.events)(scope.tenant, event);
    }
}

fn name_of(group: &Resource) -> Option<&str> {
    group.get("displayName").and_then(Value::as_str)
}

/// The name that a change gives a group.
fn new_name(change: &Change) -> Option<&str> {
    let mut writes = change.writes.iter();
    let write = writes
        .find(|write| write.extension.is_none() && write.attribute.eq_ignore_ascii_case("displayName"))?;
    write.value.as_ref().and_then(Value::as_str)
}

/// Where a new user is invited: their primary address, or another, or their userName.
fn email_of(user: &Object) -> Option<String> {
    let emails = user.get("emails").and_then(Value::as_array).unwrap_or_default();
    let of = |element: &Value| element.as_object()?.get("value")?.as_str().map(str::to_owned);
    let is_primary = |element: &&Value| {
        element.as_object().and_then(|object| object.get("primary")) == Some(&Value::Bool(true))
    };
    let primary = emails.iter().find(is_primary).and_then(of);
    let user_name = || user.get("userName").and_then(Value::as_str).map(str::to_owned);
    primary.or_else(|| emails.iter().find_map(of)).or_else(user_name)
}

impl<S: Store> StoreLayer for TeamStore<S> {
    type Behind = S;

    fn behind(&self) -> &S {
        &self.store
    }

    async fn change(
        &self,
        scope: Scope<'_>,
        modification: Modification<'_>,
        terms: Terms<'_>,
    ) -> Result<Modified, StoreError> {
        match is_of(scope.schema) {
            Kind::Group if self.rule.is_some() => self.modify_group(scope, modification, terms).await,
            Kind::User => self.modify_user(scope, modification, terms).await,
            _ => self.store.modify(scope, modification, terms).await,
        }
    }
}

enum Kind {
    User,
    Group,
    Other,
}

fn is_of(schema: &ResourceSchema) -> Kind {
    match schema.base().id.as_str() {
        builtin::USER => Kind::User,
        builtin::GROUP => Kind::Group,
        _ => Kind::Other,
    }
}
