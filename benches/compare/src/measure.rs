//! Medians of what several crates take for the same work, in turns.

use std::hint::black_box;
use std::time::{Duration, Instant};

use crate::allocations::allocations;

/// One crate at one workload.
pub struct Contender<'w> {
    /// The crate, as the table calls it.
    pub crate_name: &'static str,
    /// Does the work once and returns how many texts were accepted, or how many resources selected.
    pub work: Box<dyn FnMut() -> usize + 'w>,
}

impl<'w> Contender<'w> {
    /// A contender called `crate_name`.
    pub fn new(crate_name: &'static str, work: impl FnMut() -> usize + 'w) -> Self {
        Self { crate_name, work: Box::new(work) }
    }
}

/// What was measured of one crate at one workload.
pub struct Figure {
    /// The workload.
    pub workload: &'static str,
    /// The crate.
    pub crate_name: &'static str,
    /// The median time for doing the work once, in nanoseconds; `None` if the crate refuses the input.
    pub median_ns: Option<f64>,
    /// Allocations of doing the work once.
    pub allocations: u64,
    /// How many texts were accepted, or resources selected.
    pub result: usize,
}

/// How long to measure.
#[derive(Clone, Copy)]
pub struct Effort {
    /// Batches of each contender.
    pub batches: usize,
    /// The shortest batch.
    pub batch: Duration,
}

/// Measures all contenders in turns, a batch each, so that what else the machine does meets all
/// alike. A contender whose result is 0 has refused the input and is not timed.
pub fn measure(workload: &'static str, contenders: &mut [Contender<'_>], effort: Effort) -> Vec<Figure> {
    let mut figures: Vec<Figure> = contenders
        .iter_mut()
        .map(|Contender { crate_name, work }| {
            let result = work();
            let allocations = allocations(&mut *work);
            Figure { workload, crate_name, median_ns: None, allocations, result }
        })
        .collect();
    let repeats: Vec<u32> = contenders.iter_mut().map(|contender| repeats(contender, effort.batch)).collect();
    let mut times: Vec<Vec<f64>> = vec![Vec::with_capacity(effort.batches); contenders.len()];
    for _ in 0..effort.batches {
        let turns = contenders.iter_mut().zip(&figures).zip(&repeats).zip(&mut times);
        for (((contender, figure), repeats), times) in turns {
            if figure.result > 0 {
                times.push(time(contender, *repeats).as_nanos() as f64 / f64::from(*repeats));
            }
        }
    }
    for (figure, mut times) in figures.iter_mut().zip(times) {
        times.sort_by(f64::total_cmp);
        figure.median_ns = times.get(times.len() / 2).copied();
    }
    figures
}

/// How often to repeat the work so that a batch takes `batch`.
fn repeats(contender: &mut Contender<'_>, batch: Duration) -> u32 {
    let mut repeats = 1;
    while repeats < 1 << 20 && time(contender, repeats) < batch {
        repeats *= 2;
    }
    repeats
}

fn time(contender: &mut Contender<'_>, repeats: u32) -> Duration {
    let start = Instant::now();
    for _ in 0..repeats {
        black_box((contender.work)());
    }
    start.elapsed()
}
