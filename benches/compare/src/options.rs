//! What the command line asks for.

use std::path::PathBuf;

/// What to measure, and what to do with it.
#[derive(Default)]
pub struct Options {
    /// Measure too shortly for the times to mean much.
    pub quick: bool,
    /// Fail where a time limit is not kept.
    pub check: bool,
    /// The workloads to measure; all if empty.
    pub only: Vec<String>,
    /// Where to draw how parse times grow, instead of measuring the workloads.
    pub plot: Option<PathBuf>,
    /// Only tell by the exit code whether a crate accepts a text of a shape and a size.
    pub accepts: Option<(String, String, usize)>,
    /// Write the figures into README.md.
    pub readme: bool,
}

impl Options {
    /// The usage, for who asked for something else.
    pub const USAGE: &str =
        "usage: scim-compare [--quick] [--check] [--readme] [--only F6,F7] | [--quick] --plot FILE.svg";

    /// Reads the arguments.
    ///
    /// # Errors
    ///
    /// The argument that is none of ours.
    pub fn read(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self::default();
        while let Some(argument) = arguments.next() {
            match &*argument {
                "--quick" => options.quick = true,
                "--check" => options.check = true,
                "--only" => {
                    let names = arguments.next().ok_or("`--only` takes the names of workloads")?;
                    options.only = names.split(',').map(str::to_owned).collect();
                }
                "--accepts" => {
                    let mut next = || arguments.next().unwrap_or_default();
                    let (crate_name, shape, size) = (next(), next(), next());
                    let size = size.parse().map_err(|_| "`--accepts` takes a crate, a shape and a size")?;
                    options.accepts = Some((crate_name, shape, size));
                }
                "--readme" => options.readme = true,
                "--plot" => options.plot = Some(arguments.next().ok_or("`--plot` takes a file")?.into()),
                _ => return Err(format!("`{argument}` is not an option")),
            }
        }
        if options.readme && !options.is_whole_run() {
            return Err("README.md shows whole runs only".to_owned());
        }
        Ok(options)
    }

    /// Whether all workloads are measured, and long enough.
    pub fn is_whole_run(&self) -> bool {
        self.only.is_empty() && !self.quick && self.plot.is_none()
    }
}
