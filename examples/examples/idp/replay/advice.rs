//! What is probably wrong where every request failed in the same way.

use std::collections::BTreeSet;

use scim_profiles::Profile;
use url::Url;

use super::client::Answer;
use super::session::Played;

/// What stands behind a base URL, and is pasted with it (RFC 7644 §3.2).
const ENDPOINTS: [&str; 7] =
    ["Users", "Groups", "Me", "Schemas", "ResourceTypes", "ServiceProviderConfig", "Bulk"];

/// Paths of SCIM services, beside those of the profiles.
const PATHS: [&str; 3] = ["/scim/v2", "/scim", "/v2"];

/// What the administrator probably has to change, in a line; nothing where requests fared differently. `serves` says
/// whether a SCIM service is found at a base URL.
pub(crate) fn advice(base: &str, played: &[Played], serves: impl Fn(&str) -> bool) -> Option<String> {
    // What a service says of itself may be for everybody (RFC 7644 §4).
    let (of_resources, of_itself): (Vec<_>, Vec<_>) = played
        .iter()
        .partition(|played| played.path.starts_with("/Users") || played.path.starts_with("/Groups"));
    let (of_resources, of_itself) = (statuses(&of_resources)?, statuses(&of_itself)?);
    let (status, what) = match (of_resources.as_slice(), of_itself.as_slice()) {
        ([401], _) => ("401", "the token is probably not one of this service, or has ended".to_owned()),
        ([403], _) => ("403", "the token is probably not permitted to provision".to_owned()),
        ([404], [] | [404]) => ("404", path(base, serves)?),
        // Below a pasted endpoint some paths are those of resources, which take no POST.
        ([404, 405], [] | [404]) => ("404 or 405", path(base, serves)?),
        _ => return None,
    };
    Some(format!("every request for users and groups was answered {status}: {what}"))
}

/// The statuses that there are, in their order; nothing where an answer did not come.
fn statuses(played: &[&Played]) -> Option<Vec<u16>> {
    let statuses: BTreeSet<Option<u16>> = played.iter().map(|played| played.status).collect();
    statuses.into_iter().collect()
}

/// Whether this is what a service answers at `/ServiceProviderConfig`; without a token that it takes, that it
/// wants one.
pub(crate) fn is_service(answer: &Answer) -> bool {
    let has_schemas = || answer.json.as_ref().is_some_and(|json| json.get("schemas").is_some());
    matches!(answer.status, 401 | 403) || answer.succeeded() && has_schemas()
}

/// What is wrong with the path of the base URL.
fn path(base: &str, serves: impl Fn(&str) -> bool) -> Option<String> {
    let url = Url::parse(base).ok()?;
    let found = candidates(&url).into_iter().find(|candidate| candidate != base && serves(candidate));
    Some(match found {
        Some(found) => format!("a SCIM service answers at `{found}`, which is probably the base URL"),
        None if !url.path().to_ascii_lowercase().contains("scim") => {
            format!("the base URL `{base}` probably lacks the path of the service, such as `/scim/v2`")
        }
        None => format!("`{}` is probably not the path of the service", url.path()),
    })
}

/// Where the service may be instead: before a pasted endpoint, below the base URL, at the root of the server.
fn candidates(base: &Url) -> Vec<String> {
    let path = base.path().trim_end_matches('/');
    let mut paths = Vec::new();
    if let Some((before, last)) = path.rsplit_once('/')
        && ENDPOINTS.iter().any(|endpoint| endpoint.eq_ignore_ascii_case(last))
    {
        paths.push(before.to_owned());
    }
    let of_profiles = Profile::ALL.iter().flat_map(|profile| profile.base_urls);
    let of_profiles = of_profiles.filter_map(|row| Some(Url::parse(row.url).ok()?.path().to_owned()));
    let known: Vec<String> = PATHS.map(str::to_owned).into_iter().chain(of_profiles).collect();
    paths.extend(known.iter().map(|known| format!("{path}{known}")));
    paths.extend(known);
    let mut candidates: Vec<String> = Vec::new();
    for path in paths {
        let mut url = base.clone();
        url.set_path(&path);
        let candidate = url.as_str().trim_end_matches('/').to_owned();
        if !candidates.contains(&candidate) {
            candidates.push(candidate);
        }
    }
    candidates
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_looked_for_around_the_base_url() {
        let around = |url: &str| candidates(&Url::parse(url).unwrap());
        assert_eq!(
            around("http://h:1"),
            ["http://h:1/scim/v2", "http://h:1/scim", "http://h:1/v2", "http://h:1/api/v2/scim"]
        );
        let pasted = around("https://h/app/scim/v2/users/");
        assert_eq!(pasted.first().map(String::as_str), Some("https://h/app/scim/v2"));
        for found in ["https://h/scim/v2", "https://h/api/v2/scim"] {
            assert!(pasted.iter().any(|candidate| candidate == found), "{pasted:?}");
        }
        assert!(around("https://h/app/scim").contains(&"https://h/app/scim/v2".to_owned()));
    }
}
