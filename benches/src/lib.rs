//! Inputs of the benchmarks, by name.

pub mod workloads;
