//! Who of several requests at the same time comes first to what concerns the same people.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet, VecDeque};
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use scim_core::{ResourceId, TenantId};
use scim_filter::compare;

/// The turns of requests, of which each reserves the people that it concerns, all in one step.
///
/// It is the turn of a request once nobody who came before it holds one of the same people: none
/// waits in a circle, and none is passed over. It is bound to no runtime. Clones share it.
#[derive(Clone, Default)]
pub(super) struct Turns(Arc<Mutex<Line>>);

#[derive(Default)]
struct Line {
    next: u64,
    // Who asks for each, in the order of coming; nobody is in it whom no one asks for.
    people: HashMap<Person, VecDeque<u64>>,
    waiting: HashMap<u64, Waiting>,
}

type Person = (TenantId, Box<str>);

/// A request whose turn it is not.
struct Waiting {
    // For how many of its people another one comes first: at least one.
    behind: usize,
    waker: Option<Waker>,
}

/// A turn, until it is dropped.
pub(super) struct Turn {
    turns: Turns,
    number: u64,
    people: HashSet<Person>,
}

impl Turns {
    /// Waits until it is the turn of a request that concerns `people`. Whoever holds a turn must not wait
    /// for another.
    pub(super) async fn take(&self, tenant: &TenantId, people: &[ResourceId]) -> Turn {
        let turn = self.line_up(tenant, people);
        poll_fn(|context| turn.poll(context)).await;
        turn
    }

    fn line_up(&self, tenant: &TenantId, people: &[ResourceId]) -> Turn {
        // Stores may find members by ids that differ in case.
        let fold = |id: &ResourceId| (tenant.clone(), compare::fold(id.as_str()).into());
        let people: HashSet<Person> = people.iter().map(fold).collect();
        let mut line = self.line();
        let number = line.next;
        line.next += 1;
        let mut behind = 0;
        for person in &people {
            let queue = line.people.entry(person.clone()).or_default();
            behind += usize::from(!queue.is_empty());
            queue.push_back(number);
        }
        if behind > 0 {
            line.waiting.insert(number, Waiting { behind, waker: None });
        }
        Turn { turns: self.clone(), number, people }
    }

    // No code panics while it holds the lock, and the line is whole after every call.
    fn line(&self) -> MutexGuard<'_, Line> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn {
    fn poll(&self, context: &Context<'_>) -> Poll<()> {
        match self.turns.line().waiting.get_mut(&self.number) {
            None => Poll::Ready(()),
            Some(waiting) => {
                waiting.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut line = self.turns.line();
        let woken: Vec<Waker> =
            self.people.drain().filter_map(|person| line.leave(person, self.number)).collect();
        line.waiting.remove(&self.number);
        drop(line);
        woken.into_iter().for_each(Waker::wake);
    }
}

impl Line {
    /// Lets the one who is behind `number` for `person` come up, and says whom to wake.
    fn leave(&mut self, person: Person, number: u64) -> Option<Waker> {
        let Entry::Occupied(mut queue) = self.people.entry(person) else { return None };
        if queue.get().front() != Some(&number) {
            queue.get_mut().retain(|other| *other != number);
            return None;
        }
        queue.get_mut().pop_front();
        let Some(next) = queue.get().front().copied() else {
            queue.remove();
            return None;
        };
        let waiting = self.waiting.get_mut(&next)?;
        waiting.behind = waiting.behind.saturating_sub(1);
        if waiting.behind > 0 { None } else { self.waiting.remove(&next)?.waker }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::{Pin, pin};

    use super::*;

    fn ids(ids: &str) -> Vec<ResourceId> {
        ids.split(' ').map(ResourceId::new).collect()
    }

    fn poll<T>(future: Pin<&mut impl Future<Output = T>>) -> Option<T> {
        match future.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(turn) => Some(turn),
            Poll::Pending => None,
        }
    }

    #[test]
    fn in_the_order_of_coming() {
        let (turns, acme, other) = (Turns::default(), TenantId::new("acme"), TenantId::new("other"));
        let (ab, ba, c, bc) = (ids("a b"), ids("B A a"), ids("c"), ids("b c"));
        let first = poll(pin!(turns.take(&acme, &ab))).unwrap();
        let elsewhere = poll(pin!(turns.take(&other, &ab))).unwrap();
        let third = poll(pin!(turns.take(&acme, &c))).unwrap();
        let (mut second, mut fourth) = (pin!(turns.take(&acme, &ba)), pin!(turns.take(&acme, &bc)));
        assert!(poll(second.as_mut()).is_none());
        assert!(poll(fourth.as_mut()).is_none());
        drop(third);
        assert!(poll(fourth.as_mut()).is_none(), "`c` is free, but not `b`");
        drop(first);
        assert!(poll(fourth.as_mut()).is_none(), "it is not passed over who came before");
        drop(poll(second.as_mut()).unwrap());
        drop(poll(fourth.as_mut()).unwrap());
        drop(elsewhere);
        assert!(turns.line().people.is_empty() && turns.line().waiting.is_empty());
    }

    /// Who is dropped while waiting holds nobody up.
    #[test]
    fn who_goes_lets_others() {
        let (turns, acme) = (Turns::default(), TenantId::new("acme"));
        let (a, ab, b) = (ids("a"), ids("a b"), ids("b"));
        let first = poll(pin!(turns.take(&acme, &a))).unwrap();
        let mut last = pin!(turns.take(&acme, &b));
        {
            let mut gone = pin!(turns.take(&acme, &ab));
            assert!(poll(gone.as_mut()).is_none());
            assert!(poll(last.as_mut()).is_none());
        }
        let last = poll(last.as_mut()).unwrap();
        drop((first, last));
        assert!(turns.line().people.is_empty() && turns.line().waiting.is_empty());
    }
}
