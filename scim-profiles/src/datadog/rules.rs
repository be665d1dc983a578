//! What Datadog makes of payloads.

use scim_core::ScimType;
use scim_core::patch::Op;

use super::sources::{API, OKTA, SCIM};
use crate::generic;
use crate::rule::{Check, Literal, On, Rule, Severity, warning};

/// What a PATCH of a user may do.
pub(super) const USER_OPS: &[Op] = &[Op::Add, Op::Replace];

/// The rules of users, in the order in which violations are reported.
pub(super) const USER_RULES: &[Rule] = &[
    generic::OPERATION,
    Rule {
        on: On::PATCH,
        severity: Severity::Error,
        scim_type: ScimType::InvalidSyntax,
        ..warning(
            "patch-add-replace",
            "",
            Check::Ops(USER_OPS),
            "users are changed by `add` and `replace` alone",
            API,
        )
    },
    generic::TYPE,
    generic::TEXT,
    KNOWN,
    generic::PLAIN,
    generic::SCHEMAS_USER,
    generic::USER_NAME_REQUIRED,
    Rule {
        on: On::CREATE,
        ..warning(
            "email-known",
            "",
            Check::AnyEmail(&["userName", "emails[].value"]),
            "a new user is invited by e-mail, and needs an address in `emails` or as userName",
            SCIM.decided("a warning, which refuses nothing: that users are invited by e-mail is stated"),
        )
    },
    Rule {
        severity: Severity::Error,
        ..warning(
            "email-work",
            "emails[].type",
            Check::OneOf(&["work"]),
            "e-mail addresses are of type `work` alone",
            API.left_to(&["other_emails"]),
        )
    },
    warning(
        "external-id-ignored",
        "externalId",
        Check::NoValue,
        "users have no externalId; it is ignored",
        API.decided("a warning, which refuses nothing: the reference's users have none"),
    ),
    warning(
        "role-uuid",
        "roles[].value",
        Check::Uuid,
        "a role is named by its UUID; what matches none is dropped, and noted in the audit trail",
        OKTA,
    ),
    Rule {
        on: On::CHANGE,
        ..warning(
            "active-deactivates",
            "active",
            Check::Not(Literal::Bool(false)),
            "takes the user's access away",
            SCIM,
        )
    },
];

/// That an attribute which Datadog does not have is ignored is said nowhere; it is what identity providers
/// count on.
const KNOWN: Rule = Rule { source: API.decided("identity providers count on it"), ..generic::KNOWN };

/// The rules of groups.
pub(super) const GROUP_RULES: &[Rule] = &[
    generic::OPERATION,
    generic::TYPE,
    generic::TEXT,
    KNOWN,
    generic::PLAIN,
    generic::SCHEMAS_GROUP,
    generic::DISPLAY_NAME_REQUIRED,
    warning(
        "members-are-users",
        "members[].type",
        Check::NoneOf(&["Group"]),
        "members are users: `value` says who, and the id of a group is refused; `type` counts for nothing",
        API.decided("a warning, which refuses nothing: that users are the only type is stated"),
    ),
];
