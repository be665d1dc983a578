//! Prints what is known of a vendor, as a page of Markdown tables: each row with its source and date.
//!
//! ```sh
//! cargo run --example profiles -- pagerduty
//! ```

use std::io::Write as _;

use clap::Parser;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use scim_profiles::Profile;

/// Prints profiles as Markdown
#[derive(Parser)]
struct Options {
    /// The vendors; all, if none is named
    #[arg(value_parser = profile())]
    profiles: Vec<&'static Profile>,
}

fn profile() -> impl TypedValueParser<Value = &'static Profile> {
    PossibleValuesParser::new(Profile::ALL.iter().map(|profile| profile.name))
        .try_map(|name| Profile::by_name(&name).ok_or("is no profile"))
}

fn main() {
    let mut profiles = Options::parse().profiles;
    if profiles.is_empty() {
        profiles.extend(Profile::ALL);
    }
    let pages: Vec<String> = profiles.into_iter().map(Profile::to_markdown).collect();
    // Whoever reads this may stop reading.
    let _ = write!(std::io::stdout(), "{}", pages.join("\n"));
}
