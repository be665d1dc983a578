//! Prints what is known of a vendor, as a page of Markdown tables: each row with its source and date. PagerDuty's is
//! followed by that of the bridge to its teams, and the last one by that of the guards, which stand before any.
//!
//! ```sh
//! cargo run --example profiles -- pagerduty
//! ```

use std::io::Write as _;

use clap::Parser;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use scim_profiles::pagerduty::{self, teams};
use scim_profiles::{Profile, guard};

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
    let mut pages = Vec::new();
    for profile in profiles {
        pages.push(profile.to_markdown());
        if profile.name == pagerduty::PROFILE.name {
            pages.push(teams::to_markdown());
        }
    }
    pages.push(guard::to_markdown());
    // Whoever reads this may stop reading.
    let _ = write!(std::io::stdout(), "{}", pages.join("\n"));
}
