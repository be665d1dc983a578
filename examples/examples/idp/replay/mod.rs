//! The program: arguments in, a verdict out.

mod advice;
mod cast;
mod check;
mod client;
mod entra;
mod jumpcloud;
mod need;
mod okta;
mod onelogin;
mod report;
mod session;
mod target;
mod template;
mod vendor;

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::Parser;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use scim_profiles::Profile;
use ureq::http::Method;

use cast::Cast;
use client::{Client, Dress};
use need::Manners;
use report::Report;
use session::{Halt, Session};
use target::{Groups, Refused, Target};

/// Provisions users and groups into a SCIM server exactly as one identity provider does, and says what that
/// identity provider would not get along with.
#[derive(Debug, Parser)]
#[command(name = "idp")]
struct Args {
    /// The identity provider to be
    #[arg(long = "as", value_enum, value_name = "IDP")]
    idp: Idp,
    /// Base URL of the SCIM service, e.g. http://127.0.0.1:8080/scim/v2
    #[arg(long)]
    url: String,
    /// The credential; it is never printed
    #[arg(long, env = "SCIM_TOKEN", hide_env_values = true)]
    token: String,
    /// How many users
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    users: u32,
    /// How many groups
    #[arg(long, default_value_t = 2)]
    groups: u32,
    /// Leaves groups alone; otherwise they are left alone where /ResourceTypes has no Group, and where the
    /// profile has none, the refusal is checked
    #[arg(long)]
    users_only: bool,
    /// Whose service it is: what is mapped for it, what it keeps, and what it refuses [default: what its
    /// discovery documents look like]
    #[arg(long, value_parser = profile())]
    profile: Option<&'static Profile>,
    /// The id of the licence mapped to `entitlements`, where the vendor has licences
    #[arg(long, value_name = "ID")]
    license: Option<String>,
    /// A role mapped to `roles`, a new user's and then one given later, where the vendor has roles [default:
    /// two of the vendor's, where these are not an organisation's own]
    #[arg(long, value_name = "ROLE", num_args = 1..=2)]
    role: Vec<String>,
    /// Okta: the kind of application
    #[arg(long, value_enum, default_value = "oin")]
    okta_app: okta::App,
    /// Entra ID: the tenant URL carries the flag aadOptscim062020
    #[arg(long)]
    entra_flag: bool,
    /// OneLogin: what happens to a user who is deleted there
    #[arg(long, value_enum, default_value = "delete")]
    onelogin_delete: onelogin::DeletePolicy,
    /// In the names of this run, so that it can be repeated [default: random]
    #[arg(long)]
    seed: Option<u32>,
    /// Leaves what the script leaves behind, instead of deleting it at the end
    #[arg(long)]
    keep: bool,
    /// How many seconds an answer may take
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..))]
    timeout: u32,
    /// Prints the run as one JSON document instead of a table
    #[arg(long)]
    json: bool,
    /// Prints every request and answer on stderr, without the token
    #[arg(long, short)]
    verbose: bool,
}

/// The identity providers that can be played.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Idp {
    Okta,
    Entra,
    Onelogin,
    Jumpcloud,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The identity provider got all it needs.
    Passed,
    /// Something differed.
    Differed,
    /// Nothing was to be played: help was printed, or the arguments are wrong.
    Usage(u8),
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Passed => Self::SUCCESS,
            Outcome::Differed => Self::FAILURE,
            Outcome::Usage(code) => Self::from(code),
        }
    }
}

/// Runs the program with these arguments (the first is its name) and prints the report to `out`.
///
/// # Errors
///
/// Nothing could be played: the URL or token is unusable, nobody answers, or the token is refused.
pub(crate) fn run(
    arguments: impl IntoIterator<Item = OsString>,
    out: &mut dyn Write,
) -> anyhow::Result<Outcome> {
    let args = match Args::try_parse_from(arguments) {
        Ok(args) => args,
        Err(refusal) => {
            refusal.print()?;
            return Ok(Outcome::Usage(u8::try_from(refusal.exit_code()).unwrap_or(2)));
        }
    };
    let report = play(&args)?;
    if args.json {
        writeln!(out, "{:#}", report.json())?;
    } else {
        report.table(out)?;
    }
    Ok(if report.passed() { Outcome::Passed } else { Outcome::Differed })
}

fn play(args: &Args) -> anyhow::Result<Report> {
    let (users, groups) = (usize::try_from(args.users)?, usize::try_from(args.groups)?);
    let timeout = Duration::from_secs(args.timeout.into());
    let generic = Profile::by_name("generic").context("there is no profile `generic`")?;
    let spelling = |profile: &Profile| target::spelling(profile, args.idp.title());
    let connect_to = |url: &str, profile: &Profile| {
        Client::new(url, &args.token, spelling(profile), args.idp.dress(), timeout, args.verbose)
    };
    let connect = |profile: &Profile| connect_to(&args.url, profile);
    let discover = |spelled: &Profile, believed: Option<&'static Profile>| {
        Target::discover(&connect(spelled)?, believed, generic, args.license.clone(), args.role.clone())
    };
    // The profile decides how the token is spelled, and has to be asked for with a token.
    let mut target = discover(args.profile.unwrap_or(generic), args.profile);
    if args.profile.is_none() && target.as_ref().is_err_and(|error| error.is::<Refused>()) {
        let others = Profile::ALL.iter().filter(|other| spelling(other) != spelling(generic));
        if let Some(taken) = others.map(|other| discover(other, Some(other))).find(Result::is_ok) {
            target = taken;
        }
    }
    let mut target = target?;
    if args.users_only || groups == 0 {
        target.groups = Groups::Left;
    }
    let client = connect(target.profile)?;

    let seed = args.seed.unwrap_or_else(|| uuid::Uuid::new_v4().as_fields().0);
    let teams = if target.groups == Groups::Pushed { groups } else { 0 };
    let mut cast = Cast::new(users, teams, seed, args.idp.external_id());
    let quiet = args.verbose || args.json;
    let mut session = Session::new(&client, &target, args.idp.manners(), users + teams, quiet);
    let halted = match args.idp {
        Idp::Okta => okta::play(&mut session, &mut cast, &target, args.okta_app),
        Idp::Entra => entra::play(&mut session, &mut cast, &target, args.entra_flag),
        Idp::Onelogin => onelogin::play(&mut session, &mut cast, &target, args.onelogin_delete),
        Idp::Jumpcloud => jumpcloud::play(&mut session, &mut cast, &target, seed),
    };
    let clean_up = (!args.keep).then(|| session.clean_up());
    let (played, cut_short) = session.into_played();
    let serves = |url: &str| {
        let asked = connect_to(url, target.profile)
            .and_then(|client| client.send(&Method::GET, "/ServiceProviderConfig", None));
        asked.is_ok_and(|answer| advice::is_service(&answer))
    };
    Ok(Report {
        idp: name(&args.idp),
        url: client.base().to_owned(),
        profile: target.profile.name,
        users,
        groups: teams,
        users_only: target.groups != Groups::Pushed,
        seed,
        advice: advice::advice(client.base(), &played, serves),
        played,
        cut_short: cut_short + usize::from(matches!(halted, Err(Halt::CutShort))),
        gone: matches!(halted, Err(Halt::Gone)),
        clean_up,
    })
}

impl Idp {
    /// What vendors call it.
    fn title(self) -> &'static str {
        match self {
            Self::Okta => "Okta",
            Self::Entra => "Microsoft Entra ID",
            Self::Onelogin => "OneLogin",
            Self::Jumpcloud => "JumpCloud",
        }
    }

    fn dress(self) -> Dress {
        match self {
            Self::Okta => okta::DRESS,
            Self::Entra => entra::DRESS,
            Self::Onelogin => onelogin::DRESS,
            Self::Jumpcloud => jumpcloud::DRESS,
        }
    }

    fn manners(self) -> Manners {
        match self {
            Self::Okta => okta::MANNERS,
            Self::Entra => entra::MANNERS,
            Self::Onelogin => onelogin::MANNERS,
            Self::Jumpcloud => jumpcloud::MANNERS,
        }
    }

    fn external_id(self) -> fn(u32, usize) -> String {
        match self {
            Self::Okta => okta::external_id,
            Self::Entra => entra::external_id,
            Self::Onelogin => onelogin::external_id,
            Self::Jumpcloud => jumpcloud::external_id,
        }
    }
}

fn profile() -> impl TypedValueParser<Value = &'static Profile> {
    PossibleValuesParser::new(Profile::ALL.iter().map(|profile| profile.name))
        .try_map(|name| Profile::by_name(&name).ok_or("is no profile"))
}

/// A value as it is written on the command line.
fn name(value: &impl clap::ValueEnum) -> String {
    value.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}
