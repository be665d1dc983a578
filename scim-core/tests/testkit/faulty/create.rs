//! Faults of what is created.

use scim_core::store::{Scope, Store as _, StoreError};
use scim_core::testkit::wait_once;
use scim_core::validate::UniqueKey;
use scim_core::{Resource, Value};

use super::{Faulty, id_of, name_of, taken};

impl Faulty {
    pub(super) async fn create_now(
        &self,
        scope: Scope<'_>,
        resource: &Resource,
        unique: &[UniqueKey],
    ) -> Result<(), StoreError> {
        let id = resource.id().unwrap();
        let (mut resource, mut unique) = (resource.clone(), unique.to_vec());
        let is_user = scope.schema.name() == "User";
        match self.breaks {
            "what_is_created_is_read" => drop(resource.0.remove("numbers")),
            "an_id_is_had_once" => {
                if let Some(mut old) = self.now(scope, &id).await
                    && name_of(&resource) == "bob"
                {
                    old.0.insert("title", "overwritten");
                    self.inner.replace(scope, &old, &[], old.version().unwrap()).await?;
                }
            }
            "nothing_of_the_deleted_comes_back" => {
                let before = self.remembered(scope).into_iter().find(|old| old.id() == resource.id());
                if let Some(old) = before.as_ref().and_then(|old| old.get("members")) {
                    let mut members = old.as_array().unwrap().to_vec();
                    members.extend(resource.get("members").unwrap().as_array().unwrap().iter().cloned());
                    resource.0.insert("members", members);
                }
            }
            "a_unique_value_is_had_once" => {
                // As databases do that pad what they compare with blanks.
                for key in unique.iter_mut().filter(|key| key.value.len() < 5) {
                    key.value = key.value.trim_end().into();
                }
            }
            "types_of_one_schema_share_its_unique_values" if scope.schema.name() == "Contractor" => {
                unique.clear()
            }
            broken @ ("a_unique_value_is_compared_folded" | "a_unique_value_is_compared_in_one_form") => {
                let created = self.inner.create(scope, &resource, &unique).await;
                let name = name_of(&resource);
                let in_other_form = name.chars().any(is_of_other_form);
                let passed_over = match broken {
                    "a_unique_value_is_compared_folded" => !name.is_ascii() && !in_other_form,
                    _ => in_other_form,
                };
                return match created {
                    Err(StoreError::Conflict { attribute }) if attribute == "userName" && passed_over => {
                        self.inner.create(scope, &resource, &[]).await
                    }
                    created => created,
                };
            }
            "a_deleted_resource_frees_its_unique_values" | "a_unique_value_given_up_is_free"
                if is_user && self.seen.lock().unwrap().names.contains(&name_of(&resource)) =>
            {
                return Err(taken("userName"));
            }
            "another_tenant_has_its_own_ids_and_names" if is_user => {
                let seen = self.seen.lock().unwrap();
                let others = seen.resources.iter().filter(|((tenant, ..), _)| tenant != scope.tenant);
                if others.into_iter().any(|(_, other)| name_of(other) == name_of(&resource)) {
                    return Err(taken("userName"));
                }
            }
            "a_resource_type_is_apart_from_others" if !is_user => {
                let seen = self.seen.lock().unwrap();
                let key = (scope.tenant.clone(), "User".to_owned(), id_of(&resource));
                if seen.resources.contains_key(&key) {
                    return Err(taken("id"));
                }
            }
            "any_text_is_kept" => {
                let title = resource.get("title").and_then(Value::as_str);
                if let Some(title) = title.map(|title| title.replace('\u{feff}', "")) {
                    resource.0.insert("title", title);
                }
            }
            "a_large_group_is_kept" => {
                if let Some(Value::Array(members)) = resource.0.get_mut("members") {
                    members.truncate(9_000);
                }
            }
            "of_concurrent_creates_with_one_value_one_succeeds" => {
                if is_user && !self.free(scope, &resource).await {
                    return Err(taken("userName"));
                }
                wait_once().await;
                let created = self.inner.create(scope, &resource, &unique).await;
                let meanwhile = is_user && !self.free(scope, &resource).await;
                return match created {
                    Err(StoreError::Conflict { attribute }) if attribute == "userName" && meanwhile => {
                        self.inner.create(scope, &resource, &[]).await
                    }
                    created => created,
                };
            }
            "of_concurrent_creates_with_one_id_one_succeeds" => {
                if self.now(scope, &id).await.is_some() {
                    return Err(taken("id"));
                }
                wait_once().await;
                return match self.inner.create(scope, &resource, &unique).await {
                    Err(StoreError::Conflict { attribute }) if attribute == "id" => Ok(()),
                    created => created,
                };
            }
            _ => {}
        }
        self.inner.create(scope, &resource, &unique).await?;
        self.remember(scope, &resource);
        Ok(())
    }

    /// Whether nobody has the userName.
    async fn free(&self, scope: Scope<'_>, resource: &Resource) -> bool {
        let name = scim_filter::compare::fold(&name_of(resource)).into_owned();
        let all = self.all(scope, None).await;
        !all.iter().any(|other| scim_filter::compare::fold(&name_of(other)) == name)
    }
}

/// Whether it is a mark that is composed with what it follows, or a character of another width.
fn is_of_other_form(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{ff01}'..='\u{ff9f}')
}
