//! What incident.io makes of payloads, beyond the RFCs.

use super::sources::SCIM;
use crate::generic;
use crate::rule::{Check, Literal, On, Rule, warning};

/// The rules of users, in the order in which violations are reported.
pub(super) const USER_RULES: &[Rule] = &[
    generic::OPERATION,
    generic::TYPE,
    generic::TEXT,
    generic::KNOWN,
    generic::PLAIN,
    generic::SCHEMAS_USER,
    generic::USER_NAME_REQUIRED,
    Rule {
        on: On::WHOLE,
        ..warning(
            "email-known",
            "",
            Check::AnyEmail(&["userName", "emails[].value"]),
            "users are linked by their e-mail address, in `emails` or as userName; without one a user is created",
            SCIM.decided("a warning, which refuses nothing: that users are linked so is stated"),
        )
    },
    warning(
        "roles-by-groups",
        "roles",
        Check::NoValue,
        "roles come from groups that are mapped; `roles` gives nothing",
        SCIM.decided("a warning, which refuses nothing: that groups give roles is stated"),
    ),
    Rule {
        on: On::CHANGE,
        ..warning(
            "active-deactivates",
            "active",
            Check::Not(Literal::Bool(false)),
            "deactivates the user, unless they are active in Slack (`active_in_slack`)",
            SCIM,
        )
    },
];

/// The rules of groups.
pub(super) const GROUP_RULES: &[Rule] = &[
    generic::OPERATION,
    generic::TYPE,
    generic::TEXT,
    generic::KNOWN,
    generic::PLAIN,
    generic::SCHEMAS_GROUP,
    generic::DISPLAY_NAME_REQUIRED,
    warning(
        "members-are-people",
        "members[].type",
        Check::NoneOf(&["Group"]),
        "a group in a group gives the people in it nothing: access is by direct membership",
        SCIM.decided("a warning, which refuses nothing: of groups in groups nothing is said"),
    ),
];
