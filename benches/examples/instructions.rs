//! Does one workload a number of times, to be counted by an instruction counter.
//!
//! ```text
//! valgrind --tool=callgrind --callgrind-out-file=/dev/null instructions F1 1000
//! ```
//!
//! The difference between two numbers of times, divided by their difference, is what the workload
//! itself takes: a figure that is stable where other work makes times useless.

#[path = "../benches/incident_io/organisation.rs"]
mod organisation;

use std::hint::black_box;
use std::process::ExitCode;

use organisation::{GROUPS_EACH, Organisation};
use scim_benches::workloads::{E1A, E1B, E1C, PATHS, filters, users};
use scim_core::Value;
use scim_core::schema::Registry;
use scim_core::value::JsonLimits;
use scim_filter::{BindOptions, BoundFilter, Filter, PatchPath};

/// How many users are looked at in one pass: each of E1a to E1c selects some of them.
const USERS: usize = 600;
/// How many people there are in the organisation of a preview, of the shape of the bench's.
const PEOPLE: usize = 4000;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().unwrap_or_default();
    let times = arguments.next().and_then(|times| times.parse::<usize>().ok()).unwrap_or(1);
    let filter = filters().into_iter().find(|(filter, _)| *filter == name);
    let path = PATHS.into_iter().find(|(path, _)| *path == name);
    let selected = match (filter, path, &*name) {
        (Some((_, text)), _, _) => (0..times).filter(|_| Filter::parse(black_box(&text)).is_ok()).count(),
        (_, Some((_, text)), _) => (0..times).filter(|_| PatchPath::parse(black_box(text)).is_ok()).count(),
        (_, _, "E1a") => on_trees(times, E1A),
        (_, _, "E1b") => on_trees(times, E1B),
        (_, _, "E1c") => on_trees(times, E1C),
        (_, _, "S1a") => on_texts(times, E1A),
        (_, _, "S1b") => on_texts(times, E1B),
        (_, _, "S1c") => on_texts(times, E1C),
        (_, _, "I1") => of_organisation(times, |organisation| {
            // Every id was read, in each of the groups.
            organisation.read().1 == PEOPLE * GROUPS_EACH * 36
        }),
        (_, _, "I2") => of_organisation(times, |organisation| {
            // For a user in ten there is nobody.
            organisation.preview().rows().len() == PEOPLE + PEOPLE / 10
        }),
        _ => 0,
    };
    println!("{selected}");
    if selected > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// How often it is as said of an organisation at incident.io: reading every membership, or a preview.
fn of_organisation(times: usize, is_so: impl Fn(&Organisation) -> bool) -> usize {
    let organisation = Organisation::new(PEOPLE, PEOPLE / 20, PEOPLE / 200);
    organisation.map_or(0, |organisation| (0..times).filter(|_| is_so(black_box(&organisation))).count())
}

/// Passes of a filter over the trees of users.
fn on_trees(times: usize, filter: &str) -> usize {
    let limits = JsonLimits::default();
    let tree = |text: String| Value::from_slice(text.as_bytes(), &limits).ok();
    let users: Vec<Value> = users(USERS).filter_map(tree).collect();
    evaluate(times, filter, &users, |filter, user| {
        user.as_object().is_some_and(|user| filter.matches::<Value>(user))
    })
}

/// The same on their JSON text.
fn on_texts(times: usize, filter: &str) -> usize {
    let users: Vec<String> = users(USERS).collect();
    evaluate(times, filter, &users, |filter, user| filter.matches_slice(user.as_bytes()) == Ok(true))
}

/// How many of the users, each looked at `times` times, fulfil the filter.
fn evaluate<U>(times: usize, filter: &str, users: &[U], matches: impl Fn(&BoundFilter, &U) -> bool) -> usize {
    let registry = Registry::standard();
    let schema = registry.by_name("User");
    let bind = |filter: Filter| filter.bind(&**schema?, &BindOptions::default()).ok();
    let Some(filter) = Filter::parse(filter).ok().and_then(bind) else { return 0 };
    let pass = || users.iter().filter(|user| matches(&filter, user)).count();
    (0..times).map(|_| black_box(pass())).sum()
}
