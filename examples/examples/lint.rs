//! Says what a vendor will make of a payload, before it is sent.
//!
//! ```sh
//! cargo run --example lint -- --profile pagerduty user.json
//! ```
//!
//! Prints every violation with its path, rule and source. The exit code is 0 when the vendor
//! accepts the payload, 1 when it does not, and 2 when there is no payload to judge.

use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail, ensure};
use clap::{Parser, ValueEnum};
use scim_core::Value;
use scim_core::value::JsonLimits;
use scim_profiles::{Payload, Profile, Report};

/// Lints a SCIM payload by a vendor's rules
#[derive(Parser)]
struct Options {
    /// Whose rules
    #[arg(long, default_value = "pagerduty", value_parser = profile)]
    profile: &'static Profile,

    /// The request it is the body of; found out from the payload when not given
    #[arg(long = "as", value_enum)]
    kind: Option<Kind>,

    /// The type of resource it is of, such as `user` or `group`; by its `schemas`, if they say it, and otherwise by
    /// what it names, when not given: `members` are a group's
    #[arg(long, value_name = "TYPE", conflicts_with = "licenses")]
    resource: Option<String>,

    /// The licences of the account, for PagerDuty: JSON, as `GET /licenses` of its REST API answers; a new user needs
    /// one of them with `allocations_available`
    #[arg(long, value_name = "FILE")]
    licenses: Option<PathBuf>,

    /// Prints JSON instead of a table
    #[arg(long)]
    json: bool,

    /// Takes warnings as errors
    #[arg(long)]
    strict: bool,

    /// Lists the profile's rules instead of judging a payload
    #[arg(long)]
    rules: bool,

    /// The payload, or `-` for standard input
    #[arg(default_value = "-")]
    file: String,
}

#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    /// POST
    Create,
    /// PUT
    Replace,
    /// PATCH
    Patch,
    /// A bulk request: each operation by its path
    Bulk,
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

/// Whether the payload is accepted.
fn run(options: &Options) -> anyhow::Result<bool> {
    if options.rules {
        print(&rules(options.profile))?;
        return Ok(true);
    }
    let text = read(&options.file)?;
    let payload =
        Value::from_slice(&text, &JsonLimits::default()).with_context(|| match options.file.as_str() {
            "-" => "standard input is not JSON that SCIM allows".to_owned(),
            file => format!("`{file}` is not JSON that SCIM allows"),
        })?;
    let kind = match options.kind {
        None => options.profile.kind_of(&payload),
        Some(Kind::Create) => Payload::Create,
        Some(Kind::Replace) => Payload::Replace,
        Some(Kind::Patch) => Payload::Patch,
        Some(Kind::Bulk) => Payload::Bulk,
    };
    let report = match &options.licenses {
        None => report(options, kind, &payload)?,
        Some(_) if options.profile.name != "pagerduty" => bail!("`--licenses` needs `--profile pagerduty`"),
        Some(file) => scim_examples::pagerduty::licenses(file)?.lint(kind, &payload),
    };
    if options.json {
        print(&serde_json::to_string_pretty(&report.to_value())?)?;
    } else {
        print(&report.to_string())?;
    }
    Ok(report.is_accepted() && !(options.strict && report.warnings().next().is_some()))
}

/// The judgement of a payload of the type that the options say, or that it has itself.
fn report(options: &Options, kind: Payload, payload: &Value) -> anyhow::Result<Report> {
    let Some(name) = &options.resource else { return Ok(options.profile.lint_as(kind, payload)) };
    ensure!(
        kind != Payload::Bulk,
        "of a bulk request the paths say which resources it is of, not `--resource`"
    );
    let types = || options.profile.resources.iter().map(|resource| resource.resource_type);
    let report = types()
        .find(|known| known.eq_ignore_ascii_case(name))
        .and_then(|known| options.profile.lint_resource(known, kind, payload));
    report.with_context(|| {
        let types = types().collect::<Vec<_>>().join(", ");
        format!("the types of resource of {} are {types}", options.profile.name)
    })
}

fn read(file: &str) -> anyhow::Result<Vec<u8>> {
    if file != "-" {
        return std::fs::read(file).with_context(|| format!("cannot read `{file}`"));
    }
    let mut text = Vec::new();
    std::io::stdin().read_to_end(&mut text).context("cannot read standard input")?;
    Ok(text)
}

fn rules(profile: &Profile) -> String {
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_header(["resource", "severity", "rule", "attribute", "statement", "source"]);
    for resource in profile.resources {
        for rule in resource.rules {
            table.add_row([
                resource.resource_type,
                rule.severity.as_str(),
                rule.id,
                rule.attribute,
                rule.statement,
                &rule.source.to_string(),
            ]);
        }
    }
    table.to_string()
}

/// Prints a line; a reader that has gone away, such as `head`, is no error.
fn print(text: &str) -> anyhow::Result<()> {
    match writeln!(std::io::stdout().lock(), "{text}") {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        done => done.context("cannot write"),
    }
}

fn profile(name: &str) -> Result<&'static Profile, String> {
    Profile::by_name(name).ok_or_else(|| {
        let names: Vec<_> = Profile::ALL.iter().map(|profile| profile.name).collect();
        format!("the profiles are {}", names.join(", "))
    })
}
