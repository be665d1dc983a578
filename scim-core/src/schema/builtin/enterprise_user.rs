//! The enterprise User extension.

use super::ENTERPRISE_USER;
use crate::schema::{Attribute, Schema};

/// The enterprise User extension (RFC 7643 §4.3).
pub fn enterprise_user() -> Schema {
    Schema {
        id: ENTERPRISE_USER.to_owned(),
        name: "EnterpriseUser".to_owned(),
        description: "What an enterprise knows about a user beyond the account".to_owned(),
        attributes: vec![
            Attribute::string("employeeNumber").describe("Identifier the organization gave the person."),
            Attribute::string("costCenter").describe("Name of the cost center."),
            Attribute::string("organization").describe("Name of the organization."),
            Attribute::string("division").describe("Name of the division."),
            Attribute::string("department").describe("Name of the department."),
            Attribute::complex(
                "manager",
                [
                    Attribute::string("value").describe("Identifier of the manager's user.").case_exact(),
                    Attribute::reference("$ref", ["User"]).describe("URI of the manager's user."),
                    Attribute::string("displayName").describe("Display name of the manager.").read_only(),
                ],
            )
            .describe("The user's manager, who is a user too."),
        ],
    }
}
