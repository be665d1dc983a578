//! An account at PagerDuty, as options and files.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use clap::Args;
use http::StatusCode;
use scim_core::projection::Projection;
use scim_core::query::Query;
use scim_core::schema::builtin::USER;
use scim_core::store::{Modification, Scope, Store, Terms};
use scim_core::validate::unique_keys;
use scim_core::value::JsonLimits;
use scim_core::{Environment, Object, Resource, TenantId, Value, Version};
use scim_filter::{BindOptions, Filter};
use scim_profiles::Payload;
use scim_profiles::pagerduty::{
    AssignedIncidents, Licenses, LicensesInUse, OWNER, Offboarding, OwnerProtection, PROFILE, PagerDuty,
    PagerDutyOptions, Plan, ROLES, Reassignment, RoleEmptied, RoleOmitted, StaleLicense, role,
};

/// What an account at PagerDuty can have one way or the other.
#[derive(Args, Debug)]
#[command(next_help_heading = "With --profile pagerduty")]
pub struct PagerDutyAccount {
    /// The licences of the account: JSON, as `GET /licenses` of PagerDuty's REST API answers, such as
    /// `examples/pagerduty/licenses.json`. Every user then has one, and none more users here than it has
    /// `allocations_available`.
    #[arg(long, value_name = "FILE")]
    pub licenses: Option<PathBuf>,
    /// Where the users are who have a licence by its `current_value`: elsewhere, so that they are beside the users here, or
    /// here, so that a licence is for as many users as `current_value` and `allocations_available` are together.
    /// Default: elsewhere.
    #[arg(long, value_name = "WHERE", value_parser = ["elsewhere", "here"], requires = "licenses")]
    pub licenses_in_use: Option<String>,
    /// An ability that the account does not have: `read_only_users`, which stakeholder roles need, or
    /// `advanced_permissions`, which `observer` and `restricted_access` need; may be given more than once. Default: it has
    /// both.
    #[arg(long, value_name = "NAME", value_parser = ["read_only_users", "advanced_permissions"])]
    pub without_ability: Vec<String>,
    /// What becomes of a PUT with a new role and the licence of the former, and of that licence in a later write. Default:
    /// it is dropped.
    #[arg(long, value_name = "WHAT", value_parser = ["drop", "refuse"])]
    pub stale_license: Option<String>,
    /// The role of who is created without one. Default: `user`.
    #[arg(long, value_name = "ROLE", value_parser = grantable())]
    pub default_role: Option<String>,
    /// What becomes of the role in a PUT without `roles`. Default: it is kept.
    #[arg(long, value_name = "WHAT", value_parser = ["keep", "default"])]
    pub role_omitted: Option<String>,
    /// What becomes of the role in a PUT with `roles` that are null or an empty array. Default: the default role takes its
    /// place.
    #[arg(long, value_name = "WHAT", value_parser = ["default", "keep"])]
    pub role_emptied: Option<String>,
    /// The account owner, by userName; made at the start where there is none.
    #[arg(long, value_name = "USERNAME")]
    pub owner: Option<String>,
    /// What of the account owner no request can change: everything, the role and that there is one, or
    /// nothing. Default: everything.
    #[arg(long, value_name = "WHAT", value_parser = ["full", "role", "none"])]
    pub owner_protection: Option<String>,
    /// A user with an assigned incident, who cannot be deleted; may be given more than once.
    #[arg(long, value_name = "USERNAME")]
    pub hold_incident: Vec<String>,
    /// Who is assigned to incidents: JSON, as `GET /incidents?include[]=assignees` of PagerDuty's REST API
    /// answers, such as `examples/pagerduty/incidents.json`.
    #[arg(long, value_name = "FILE")]
    pub incidents: Option<PathBuf>,
    /// What becomes of the deletion of a user with assigned incidents, as the account owner can decide.
    /// Default: it fails.
    #[arg(long, value_name = "WHAT", value_parser = ["fail", "reassign"])]
    pub offboarding: Option<String>,
    /// What the account pays for; a plan without incident reassignment is `other`. Default: enterprise.
    #[arg(long, value_name = "PLAN", value_parser = ["business", "digital-operations", "enterprise", "other"])]
    pub plan: Option<String>,
}

/// The roles that SCIM may give.
fn grantable() -> Vec<&'static str> {
    ROLES.into_iter().filter(|role| role.grantable).map(|role| role.value).collect()
}

impl PagerDutyAccount {
    /// Its options, and which of them are given.
    pub(crate) fn given(&self) -> [(&'static str, bool); 13] {
        [
            ("--licenses", self.licenses.is_some()),
            ("--licenses-in-use", self.licenses_in_use.is_some()),
            ("--without-ability", !self.without_ability.is_empty()),
            ("--stale-license", self.stale_license.is_some()),
            ("--default-role", self.default_role.is_some()),
            ("--role-omitted", self.role_omitted.is_some()),
            ("--role-emptied", self.role_emptied.is_some()),
            ("--owner", self.owner.is_some()),
            ("--owner-protection", self.owner_protection.is_some()),
            ("--hold-incident", !self.hold_incident.is_empty()),
            ("--incidents", self.incidents.is_some()),
            ("--offboarding", self.offboarding.is_some()),
            ("--plan", self.plan.is_some()),
        ]
    }

    /// Refuses what the plan does not have, and names that no user can have.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        for (option, name) in self.owner.iter().map(|name| ("--owner", name)).chain(self.holders()) {
            check_name(option, name)?;
        }
        let reassigns = self.offboarding.as_deref() == Some("reassign");
        ensure!(
            !reassigns || self.plan().reassigns_incidents(),
            "`--offboarding reassign` needs a plan that has it, which `--plan other` has not"
        );
        Ok(())
    }

    /// The account.
    ///
    /// # Errors
    ///
    /// A file cannot be read, or is not what it should be.
    pub(crate) fn open(&self, duplicate_status: Option<StatusCode>) -> anyhow::Result<PagerDuty> {
        let mut options = PagerDutyOptions::default();
        if let Some(status) = duplicate_status {
            options.duplicate_status = status;
        }
        if self.offboarding.as_deref() == Some("reassign") {
            options.offboarding = Offboarding::Reassign;
        }
        options.plan = self.plan();
        let protections = [OwnerProtection::Full, OwnerProtection::Role, OwnerProtection::None];
        let protection = |wanted: &str| protections.into_iter().find(|one| one.as_str() == wanted);
        options.owner = self.owner_protection.as_deref().and_then(protection).unwrap_or_default();
        if self.stale_license.as_deref() == Some("refuse") {
            options.stale_license = StaleLicense::Refuse;
        }
        let default_role = self.default_role.as_deref().and_then(role);
        options.default_role = default_role.map_or(options.default_role, |role| role.value);
        if self.role_omitted.as_deref() == Some("default") {
            options.role_omitted = RoleOmitted::Default;
        }
        if self.role_emptied.as_deref() == Some("keep") {
            options.role_emptied = RoleEmptied::Keep;
        }
        if self.licenses_in_use.as_deref() == Some("here") {
            options.licenses_in_use = LicensesInUse::Here;
        }
        let has = |ability: &str| self.without_ability.iter().all(|without| without != ability);
        options.read_only_users = has("read_only_users");
        options.advanced_permissions = has("advanced_permissions");
        let holders = self.hold_incident.iter().map(String::as_str);
        let mut account = PagerDuty::new(options).with_incidents_of(holders).with_reassignment(log);
        if let Some(file) = &self.licenses {
            account = account.with_licenses(licenses(file)?);
        }
        if let Some(file) = &self.incidents {
            let read = AssignedIncidents::parse(&json(file)?);
            let read = read.with_context(|| format!("`{}` is no list of incidents", file.display()))?;
            account = account.with_incidents(move |user| read.of(user));
        }
        Ok(account)
    }

    fn holders(&self) -> impl Iterator<Item = (&'static str, &String)> {
        self.hold_incident.iter().map(|name| ("--hold-incident", name))
    }

    fn plan(&self) -> Plan {
        let plan = |wanted: &str| Plan::ALL.into_iter().find(|plan| plan.as_str() == wanted);
        self.plan.as_deref().and_then(plan).unwrap_or_default()
    }
}

/// Refuses a userName that the rules of users refuse.
fn check_name(option: &str, name: &str) -> anyhow::Result<()> {
    let mut user = Object::new();
    user.insert("schemas", vec![Value::from(USER)]);
    user.insert("userName", name);
    user.insert("displayName", "Somebody");
    let report = PROFILE.lint_as(Payload::Create, &user.into());
    let error = report.errors().next();
    let reason = error.map(|error| format!("{} ({})", error.message, error.rule)).unwrap_or_default();
    ensure!(error.is_none(), "`{option} {name}`: no user can have this userName: {reason}");
    Ok(())
}

/// Reads the licences of an account from a JSON file, such as `examples/pagerduty/licenses.json`.
///
/// # Errors
///
/// The file cannot be read, or has no licences.
pub fn licenses(file: &Path) -> anyhow::Result<Licenses> {
    Licenses::parse(&json(file)?).with_context(|| format!("`{}` is no list of licences", file.display()))
}

fn json(file: &Path) -> anyhow::Result<Value> {
    let text = std::fs::read(file).with_context(|| format!("cannot read `{}`", file.display()))?;
    Value::from_slice(&text, &JsonLimits::default())
        .with_context(|| format!("`{}` is not JSON that SCIM allows", file.display()))
}

/// PagerDuty reassigns incidents by itself; what there is to see of it here is a line of the log.
fn log(reassignment: &Reassignment) {
    tracing::info!(
        user = reassignment.user.as_str(),
        user_name = reassignment.user_name.as_deref().unwrap_or_default(),
        incidents = reassignment.incidents.join(" "),
        "incidents are to be reassigned"
    );
}

/// Makes the user `name` the owner of the account, if nobody is.
///
/// # Errors
///
/// Another user is, or the store does not do it.
pub(crate) async fn install_owner<S: Store>(
    store: &S,
    tenant: &TenantId,
    environment: &Environment,
    name: &str,
) -> anyhow::Result<()> {
    let schema = PROFILE.registry().by_name("User").context("the profile has users")?;
    let scope = Scope { tenant, schema };
    let find = async |filter: String| -> anyhow::Result<Option<Resource>> {
        let filter = Filter::parse(&filter)?.bind(&**schema, &BindOptions::default())?;
        let query =
            Query { filter: Some(filter), count: 1, projection: Projection::default(), ..Query::default() };
        Ok(store.query(scope, &query).await?.resources.into_iter().next())
    };
    let user_name = |user: &Resource| user.get("userName").and_then(Value::as_str).map(str::to_owned);
    if let Some(owner) = find(format!("roles.value eq {}", Value::from(OWNER))).await? {
        let is = user_name(&owner).unwrap_or_default();
        ensure!(is.eq_ignore_ascii_case(name), "`--owner`: the account has the owner `{is}`, and only one");
        return Ok(());
    }
    let now = format!("{:.3}", (environment.now)());
    let mut role = Object::new();
    role.insert("value", OWNER);
    role.insert("type", "base");
    role.insert("primary", true);
    let there = find(format!("userName eq {}", Value::from(name))).await?;
    let expected = there.as_ref().and_then(Resource::version);
    let mut owner = there.unwrap_or_else(|| {
        let mut user = Object::new();
        user.insert("schemas", vec![Value::from(schema.base().id.as_str())]);
        user.insert("id", (environment.new_id)().as_str());
        user.insert("userName", name);
        user.insert("displayName", "Account Owner");
        user.insert("active", true);
        let mut meta = Object::new();
        meta.insert("resourceType", "User");
        meta.insert("created", now.as_str());
        user.insert("meta", meta);
        Resource(user)
    });
    owner.0.insert("roles", vec![Value::Object(role)]);
    if let Some(meta) = owner.0.get_mut("meta").and_then(Value::as_object_mut) {
        meta.insert("lastModified", now.as_str());
        meta.insert("version", expected.map_or(Version(1), Version::next).to_string());
    }
    let unique = unique_keys(schema, &owner);
    let made = match expected {
        None => Modification::Create { resource: &owner, unique: &unique },
        Some(expected) => Modification::Replace { resource: &owner, unique: &unique, expected },
    };
    store
        .modify(scope, made, Terms::default())
        .await
        .with_context(|| format!("`{name}` cannot be the account owner"))?;
    Ok(())
}
