//! Filters mean the same to the evaluator, to the naive model, and in SQL: random schemas, mapped at
//! random, with random resources and filters, in SQLite and, where it is installed, PostgreSQL.
//!
//! `SCIM_DIFFERENTIAL_CASES` asks for more schemas than the tests' default; each has some dozen
//! resources and two dozen filters at most.

#![expect(clippy::unwrap_used, reason = "a test")]

mod case;
mod database;
#[path = "../../../scim-filter/tests/common/naive.rs"]
mod naive;
#[path = "../sql_support/mod.rs"]
mod sql_support;

use case::{CORE, Case, EXTENSION, case, rule};
use database::Database;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use scim_filter::{AttributeInfo, BindOptions, Filter, SchemaTable};
use serde_json::Value;
use sql_support::{Postgres, sqlite};

fn agree(
    case: &Case,
    databases: &mut [Database],
    runtime: &tokio::runtime::Runtime,
) -> Result<usize, TestCaseError> {
    let infos: Vec<(AttributeInfo<'_>, Vec<AttributeInfo<'_>>)> = case
        .attributes
        .iter()
        .map(|attribute| {
            let mut info = attribute.scalar.info(&attribute.name);
            info.multi_valued = attribute.multi;
            info.extension = attribute.extension.then_some(EXTENSION);
            (info, attribute.subs.iter().map(|(name, scalar)| scalar.info(name)).collect())
        })
        .collect();
    let attributes: Vec<_> = infos.iter().map(|(info, subs)| (*info, subs.as_slice())).collect();
    let schema = SchemaTable { uri: CORE, attributes: &attributes };
    let mut compared = 0;
    let mut expected = Vec::new();
    for (filter, model) in &case.filters {
        let bound = Filter::parse(filter).unwrap().bind(&schema, &BindOptions::default()).unwrap();
        for resource in &case.resources {
            let selected = bound.matches::<Value>(resource);
            let resource = Value::Object(resource.clone());
            let text = resource.to_string();
            prop_assert_eq!(bound.matches_slice(text.as_bytes()), Ok(selected), "`{}` on {}", filter, text);
            let naive = model.holds(&resource, &|path| rule(&case.attributes, path));
            compared += 1;
            prop_assert_eq!(selected, naive, "`{}` on {} as {:?}", filter, resource, case.attributes);
            expected.push(Some(selected));
        }
    }
    for database in databases {
        let answers = runtime.block_on(database.answers(case, &schema))?;
        let mut expected = expected.iter();
        for ((filter, _), answers) in case.filters.iter().zip(answers) {
            prop_assert_eq!(answers.len(), case.resources.len());
            for ((resource, answer), expected) in case.resources.iter().zip(answers).zip(&mut expected) {
                compared += 1;
                prop_assert_eq!(
                    answer,
                    *expected,
                    "`{}` on {} as {:?}",
                    filter,
                    Value::Object(resource.clone()),
                    case.attributes
                );
            }
        }
    }
    Ok(compared)
}

#[test]
fn sql_and_memory_agree() {
    let cases =
        std::env::var("SCIM_DIFFERENTIAL_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(300);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let postgres = Postgres::start();
    let mut databases = vec![Database::Sqlite(runtime.block_on(sqlite()))];
    if let Some(postgres) = &postgres {
        databases.push(Database::Postgres(runtime.block_on(postgres.connect())));
    }
    let mut compared = 0;
    let databases = std::cell::RefCell::new(databases);
    let total = std::cell::RefCell::new(&mut compared);
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 2_000, ..Config::default() };
    let result = TestRunner::new(config).run(&case(), |case| {
        **total.borrow_mut() += agree(&case, &mut databases.borrow_mut(), &runtime)?;
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
    println!("{cases} schemas, {compared} answers to one filter on one resource compared");
    assert!(compared > cases as usize, "no more than {compared} comparisons");
}
