//! The Group schema.

use super::GROUP;
use crate::schema::{Attribute, Mutability, Schema};

/// The Group schema (RFC 7643 §4.2).
pub fn group() -> Schema {
    let immutable = |attribute: Attribute| attribute.mutability(Mutability::Immutable);
    Schema {
        id: GROUP.to_owned(),
        name: "Group".to_owned(),
        description: "A group of users and of other groups".to_owned(),
        attributes: vec![
            Attribute::string("displayName").describe("Name of the group, ready to be shown.").required(),
            Attribute::complex(
                "members",
                [
                    immutable(Attribute::string("value").describe("Identifier of the member.").case_exact()),
                    immutable(Attribute::reference("$ref", ["User", "Group"]).describe("URI of the member.")),
                    immutable(
                        Attribute::string("type")
                            .describe("Resource type of the member.")
                            .canonical(["User", "Group"]),
                    ),
                    // RFC 7643 §8.7.1 leaves it out; §2.4 and §4.2 make it immutable, and the
                    // examples of RFC 7644 §3.5.2 write it.
                    immutable(
                        Attribute::string("display").describe("Name of the member, ready to be shown."),
                    ),
                ],
            )
            .multi_valued()
            .describe("The members of the group."),
        ],
    }
}
