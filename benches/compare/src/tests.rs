//! What is made of figures, for figures that are given.

use crate::curves::{Curve, End, SHAPES};
use crate::measure::{Contender, Effort, Figure, Workload, measure};
use crate::report::{duration, grouped, three_digits};
use crate::workloads::{OURS, OURS_SLICE, PARSED, SCIM_PROTO, SCIM_V2};
use crate::{limits, plot, readme, report};

fn figure(workload: &str, crate_name: &'static str, median_ns: Option<f64>, allocations: u64) -> Figure {
    Figure { workload: workload.to_owned(), crate_name, median_ns, spread: 0.1, allocations, result: 1 }
}

#[test]
fn limits_hold_are_missed_or_refused() {
    let verdicts = |ours, theirs| -> Vec<bool> {
        let figures = [figure("F5", OURS, ours, 2), figure("F5", SCIM_PROTO, theirs, 382)];
        limits::times(&figures).iter().map(limits::Verdict::holds).collect()
    };
    assert_eq!(verdicts(Some(12.0), Some(100.0)), [true]);
    assert_eq!(verdicts(Some(12.1), Some(100.0)), [false]);
    assert_eq!(verdicts(None, Some(100.0)), [false]);
    assert_eq!(verdicts(Some(12.0), None), [false]);
    // What stands beside ours on JSON text is by way of a tree.
    let figures = [figure("S1a", OURS_SLICE, Some(21.0), 0), figure("S1a", PARSED, Some(100.0), 0)];
    let verdicts = limits::times(&figures);
    assert_eq!(
        verdicts.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["S1a  0.2100 of serde_json, then ours, at most 0.2: MISSED"]
    );
}

#[test]
fn allocations_are_limited_whatever_the_peers_do() {
    let broken =
        |ours| limits::allocations(&[figure("F1", SCIM_V2, None, 42), figure("F1", OURS, None, ours)]);
    assert!(broken(1).is_empty());
    assert_eq!(broken(2), ["F1 asks for memory 2 times, at most 1"]);
}

#[test]
fn the_readme_has_the_figures_of_a_whole_run() {
    let names =
        ["F1", "F2", "F3", "F4", "F5", "F6", "F7", "F7p", "F8", "F9", "P1", "P2", "P3", "P4", "P5", "P6"];
    let mut figures: Vec<Figure> = names.iter().map(|name| figure(name, OURS, Some(40.0), 1)).collect();
    figures.extend(["E1a", "E1b", "E1c"].map(|name| figure(name, OURS, Some(4e7), 0)));
    figures.extend(["S1a", "S1b", "S1c"].map(|name| figure(name, OURS_SLICE, Some(5e7), 0)));
    figures.push(figure("F1", SCIM_PROTO, Some(250.0), 4));
    figures.push(figure("F1", SCIM_V2, None, 0));
    let empty = "before\n<!-- figures: written by `--readme` -->\nold\n<!-- end of figures -->\nafter\n";
    assert!(readme::check(empty).is_err());
    let text = readme::with_figures(empty, &figures, "a machine").expect("it has the comments");
    assert_eq!(readme::check(&text), Ok(()));
    assert!(text.starts_with("before\n") && text.ends_with("\nafter\n") && !text.contains("old"));
    assert!(text.contains("\nOne run on a machine:\n"), "{text}");
    assert!(
        text.contains("\n| F1: `userName eq` a string | 40 ns | 1 | × 6.25 | refused |  |  |\n"),
        "{text}"
    );
    assert!(text.contains("\n| S1c: E1c on JSON text | 50 ms | 0 |"), "{text}");
    assert!(readme::check(&text.replace("F7p: ", "F7q: ")).is_err());
    assert!(readme::check(&text.replace("50 ms", "refused")).is_err());
    assert!(readme::check(&text.replace("scim_v2 1.0.0", "scim_v2 2.0.0")).is_err());
    assert!(readme::with_figures("no comments", &figures, "a machine").is_err());
}

#[test]
fn numbers_for_people() {
    let durations = [0.5, 40.0, 40.94, 999.0, 1_108.6, 35_958.0, 317_000.0, 34_301_598.0, 2e9].map(duration);
    assert_eq!(
        durations,
        ["0.50 ns", "40 ns", "40.9 ns", "999 ns", "1.11 µs", "36 µs", "317 µs", "34.3 ms", "2 s"]
    );
    assert_eq!([100.4, 6.1, 17.04].map(three_digits), ["100", "6.10", "17"]);
    assert_eq!([1, 64, 1_000, 10_000, 1_234_567].map(grouped), ["1", "64", "1,000", "10,000", "1,234,567"]);
}

#[test]
fn the_file_has_what_was_not_refused() {
    let figures = [figure("F8", OURS, Some(63.84), 1), figure("F8", SCIM_PROTO, None, 0)];
    assert_eq!(report::tsv(&figures), "workload\tcrate\tmedian ns\tallocations\nF8\tours\t63.8\t1\n");
    assert!(report::table(&figures).lines().last().is_some_and(|line| line.contains("refused")));
}

#[test]
fn a_curve_ends_where_its_crate_does() {
    let [terms, brackets] = &SHAPES;
    let curve = |crate_name, points: &[(usize, f64)], end| Curve { crate_name, points: points.to_vec(), end };
    let panels = [
        (
            terms,
            vec![
                curve(OURS, &[(1, 100.0), (10_000, 1e6)], None),
                curve(SCIM_V2, &[(1, 1e3), (1_000, 1e5)], Some(End::Refused(2_000))),
            ],
        ),
        (
            brackets,
            vec![
                curve(OURS, &[(1, 100.0), (64, 1e3)], None),
                curve(SCIM_V2, &[(1, 1e3), (8, 5e7)], Some(End::TooSlow)),
            ],
        ),
    ];
    let svg = plot::svg(&panels, "a machine");
    // The corners of the left panel: 100 ns is the lowest decade, 100 ms the highest.
    assert!(svg.contains("d=\"M72.0 350.0L468.0 159.3\""), "{svg}");
    assert_eq!(svg.matches("class=\"end c1\"").count(), 2);
    assert_eq!(svg.matches("class=\"end c0\"").count(), 0);
    assert!(svg.contains("scim_v2 1.0.0 refuses 2,000 terms"));
    assert!(svg.contains("scim_v2 1.0.0 takes 50 ms for 8 nested brackets"));
    assert_eq!(svg.matches('<').count(), svg.matches('>').count());
}

#[test]
fn who_refuses_is_not_timed_and_all_take_as_many_turns() {
    let (mut accepted, mut refused) = (0, 0);
    let effort = Effort { rounds: 2, batches: 3, batch: std::time::Duration::ZERO };
    let contenders = vec![
        Contender::new(OURS, || {
            accepted += 1;
            Vec::<u8>::with_capacity(accepted).capacity()
        }),
        Contender::new(SCIM_V2, || {
            refused += 1;
            0
        }),
    ];
    let figures = measure(&mut [Workload { name: "F1".to_owned(), contenders, effort }]);
    let [ours, theirs] = &*figures else { panic!("two figures") };
    assert!(ours.median_ns.is_some() && ours.allocations == 1);
    assert!(theirs.median_ns.is_none() && theirs.allocations == 0);
    // Once for the result, once for the allocations, once for the length of a batch, and six batches.
    assert_eq!((accepted, refused), (9, 2));
}
