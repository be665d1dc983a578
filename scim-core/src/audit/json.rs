//! A record as the JSON document that the module describes.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::{AttributeChange, BulkPlace, Changed, GroupsLeft, Record};
use crate::leniency::Leniency;

impl Serialize for Record {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("time", &format_args!("{}", self.time))?;
        map.serialize_entry("tenant", self.tenant.as_str())?;
        map.serialize_entry("credential", self.credential.as_str())?;
        if let Some(request) = &self.request {
            map.serialize_entry("request", request.as_str())?;
        }
        if let Some(bulk) = &self.bulk {
            map.serialize_entry("bulk", bulk)?;
        }
        map.serialize_entry("operation", self.operation.as_str())?;
        map.serialize_entry("effect", self.effect.as_str())?;
        if let Some(resource_type) = &self.resource_type {
            map.serialize_entry("resourceType", resource_type)?;
        }
        if let Some(resource) = &self.resource {
            map.serialize_entry("resource", resource.as_str())?;
        }
        for (name, version) in [("versionBefore", self.version_before), ("versionAfter", self.version_after)]
        {
            if let Some(version) = version {
                map.serialize_entry(name, &version.0)?;
            }
        }
        if let Some(status) = self.status {
            map.serialize_entry("status", &status.as_u16())?;
        }
        if let Some(scim_type) = self.scim_type {
            map.serialize_entry("scimType", scim_type.as_str())?;
        }
        if let Some(rule) = &self.rule {
            map.serialize_entry("rule", rule)?;
        }
        if let Some(subject) = &self.subject {
            map.serialize_entry("subject", subject)?;
        }
        if let Some(remedy) = &self.remedy {
            map.serialize_entry("remedy", remedy)?;
        }
        if !self.leniencies.is_empty() {
            let names: Vec<&str> = self.leniencies.iter().copied().map(Leniency::name).collect();
            map.serialize_entry("leniencies", &names)?;
        }
        if !self.remarks.is_empty() {
            map.serialize_entry("remarks", &self.remarks)?;
        }
        if !self.changes.is_empty() {
            map.serialize_entry("changes", &self.changes)?;
        }
        if let Some(left) = &self.left {
            map.serialize_entry("left", left)?;
        }
        map.end()
    }
}

impl Serialize for GroupsLeft {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("count", &self.count)?;
        map.serialize_entry("groups", &self.first)?;
        map.end()
    }
}

impl Serialize for BulkPlace {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("index", &self.index)?;
        if let Some(bulk_id) = &self.bulk_id {
            map.serialize_entry("bulkId", bulk_id)?;
        }
        map.end()
    }
}

impl Serialize for AttributeChange {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match &self.extension {
            Some(uri) => map.serialize_entry("attribute", &format_args!("{uri}:{}", self.attribute))?,
            None => map.serialize_entry("attribute", &self.attribute)?,
        }
        match &self.changed {
            Changed::Value { before, after } => {
                for (name, value) in [("before", before), ("after", after)] {
                    if let Some(value) = value {
                        map.serialize_entry(name, value)?;
                    }
                }
            }
            Changed::Elements { replaced, removed, removed_count, added, added_count } => {
                if *replaced {
                    map.serialize_entry("replaced", replaced)?;
                }
                if !removed.is_empty() {
                    map.serialize_entry("removed", removed)?;
                }
                if *removed_count != removed.len() {
                    map.serialize_entry("removedCount", removed_count)?;
                }
                if !added.is_empty() {
                    map.serialize_entry("added", added)?;
                }
                if *added_count != added.len() {
                    map.serialize_entry("addedCount", added_count)?;
                }
            }
        }
        if self.redacted {
            map.serialize_entry("redacted", &true)?;
        }
        map.end()
    }
}
