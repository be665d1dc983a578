//! Filters and PATCH paths: parse, print, bind, match.

#![expect(clippy::unwrap_used, reason = "a benchmark whose input is wrong must not run")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use scim_benches::workloads::{E1A, E1B, E1C, F1, F3, F4, PATHS, any_id, filters, users};
use scim_core::schema::Registry;
use scim_core::value::{JsonLimits, Value};
use scim_filter::{BindOptions, Filter, PatchPath};

fn parse(c: &mut Criterion) {
    let mut group = c.benchmark_group("parse");
    for (name, text) in filters() {
        assert_eq!(Filter::parse(&text).map(|filter| filter.as_str().len()), Ok(text.len()), "{name}");
        group.bench_function(name, |b| b.iter(|| Filter::parse(black_box(&text))));
    }
    assert!(F4.iter().all(|text| Filter::parse(text).is_ok()));
    group.bench_function("F4", |b| {
        b.iter(|| F4.iter().filter(|text| Filter::parse(black_box(text)).is_ok()).count());
    });
    for (name, text) in PATHS {
        assert!(PatchPath::parse(text).is_ok(), "{name}");
        group.bench_function(name, |b| b.iter(|| PatchPath::parse(black_box(text))));
    }
    group.finish();
}

fn print_and_bind(c: &mut Criterion) {
    let registry = Registry::standard();
    let schema = registry.by_name("User").unwrap();
    let f5 = any_id(64);
    for (name, text) in [("F1", F1), ("F3", F3), ("F5", &f5)] {
        let filter = Filter::parse(text).unwrap();
        assert!(filter.bind(&**schema, &BindOptions::default()).is_ok());
        c.bench_function(&format!("print/{name}"), |b| b.iter(|| black_box(&filter).to_string()));
        c.bench_function(&format!("bind/{name}"), |b| {
            b.iter(|| black_box(&filter).bind(&**schema, &BindOptions::default()));
        });
    }
}

fn matching(c: &mut Criterion) {
    const USERS: usize = 10_000;
    let registry = Registry::standard();
    let schema = registry.by_name("User").unwrap();
    let limits = JsonLimits::default();
    let tree = |text: String| Value::from_slice(text.as_bytes(), &limits).unwrap();
    let trees: Vec<Value> = users(USERS).map(tree).collect();
    let mut group = c.benchmark_group("match over 10,000 users");
    group.throughput(Throughput::Elements(USERS as u64));
    for (name, text, expected) in [("E1a", E1A, 1), ("E1b", E1B, 3_334), ("E1c", E1C, 666)] {
        let filter = Filter::parse(text).unwrap().bind(&**schema, &BindOptions::default()).unwrap();
        let hits = || {
            let objects = trees.iter().filter_map(Value::as_object);
            objects.filter(|user| filter.matches::<Value>(user)).count()
        };
        assert_eq!(hits(), expected, "{name}");
        group.bench_function(name, |b| b.iter(hits));
    }
    group.finish();
}

fn matching_text(c: &mut Criterion) {
    const USERS: usize = 10_000;
    let registry = Registry::standard();
    let schema = registry.by_name("User").unwrap();
    let texts: Vec<String> = users(USERS).collect();
    let mut group = c.benchmark_group("match over 10,000 users as JSON text");
    group.throughput(Throughput::Elements(USERS as u64));
    for (name, text, expected) in [("S1a", E1A, 1), ("S1b", E1B, 3_334), ("S1c", E1C, 666)] {
        let filter = Filter::parse(text).unwrap().bind(&**schema, &BindOptions::default()).unwrap();
        let hits = || texts.iter().filter(|user| filter.matches_slice(user.as_bytes()) == Ok(true)).count();
        assert_eq!(hits(), expected, "{name}");
        group.bench_function(name, |b| b.iter(hits));
    }
    group.finish();
}

criterion_group!(benches, parse, print_and_bind, matching, matching_text);
criterion_main!(benches);
