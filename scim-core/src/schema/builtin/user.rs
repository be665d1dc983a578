//! The User schema.

use super::USER;
use crate::schema::{Attribute, AttributeType, Mutability, Returned, Schema, Uniqueness};

/// The User schema (RFC 7643 §4.1).
pub fn user() -> Schema {
    let mut attributes = singular();
    attributes.extend(multi_valued());
    Schema {
        id: USER.to_owned(),
        name: "User".to_owned(),
        description: "An account of a person".to_owned(),
        attributes,
    }
}

/// RFC 7643 §4.1.1.
fn singular() -> Vec<Attribute> {
    vec![
        Attribute::string("userName")
            .describe("Name the user signs in with; no two users have the same, whatever its case.")
            .required()
            .unique(Uniqueness::Server),
        Attribute::complex(
            "name",
            [
                Attribute::string("formatted").describe("The whole name, ready to be shown."),
                Attribute::string("familyName").describe("Family name, or last name."),
                Attribute::string("givenName").describe("Given name, or first name."),
                Attribute::string("middleName").describe("Middle names."),
                Attribute::string("honorificPrefix").describe("Title before the name, such as `Ms.`."),
                Attribute::string("honorificSuffix").describe("Suffix after the name, such as `III`."),
            ],
        )
        .describe("The user's name, whole, in parts, or both."),
        Attribute::string("displayName").describe("Name shown to other people."),
        Attribute::string("nickName").describe("Informal name, as friends use it."),
        Attribute::reference("profileUrl", ["external"]).describe("Address of the user's profile page."),
        Attribute::string("title").describe("Job title."),
        Attribute::string("userType").describe("Relation to the organization, such as `Contractor`."),
        Attribute::string("preferredLanguage")
            .describe("Languages the user prefers, written as an Accept-Language header."),
        Attribute::string("locale").describe("Language tag that dates, numbers and currency follow."),
        Attribute::string("timezone").describe("Time zone by its IANA name, such as `Europe/Vienna`."),
        Attribute::boolean("active").describe("Whether the account may be used."),
        Attribute::string("password")
            .describe("New password; can be set and never be read.")
            .mutability(Mutability::WriteOnly)
            .returned(Returned::Never),
    ]
}

/// RFC 7643 §4.1.2.
fn multi_valued() -> Vec<Attribute> {
    vec![
        plural("emails", "E-mail address.", Attribute::string("value"), &["work", "home", "other"])
            .describe("E-mail addresses."),
        plural(
            "phoneNumbers",
            "Phone number, best written as an RFC 3966 `tel:` URI.",
            Attribute::string("value"),
            &["work", "home", "mobile", "fax", "pager", "other"],
        )
        .describe("Phone numbers."),
        plural(
            "ims",
            "Instant messaging address.",
            Attribute::string("value"),
            &["aim", "gtalk", "icq", "xmpp", "msn", "skype", "qq", "yahoo"],
        )
        .describe("Instant messaging addresses."),
        plural(
            "photos",
            "Address of an image.",
            Attribute::reference("value", ["external"]),
            &["photo", "thumbnail"],
        )
        .describe("Pictures of the user."),
        Attribute::complex(
            "addresses",
            [
                Attribute::string("formatted").describe("The whole address; may have several lines."),
                Attribute::string("streetAddress")
                    .describe("Street, number, post office box; may have several lines."),
                Attribute::string("locality").describe("City."),
                Attribute::string("region").describe("State or region."),
                Attribute::string("postalCode").describe("Postal code."),
                Attribute::string("country").describe("Country, by its ISO 3166-1 alpha-2 code."),
                label(&["work", "home", "other"]),
                primary(),
            ],
        )
        .multi_valued()
        .describe("Postal addresses."),
        Attribute::complex(
            "groups",
            [
                Attribute::string("value").describe("Identifier of the group.").case_exact(),
                Attribute::reference("$ref", ["Group"]).describe("URI of the group."),
                Attribute::string("display").describe("Name of the group."),
                Attribute::string("type")
                    .describe("Whether the user is a member directly, or through another group.")
                    .canonical(["direct", "indirect"]),
            ],
        )
        .multi_valued()
        .describe("Groups the user belongs to; changed through the groups.")
        .read_only(),
        plural("entitlements", "An entitlement.", Attribute::string("value"), &[])
            .describe("Things the user is entitled to."),
        plural("roles", "A role.", Attribute::string("value"), &[]).describe("Roles the user has."),
        plural(
            "x509Certificates",
            "One certificate, DER in base64.",
            Attribute::new("value", AttributeType::Binary),
            &[],
        )
        .describe("Certificates issued to the user."),
    ]
}

/// A multi-valued attribute of the usual four sub-attributes (RFC 7643 §2.4).
fn plural(name: &str, meaning: &str, value: Attribute, labels: &[&str]) -> Attribute {
    let display = Attribute::string("display").describe("Name of the value, ready to be shown.");
    Attribute::complex(name, [value.describe(meaning), display, label(labels), primary()]).multi_valued()
}

fn label(labels: &[&str]) -> Attribute {
    let canonical_values = labels.iter().map(|label| (*label).to_owned()).collect();
    Attribute { canonical_values, ..Attribute::string("type").describe("What the value is used for.") }
}

fn primary() -> Attribute {
    Attribute::boolean("primary").describe("Whether this value is the preferred one; at most one is.")
}
