//! A store beside a model of it, step by step.

use crate::membership;
use crate::patch::Change;
use crate::query::{Query, Start};
use crate::schema::ResourceSchema;
use crate::store::{self, Applied, Deletion, Scope, Store, StoreError};
use crate::testkit::random::{self, Random};
use crate::testkit::trial::{LATER, bound, everything, in_version, name, same};
use crate::testkit::{Broken, Trial, demand};
use crate::validate::unique_keys;
use crate::{Resource, ResourceId, Version};

/// Random writes, one after another, have the outcome and leave the resources that the documentation
/// of each says; lists and filters agree at every step.
pub async fn any_sequence_of_writes_does_what_each_says<S: Store>(trial: &Trial<S>) -> Result<(), Broken> {
    let mut random = Random::new(5);
    let (mut users, mut groups) = (Model::default(), Model::default());
    for step in 0..trial.cases(400) {
        let kind = random.pick(&["User", "Group"]);
        let scope = trial.scope(kind)?;
        let model = if kind == "User" { &mut users } else { &mut groups };
        let mut left = None;
        let number = random.below(12);
        let resource = match kind {
            "User" => random::user(&mut random, number, number / 3),
            _ => random::group(&mut random, number),
        };
        let id = name(&resource);
        let current = model.get(&id).cloned();
        let version = current.as_ref().and_then(Resource::version).unwrap_or(Version(1));
        // Now and then a version that is not the one stored.
        let expected = if random.once_in(8) { Version(version.0 + 1) } else { version };
        let next = in_version(&resource, expected.0 + 1);
        let (what, found, wanted) = match random.below(5) {
            0 => {
                ("create", outcome(trial.try_create(scope, &resource).await), model.create(scope, &resource))
            }
            1 => (
                "replace",
                outcome(trial.try_replace(scope, &next, expected).await),
                model.replace(scope, &next, expected),
            ),
            2 => {
                let expected = random.once_in(2).then_some(expected);
                let wanted = model.delete(&resource, expected);
                left = wanted.is_ok().then(|| ResourceId::new(&*id));
                ("delete", outcome(trial.try_delete(scope, &id, expected).await), outcome(wanted))
            }
            _ => {
                let change = random::change(&mut random, kind);
                let current = current.unwrap_or(resource);
                let expected = (!random.once_in(4)).then_some(expected);
                let found = trial.try_apply(scope, &current, &change, expected).await;
                ("apply", outcome(found), model.apply(scope, &current, &change, expected))
            }
        };
        if let Some(id) = &left {
            groups.left_by(trial.schema("Group")?, id);
        }
        let model = if kind == "User" { &users } else { &groups };
        demand!(found == wanted, "step {step}, {what} of `{id}`: expected {wanted}, got {found}");
        match (trial.read(scope, &id).await?, model.get(&id)) {
            (None, None) => {}
            (Some(found), Some(wanted)) => same(&format!("step {step}, {what} of `{id}`"), &found, wanted)?,
            (found, _) => {
                let found = if found.is_some() { "there" } else { "not there" };
                return Err(Broken::new(format!("step {step}, {what} of `{id}`: it is {found} after")));
            }
        }
        let text = random::filter(&mut random, kind, 2);
        let filter = (!random.once_in(4)).then(|| bound(scope.schema, &text)).transpose()?;
        let projection = random::projection(&mut random, scope.schema);
        let mut query = Query { filter, start: Start::Index(random.below(4)), ..everything() };
        query.count = random.pick(&[0, 1, 3, 100]);
        query.projection = projection.map_err(|error| Broken::new(error.to_string()))?;
        super::list::agrees(trial, scope, &query, &format!("step {step}, {text}"), &model.0).await?;
    }
    Ok(())
}

/// The resources of one type, in the order of creation.
#[derive(Default)]
struct Model(Vec<Resource>);

impl Model {
    fn get(&self, id: &str) -> Option<&Resource> {
        self.0.iter().find(|resource| name(resource) == id)
    }

    fn create(&mut self, scope: Scope<'_>, resource: &Resource) -> String {
        if self.get(&name(resource)).is_some() {
            return outcome::<()>(Err(StoreError::Conflict { attribute: "id".to_owned() }));
        }
        outcome(self.unique(scope, resource).map(|()| self.0.push(resource.clone())))
    }

    fn replace(&mut self, scope: Scope<'_>, resource: &Resource, expected: Version) -> String {
        let found = store::find(&self.0, resource.id().as_ref(), Some(expected))
            .and_then(|at| self.unique(scope, resource).map(|()| at));
        outcome(found.map(|at| self.put(at, resource.clone())))
    }

    fn apply(
        &mut self,
        scope: Scope<'_>,
        current: &Resource,
        change: &Change,
        expected: Option<Version>,
    ) -> String {
        let at = match store::find(&self.0, current.id().as_ref(), expected) {
            Ok(at) => at,
            Err(error) => return outcome::<Applied>(Err(error)),
        };
        let mut after = current.clone();
        let changed = change.apply(&mut after);
        if let Err(error) = self.unique(scope, &after) {
            return outcome::<Applied>(Err(error));
        }
        let version = current.version().unwrap_or(Version(1));
        if !changed {
            return outcome(Ok(Applied::Unchanged(version)));
        }
        self.put(at, in_version(&after, version.next().0));
        outcome(Ok(Applied::Changed(version.next())))
    }

    fn delete(&mut self, resource: &Resource, expected: Option<Version>) -> Result<(), StoreError> {
        store::find(&self.0, resource.id().as_ref(), expected).map(|at| drop(self.0.remove(at)))
    }

    /// The deleted resource leaves the groups.
    fn left_by(&mut self, schema: &ResourceSchema, id: &ResourceId) {
        let deletion =
            Deletion { expected: None, groups: &[], last_modified: LATER, left: None, members: None };
        membership::leave(schema, &mut self.0, id, &deletion);
    }

    fn unique(&self, scope: Scope<'_>, resource: &Resource) -> Result<(), StoreError> {
        store::check_unique(scope, resource, &unique_keys(scope.schema, resource), &self.0)
    }

    fn put(&mut self, at: usize, resource: Resource) {
        if let Some(place) = self.0.get_mut(at) {
            *place = resource;
        }
    }
}

fn outcome<T: std::fmt::Debug>(result: Result<T, StoreError>) -> String {
    match result {
        Ok(done) => format!("{done:?}"),
        Err(error) => error.to_string(),
    }
}
