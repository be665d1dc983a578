//! What is configured, and the tables of what can be.

use scim_profiles::pagerduty::teams::{
    Auth, ConfigError, MAX_DESCRIPTION, OAuthClient, Region, Secret, TeamConfig,
};

use crate::model::KEY;
use crate::run::config;

#[test]
pub(crate) fn a_configuration_is_checked() {
    let key = |key: &str| TeamConfig::new(Region::Us, Auth::ApiKey(Secret::new(key)), "t").map(|_| ());
    for bad in ["", " u+1", "u+1\n", "u 1", "ü"] {
        assert_eq!(key(bad), Err(ConfigError::Credential("API access key")), "{bad:?}");
    }
    let client = |id: &str, secret: &str, subdomain: &str| {
        let client = OAuthClient {
            client_id: id.into(),
            client_secret: Secret::new(secret),
            subdomain: subdomain.into(),
        };
        TeamConfig::new(Region::Eu, Auth::OAuth(client), "t").map(|_| ())
    };
    assert_eq!(client("a", "b", "acme"), Ok(()));
    assert_eq!(client(" a", "b", "acme"), Err(ConfigError::Credential("client ID")));
    assert_eq!(client("a", "", "acme"), Err(ConfigError::Credential("client secret")));
    for bad in ["", "acme.pagerduty.com", "acme teams.write", "https://acme"] {
        assert_eq!(client("a", "b", bad), Err(ConfigError::Subdomain(bad.into())));
    }
    let url =
        |url: &str| config().with_api_url(url.parse().unwrap()).map(|config| config.api_url().to_string());
    for good in
        ["https://api.eu.pagerduty.com/", "http://127.0.0.1:8080/", "http://[::1]:1/x/", "http://localhost/"]
    {
        assert_eq!(url(good), Ok(good.to_owned()));
    }
    for bad in [
        "http://api.pagerduty.com/",
        "https://u:p@api.pagerduty.com/",
        "https://x.example/?token=p",
        "ftp://localhost/",
    ] {
        let told = url(bad).unwrap_err().to_string();
        assert!(told.ends_with("is no https URL without user, query and fragment"), "{told}");
        assert!(!told.contains("u:p") && !told.contains("token=p"), "{told}");
    }
}

#[test]
pub(crate) fn a_description_is_expanded_once_and_checked() {
    let config = |tenant: &str| TeamConfig::new(Region::Us, Auth::ApiKey(Secret::new(KEY)), tenant);
    let tenant = config("{tenant_id}{").unwrap();
    assert_eq!(tenant.description(), "Created via Scimify for tenant {tenant_id}{");
    let with =
        |template: &str| config("t").unwrap().with_description(template).map(|c| c.description().to_owned());
    assert_eq!(with("{tenant_id} and {tenant_id}"), Ok("t and t".to_owned()));
    assert_eq!(with(""), Ok(String::new()));
    assert_eq!(with("a } b"), Ok("a } b".to_owned()));
    assert_eq!(with("{Tenant_id}"), Err(ConfigError::Placeholder("Tenant_id".into())));
    assert_eq!(with("{{tenant_id}}"), Err(ConfigError::Placeholder("{tenant_id".into())));
    assert_eq!(with("{tenant_id"), Err(ConfigError::Unclosed));
    // Characters count, after the tenant is in it.
    assert_eq!(with(&"é".repeat(MAX_DESCRIPTION)).map(|text| text.len()), Ok(2 * MAX_DESCRIPTION));
    let long = "x".repeat(MAX_DESCRIPTION - 10);
    assert!(config(&"y".repeat(10)).unwrap().with_description(&format!("{long}{{tenant_id}}")).is_ok());
    let told =
        config(&"y".repeat(11)).unwrap().with_description(&format!("{long}{{tenant_id}}")).unwrap_err();
    assert_eq!(told.to_string(), "the description has 1025 characters, and PagerDuty permits 1024");
    assert!(config(&"z".repeat(1000)).is_err());
}

#[test]
pub(crate) fn rows_have_a_source_each_and_a_name() {
    use scim_profiles::pagerduty::teams::{BASE_URLS, ENDPOINTS, OPTIONS, RULES, to_markdown};
    let page = to_markdown();
    let mut ids: Vec<_> = RULES.iter().map(|row| row.id).chain(OPTIONS.iter().map(|row| row.name)).collect();
    for id in &ids {
        assert!(page.contains(&format!("\n| `{id}` | ")), "{id}");
    }
    let rows = ids.len() + BASE_URLS.len() + ENDPOINTS.len();
    let bases =
        [" | stated |\n", " | *inferred*: ", " | *decided*: "].map(|basis| page.matches(basis).count());
    assert_eq!(bases.iter().sum::<usize>(), rows);
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), RULES.len() + OPTIONS.len());
    for (row, region) in BASE_URLS.iter().zip(Region::ALL) {
        assert_eq!((row.region, row.url), (region.as_str(), region.api_url()));
        assert_eq!(Region::by_name(row.region), Some(region));
    }
    assert_eq!(Region::by_name("ap"), None);
}
