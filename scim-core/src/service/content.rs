//! What an answer says, written as JSON text a part at a time.

use std::collections::VecDeque;
use std::sync::Arc;

use super::cursor::{Position, Sealer};
use super::resource_text::{ResourceText, Written};
use super::text::Text;
use super::{Extent, Service};
use crate::auth::{Authenticator, Principal};
use crate::message::LIST_RESPONSE;
use crate::policy::{Context, Policy};
use crate::query::{Place, Query, Start};
use crate::schema::ResourceSchema;
use crate::store::{Store, StoreError};
use crate::value::Value;

/// What an answer says.
#[derive(Debug)]
pub(super) enum Content {
    /// A message that is there as a whole.
    Message(Value),
    /// A resource.
    Resource(Box<ResourceText>),
    /// A list.
    List(Box<ListText>),
}

impl Content {
    /// Goes on writing until the text is as long as `enough`, or the answer ends.
    pub(super) async fn write<S: Store, A: Authenticator, P: Policy>(
        &mut self,
        service: &Service<S, A, P>,
        text: &mut Text,
        enough: usize,
    ) -> Result<Written, StoreError> {
        match self {
            Self::Message(value) => {
                text.value(value);
                Ok(Written::All)
            }
            Self::Resource(resource) => resource.write(text, enough).await,
            Self::List(list) => list.write(service, text, enough).await,
        }
    }
}

/// A list response (RFC 7644 §3.4.2), and how far it is written.
///
/// What is known only at its end comes at its end: `itemsPerPage` and the cursors.
#[derive(Debug, Default)]
pub(super) struct ListText {
    pub(super) total_results: Option<usize>,
    pub(super) start_index: Option<usize>,
    pub(super) previous_cursor: Option<String>,
    pub(super) next_cursor: Option<String>,
    /// The resources that are read.
    pub(super) resources: VecDeque<ResourceText>,
    /// Those that are not.
    pub(super) more: Option<More>,
    pub(super) progress: Progress,
}

/// How far a list is written.
#[derive(Debug, Default)]
pub(super) struct Progress {
    begun: bool,
    /// Whether the first resource of those that are read is begun.
    within: bool,
    /// How many are written.
    count: usize,
}

/// The rest of a list that is read page by page.
#[derive(Debug)]
pub(super) struct More {
    pub(super) principal: Principal,
    pub(super) schema: Arc<ResourceSchema>,
    /// Its start is where the list goes on, its count what is still to be answered.
    pub(super) query: Query,
    /// What the cursor of the next page says besides its start, in a list by cursor.
    pub(super) position: Option<Position>,
    /// The text of the last page, in bytes, and its resources: by these the next one is sized.
    pub(super) last: (usize, usize),
}

impl ListText {
    async fn write<S: Store, A: Authenticator, P: Policy>(
        &mut self,
        service: &Service<S, A, P>,
        text: &mut Text,
        enough: usize,
    ) -> Result<Written, StoreError> {
        if !self.progress.begun {
            self.write_head(text);
            self.progress.begun = true;
        }
        loop {
            while let Some(resource) = self.resources.front_mut() {
                if text.len() >= enough {
                    return Ok(Written::Part);
                }
                if !self.progress.within {
                    text.comma();
                    self.progress.within = true;
                }
                let before = text.len();
                let written = resource.write(text, enough).await?;
                if let Some(more) = &mut self.more {
                    more.last.0 += text.len() - before;
                }
                if written == Written::Part {
                    return Ok(Written::Part);
                }
                self.resources.pop_front();
                self.progress.within = false;
                self.progress.count += 1;
            }
            let Some(more) = self.more.take() else { break };
            self.read_on(service, more).await?;
        }
        text.push(b']');
        text.name("itemsPerPage");
        text.count(self.progress.count);
        for (name, cursor) in [("previousCursor", &self.previous_cursor), ("nextCursor", &self.next_cursor)] {
            if let Some(cursor) = cursor {
                text.name(name);
                text.string(cursor);
            }
        }
        text.push(b'}');
        Ok(Written::All)
    }

    fn write_head(&self, text: &mut Text) {
        text.push(b'{');
        text.name("schemas");
        text.push(b'[');
        text.string(LIST_RESPONSE);
        text.push(b']');
        for (name, count) in [("totalResults", self.total_results), ("startIndex", self.start_index)] {
            if let Some(count) = count {
                text.name(name);
                text.count(count);
            }
        }
        text.name("Resources");
        text.push(b'[');
    }

    /// Reads the next page of the list.
    async fn read_on<S: Store, A: Authenticator, P: Policy>(
        &mut self,
        service: &Service<S, A, P>,
        mut more: More,
    ) -> Result<(), StoreError> {
        let context = Context::new(&more.schema, &more.principal);
        let (bytes, resources) = more.last;
        // As many as make a part, if they are like the last ones.
        let fit = PAGE_BYTES * resources.max(1) / bytes.max(1);
        let count = more.query.count.min(fit.clamp(1, MOST_RESOURCES));
        let query = Query { count, ..more.query.clone() };
        let page = service.page_of(&context, &query, Extent::Pieces).await?;
        self.resources = service.texts(&context, &query, page.resources)?;
        let read = self.resources.len();
        if let Some(start) = self.goes_on(service, &more.query, read, page.next) {
            more.last = (0, read);
            more.query.count -= read;
            more.query.start = start;
            self.go_on(service, more);
        }
        Ok(())
    }

    /// Where the list goes on behind a page of `read` resources that ended at `next`, unless it ended
    /// there.
    pub(super) fn goes_on<S: Store, A: Authenticator, P: Policy>(
        &self,
        service: &Service<S, A, P>,
        query: &Query,
        read: usize,
        next: Option<Place>,
    ) -> Option<Start> {
        match (next, &query.start) {
            _ if read == 0 => None,
            (Some(place), _) if service.store.query_support().cursor => Some(Start::After(place)),
            // A store that has no places.
            (_, Start::Index(index)) if self.total_results.is_none_or(|total| index - 1 + read < total) => {
                Some(Start::Index(index.saturating_add(read)))
            }
            _ => None,
        }
    }

    /// The list goes on with `more`: in this answer, or in the next page of a list by cursor.
    pub(super) fn go_on<S: Store, A: Authenticator, P: Policy>(
        &mut self,
        service: &Service<S, A, P>,
        more: More,
    ) {
        if more.query.count > 0 {
            self.more = Some(more);
        } else if let (Some(position), Some(cursors)) = (more.position, &service.config.cursors) {
            let tenant = &more.principal.tenant;
            let sealer = Sealer::new(cursors, tenant, [(more.schema.name(), &more.query)]);
            let starts = vec![Some(more.query.start)];
            self.next_cursor = Some(sealer.seal(&Position { starts, ..position }));
        }
    }
}

/// The text that a page of a list is to make.
const PAGE_BYTES: usize = 64 << 10;
/// The most resources of one page: what is shorter than this many to a part takes the time of reading
/// it, and not that of asking for it.
const MOST_RESOURCES: usize = 1000;
