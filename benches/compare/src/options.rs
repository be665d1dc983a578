//! What the command line asks for.

/// What to measure, and what to do with it.
#[derive(Default)]
pub struct Options {
    /// Measure too shortly for the times to mean much.
    pub quick: bool,
    /// Fail where a time limit is not kept.
    pub check: bool,
    /// The workloads to measure; all if empty.
    pub only: Vec<String>,
}

impl Options {
    /// The usage, for who asked for something else.
    pub const USAGE: &str = "usage: scim-compare [--quick] [--check] [--only F6,F7]";

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
                _ => return Err(format!("`{argument}` is not an option")),
            }
        }
        Ok(options)
    }

    /// Whether all workloads are measured, and long enough.
    pub fn is_whole_run(&self) -> bool {
        self.only.is_empty() && !self.quick
    }
}
