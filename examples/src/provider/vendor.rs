//! What the profile makes of a service: its policy, its configuration, and what its store does besides keeping
//! resources.

use std::sync::Arc;

use http::StatusCode;
use scim_core::Config;
use scim_core::policy::Policy;
use scim_profiles::Profile;
use scim_profiles::datadog::{self, Datadog};
use scim_profiles::guard::{DatadogRoles, Guards, IncidentIoRoles};
use scim_profiles::incident_io::{self, ActiveInSlack, BaseRole, Lockout, RoleMapping};
use scim_profiles::pagerduty::{self, PagerDuty};
use url::Url;

use super::options::Options;

/// A vendor as the options have it.
pub(super) enum Vendor {
    /// Nothing is done besides.
    Generic,
    /// Groups give what the mapping says, also to the users there are, and some are active in Slack.
    IncidentIo(Mapped, ActiveInSlack),
    /// Groups manage teams, and there are teams of these names.
    Datadog(Datadog, Vec<String>),
    /// Users have licences, and one of them is the owner.
    PagerDuty(PagerDuty, Option<String>),
}

/// Which groups give what.
pub(super) enum Mapped {
    /// What the mapping says.
    By(RoleMapping),
    /// Nothing, and nobody has anything by an earlier mapping that would be taken away.
    Never,
    /// Nothing, whatever a mapping gave before.
    NoMore,
}

impl Mapped {
    /// What the options say.
    ///
    /// # Errors
    ///
    /// The mapping cannot be read, or is none.
    fn of(options: &Options) -> anyhow::Result<Self> {
        let Some(file) = &options.mapping else {
            return Ok(if options.without_mapping { Self::NoMore } else { Self::Never });
        };
        let mapping = crate::incident_io::mapping(file)?;
        if !mapping.groups().any(|(_, access)| access.base_role == BaseRole::Owner) {
            tracing::warn!(
                mapping = %file.display(),
                "{}: incident.io refuses to be installed so",
                Lockout::NoOwnerGroup
            );
        }
        Ok(Self::By(mapping))
    }

    /// The mapping, which may be one of no group.
    pub(super) fn mapping(&self) -> RoleMapping {
        match self {
            Self::By(mapping) => mapping.clone(),
            Self::Never | Self::NoMore => RoleMapping::default(),
        }
    }
}

impl Vendor {
    /// The vendor of these options, with the files they name.
    ///
    /// # Errors
    ///
    /// A file cannot be read, or is not what it should be.
    pub(super) fn of(options: &Options) -> anyhow::Result<Self> {
        let status = options.duplicate_status.as_deref().map(|status| match status {
            "409" => StatusCode::CONFLICT,
            _ => StatusCode::BAD_REQUEST,
        });
        let name = options.profile.name;
        Ok(if name == incident_io::PROFILE.name {
            let mapped = Mapped::of(options)?;
            let slack =
                options.active_in_slack.as_deref().map(crate::incident_io::active_in_slack).transpose()?;
            Self::IncidentIo(mapped, slack.unwrap_or_default())
        } else if name == datadog::PROFILE.name {
            Self::Datadog(options.datadog.policy(status)?, options.datadog.existing_team.clone())
        } else if name == pagerduty::PROFILE.name {
            Self::PagerDuty(options.pagerduty.open(status)?, options.pagerduty.owner.clone())
        } else {
            Self::Generic
        })
    }

    /// How resources are judged and shown.
    pub(super) fn policy(&self, options: &Options) -> Arc<dyn Policy> {
        match self {
            Self::Datadog(policy, _) => Arc::new(policy.clone()),
            Self::PagerDuty(policy, _) => Arc::new(policy.clone()),
            Self::Generic | Self::IncidentIo(..) => options.profile.policy(),
        }
    }

    /// The configuration of a service behind `base_url`.
    pub(super) fn config(&self, options: &Options, base_url: Url) -> Config {
        match self {
            Self::Datadog(policy, _) => datadog::config(base_url, policy.options()),
            _ => options.profile.config(base_url),
        }
    }

    /// The guards with the roles that users have here.
    pub(super) fn guards(&self, guards: Guards, profile: &Profile) -> Guards {
        match self {
            Self::IncidentIo(mapped, slack) => {
                guards.with_roles(IncidentIoRoles::new(mapped.mapping()).with_active_in_slack(slack.clone()))
            }
            Self::Datadog(policy, _) => guards.with_roles(DatadogRoles::new(policy.roles().clone())),
            Self::Generic | Self::PagerDuty(..) => guards.with_roles_of(profile),
        }
    }
}
