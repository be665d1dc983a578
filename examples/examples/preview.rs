//! Says what installing SCIM at a vendor will do to each user, before it is done, and then does it, in a file.
//!
//! ```sh
//! cargo run --example preview -- incident-io --mapping examples/incident-io/mapping.toml \
//!     --directory examples/incident-io/directory.json --actor ada@example.com
//! ```
//!
//! Prints who is linked, created, upgraded, downgraded, deactivated or left unlinked, and what the seats
//! come to. The exit code is 0 when it could be installed so, 1 when not, or when somebody would be locked
//! out, also by a synchronisation, and 2 when there is nothing to preview. `--force` goes on all the same.
//!
//! `--confirm --save after.json` installs it, and writes the users as they are then: the directory of the next
//! preview, which is that of a synchronisation. While SCIM is installed there, `--set-role`, `--invite` and
//! `--revoke-on-call` are refused as incident.io refuses them; after `--uninstall` everybody is as they were, and
//! edited by hand again.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::{Args, Parser, ValueEnum};
use scim_core::Value;
use scim_examples::incident_io::{self, MappingFile, State};
use scim_profiles::incident_io::{BaseRole, EditError, Guard, Preview, User, Workspace};

/// Previews what installing SCIM does
#[derive(Parser)]
struct Options {
    /// Whose roles and seats
    vendor: Vendor,

    /// Which group gives what, in TOML. Default: the mapping in force, where SCIM is installed
    #[arg(long, value_name = "FILE")]
    mapping: Option<PathBuf>,

    /// People and groups of the identity provider, and the users of today, in JSON
    #[arg(long, value_name = "FILE")]
    directory: PathBuf,

    /// Who is active in Slack, one e-mail address a line, in place of `in_slack` of the users; the file that
    /// `provider` takes
    #[arg(long, value_name = "FILE")]
    active_in_slack: Option<PathBuf>,

    /// The e-mail address of who will confirm the installation
    #[arg(long, value_name = "EMAIL")]
    actor: Option<String>,

    /// Goes on although somebody would be locked out
    #[arg(long)]
    force: bool,

    /// Prints JSON instead of a table
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    deed: Deed,

    /// Where to write people, groups and users as they are afterwards, as the directory of the next preview. Nothing
    /// is written where it is refused, or where somebody would be locked out
    #[arg(long, value_name = "FILE", requires = "deed")]
    save: Option<PathBuf>,
}

/// What is done, in a file.
#[derive(Args)]
#[group(id = "deed", multiple = false, requires = "save")]
struct Deed {
    /// Confirms the installation, or another mapping, for which it needs an actor; synchronises where this mapping
    /// is in force
    #[arg(long)]
    confirm: bool,

    /// Takes SCIM out: everybody stays as they are
    #[arg(long, conflicts_with_all = ["mapping", "actor", "force"])]
    uninstall: bool,

    /// Gives a user another base role by hand, which is refused while SCIM is installed
    #[arg(long, value_name = "EMAIL=ROLE", conflicts_with_all = ["mapping", "actor", "force"])]
    set_role: Option<String>,

    /// Invites somebody by e-mail, which is refused while SCIM is installed
    #[arg(long, value_name = "EMAIL", conflicts_with_all = ["mapping", "actor", "force"])]
    invite: Option<String>,

    /// Revokes a user's on-call seat by hand, which is refused while a group gives it
    #[arg(long, value_name = "EMAIL", conflicts_with_all = ["mapping", "actor", "force"])]
    revoke_on_call: Option<String>,
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

/// Whether it could be installed so, or was done, and nobody is locked out unless that is insisted on.
fn run(options: &Options) -> anyhow::Result<bool> {
    let Vendor::IncidentIo = options.vendor;
    let mut state = State::read(&options.directory)?;
    if let Some(file) = &options.active_in_slack {
        state.workspace = state.workspace.with_active_in_slack(&incident_io::active_in_slack(file)?);
    }
    match options.deed.by_hand() {
        Some(edit) => do_by_hand(options, &state, &edit),
        None => preview(options, &state),
    }
}

/// Says what installing, or the next synchronisation, does, and does it if that is asked for.
fn preview(options: &Options, state: &State) -> anyhow::Result<bool> {
    let mapping = match &options.mapping {
        Some(file) => MappingFile::read(file)?,
        None => state
            .in_force
            .clone()
            .context("SCIM is not installed there: `--mapping` says which group gives what")?,
    };
    let workspace = &state.workspace;
    let actor = options.actor.as_deref().map(|email| id_of(workspace, email)).transpose()?;
    let preview = Preview::new(workspace, &state.directory, &mapping.mapping);
    let in_force = preview.clone().synchronise();

    let guard = if options.force { Guard::Off } else { Guard::On };
    let (confirmed, refusal) = match (in_force, actor) {
        (Some(confirmed), _) => (Some(confirmed), None),
        (None, Some(actor)) => match preview.clone().confirm(actor, guard) {
            Ok(confirmed) => (Some(confirmed), None),
            Err(refusal) => (None, Some(refusal.to_string())),
        },
        (None, None) => {
            let lockout = preview.lockouts(None).into_iter().next();
            (None, lockout.filter(|_| !options.force).map(|lockout| lockout.to_string()))
        }
    };
    if options.deed.confirm && confirmed.is_none() && refusal.is_none() {
        bail!("`--confirm` needs `--actor`: who confirms it is to be known, and not locked out by it");
    }
    // What would have been the refusal: whoever insists is told of it all the same. incident.io refuses no
    // synchronisation, so whoever does not insist is warned of what it would come to.
    let needs_confirmation = workspace.installed() != Some(&mapping.mapping);
    let lockouts = || preview.lockouts(actor).into_iter().map(|lockout| lockout.to_string());
    let overridden = (options.force && refusal.is_none()).then(|| lockouts().collect::<Vec<_>>());
    let warning = (!options.force && !needs_confirmation).then(|| lockouts().collect::<Vec<_>>().join("; "));
    let warning = warning.filter(|lockouts| !lockouts.is_empty());

    let saved = match (confirmed.filter(|_| options.deed.confirm && warning.is_none()), &options.save) {
        (Some(confirmed), Some(file)) => {
            let after = confirmed.apply(|person| format!("new-{}", person.id))?;
            state.save(file, &after, Some(&mapping))?;
            Some(file)
        }
        _ => None,
    };
    let text = if options.json {
        let mut value = preview.to_value();
        if let Value::Object(preview) = &mut value {
            preview.insert("installed", workspace.installed().is_some());
            preview.insert("needsConfirmation", needs_confirmation);
            preview.insert("refused", refusal.clone().map_or(Value::Null, Value::from));
            preview.insert("warning", warning.clone().map_or(Value::Null, Value::from));
            if let Some(overridden) = overridden {
                let overridden = overridden.into_iter().map(Value::from);
                preview.insert("overridden", overridden.collect::<Vec<_>>());
            }
            if let Some(file) = saved {
                preview.insert("saved", file.display().to_string());
            }
        }
        serde_json::to_string_pretty(&value)?
    } else {
        let standing = match (workspace.installed(), needs_confirmation) {
            (None, _) => "SCIM is not installed: nothing happens before that is confirmed",
            (Some(_), true) => {
                "SCIM is installed with another mapping: nothing happens before this one is confirmed"
            }
            (Some(_), false) => "SCIM is installed: the next synchronisation does this",
        };
        let verdict = refusal.as_ref().map(|refusal| format!("\n\nrefused: {refusal}"));
        let unsaved = if options.deed.confirm { ": nothing is written without `--force`" } else { "" };
        let warned = warning.as_ref().map(|lockouts| format!("\n\nwarning: {lockouts}{unsaved}"));
        let forced = overridden.filter(|lockouts| !lockouts.is_empty());
        let forced = forced.map(|lockouts| format!("\n\noverridden: {}", lockouts.join("; ")));
        let done = saved.map(|file| format!("\n\nconfirmed: it is so in `{}`", file.display()));
        let said = [verdict, warned, forced, done].into_iter().flatten().collect::<String>();
        format!("{preview}\n{standing}{said}")
    };
    print(&text);
    Ok(refusal.is_none() && warning.is_none())
}

/// What is done by hand in incident.io.
enum Edit<'o> {
    Uninstall,
    SetRole(&'o str),
    Invite(&'o str),
    RevokeOnCall(&'o str),
}

impl Deed {
    fn by_hand(&self) -> Option<Edit<'_>> {
        if self.uninstall {
            return Some(Edit::Uninstall);
        }
        let set_role = self.set_role.as_deref().map(Edit::SetRole);
        let invite = self.invite.as_deref().map(Edit::Invite);
        set_role.or(invite).or(self.revoke_on_call.as_deref().map(Edit::RevokeOnCall))
    }
}

/// Does it, unless incident.io refuses it.
fn do_by_hand(options: &Options, state: &State, edit: &Edit<'_>) -> anyhow::Result<bool> {
    let mut workspace = state.workspace.clone();
    let made = edit.make(&mut workspace)?;
    if let (Ok(_), Some(file)) = (&made, &options.save) {
        let in_force = state.in_force.as_ref().filter(|_| workspace.installed().is_some());
        state.save(file, &workspace, in_force)?;
    }
    let (name, said) = match &made {
        Ok(done) => ("done", done.clone()),
        Err(refusal) => ("refused", refusal.to_string()),
    };
    let text = if options.json {
        serde_json::to_string_pretty(&serde_json::json!({ name: said }))?
    } else {
        format!("{name}: {said}")
    };
    print(&text);
    Ok(made.is_ok())
}

impl Edit<'_> {
    /// Makes it, and says what it did.
    fn make(&self, workspace: &mut Workspace) -> anyhow::Result<Result<String, EditError>> {
        Ok(match self {
            Self::Uninstall => {
                if workspace.installed().is_none() {
                    bail!("SCIM is not installed there");
                }
                workspace.uninstall();
                Ok(format!(
                    "SCIM is not installed any more, and {} users stay as they are",
                    workspace.users().len()
                ))
            }
            Self::SetRole(pair) => {
                let (email, role) = pair.rsplit_once('=').context("`--set-role` takes `EMAIL=ROLE`")?;
                let role: BaseRole = role.parse()?;
                let id = id_of(workspace, email)?.to_owned();
                let standing = |workspace: &Workspace| {
                    workspace.user(&id).map(|user| user.standing.clone()).unwrap_or_default()
                };
                let before = standing(workspace);
                let set = workspace.set_roles(&id, role, before.custom_roles);
                let seats = standing(workspace).seats;
                let with =
                    if seats == before.seats { String::new() } else { format!(", with the seat {seats}") };
                set.map(|()| format!("`{}` is {role}{with}", email.escape_debug()))
            }
            Self::Invite(email) => {
                if !incident_io::is_email_address(email) {
                    bail!("`{}` is not one e-mail address", email.escape_debug());
                }
                if id_of(workspace, email).is_ok() {
                    bail!("`{}` is a user already", email.escape_debug());
                }
                let user =
                    User { id: format!("invited-{email}"), email: (*email).to_owned(), ..User::default() };
                workspace.invite(user).map(|()| format!("`{}` is invited", email.escape_debug()))
            }
            Self::RevokeOnCall(email) => {
                let id = id_of(workspace, email)?.to_owned();
                let revoked = workspace.set_on_call_seat(&id, false);
                revoked.map(|()| format!("`{}` has no on-call seat", email.escape_debug()))
            }
        })
    }
}

fn print(text: &str) {
    // Whoever reads this may stop reading.
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// The id of the active user with that address.
fn id_of<'w>(workspace: &'w Workspace, email: &str) -> anyhow::Result<&'w str> {
    let users = workspace.users().iter();
    let mut named = users.filter(|user| user.standing.active && user.email.eq_ignore_ascii_case(email));
    let user = named.next().with_context(|| format!("`{}` is no active user", email.escape_debug()))?;
    Ok(&user.id)
}
