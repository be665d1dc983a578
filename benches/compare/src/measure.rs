//! Medians of the time that several crates take for the same work, in turns.
//!
//! What counts is the time the processor gives to the work, not to others meanwhile. What those do to
//! caches and clock rates comes and goes in seconds. So every workload is visited in several rounds, the
//! contenders of one take turns batch by batch, and each second turn goes through them the other way
//! round: whatever happens meets all of them alike. The median of all batches is the figure; how far
//! the middle half of them lies apart says how quiet it was.

use std::hint::black_box;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use crate::allocations::allocations;

/// Some work, and the crates that do it.
pub struct Workload<'w> {
    /// What the table calls it.
    pub name: String,
    /// The crates.
    pub contenders: Vec<Contender<'w>>,
    /// How long to measure.
    pub effort: Effort,
}

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

/// How long to measure.
#[derive(Clone, Copy)]
pub struct Effort {
    /// Visits to the workload.
    pub rounds: usize,
    /// Batches of each contender in a visit.
    pub batches: usize,
    /// The shortest batch.
    pub batch: Duration,
}

/// What was measured of one crate at one workload.
pub struct Figure {
    /// The workload.
    pub workload: String,
    /// The crate.
    pub crate_name: &'static str,
    /// The median time for doing the work once, in nanoseconds; `None` if the crate refuses the input.
    pub median_ns: Option<f64>,
    /// How far apart the middle half of the times lies, as a part of the median.
    pub spread: f64,
    /// Allocations of doing the work once.
    pub allocations: u64,
    /// How many texts were accepted, or resources selected.
    pub result: usize,
}

/// Measures all workloads. A contender whose result is 0 has refused the input and is not timed.
pub fn measure(workloads: &mut [Workload<'_>]) -> Vec<Figure> {
    let mut series: Vec<Vec<Series>> = workloads
        .iter_mut()
        .map(|Workload { contenders, effort, .. }| {
            contenders.iter_mut().map(|contender| Series::begin(contender, *effort)).collect()
        })
        .collect();
    let rounds = workloads.iter().map(|workload| workload.effort.rounds).max().unwrap_or_default();
    for round in 0..rounds {
        for (workload, series) in workloads.iter_mut().zip(&mut series) {
            if round < workload.effort.rounds {
                visit(workload, series);
            }
        }
    }
    let mut figures = Vec::new();
    for (workload, series) in workloads.iter().zip(series) {
        for (contender, series) in workload.contenders.iter().zip(series) {
            figures.push(series.figure(&workload.name, contender.crate_name));
        }
    }
    figures
}

fn visit(workload: &mut Workload<'_>, series: &mut [Series]) {
    for batch in 0..workload.effort.batches {
        let turns = workload.contenders.iter_mut().zip(&mut *series);
        if batch % 2 == 0 {
            turns.for_each(|(contender, series)| series.turn(contender));
        } else {
            turns.rev().for_each(|(contender, series)| series.turn(contender));
        }
    }
}

/// The times of one contender.
struct Series {
    result: usize,
    allocations: u64,
    repeats: u32,
    times: Vec<f64>,
}

impl Series {
    fn begin(contender: &mut Contender<'_>, effort: Effort) -> Self {
        let result = (contender.work)();
        let allocations = allocations(&mut contender.work);
        let repeats = if result > 0 { repeats(contender, effort.batch) } else { 1 };
        Self { result, allocations, repeats, times: Vec::with_capacity(effort.rounds * effort.batches) }
    }

    fn turn(&mut self, contender: &mut Contender<'_>) {
        if self.result > 0 {
            let nanoseconds = time(contender, self.repeats).as_nanos() as f64;
            self.times.push(nanoseconds / f64::from(self.repeats));
        }
    }

    fn figure(mut self, workload: &str, crate_name: &'static str) -> Figure {
        self.times.sort_by(f64::total_cmp);
        let quarter = |quarters: usize| self.times.get(self.times.len() * quarters / 4).copied();
        let spread = match (quarter(1), quarter(2), quarter(3)) {
            (Some(low), Some(median), Some(high)) => (high - low) / median,
            _ => 0.0,
        };
        let Self { result, allocations, .. } = self;
        Figure {
            workload: workload.to_owned(),
            crate_name,
            median_ns: quarter(2),
            spread,
            allocations,
            result,
        }
    }
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
    let start = processor_time();
    for _ in 0..repeats {
        black_box((contender.work)());
    }
    processor_time().saturating_sub(start)
}

/// How long this thread has run.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}
