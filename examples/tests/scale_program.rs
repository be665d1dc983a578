//! The `scale` program runs, and writes down what it measured.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

mod support;

use std::process::Command;

#[test]
fn every_figure_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("scale.tsv");
    let run = Command::new(support::program("scale"))
        .args(["--quick", "--output", output.to_str().unwrap()])
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let written = std::fs::read_to_string(output).unwrap();
    let rows: Vec<Vec<&str>> = written.lines().map(|line| line.split('\t').collect()).collect();
    assert_eq!(rows.first().unwrap(), &["database", "what", "small", "large", "ratio", "limit"]);
    for database in ["sqlite", "postgresql"] {
        let found = rows.iter().filter(|row| row.first() == Some(&database)).count();
        let skipped = database == "postgresql" && !rows.iter().any(|row| row.first() == Some(&database));
        assert!(skipped || found == 17, "{database}: {written}");
    }
}
