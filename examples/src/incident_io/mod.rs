//! Mappings, directories and users of incident.io, as files.

mod mapped;
mod slack;
mod state;

pub(crate) use mapped::is_mapped;
pub use slack::{active_in_slack, is_email_address};
pub use state::State;

use std::path::Path;

use anyhow::{Context as _, bail};
use scim_profiles::incident_io::{
    BaseRole, Deactivated, ElevatedSeat, GroupNames, InSlack, Options, RoleMapping, SeatAfter,
};
use serde::Deserialize;

/// Reads a mapping of groups from a TOML file, such as `examples/incident-io/mapping.toml`.
///
/// # Errors
///
/// The file cannot be read, or is no mapping.
pub fn mapping(file: &Path) -> anyhow::Result<RoleMapping> {
    Ok(MappingFile::read(file)?.mapping)
}

/// A mapping of groups, and how it is written.
#[derive(Clone, Debug)]
pub struct MappingFile {
    /// The mapping.
    pub mapping: RoleMapping,
    written: serde_json::Value,
}

impl MappingFile {
    /// Reads it as [`mapping`] does.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or is no mapping.
    pub fn read(file: &Path) -> anyhow::Result<Self> {
        let text =
            std::fs::read_to_string(file).with_context(|| format!("cannot read `{}`", file.display()))?;
        Self::of_toml(&text).with_context(|| format!("`{}` is no mapping of groups", file.display()))
    }

    fn of_toml(text: &str) -> anyhow::Result<Self> {
        let read: Written = toml::from_str(text)?;
        Ok(Self { mapping: read.mapping()?, written: toml::from_str(text)? })
    }

    fn of_json(written: serde_json::Value) -> anyhow::Result<Self> {
        let read = Written::deserialize(&written)?;
        Ok(Self { mapping: read.mapping()?, written })
    }
}

/// A mapping as it is written, in TOML or JSON.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default)]
    custom_roles: Vec<CustomRole>,
    #[serde(default)]
    groups: Vec<MappedGroup>,
    #[serde(default)]
    options: OptionsOfFile,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CustomRole {
    name: String,
    #[serde(default)]
    permissions: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MappedGroup {
    name: String,
    base_role: Option<String>,
    #[serde(default)]
    custom_roles: Vec<String>,
    #[serde(default)]
    on_call: bool,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct OptionsOfFile {
    elevated_seat: Option<String>,
    seat_after: Option<String>,
    custom_roles_need_paid_seat: Option<bool>,
    group_names: Option<String>,
    deactivated: Option<String>,
    in_slack: Option<String>,
}

impl Written {
    fn mapping(self) -> anyhow::Result<RoleMapping> {
        let Self { custom_roles, groups, options } = self;
        let mut mapping = RoleMapping::new().with_options(options.read()?);
        for role in custom_roles {
            mapping = mapping.with_custom_role(&role.name, role.permissions)?;
        }
        for (number, group) in groups.into_iter().enumerate() {
            if group.name.trim().is_empty() {
                bail!("groups[{number}] has an empty name");
            }
            // Under the option: names that the mapping takes for one are one group's.
            if mapping.group(&group.name).is_some() {
                let why = match mapping.options().group_names {
                    GroupNames::AnyCase => ": `group_names` is `any-case`",
                    GroupNames::Exact => "",
                };
                bail!("the group `{}` is there twice{why}", group.name.escape_debug());
            }
            if group.base_role.is_none() && group.custom_roles.is_empty() && !group.on_call {
                bail!(
                    "the group `{}` has neither `base_role` nor `custom_roles` nor `on_call`",
                    group.name.escape_debug()
                );
            }
            if let Some(base_role) = group.base_role {
                let base_role: BaseRole = base_role
                    .parse()
                    .with_context(|| format!("`base_role` of the group `{}`", group.name.escape_debug()))?;
                mapping = mapping.with_base_role(&group.name, base_role);
            }
            for role in group.custom_roles {
                mapping = mapping.with_custom_role_of(&group.name, &role)?;
            }
            if group.on_call {
                mapping = mapping.with_on_call(&group.name);
            }
        }
        Ok(mapping)
    }
}

impl OptionsOfFile {
    fn read(self) -> anyhow::Result<Options> {
        let mut options = Options::default();
        match self.elevated_seat.as_deref() {
            None | Some("responder") => options.elevated_seat = ElevatedSeat::Responder,
            Some("on-call") => options.elevated_seat = ElevatedSeat::OnCall,
            Some(_) => bail!("`elevated_seat` is neither `responder` nor `on-call`"),
        }
        match self.seat_after.as_deref() {
            None | Some("stays") => options.seat_after = SeatAfter::Stays,
            Some("goes") => options.seat_after = SeatAfter::Goes,
            Some(_) => bail!("`seat_after` is neither `stays` nor `goes`"),
        }
        match self.group_names.as_deref() {
            None | Some("exact") => options.group_names = GroupNames::Exact,
            Some("any-case") => options.group_names = GroupNames::AnyCase,
            Some(_) => bail!("`group_names` is neither `exact` nor `any-case`"),
        }
        match self.deactivated.as_deref() {
            None | Some("link") => options.deactivated = Deactivated::Link,
            Some("leave") => options.deactivated = Deactivated::Leave,
            Some(_) => bail!("`deactivated` is neither `link` nor `leave`"),
        }
        match self.in_slack.as_deref() {
            None | Some("standard") => options.in_slack = InSlack::Standard,
            Some("keep") => options.in_slack = InSlack::Keep,
            Some(_) => bail!("`in_slack` is neither `standard` nor `keep`"),
        }
        options.custom_roles_need_paid_seat = self.custom_roles_need_paid_seat.unwrap_or_default();
        Ok(options)
    }
}
