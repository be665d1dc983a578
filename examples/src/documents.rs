//! Resource types that a program is given as JSON files (RFC 7643 §6, §7).

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use scim_core::schema::{Registry, ResourceType, Schema};

/// `registry` with the resource types of the files `types`, whose schemas are its own or those of
/// the files `schemas`.
///
/// A resource type with the name of one of the registry's takes its place: so a User gets another
/// extension.
///
/// # Errors
///
/// A file cannot be read or is not what it should be, or what it says does not fit to the rest; the
/// error names the file and the attribute.
pub fn registry_with(
    registry: &Registry,
    types: &[PathBuf],
    schemas: &[PathBuf],
) -> anyhow::Result<Registry> {
    let mut extended = registry.clone();
    for file in schemas {
        let read = Schema::read(&text(file)?).with_context(|| in_file(file))?;
        extended = extended.with(read, Vec::new()).with_context(|| in_file(file))?;
    }
    let mut names: Vec<String> = Vec::new();
    for file in types {
        let read = ResourceType::read(&text(file)?).with_context(|| in_file(file))?;
        for resource_type in &read {
            if names.iter().any(|name| name.eq_ignore_ascii_case(&resource_type.name)) {
                bail!("{}: resource type `{}` is given twice", in_file(file), resource_type.name);
            }
            names.push(resource_type.name.clone());
        }
        extended = extended.with(Vec::new(), read).with_context(|| in_file(file))?;
    }
    for schema in extended.schemas().filter(|schema| registry.schema(&schema.id).is_none()) {
        let used = extended.resource_types().any(|resource_type| {
            resource_type.base().id == schema.id || resource_type.extension(&schema.id).is_some()
        });
        if !used {
            bail!("no resource type has the schema `{}`; `--resource-type` gives one", schema.id);
        }
    }
    Ok(extended)
}

fn text(file: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))
}

fn in_file(file: &Path) -> String {
    file.display().to_string()
}
