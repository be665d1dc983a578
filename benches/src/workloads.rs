//! Named workloads: filters F1 to F9, PATCH paths P1 to P6, evaluation filters E1a to E1c, and users.
//!
//! Everything is made in code from fixed seeds, so that every run and every machine measures the same.

/// The look-up most identity providers begin with.
pub const F1: &str = r#"userName eq "bjensen@example.com""#;
/// A look-up by the client's identifier.
pub const F2: &str = r#"externalId eq "47eaa099-2cb6-416d-86dc-283cf0480ff9""#;
/// A value path with two terms.
pub const F3: &str = r#"emails[type eq "work" and value co "@example.com"]"#;
/// The filters of RFC 7644 figure 2.
pub const F4: [&str; 17] = [
    r#"userName eq "bjensen""#,
    r#"name.familyName co "O'Malley""#,
    r#"userName sw "J""#,
    r#"urn:ietf:params:scim:schemas:core:2.0:User:userName sw "J""#,
    "title pr",
    r#"meta.lastModified gt "2011-05-13T04:42:34Z""#,
    r#"meta.lastModified ge "2011-05-13T04:42:34Z""#,
    r#"meta.lastModified lt "2011-05-13T04:42:34Z""#,
    r#"meta.lastModified le "2011-05-13T04:42:34Z""#,
    r#"title pr and userType eq "Employee""#,
    r#"title pr or userType eq "Intern""#,
    r#"schemas eq "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User""#,
    r#"userType eq "Employee" and (emails co "example.com" or emails.value co "example.org")"#,
    r#"userType ne "Employee" and not (emails co "example.com" or emails.value co "example.org")"#,
    r#"userType eq "Employee" and (emails.type eq "work")"#,
    r#"userType eq "Employee" and emails[type eq "work" and value co "@example.com"]"#,
    r#"emails[type eq "work" and value co "@example.com"] or ims[type eq "xmpp" and value co "@foo.com"]"#,
];
/// A sub-attribute behind a URI.
pub const F8: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value eq \
                      \"26118915-6090-4610-87e4-49d8ca9f808d\"";

/// PATCH paths, by name.
pub const PATHS: [(&str, &str); 6] = [
    ("P1", r#"members[value eq "e79a94d4-ba46-459c-9b33-c0362ad28b81"]"#),
    ("P2", r#"emails[type eq "work"].value"#),
    ("P3", r#"addresses[type eq "work"].streetAddress"#),
    ("P4", "members"),
    ("P5", "name.familyName"),
    ("P6", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager"),
];

/// A look-up that one of [`users`] fulfils, if there are more than 500.
pub const E1A: &str = r#"userName eq "user000500@example.com""#;
/// A value path that every third user fulfils.
pub const E1B: &str = F3;
/// A filter with a term of every type.
pub const E1C: &str = r#"active eq true and (userType eq "Employee" or title co "engineer") and emails[type eq "work" and value ew "@example.org"] and not (meta.lastModified lt "2024-01-01T00:00:00Z")"#;

/// Every filter, by name; F4 is the list joined by `or`.
pub fn filters() -> Vec<(&'static str, String)> {
    vec![
        ("F1", F1.to_owned()),
        ("F2", F2.to_owned()),
        ("F3", F3.to_owned()),
        ("F5", any_id(64)),
        ("F6", nested(32)),
        ("F7", long_literal(true)),
        ("F7p", long_literal(false)),
        ("F8", F8.to_owned()),
        ("F9", any_id(1000)),
    ]
}

/// `id eq …` for `count` identifiers (F5: 64, F9: 1000).
pub fn any_id(count: usize) -> String {
    let mut random = Random(5);
    (0..count).map(|_| format!("id eq \"{}\"", random.uuid())).collect::<Vec<_>>().join(" or ")
}

/// `title pr` in brackets, every other of them negated (F6: 32).
pub fn nested(depth: usize) -> String {
    let open: String = (0..depth).map(|level| if level % 2 == 0 { "not (" } else { "(" }).collect();
    format!("{open}title pr{}", ")".repeat(depth))
}

/// A comparison with a literal of 4 KiB; with an escape at every sixtieth character, or with none
/// (F7, F7p).
pub fn long_literal(escapes: bool) -> String {
    const WORDS: &str = "the quick brown fox jumps over a lazy dog ";
    const ESCAPES: [&str; 6] = [r#"\""#, r"\\", r"\n", r"\t", r"\u00e9", r"\/"];
    let mut literal = String::new();
    for (index, c) in WORDS.chars().cycle().enumerate() {
        match ESCAPES.get(index / 60 % 6) {
            Some(escape) if escapes && index > 0 && index % 60 == 0 => literal.push_str(escape),
            _ => literal.push(c),
        }
        if literal.len() >= 4096 {
            break;
        }
    }
    format!("displayName eq \"{literal}\"")
}

/// As many users as JSON text, as an identity provider with the enterprise extension would have made
/// them: members are in the order in which the RFC shows them.
pub fn users(count: usize) -> impl Iterator<Item = String> {
    const GIVEN: [&str; 8] = ["Ada", "Alan", "Carlos", "Fatima", "Hiro", "Mina", "Olga", "Sven"];
    const FAMILY: [&str; 7] = ["Jensen", "Smith", "Garcia", "Tanaka", "Okafor", "Novak", "Haddad"];
    let mut random = Random(1);
    (0..count).map(move |index| {
        let (given, family) = (pick(GIVEN, random.next()), pick(FAMILY, random.next()));
        user(index, given, family, [random.uuid(), random.uuid(), random.uuid()])
    })
}

fn user(index: usize, given: &str, family: &str, [id, external_id, manager]: [String; 3]) -> String {
    const TITLES: [&str; 5] =
        ["Tour Guide", "Software engineer", "Account Manager", "Data engineer", "Nurse"];
    const DOMAINS: [&str; 3] = ["example.com", "example.org", "corp.example.net"];
    const TYPES: [&str; 3] = ["Employee", "Contractor", "Intern"];
    let core = format!(
        r#""id":"{id}","externalId":"{external_id}","userName":"user{index:06}@example.com","name":{{"formatted":"{given} {family}","familyName":"{family}","givenName":"{given}"}},"displayName":"{given} {family}","title":"{}","userType":"{}","preferredLanguage":"en-US","locale":"en-US","timezone":"America/Los_Angeles","active":{}"#,
        pick(TITLES, index),
        pick(TYPES, index / 7),
        !index.is_multiple_of(10),
    );
    let work = format!("{given}.{family}{index}@{}", pick(DOMAINS, index)).to_lowercase();
    let contact = format!(
        r#""emails":[{{"value":"{work}","type":"work","primary":true}},{{"value":"{}{index}@home.example","type":"home"}}],"phoneNumbers":[{{"value":"+1-555-{:04}","type":"work"}}]"#,
        given.to_lowercase(),
        index % 10_000,
    );
    let enterprise = format!(
        r#""urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{{"employeeNumber":"{}","costCenter":"{}","organization":"Universal Studios","department":"Tour Operations","manager":{{"value":"{manager}","displayName":"John Smith"}}}}"#,
        700_000 + index,
        4_000 + index % 50,
    );
    let meta = format!(
        r#""meta":{{"resourceType":"User","created":"20{}-01-23T04:56:22Z","lastModified":"20{}-05-13T04:42:{:02}Z","version":"W/\"{index:015x}\"","location":"https://example.com/v2/Users/{id}"}}"#,
        10 + index % 14,
        11 + index % 15,
        index % 60,
    );
    format!(
        r#"{{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],{core},{contact},{enterprise},{meta}}}"#
    )
}

fn pick<const N: usize>(list: [&'static str; N], index: usize) -> &'static str {
    list.get(index % N).copied().unwrap_or_default()
}

/// Numbers from a seed (a linear congruential generator; enough to look different).
#[derive(Clone, Copy, Debug)]
pub struct Random(pub u64);

impl Random {
    /// The next number, of 31 bits.
    #[expect(clippy::should_implement_trait, reason = "it never ends, and needs no Option")]
    pub fn next(&mut self) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize
    }

    /// A text like a UUID.
    pub fn uuid(&mut self) -> String {
        let mut next = |mask: usize| self.next() & mask;
        let (a, b, c) = (next(0x7fff_ffff), next(0xffff), next(0xfff));
        let (d, e, f) = (0x8000 | next(0x3fff), next(0xff_ffff), next(0xff_ffff));
        format!("{a:08x}-{b:04x}-4{c:03x}-{d:04x}-{e:06x}{f:06x}")
    }
}
