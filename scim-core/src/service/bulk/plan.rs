//! In which order the operations of a bulk request are made.
//!
//! Operations are made in the order of the request, except that one waits for the resources it
//! refers to: of those that wait for nothing, the first in the request is next. RFC 7644 §3.7 lets
//! a service provider reorder as long as "the client's intent is preserved"; so that it is, what a
//! request does to one resource stays in its order, and nothing is made earlier than it must.
//!
//! Resources that refer to one another in a circle (§3.7.1) are one unit of the plan: the rest of
//! the request waits until the circle is complete. Within it, a resource is created without a
//! reference that is not known yet; as few are as it takes.
//!
//! Takes time linear in operations and references, but for the heaps that choose the first.

#![expect(
    clippy::indexing_slicing,
    reason = "indices are those of operations; every table has a place for each"
)]

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// What one operation waits for.
#[derive(Clone, Debug, Default)]
pub(super) struct Node {
    /// The creations its data refers to.
    pub(super) needs: Vec<Need>,
    /// The operations that come first for another reason.
    pub(super) after: Vec<usize>,
}

/// A reference to what another operation creates.
#[derive(Clone, Copy, Debug)]
pub(super) struct Need {
    pub(super) operation: usize,
    /// Whether the resource can be created without the reference.
    pub(super) deferrable: bool,
}

/// What is made together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    One(usize),
    /// Creations that refer to one another, in an order in which each can be made: without the
    /// references to those that come later in it.
    Circle(Vec<usize>),
    /// Creations none of which can be made before another one.
    Knot(Vec<usize>),
}

impl Unit {
    pub(super) fn operations(&self) -> &[usize] {
        match self {
            Self::One(operation) => std::slice::from_ref(operation),
            Self::Circle(operations) | Self::Knot(operations) => operations,
        }
    }
}

/// Every operation in one unit of the plan.
pub(super) fn plan(nodes: &[Node]) -> Vec<Unit> {
    let circles = circles(nodes);
    // Units wait for units: `waiting[u]` for how many, and `waiters[u]` who does.
    let mut waiting = vec![0_usize; circles.members.len()];
    let mut waiters = vec![Vec::new(); circles.members.len()];
    for (operation, node) in nodes.iter().enumerate() {
        let unit = circles.of[operation];
        let firsts = node.needs.iter().map(|need| need.operation).chain(node.after.iter().copied());
        for first in firsts.map(|operation| circles.of[operation]).filter(|first| *first != unit) {
            waiting[unit] += 1;
            waiters[first].push(unit);
        }
    }
    // Units by their first operation.
    let mut ready: BinaryHeap<Reverse<(usize, usize)>> = BinaryHeap::new();
    let first_of = |unit: usize| circles.members[unit].first().copied().unwrap_or_default();
    ready.extend(
        (0..waiting.len()).filter(|unit| waiting[*unit] == 0).map(|unit| Reverse((first_of(unit), unit))),
    );
    let mut units = Vec::with_capacity(waiting.len());
    while let Some(Reverse((_, unit))) = ready.pop() {
        units.push(as_unit(nodes, &circles.members[unit]));
        for waiter in std::mem::take(&mut waiters[unit]) {
            waiting[waiter] -= 1;
            if waiting[waiter] == 0 {
                ready.push(Reverse((first_of(waiter), waiter)));
            }
        }
    }
    units
}

/// The operations of one unit, put into an order.
fn as_unit(nodes: &[Node], members: &[usize]) -> Unit {
    match *members {
        [one] if nodes[one].needs.iter().all(|need| need.operation != one) => Unit::One(one),
        _ => match around(nodes, members) {
            Some(order) => Unit::Circle(order),
            None => Unit::Knot(members.to_vec()),
        },
    }
}

/// An order of `members`, which are sorted, in which every reference to a later one is deferrable.
fn around(nodes: &[Node], members: &[usize]) -> Option<Vec<usize>> {
    let place = |operation: usize| members.binary_search(&operation).ok();
    let count = members.len();
    // How many of the members each waits for, and for how many of these it must.
    let (mut waiting, mut must) = (vec![0_usize; count], vec![0_usize; count]);
    let mut waiters = vec![Vec::new(); count];
    for (waiter, member) in members.iter().enumerate() {
        for need in &nodes[*member].needs {
            let Some(first) = place(need.operation) else { continue };
            waiting[waiter] += 1;
            must[waiter] += usize::from(!need.deferrable);
            waiters[first].push((waiter, need.deferrable));
        }
    }
    let numbered = |of: &[usize]| -> BinaryHeap<Reverse<usize>> {
        (0..count).filter(|member| of[*member] == 0).map(Reverse).collect()
    };
    let (mut ready, mut possible) = (numbered(&waiting), numbered(&must));
    let mut done = vec![false; count];
    let mut order = Vec::with_capacity(count);
    // First whoever waits for nothing; else, to break the circle, whoever can go without.
    while let Some(Reverse(next)) = ready.pop().or_else(|| possible.pop()) {
        if std::mem::replace(&mut done[next], true) {
            continue;
        }
        order.push(members[next]);
        for (waiter, deferrable) in std::mem::take(&mut waiters[next]) {
            waiting[waiter] -= 1;
            if waiting[waiter] == 0 {
                ready.push(Reverse(waiter));
            }
            if !deferrable {
                must[waiter] -= 1;
                if must[waiter] == 0 {
                    possible.push(Reverse(waiter));
                }
            }
        }
    }
    (order.len() == count).then_some(order)
}

/// The operations grouped by who refers to whom in a circle.
struct Circles {
    /// The group of each operation.
    of: Vec<usize>,
    /// The operations of each group, in the order of the request.
    members: Vec<Vec<usize>>,
}

/// The strongly connected components of the references, by Tarjan's algorithm with a stack of its
/// own: how long a chain of references is, the client decides.
fn circles(nodes: &[Node]) -> Circles {
    const UNSEEN: usize = usize::MAX;
    let count = nodes.len();
    let (mut number, mut low) = (vec![UNSEEN; count], vec![UNSEEN; count]);
    let mut of = vec![UNSEEN; count];
    let mut groups = 0;
    let mut numbers = 0..;
    // Those seen whose group is not known yet, and the walk to the one looked at.
    let mut open = Vec::new();
    let mut walk: Vec<(usize, usize)> = Vec::new();
    for start in 0..count {
        if number[start] == UNSEEN {
            walk.push((start, 0));
        }
        while let Some((node, next)) = walk.pop() {
            if next == 0 {
                number[node] = numbers.next().unwrap_or(UNSEEN);
                low[node] = number[node];
                open.push(node);
            }
            match nodes[node].needs.get(next) {
                Some(need) => {
                    walk.push((node, next + 1));
                    let target = need.operation;
                    if number[target] == UNSEEN {
                        walk.push((target, 0));
                    } else if of[target] == UNSEEN {
                        low[node] = low[node].min(number[target]);
                    }
                }
                None => {
                    if let Some((parent, _)) = walk.last() {
                        low[*parent] = low[*parent].min(low[node]);
                    }
                    if low[node] == number[node] {
                        while let Some(member) = open.pop() {
                            of[member] = groups;
                            if member == node {
                                break;
                            }
                        }
                        groups += 1;
                    }
                }
            }
        }
    }
    let mut members = vec![Vec::new(); groups];
    for (operation, group) in of.iter().enumerate() {
        members[*group].push(operation);
    }
    Circles { of, members }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Nodes of references that can all be deferred but those negated.
    fn nodes(needs: &[&[isize]]) -> Vec<Node> {
        let need = |number: &isize| Need {
            operation: if *number < 0 { -(number + 1) } else { *number } as usize,
            deferrable: *number >= 0,
        };
        needs
            .iter()
            .map(|needs| Node { needs: needs.iter().map(need).collect(), after: Vec::new() })
            .collect()
    }

    #[test]
    fn what_refers_to_nothing_later_is_made_in_the_order_sent() {
        assert_eq!(plan(&nodes(&[&[], &[0], &[], &[1, 0]])), [0, 1, 2, 3].map(Unit::One));
        assert_eq!(plan(&[]), []);
    }

    #[test]
    fn what_refers_to_something_later_waits_and_no_longer() {
        assert_eq!(plan(&nodes(&[&[2], &[], &[], &[]])), [1, 2, 0, 3].map(Unit::One));
        assert_eq!(plan(&nodes(&[&[1], &[2], &[3], &[]])), [3, 2, 1, 0].map(Unit::One));
    }

    #[test]
    fn what_comes_after_another_keeps_its_place_behind_it() {
        let mut nodes = nodes(&[&[2], &[], &[]]);
        nodes[1].after.push(0);
        assert_eq!(plan(&nodes), [2, 0, 1].map(Unit::One));
    }

    #[test]
    fn a_circle_is_one_unit_and_broken_once() {
        assert_eq!(plan(&nodes(&[&[1], &[0]])), [Unit::Circle(vec![0, 1])]);
        assert_eq!(plan(&nodes(&[&[0]])), [Unit::Circle(vec![0])]);
        // 0 is created without 1; after that nobody needs to be created without anybody.
        assert_eq!(plan(&nodes(&[&[1], &[2], &[3], &[0]])), [Unit::Circle(vec![0, 3, 2, 1])]);
        // Who refers into a circle waits for all of it, and a circle for whom it refers to.
        assert_eq!(
            plan(&nodes(&[&[1], &[2], &[1, 3], &[]])),
            [Unit::One(3), Unit::Circle(vec![1, 2]), Unit::One(0)]
        );
    }

    #[test]
    fn a_circle_is_broken_where_it_can_be() {
        // 0 cannot be created without 1, but 1 without 0.
        assert_eq!(plan(&nodes(&[&[-2], &[0]])), [Unit::Circle(vec![1, 0])]);
        assert_eq!(plan(&nodes(&[&[-2], &[-1], &[]])), [Unit::Knot(vec![0, 1]), Unit::One(2)]);
        assert_eq!(plan(&nodes(&[&[-1]])), [Unit::Knot(vec![0])]);
    }

    #[test]
    fn the_longest_chains_and_circles_are_planned() {
        let count = 200_000;
        let need = |operation| Node { needs: vec![Need { operation, deferrable: true }], after: Vec::new() };
        let mut chain: Vec<Node> = (0..count).map(|at| need((at + 1) % count)).collect();
        let Some(Unit::Circle(order)) = plan(&chain).pop() else { panic!("no circle") };
        assert_eq!((order.len(), order[0], order[1]), (count, 0, count - 1));
        chain[count - 1].needs.clear();
        let units = plan(&chain);
        assert_eq!((units.len(), &units[0]), (count, &Unit::One(count - 1)));
    }

    #[test]
    fn a_crowd_that_refers_to_one_and_one_that_refers_to_a_crowd_are_planned() {
        let count = 100_000;
        let need = |operation| Need { operation, deferrable: false };
        let mut nodes = vec![Node { needs: vec![need(count - 1)], after: Vec::new() }; count];
        nodes[count - 1].needs.clear();
        nodes[0].needs = (1..count).map(need).collect();
        let units = plan(&nodes);
        assert_eq!(
            (units.len(), &units[0], &units[count - 1]),
            (count, &Unit::One(count - 1), &Unit::One(0))
        );
    }

    /// Whether `from` reaches `to` by references, at least one.
    fn reaches(nodes: &[Node], from: usize, to: usize) -> bool {
        let mut seen = vec![false; nodes.len()];
        let mut left: Vec<usize> = nodes[from].needs.iter().map(|need| need.operation).collect();
        while let Some(node) = left.pop() {
            if !std::mem::replace(&mut seen[node], true) {
                left.extend(nodes[node].needs.iter().map(|need| need.operation));
            }
        }
        seen[to]
    }

    proptest! {
        #[test]
        fn a_plan_is_the_naive_one(
            needs in (1..9_usize).prop_flat_map(|count| {
                let need = (0..count, prop::bool::weighted(0.7));
                prop::collection::vec(prop::collection::vec(need, 0..3), count)
            }),
            followers in prop::collection::vec(any::<prop::sample::Index>(), 0..3),
        ) {
            let need = |(operation, deferrable)| Need { operation, deferrable };
            let mut nodes: Vec<Node> = needs
                .into_iter()
                .map(|needs| Node { needs: needs.into_iter().map(need).collect(), after: Vec::new() })
                .collect();
            // Operations behind, which nothing refers to, each after all that are before it.
            for follower in followers {
                let first = follower.index(nodes.len());
                nodes.push(Node { needs: Vec::new(), after: vec![first] });
            }
            let units = plan(&nodes);

            // The same circles: who reaches whom and back.
            let together = |a: usize, b: usize| a == b || (reaches(&nodes, a, b) && reaches(&nodes, b, a));
            let mut left: Vec<usize> = (0..nodes.len()).collect();
            for unit in &units {
                // The first in the request whose group waits for nobody outside of it.
                let group = |of: usize| -> Vec<usize> {
                    (0..nodes.len()).filter(|other| together(of, *other)).collect()
                };
                let waits = |of: usize| group(of).iter().any(|member| {
                    let node = &nodes[*member];
                    let firsts = node.needs.iter().map(|need| need.operation).chain(node.after.clone());
                    firsts.into_iter().any(|first| left.contains(&first) && !together(of, first))
                });
                let next = *left.iter().find(|operation| !waits(**operation)).unwrap();
                let members = group(next);
                left.retain(|operation| !members.contains(operation));
                let circular = reaches(&nodes, next, next);
                match unit {
                    Unit::One(one) => prop_assert_eq!((vec![*one], false), (members, circular)),
                    Unit::Circle(order) => {
                        prop_assert!(circular);
                        for (place, operation) in order.iter().enumerate() {
                            for need in &nodes[*operation].needs {
                                let known = order[..place].contains(&need.operation) || !members.contains(&need.operation);
                                prop_assert!(known || need.deferrable);
                            }
                        }
                        let mut sorted = order.clone();
                        sorted.sort_unstable();
                        prop_assert_eq!(sorted, members);
                    }
                    Unit::Knot(knot) => {
                        prop_assert!(circular);
                        prop_assert_eq!(knot, &members);
                        // No order does: the references that cannot be deferred are a circle.
                        let hard: Vec<Node> = nodes
                            .iter()
                            .map(|node| Node {
                                needs: node.needs.iter().copied().filter(|need| !need.deferrable).collect(),
                                after: Vec::new(),
                            })
                            .collect();
                        prop_assert!(members.iter().any(|member| reaches(&hard, *member, *member)));
                    }
                }
            }
            prop_assert!(left.is_empty());
        }
    }
}
