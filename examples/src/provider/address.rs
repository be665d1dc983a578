//! Where clients reach the service.

use std::net::SocketAddr;

use scim_profiles::Profile;
use url::Url;

/// Takes a URL that paths can be put behind.
pub(crate) fn base_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    let bare = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    if matches!(url.scheme(), "http" | "https") && bare && url.password().is_none() {
        Ok(url)
    } else {
        Err("a base URL is an HTTP URL without credentials, query and fragment".to_owned())
    }
}

/// The base URL of a server on `address`, below the path that the vendor has, if one is known.
pub(crate) fn reachable(address: SocketAddr, profile: &Profile) -> anyhow::Result<Url> {
    let host = match address {
        // Listening on every address, the machine itself reaches it by this one.
        address if address.ip().is_unspecified() => format!("127.0.0.1:{}", address.port()),
        address => address.to_string(),
    };
    let vendors = profile.base_urls.first().map(|row| Url::parse(row.url)).transpose()?;
    let path = vendors.as_ref().map_or("/scim/v2", Url::path);
    Ok(Url::parse(&format!("http://{host}{path}"))?)
}
