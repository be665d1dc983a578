//! What is in the account of PagerDuty, and what should be.

use std::collections::BTreeMap;
use std::time::Duration;

use scim_examples::pagerduty_rest::{Faults, Seed, SeedUser};

use crate::stand_in::{PagerDuty, seed};

/// The teams, and who is on them.
pub(crate) fn teams(pagerduty: &PagerDuty) -> BTreeMap<String, Vec<String>> {
    pagerduty.handle.account(|account| {
        let names = account.teams().iter().map(|team| team.name.clone());
        names.map(|name| (name.clone(), account.emails_of(&name).unwrap())).collect()
    })
}

pub(crate) fn expected(teams: &[(&str, &[&str])]) -> BTreeMap<String, Vec<String>> {
    let own = |emails: &[&str]| emails.iter().map(|&email| email.to_owned()).collect();
    teams.iter().map(|(name, emails)| ((*name).to_owned(), own(emails))).collect()
}

/// An account with people, without teams.
pub(crate) fn people(count: usize) -> Seed {
    let person = |number: usize| SeedUser {
        id: None,
        name: format!("Person {number}"),
        // In another case than the identity provider has it.
        email: format!("P{number}@Example.com"),
        role: None,
    };
    Seed {
        users: (0..count).map(person).collect(),
        teams: Vec::new(),
        escalation_policies: Vec::new(),
        ..seed()
    }
}

pub(crate) fn everything_goes_wrong(seed: u64) -> Faults {
    Faults {
        seed,
        delay: 20,
        longest_delay: Duration::from_millis(10),
        drop: 8,
        duplicate: 5,
        fail: 8,
        late_roles: Duration::from_millis(20),
        ..Faults::default()
    }
}
