//! Does one workload a number of times, to be counted by an instruction counter.
//!
//! ```text
//! valgrind --tool=callgrind --callgrind-out-file=/dev/null instructions F1 1000
//! ```
//!
//! The difference between two numbers of times, divided by their difference, is what the workload
//! itself takes: a figure that is stable where other work makes times useless.

use std::hint::black_box;
use std::process::ExitCode;

use scim_benches::workloads::{E1B, PATHS, filters, users};
use scim_core::Value;
use scim_core::schema::Registry;
use scim_filter::{BindOptions, BoundFilter, Filter, PatchPath};

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().unwrap_or_default();
    let times = arguments.next().and_then(|times| times.parse::<usize>().ok()).unwrap_or(1);
    let filter = filters().into_iter().find(|(filter, _)| *filter == name);
    let path = PATHS.into_iter().find(|(path, _)| *path == name);
    let selected = match (filter, path, &*name) {
        (Some((_, text)), _, _) => (0..times).filter(|_| Filter::parse(black_box(&text)).is_ok()).count(),
        (_, Some((_, text)), _) => (0..times).filter(|_| PatchPath::parse(black_box(text)).is_ok()).count(),
        (_, _, "E1b") => {
            let users: Vec<Value> = users(100).map(Value::from).collect();
            evaluate(times, &users, |filter, user| {
                user.as_object().is_some_and(|user| filter.matches::<Value>(user))
            })
        }
        (_, _, "S1b") => {
            let users: Vec<String> = users(100).map(|user| user.to_string()).collect();
            evaluate(times, &users, |filter, user| filter.matches_slice(user.as_bytes()) == Ok(true))
        }
        _ => 0,
    };
    println!("{selected}");
    if selected > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// How many of the users, each looked at `times` times, fulfil the filter of E1b.
fn evaluate<U>(times: usize, users: &[U], matches: impl Fn(&BoundFilter, &U) -> bool) -> usize {
    let registry = Registry::standard();
    let schema = registry.by_name("User");
    let bind = |filter: Filter| filter.bind(&**schema?, &BindOptions::default()).ok();
    let Some(filter) = Filter::parse(E1B).ok().and_then(bind) else { return 0 };
    let pass = || users.iter().filter(|user| matches(&filter, user)).count();
    (0..times).map(|_| black_box(pass())).sum()
}
