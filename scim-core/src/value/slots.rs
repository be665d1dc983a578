//! How an object lies in memory: so that finding a member touches as few cache lines as can be.
//!
//! A filter looks for one or two members in each of many objects, and what that takes is the lines
//! it must wait for. So the members stand in one allocation, those of a small object side by side:
//! their few lines are waited for at once. In a larger one a byte of each name's hash stands before
//! each 24 of them: a member is found by looking at those bytes and at itself.

use scim_filter::AttrName;

use super::Value;

/// Members in the order they came in.
///
/// INVARIANT: these are up to [`PLAIN`] slots of members; or more, in blocks of [`BLOCK`], of which
/// only the last may be less: a slot of tags, and those of the members whose tags they are.
#[derive(Clone, Default)]
pub(super) struct Slots(Box<[Slot]>);

#[derive(Clone)]
pub(super) enum Slot {
    Tags([u8; TAGS]),
    Member(AttrName, Value),
}

/// How many members stand without tags.
const PLAIN: usize = 8;
/// How many members one slot of tags is for.
const TAGS: usize = 24;
const BLOCK: usize = TAGS + 1;

// A slot of tags is no larger than one of a member, and that no larger than its parts.
const _: () = assert!(size_of::<Slot>() <= size_of::<AttrName>() + size_of::<Value>());

impl Slots {
    pub(super) fn len(&self) -> usize {
        members_of(&self.0)
    }

    /// Where the member is that has this hash and is the `same`.
    #[inline]
    pub(super) fn find(&self, hash: u32, same: impl Fn(&AttrName) -> bool) -> Option<usize> {
        find(&self.0, hash, same)
    }

    #[inline]
    pub(super) fn at(&self, place: usize) -> Option<&Value> {
        match self.0.get(place) {
            Some(Slot::Member(_, value)) => Some(value),
            _ => None,
        }
    }

    pub(super) fn at_mut(&mut self, place: usize) -> Option<(&mut AttrName, &mut Value)> {
        self.0.get_mut(place).and_then(Slot::member_mut)
    }

    pub(super) fn iter(&self) -> Iter<'_> {
        Iter { left: self.len(), slots: self.0.iter() }
    }

    pub(super) fn iter_mut(&mut self) -> IterMut<'_> {
        IterMut { left: self.len(), slots: self.0.iter_mut() }
    }

    /// Adds a member whose name none has.
    pub(super) fn push(&mut self, name: AttrName, value: Value) {
        self.edit(|slots| {
            slots.reserve_exact(1);
            push(slots, name, value);
        });
    }

    /// Adds a member whose name none has, as the one at `index`.
    pub(super) fn insert(&mut self, index: usize, name: AttrName, value: Value) {
        let mut members: Vec<_> = std::mem::take(self).into_iter().collect();
        members.insert(index.min(members.len()), (name, value));
        *self = members.into_iter().collect();
    }

    /// Takes out the member at `place`.
    pub(super) fn remove(&mut self, place: usize) -> Option<Value> {
        let before = self.0.len();
        let removed = self.edit(|slots| (place < slots.len()).then(|| slots.remove(place)));
        self.restore(before);
        match removed {
            Some(Slot::Member(_, value)) => Some(value),
            _ => None,
        }
    }

    pub(super) fn retain(&mut self, mut keep: impl FnMut(&mut AttrName, &mut Value) -> bool) {
        let before = self.0.len();
        self.edit(|slots| {
            slots.retain_mut(|slot| slot.member_mut().is_none_or(|(name, value)| keep(name, value)));
        });
        self.restore(before);
    }

    /// Makes the invariant hold after members were taken out of `before` slots.
    fn restore(&mut self, before: usize) {
        if before <= PLAIN || before == self.0.len() {
            return;
        }
        match &mut *self.0 {
            [Slot::Tags(tags), members @ ..] if before <= BLOCK && members.len() > PLAIN => {
                *tags = tags_of(members);
            }
            _ => {
                let members = std::mem::take(self).0.into_vec().into_iter();
                let members = members.filter_map(|slot| match slot {
                    Slot::Member(name, value) => Some((name, value)),
                    Slot::Tags(_) => None,
                });
                *self = members.collect();
            }
        }
    }

    fn edit<R>(&mut self, edit: impl FnOnce(&mut Vec<Slot>) -> R) -> R {
        let mut slots = std::mem::take(&mut self.0).into_vec();
        let result = edit(&mut slots);
        self.0 = slots.into_boxed_slice();
        result
    }
}

impl Slot {
    #[inline]
    fn is(&self, hash: u32, same: impl Fn(&AttrName) -> bool) -> bool {
        matches!(self, Self::Member(name, _) if name.folded_hash() == hash && same(name))
    }

    fn member_mut(&mut self) -> Option<(&mut AttrName, &mut Value)> {
        match self {
            Self::Member(name, value) => Some((name, value)),
            Self::Tags(_) => None,
        }
    }
}

/// Members on their way to become [`Slots`].
#[derive(Default)]
pub(super) struct SlotsBuilder(Vec<Slot>);

impl SlotsBuilder {
    pub(super) fn new(slots: Slots) -> Self {
        Self(slots.0.into_vec())
    }

    pub(super) fn len(&self) -> usize {
        members_of(&self.0)
    }

    pub(super) fn find(&self, name: &AttrName) -> Option<usize> {
        find(&self.0, name.folded_hash(), |other| other == name)
    }

    /// Adds a member whose name none has, and returns its place, which it keeps once there are more
    /// than [`PLAIN`].
    pub(super) fn push(&mut self, name: AttrName, value: Value) -> usize {
        push(&mut self.0, name, value);
        self.0.len() - 1
    }

    /// Replaces the member at `place` by one whose name differs at most in case.
    pub(super) fn replace(&mut self, place: usize, name: AttrName, value: Value) {
        if let Some(slot) = self.0.get_mut(place) {
            *slot = Slot::Member(name, value);
        }
    }

    /// The names, each with its place.
    pub(super) fn names(&self) -> impl Iterator<Item = (&AttrName, usize)> {
        self.0.iter().enumerate().filter_map(|(place, slot)| match slot {
            Slot::Member(name, _) => Some((name, place)),
            Slot::Tags(_) => None,
        })
    }

    pub(super) fn finish(self) -> Slots {
        Slots(self.0.into_boxed_slice())
    }
}

impl FromIterator<(AttrName, Value)> for Slots {
    fn from_iter<I: IntoIterator<Item = (AttrName, Value)>>(members: I) -> Self {
        let members = members.into_iter();
        let count = members.size_hint().0;
        let tags = if count > PLAIN { count.div_ceil(TAGS) } else { 0 };
        let mut builder = SlotsBuilder(Vec::with_capacity(count + tags));
        for (name, value) in members {
            builder.push(name, value);
        }
        builder.finish()
    }
}

impl IntoIterator for Slots {
    type Item = (AttrName, Value);
    type IntoIter = IntoIter;

    fn into_iter(self) -> IntoIter {
        IntoIter { left: self.len(), slots: self.0.into_vec().into_iter() }
    }
}

fn members_of(slots: &[Slot]) -> usize {
    let tags = if slots.len() > PLAIN { slots.len().div_ceil(BLOCK) } else { 0 };
    slots.len() - tags
}

fn push(slots: &mut Vec<Slot>, name: AttrName, value: Value) {
    if slots.len() >= PLAIN {
        if slots.len() == PLAIN {
            let tags = tags_of(slots);
            slots.insert(0, Slot::Tags(tags));
        } else if slots.len().is_multiple_of(BLOCK) {
            slots.push(Slot::Tags([0; TAGS]));
        }
        let index = slots.len() % BLOCK;
        let block = slots.len() - index;
        if let Some(Slot::Tags(tags)) = slots.get_mut(block)
            && let Some(tag) = tags.get_mut(index - 1)
        {
            *tag = tag_of(name.folded_hash());
        }
    }
    slots.push(Slot::Member(name, value));
}

fn tags_of(members: &[Slot]) -> [u8; TAGS] {
    let mut tags = [0; TAGS];
    for (tag, slot) in tags.iter_mut().zip(members) {
        if let Slot::Member(name, _) = slot {
            *tag = tag_of(name.folded_hash());
        }
    }
    tags
}

/// The byte of a hash by which a member is looked for. The highest is the one on which all of the
/// name has its effect.
fn tag_of(hash: u32) -> u8 {
    (hash >> 24) as u8
}

#[inline]
fn find(slots: &[Slot], hash: u32, same: impl Fn(&AttrName) -> bool) -> Option<usize> {
    if slots.len() > PLAIN {
        return find_by_tags(slots, hash, same);
    }
    slots.iter().position(|slot| slot.is(hash, &same))
}

fn find_by_tags(slots: &[Slot], hash: u32, same: impl Fn(&AttrName) -> bool) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x80 * ONES;
    let pattern = u64::from(tag_of(hash)) * ONES;
    let mut before = 0;
    for block in slots.chunks(BLOCK) {
        let [Slot::Tags(tags), members @ ..] = block else { return None };
        for (at, word) in tags.as_chunks::<8>().0.iter().enumerate() {
            // A byte that is equal becomes 0, from which a subtraction borrows. A borrow can make
            // the byte above look equal too, so what is found is but where to look.
            let word = u64::from_le_bytes(*word) ^ pattern;
            let mut found = word.wrapping_sub(ONES) & !word & HIGH;
            while found != 0 {
                let index = at * 8 + found.trailing_zeros() as usize / 8;
                if members.get(index).is_some_and(|slot| slot.is(hash, &same)) {
                    return Some(before + 1 + index);
                }
                found &= found - 1;
            }
        }
        before += BLOCK;
    }
    None
}

/// The members in order.
pub(super) struct Iter<'s> {
    slots: std::slice::Iter<'s, Slot>,
    left: usize,
}

impl<'s> Iterator for Iter<'s> {
    type Item = (&'s AttrName, &'s Value);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Slot::Member(name, value) = self.slots.next()? {
                self.left -= 1;
                return Some((name, value));
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Iter<'_> {}

/// The members in order.
pub(super) struct IterMut<'s> {
    slots: std::slice::IterMut<'s, Slot>,
    left: usize,
}

impl<'s> Iterator for IterMut<'s> {
    type Item = (&'s AttrName, &'s mut Value);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Slot::Member(name, value) = self.slots.next()? {
                self.left -= 1;
                return Some((name, value));
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for IterMut<'_> {}

/// The members of an [`Object`](super::Object), in order.
pub struct IntoIter {
    slots: std::vec::IntoIter<Slot>,
    left: usize,
}

impl Iterator for IntoIter {
    type Item = (AttrName, Value);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Slot::Member(name, value) = self.slots.next()? {
                self.left -= 1;
                return Some((name, value));
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for IntoIter {}
