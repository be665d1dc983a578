//! In which order teams get their names, and how one is called in between.

use std::collections::{BTreeSet, HashMap, VecDeque};

use super::check::Check;
use super::config::MAX_NAME;

/// Teams that are to be renamed, each when no other of them has its name any more.
#[derive(Debug, Default)]
pub(super) struct Renames {
    waiting: VecDeque<Waiting>,
    /// How many of them have a name now.
    held: HashMap<String, usize>,
}

#[derive(Debug)]
struct Waiting {
    check: Check,
    from: String,
    to: String,
}

impl Renames {
    /// The team of `check` is called `from`, and is to be called `to`.
    pub(super) fn push(&mut self, check: Check, from: &str, to: &str) {
        let (from, to) = (folded(from), folded(to));
        *self.held.entry(from.clone()).or_default() += 1;
        self.waiting.push_back(Waiting { check, from, to });
    }

    /// The next one, and whether it has to give its name away first: each of them waits for another.
    pub(super) fn next(&mut self) -> Option<(Check, bool)> {
        let free = self.waiting.iter().position(|one| self.is_free(one));
        let place = free.unwrap_or_else(|| self.in_circle());
        let one = self.waiting.remove(place)?;
        if let Some(held) = self.held.get_mut(&one.from) {
            *held -= 1;
        }
        Some((one.check, free.is_none()))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    fn is_free(&self, one: &Waiting) -> bool {
        let held = self.held.get(&one.to).copied().unwrap_or_default();
        held == usize::from(one.from == one.to)
    }

    /// One that waits for itself by way of others: from any on, whoever waits for whom ends in a circle.
    fn in_circle(&self) -> usize {
        let (mut place, mut seen) = (0, BTreeSet::new());
        while seen.insert(place) {
            let Some(one) = self.waiting.get(place) else { break };
            let others = self.waiting.iter().enumerate().filter(|(other, _)| *other != place);
            let Some((next, _)) = others.into_iter().find(|(_, other)| other.from == one.to) else { break };
            place = next;
        }
        place
    }
}

/// Whether two names may count as the same: that case makes a difference, PagerDuty does not say.
pub(super) fn is_same(one: &str, other: &str) -> bool {
    folded(one) == folded(other)
}

fn folded(name: &str) -> String {
    name.to_lowercase()
}

/// How `team` is called until it is `name`: the first attempt at that, or a further one where another team has it.
pub(super) fn temporary(name: &str, team: &str, attempt: u32) -> String {
    let end = match attempt {
        0 | 1 => format!(" (being renamed, {team})"),
        _ => format!(" (being renamed, {team}, {attempt})"),
    };
    // INVARIANT: the id of a team has at most 64 characters.
    let room = MAX_NAME.saturating_sub(end.chars().count());
    let start: String = name.chars().take(room).collect();
    format!("{}{end}", start.trim_end())
}

#[cfg(test)]
mod tests {
    use super::super::book::Who;
    use super::*;

    /// The order, each by its first letter; upper case where it gives its name away first.
    fn order(names: &[(&str, &str)]) -> String {
        let mut renames = Renames::default();
        for (place, (from, to)) in names.iter().enumerate() {
            renames.push(Check::new(Who::Group(place)), from, to);
        }
        let mut order = String::new();
        while let Some((check, gives_way)) = renames.next() {
            let Who::Group(place) = *check.who() else { unreachable!() };
            let (from, to) = names[place];
            if gives_way {
                order.push_str(&from.to_uppercase());
                renames.push(check, &temporary(to, "P", 1), to);
            } else {
                order.push_str(&from.to_lowercase());
            }
        }
        order
    }

    #[test]
    fn a_name_is_given_away_only_in_a_circle() {
        assert_eq!(order(&[("a", "x"), ("b", "y")]), "ab");
        assert_eq!(order(&[("a", "b"), ("b", "c"), ("c", "d")]), "cba");
        assert_eq!(order(&[("a", "b"), ("b", "a")]), "Aba");
        assert_eq!(order(&[("a", "b"), ("b", "c"), ("c", "a")]), "Acba");
        // Who waits for one of a circle is not in it.
        assert_eq!(order(&[("x", "a"), ("a", "b"), ("b", "a")]), "Axba");
        assert_eq!(order(&[("a", "b"), ("b", "a"), ("c", "d"), ("d", "c")]), "AbaCdc");
        // With another case it is the same name, for others and not for itself.
        assert_eq!(order(&[("a", "A")]), "a");
        assert_eq!(order(&[("a", "B"), ("b", "A")]), "Aba");
    }

    #[test]
    fn a_temporary_name_says_what_it_is_and_fits() {
        assert_eq!(temporary("SRE", "PQ9K7I8", 1), "SRE (being renamed, PQ9K7I8)");
        assert_eq!(temporary("SRE", "PQ9K7I8", 2), "SRE (being renamed, PQ9K7I8, 2)");
        let longest = temporary(&"ü".repeat(MAX_NAME), &"P".repeat(64), u32::MAX);
        assert_eq!(longest.chars().count(), MAX_NAME);
        assert!(longest.starts_with('ü'), "{longest}");
    }
}
