//! Any request gets a SCIM answer, and none without a token gets further than 401.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| scim_fuzz::http_request(data));

/// Without libFuzzer: runs the property on the files named on the command line.
#[cfg(not(fuzzing))]
fn main() -> std::io::Result<()> {
    scim_fuzz::run_files(scim_fuzz::http_request)
}
