//! Every committed input, on stable.

use std::path::Path;

/// Every file of `corpus/<target>` and `regressions/<target>` fulfils the target's property.
#[test]
fn every_committed_input_fulfils_its_property() {
    for (target, property) in scim_fuzz::TARGETS {
        let mut count = 0;
        for kind in ["corpus", "regressions"] {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(kind).join(target);
            let Ok(entries) = std::fs::read_dir(&folder) else { continue };
            for entry in entries {
                let path = entry.unwrap().path();
                let data = std::fs::read(&path).unwrap();
                println!("{}", path.display());
                property(&data);
                count += 1;
            }
        }
        assert!(count >= 20, "{target} has {count} inputs");
    }
}
