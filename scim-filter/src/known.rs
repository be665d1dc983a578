//! The names that RFC 7643 and RFC 7644 give to members of objects.

use crate::name::fold_hash;

/// Each name once, as the RFCs spell it.
static NAMES: [&str; 112] = [
    // RFC 7643 §3.1, §4.1 to §4.3
    "schemas",
    "id",
    "externalId",
    "meta",
    "resourceType",
    "created",
    "lastModified",
    "location",
    "version",
    "userName",
    "name",
    "formatted",
    "familyName",
    "givenName",
    "middleName",
    "honorificPrefix",
    "honorificSuffix",
    "displayName",
    "nickName",
    "profileUrl",
    "title",
    "userType",
    "preferredLanguage",
    "locale",
    "timezone",
    "active",
    "password",
    "emails",
    "phoneNumbers",
    "ims",
    "photos",
    "addresses",
    "groups",
    "entitlements",
    "roles",
    "x509Certificates",
    "value",
    "display",
    "type",
    "primary",
    "$ref",
    "streetAddress",
    "locality",
    "region",
    "postalCode",
    "country",
    "members",
    "employeeNumber",
    "costCenter",
    "organization",
    "division",
    "department",
    "manager",
    "urn:ietf:params:scim:schemas:core:2.0:User",
    "urn:ietf:params:scim:schemas:core:2.0:Group",
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
    // RFC 7643 §5 to §7
    "documentationUri",
    "patch",
    "bulk",
    "filter",
    "changePassword",
    "sort",
    "etag",
    "authenticationSchemes",
    "supported",
    "maxOperations",
    "maxPayloadSize",
    "maxResults",
    "specUri",
    "description",
    "endpoint",
    "schema",
    "schemaExtensions",
    "required",
    "attributes",
    "multiValued",
    "subAttributes",
    "canonicalValues",
    "caseExact",
    "mutability",
    "returned",
    "uniqueness",
    "referenceTypes",
    // RFC 7644 §3.4 to §3.12
    "totalResults",
    "itemsPerPage",
    "startIndex",
    "Resources",
    "excludedAttributes",
    "sortBy",
    "sortOrder",
    "count",
    "Operations",
    "op",
    "path",
    "method",
    "bulkId",
    "data",
    "response",
    "status",
    "failOnErrors",
    "scimType",
    "detail",
    // RFC 9865
    "cursor",
    "nextCursor",
    "previousCursor",
    "pagination",
    "index",
    "defaultPaginationMethod",
    "defaultPageSize",
    "maxPageSize",
    "cursorTimeout",
    "reference",
];

const BITS: u32 = 9;
const PLACES: usize = 1 << BITS;

/// For the highest bits of a hash, the number of the name that has them, from 1; where several
/// do, the others follow. 0 ends the search.
static NUMBERS: [u8; PLACES] = {
    let mut numbers = [0; PLACES];
    let mut number = 0;
    while number < NAMES.len() {
        #[expect(clippy::indexing_slicing, reason = "evaluated when this is compiled")]
        {
            let mut place = place(fold_hash(NAMES[number]));
            while numbers[place] != 0 {
                place = (place + 1) % PLACES;
            }
            numbers[place] = number as u8 + 1;
        }
        number += 1;
    }
    numbers
};

const fn place(hash: u32) -> usize {
    (hash >> (u32::BITS - BITS)) as usize
}

/// The number of the name spelt exactly `text`, which has this hash.
pub(crate) fn find(text: &str, hash: u32) -> Option<u8> {
    let mut at = place(hash);
    loop {
        let number = NUMBERS.get(at)?.checked_sub(1)?;
        if name(number) == text {
            return Some(number);
        }
        at = (at + 1) % PLACES;
    }
}

/// The name with that number.
pub(crate) fn name(number: u8) -> &'static str {
    NAMES.get(usize::from(number)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_is_found_by_its_spelling_alone() {
        for (number, name) in NAMES.iter().enumerate() {
            assert_eq!(find(name, fold_hash(name)), Some(number as u8), "`{name}` is there twice");
            assert_eq!(find(&name.to_ascii_uppercase(), fold_hash(name)), None);
        }
        assert_eq!(find("", fold_hash("")), None);
        assert_eq!(find("shoeSize", fold_hash("shoeSize")), None);
    }
}
