//! Classic pagination: `docs/REST-API/09-Pagination.md`.

use serde_json::{Value, json};

use super::answer::{Answer, Refusal};
use super::route::Query;

/// The part of a list that was asked for.
pub(super) struct Page {
    limit: usize,
    offset: usize,
    total: bool,
}

impl Page {
    /// Reads `limit`, `offset` and `total`.
    pub(super) fn read(query: &Query) -> Result<Self, Refusal> {
        let number = |name: &str, otherwise: usize| match query.get(name) {
            None => Ok(otherwise),
            Some(text) => text.parse().map_err(|_| Refusal::invalid(format!("{name} must be a number"))),
        };
        let (limit, offset) = (number("limit", DEFAULT_LIMIT)?, number("offset", 0)?);
        // "Cannot exceed 100": whether more is refused or cut is not said, and a client that asks for no more
        // is right in both cases.
        if limit == 0 || limit > MAX_LIMIT {
            return Err(Refusal::invalid(format!("limit must be from 1 to {MAX_LIMIT}")));
        }
        if offset.saturating_add(limit) > WINDOW {
            return Err(Refusal::invalid(format!("offset and limit must not exceed {WINDOW} together")));
        }
        Ok(Self { limit, offset, total: query.get("total") == Some("true") })
    }

    /// The answer with that part of `all`, under `name`.
    pub(super) fn of<T>(&self, name: &str, all: &[T], render: impl Fn(&T) -> Value) -> Answer {
        let part: Vec<Value> = all.iter().skip(self.offset).take(self.limit).map(render).collect();
        let more = self.offset.saturating_add(part.len()) < all.len();
        let total = if self.total { Value::from(all.len()) } else { Value::Null };
        Answer::ok(json!({
            name: part, "limit": self.limit, "offset": self.offset, "more": more, "total": total,
        }))
    }
}

const DEFAULT_LIMIT: usize = 25;
const MAX_LIMIT: usize = 100;
const WINDOW: usize = 10_000;
