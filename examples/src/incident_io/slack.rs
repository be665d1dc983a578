//! Who is active in Slack, as a file.

use std::path::Path;

use anyhow::{Context as _, bail};
use scim_profiles::incident_io::ActiveInSlack;

/// Reads who is active in Slack from a text file, such as `examples/incident-io/active-in-slack.txt`: an e-mail
/// address a line. What begins with `#` is a comment.
///
/// # Errors
///
/// The file cannot be read, or a line is something else.
pub fn active_in_slack(file: &Path) -> anyhow::Result<ActiveInSlack> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read `{}`", file.display()))?;
    parse_addresses(&text)
        .with_context(|| format!("`{}` does not say who is active in Slack", file.display()))
}

fn parse_addresses(text: &str) -> anyhow::Result<ActiveInSlack> {
    let lines = text.trim_start_matches('\u{feff}').lines().map(str::trim).enumerate();
    let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let addresses = lines.map(|(number, line)| match is_email_address(line) {
        true => Ok(line),
        false => {
            let shown: String = line.chars().take(80).collect();
            bail!("line {}: `{}` is not one e-mail address", number + 1, shown.escape_debug())
        }
    });
    addresses.collect()
}

/// Whether it is one e-mail address and nothing else; what a list has besides, such as names and commas, is not passed
/// over.
pub fn is_email_address(text: &str) -> bool {
    let is_other = |c: char| c.is_whitespace() || c.is_control() || r#",;:<>()[]"`'\\"#.contains(c);
    match text.split_once('@') {
        Some((local, domain)) => {
            !local.is_empty() && !domain.is_empty() && !domain.contains('@') && !text.contains(is_other)
        }
        None => false,
    }
}
