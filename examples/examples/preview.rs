//! Says what installing SCIM at a vendor will do to each user, before it is done.
//!
//! ```sh
//! cargo run --example preview -- incident-io --mapping examples/incident-io/mapping.toml \
//!     --directory examples/incident-io/directory.json --actor ada@example.com
//! ```
//!
//! Prints who is linked, created, upgraded, downgraded, deactivated or left unlinked, and what the seats
//! come to. The exit code is 0 when it could be installed so, 1 when not (somebody would be locked
//! out), and 2 when there is nothing to preview.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, ValueEnum};
use scim_core::Value;
use scim_examples::incident_io;
use scim_profiles::incident_io::{Guard, Preview, Workspace};

/// Previews what installing SCIM does
#[derive(Parser)]
struct Options {
    /// Whose roles and seats
    vendor: Vendor,

    /// Which group gives what, in TOML
    #[arg(long, value_name = "FILE")]
    mapping: PathBuf,

    /// People and groups of the identity provider, and the users of today, in JSON
    #[arg(long, value_name = "FILE")]
    directory: PathBuf,

    /// The e-mail address of who will confirm the installation
    #[arg(long, value_name = "EMAIL")]
    actor: Option<String>,

    /// Goes on although somebody would be locked out
    #[arg(long)]
    force: bool,

    /// Prints JSON instead of a table
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Vendor {
    /// incident.io
    IncidentIo,
}

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// Whether it could be installed so.
fn run(options: &Options) -> anyhow::Result<bool> {
    let Vendor::IncidentIo = options.vendor;
    let mapping = incident_io::mapping(&options.mapping)?;
    let (workspace, directory) = incident_io::directory(&options.directory)?;
    let actor = options.actor.as_deref().map(|email| id_of(&workspace, email)).transpose()?;
    let preview = Preview::new(&workspace, &directory, &mapping);

    let refusal = match actor {
        Some(actor) => {
            let guard = if options.force { Guard::Off } else { Guard::On };
            preview.clone().confirm(actor, guard).err().map(|refusal| refusal.to_string())
        }
        None => preview.lockouts(None).first().filter(|_| !options.force).map(ToString::to_string),
    };
    // What would have been the refusal: whoever insists is told of it all the same.
    let lockouts = preview.lockouts(actor).into_iter().filter(|_| options.force && refusal.is_none());
    let overridden: Vec<String> = lockouts.map(|lockout| lockout.to_string()).collect();
    let text = if options.json {
        let mut value = preview.to_value();
        if let Value::Object(preview) = &mut value {
            preview.insert("refused", refusal.clone().map_or(Value::Null, Value::from));
            if options.force {
                let overridden = overridden.iter().map(|lockout| Value::from(lockout.as_str()));
                preview.insert("overridden", overridden.collect::<Vec<_>>());
            }
        }
        serde_json::to_string_pretty(&value)?
    } else {
        let verdict = refusal.as_ref().map(|refusal| format!("\n\nrefused: {refusal}"));
        let forced = match overridden.is_empty() {
            true => String::new(),
            false => format!("\n\noverridden: {}", overridden.join("; ")),
        };
        format!("{preview}{}{forced}", verdict.unwrap_or_default())
    };
    // Whoever reads this may stop reading.
    let _ = writeln!(std::io::stdout(), "{text}");
    Ok(refusal.is_none())
}

/// The id of the active user with that address.
fn id_of<'w>(workspace: &'w Workspace, email: &str) -> anyhow::Result<&'w str> {
    let users = workspace.users().iter();
    let mut named = users.filter(|user| user.standing.active && user.email.eq_ignore_ascii_case(email));
    let user = named.next().with_context(|| format!("`{}` is no active user", email.escape_debug()))?;
    Ok(&user.id)
}
