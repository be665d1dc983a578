//! A filter as SQL selects the rows of the resources that it selects.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| scim_fuzz::filter_sql(data));

/// Without libFuzzer: runs the property on the files named on the command line.
#[cfg(not(fuzzing))]
fn main() -> std::io::Result<()> {
    scim_fuzz::run_files(scim_fuzz::filter_sql)
}
