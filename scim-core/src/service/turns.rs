//! Who writes a resource: many beside one another, or one alone who lost too often.
//!
//! Changes of members on any version never lose a race, and a write that is made for a version loses to each of
//! them. Where many make such changes without a pause it would lose again and again. So one that lost a few times
//! waits until the writes under way are made, and those that come later wait until it is. Nobody waits for a
//! client: a turn goes from reading the resource to having written it. What other processes write waits where the store
//! [holds](crate::Store::hold) the resource for who is alone.

use std::collections::hash_map::{Entry, RandomState};
use std::collections::{HashMap, VecDeque};
use std::future::poll_fn;
use std::hash::BuildHasher as _;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::ResourceId;
use crate::store::Scope;

/// The turns of writers, for each resource.
#[derive(Debug, Default)]
pub(super) struct Turns {
    // By the hash of what names the resource: of two that have one hash, one waits without need.
    lines: Mutex<HashMap<u64, Line>>,
    hasher: RandomState,
}

/// Those who write one resource. It is removed with the last of them.
#[derive(Debug, Default)]
struct Line {
    writing: usize,
    alone: bool,
    next: u64,
    // In the order of coming. INVARIANT: the first cannot write yet.
    waiting: VecDeque<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    number: u64,
    alone: bool,
    waker: Option<Waker>,
}

/// A turn, until it is dropped.
pub(super) struct Turn<'t> {
    turns: &'t Turns,
    line: u64,
    number: u64,
}

impl Turns {
    /// Waits until it is the turn of a write of the resource `id`: `alone`, or beside others.
    pub(super) async fn take(&self, scope: Scope<'_>, id: &ResourceId, alone: bool) -> Turn<'_> {
        let key = (scope.tenant.as_str(), scope.schema.name(), id.as_str());
        let (turn, waits) = self.line_up(self.hasher.hash_one(key), alone);
        if waits {
            poll_fn(|context| turn.poll(context)).await;
        }
        turn
    }

    fn line_up(&self, key: u64, alone: bool) -> (Turn<'_>, bool) {
        let mut lines = self.lines();
        let line = lines.entry(key).or_default();
        let number = line.next;
        line.next += 1;
        let waits = !line.waiting.is_empty() || !line.has_room(alone);
        match waits {
            true => line.waiting.push_back(Waiting { number, alone, waker: None }),
            false => line.begin(alone),
        }
        (Turn { turns: self, line: key, number }, waits)
    }

    // No code panics while it holds the lock, and each line is whole after every call.
    fn lines(&self) -> MutexGuard<'_, HashMap<u64, Line>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Line {
    fn has_room(&self, alone: bool) -> bool {
        !self.alone && (!alone || self.writing == 0)
    }

    fn begin(&mut self, alone: bool) {
        self.writing += 1;
        self.alone = alone;
    }

    /// Takes the turn of who wrote, or gave up waiting.
    fn leave(&mut self, number: u64) {
        let place = self.waiting.iter().position(|waiting| waiting.number == number);
        match place {
            Some(place) => drop(self.waiting.remove(place)),
            None => {
                self.writing = self.writing.saturating_sub(1);
                self.alone = false;
            }
        }
    }

    /// Lets those write who come next, and says whom to wake.
    fn go_on(&mut self) -> Vec<Waker> {
        let mut woken = Vec::new();
        while let Some(first) = self.waiting.front()
            && self.has_room(first.alone)
            && let Some(first) = self.waiting.pop_front()
        {
            self.begin(first.alone);
            woken.extend(first.waker);
        }
        woken
    }
}

impl Turn<'_> {
    fn poll(&self, context: &Context<'_>) -> Poll<()> {
        let mut lines = self.turns.lines();
        let mut waiting = lines.get_mut(&self.line).into_iter().flat_map(|line| &mut line.waiting);
        match waiting.find(|waiting| waiting.number == self.number) {
            None => Poll::Ready(()),
            Some(waiting) => {
                waiting.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut lines = self.turns.lines();
        let Entry::Occupied(mut line) = lines.entry(self.line) else { return };
        line.get_mut().leave(self.number);
        let woken = line.get_mut().go_on();
        if line.get().writing == 0 && line.get().waiting.is_empty() {
            line.remove();
        }
        drop(lines);
        woken.into_iter().for_each(Waker::wake);
    }
}

#[cfg(test)]
mod tests {
    use std::pin::{Pin, pin};

    use super::*;
    use crate::TenantId;
    use crate::schema::Registry;

    fn poll<T>(future: Pin<&mut impl Future<Output = T>>) -> Option<T> {
        match future.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(turn) => Some(turn),
            Poll::Pending => None,
        }
    }

    #[test]
    fn one_alone_waits_for_those_before_and_holds_those_behind() {
        let (turns, registry, tenant) = (Turns::default(), Registry::standard(), TenantId::new("acme"));
        let scope = Scope { tenant: &tenant, schema: registry.by_name("Group").unwrap() };
        let (id, other) = (ResourceId::new("1"), ResourceId::new("2"));
        let first = poll(pin!(turns.take(scope, &id, false))).unwrap();
        let second = poll(pin!(turns.take(scope, &id, false))).unwrap();
        let mut alone = pin!(turns.take(scope, &id, true));
        let mut behind = [pin!(turns.take(scope, &id, false)), pin!(turns.take(scope, &id, false))];
        assert!(poll(alone.as_mut()).is_none());
        assert!(behind.iter_mut().all(|turn| poll(turn.as_mut()).is_none()), "nobody passes who waits");
        drop(poll(pin!(turns.take(scope, &other, true))).unwrap());
        drop(first);
        assert!(poll(alone.as_mut()).is_none());
        drop(second);
        let alone = poll(alone.as_mut()).unwrap();
        assert!(behind.iter_mut().all(|turn| poll(turn.as_mut()).is_none()));
        drop(alone);
        let behind: Vec<_> = behind.iter_mut().filter_map(|turn| poll(turn.as_mut())).collect();
        assert_eq!(behind.len(), 2, "beside one another again");
        drop(behind);
        assert!(turns.lines().is_empty());
    }

    /// Who is dropped while waiting, or when it would be its turn, holds nobody up.
    #[test]
    fn who_goes_lets_others() {
        let (turns, registry, tenant) = (Turns::default(), Registry::standard(), TenantId::new("acme"));
        let scope = Scope { tenant: &tenant, schema: registry.by_name("Group").unwrap() };
        let id = ResourceId::new("1");
        let first = poll(pin!(turns.take(scope, &id, false))).unwrap();
        let mut behind = pin!(turns.take(scope, &id, false));
        {
            let mut gone = pin!(turns.take(scope, &id, true));
            assert!(poll(gone.as_mut()).is_none());
            assert!(poll(behind.as_mut()).is_none());
        }
        drop(poll(behind.as_mut()).unwrap());
        {
            let mut gone = pin!(turns.take(scope, &id, true));
            assert!(poll(gone.as_mut()).is_none());
            drop(first);
        }
        assert!(turns.lines().is_empty());
    }
}
