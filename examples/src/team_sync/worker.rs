//! When a run begins.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use scim_core::audit::{Effect, Record, Sink, SinkError};
use scim_core::{Store, TenantId};
use scim_profiles::pagerduty::teams::{End, Problem, Report};
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, timeout_at};

use super::run::Bridge;

/// Tells each tenant's worker of what changed: the audit trail of the SCIM service.
pub(super) struct Changes(HashMap<TenantId, Arc<Notify>>);

impl Changes {
    /// For these tenants.
    pub(super) fn new(tenants: impl IntoIterator<Item = TenantId>) -> Self {
        Self(tenants.into_iter().map(|tenant| (tenant, Arc::new(Notify::new()))).collect())
    }

    /// What is told when something of `tenant` changed.
    pub(super) fn of(&self, tenant: &TenantId) -> Arc<Notify> {
        self.0.get(tenant).cloned().unwrap_or_default()
    }
}

impl Sink for Changes {
    fn record(&self, record: &Record) -> Result<(), SinkError> {
        if let (Some(notify), true) = (self.0.get(&record.tenant), record.effect != Effect::Refused) {
            notify.notify_one();
        }
        Ok(())
    }
}

/// Waits for changes, and for time to pass.
pub(super) struct Worker<S> {
    pub(super) bridge: Bridge<S>,
    pub(super) changed: Arc<Notify>,
    /// How long nothing must have changed before a run begins.
    pub(super) settle: Duration,
    /// How long there is no run where nothing changes.
    pub(super) every: Duration,
}

impl<S: Store> Worker<S> {
    /// Runs until the process is to end.
    pub(super) async fn work(self) {
        let mut stopped = self.bridge.stopped.clone();
        let mut guarded = BTreeSet::new();
        loop {
            match self.bridge.run().await {
                Ok(Some(report)) => log(&self.bridge.tenant, &report, &mut guarded),
                Ok(None) => return,
                Err(error) => {
                    let tenant = self.bridge.tenant.as_str();
                    tracing::error!(tenant, error = format!("{error:#}"), "the run broke off");
                }
            }
            tokio::select! {
                () = next_run(&self.changed, self.settle, self.every) => {}
                _ = stopped.wait_for(|stopped| *stopped) => return,
            }
        }
    }
}

/// Waits until something changed and nothing more has followed, but not for ever; or until it is time.
async fn next_run(changed: &Notify, settle: Duration, every: Duration) {
    let now = Instant::now();
    if timeout_at(now + every, changed.notified()).await.is_err() {
        return;
    }
    let first = Instant::now();
    let mut last = first;
    while timeout_at(due(first, last, settle), changed.notified()).await.is_ok() {
        last = Instant::now();
    }
}

/// When a run begins, of changes between these moments. Whoever pushes group after group, without a pause, sees
/// the first ones arrive all the same.
fn due(first: Instant, last: Instant, settle: Duration) -> Instant {
    (last + settle).min(first + settle.saturating_mul(LONGEST_SETTLE))
}

/// How many times longer than without changes a run waits while changes go on.
const LONGEST_SETTLE: u32 = 10;

/// What was said of a guard: of which group, which rule, and whom it protects.
type Said = (String, &'static str, Option<String>);

const PROTECTED_USER: &str = "guard-protected-user";

/// Says how a run ended, and what it could not do. What a guard refuses of a group is said when that
/// begins.
fn log(tenant: &TenantId, report: &Report, guarded: &mut BTreeSet<Said>) {
    let tenant = tenant.as_str();
    let (changes, problems) = (report.plan.writes().len(), report.problems().count());
    let groups = report.groups.len();
    match (&report.end, problems) {
        (End::Complete, 0) => tracing::info!(tenant, groups, changes, "PagerDuty is up to date"),
        (End::Complete, _) => {
            tracing::warn!(
                tenant,
                groups,
                changes,
                problems,
                "PagerDuty is up to date but for what is left undone"
            );
        }
        (end, _) => tracing::error!(tenant, changes, %end, "the run ended early"),
    }
    let before = std::mem::take(guarded);
    for group in &report.groups {
        let team = group.team_problems().map(|problem| (None, problem));
        let members = group.member_problems().map(|(member, problem)| (Some(member), problem));
        for (member, problem) in team.chain(members) {
            if let Problem::Guarded(refusal) = problem {
                // A ceiling is one for all of a group; who is protected is so one by one.
                let whom = member.filter(|_| refusal.rule == PROTECTED_USER).map(|member| &member.user);
                let this = (group.group.clone(), refusal.rule, whom.cloned());
                let was_so = before.contains(&this);
                if !guarded.insert(this) || was_so {
                    continue;
                }
            }
            let (email, user) = (member.map(|member| &member.email), member.map(|member| &member.user));
            tracing::warn!(tenant, group = group.name, email, user, %problem, "left undone");
        }
    }
    if report.end != End::Complete {
        guarded.extend(before);
    }
}

/// Whether the process is to end, once `stop` completes.
pub(super) fn until(stop: impl Future<Output = ()> + Send + 'static) -> watch::Receiver<bool> {
    let (tell, told) = watch::channel(false);
    tokio::spawn(async move {
        stop.await;
        tell.send_replace(true);
        // Kept, so that nobody takes the end of the channel for something else.
        tell.closed().await;
    });
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_waits_for_the_end_of_changes_but_not_for_ever() {
        let (first, settle) = (Instant::now(), Duration::from_secs(3));
        let after = |last: u64| (due(first, first + Duration::from_secs(last), settle) - first).as_secs();
        assert_eq!([after(0), after(2), after(26), after(28), after(1_000)], [3, 5, 29, 30, 30]);
    }

    #[tokio::test]
    async fn a_run_begins_after_a_change_and_without_one() {
        let (soon, never) = (Duration::from_millis(10), Duration::from_secs(3_600));
        let changed = Notify::new();
        changed.notify_one();
        let long = Duration::from_secs(60);
        tokio::time::timeout(long, next_run(&changed, soon, never)).await.unwrap();
        tokio::time::timeout(long, next_run(&changed, never, soon)).await.unwrap();
        assert!(tokio::time::timeout(soon, next_run(&changed, soon, never)).await.is_err());
    }

    #[test]
    fn each_tenant_is_told_of_its_own_changes() {
        use scim_core::CredentialId;
        use scim_core::service::Operation;

        let [a, b] = ["a", "b"].map(TenantId::new);
        let changes = Changes::new([a.clone(), b.clone()]);
        let is_told = |tenant: &TenantId| {
            let notify = changes.of(tenant);
            std::pin::pin!(notify.notified()).enable()
        };
        let now = jiff::Timestamp::UNIX_EPOCH;
        let mut record = Record::new(now, a.clone(), CredentialId::new("c"), Operation::Patch);
        changes.record(&record).unwrap();
        assert!(!is_told(&a), "what was refused is no change");
        record.effect = Effect::Changed;
        changes.record(&record).unwrap();
        assert!(is_told(&a) && !is_told(&b));
        record.tenant = TenantId::new("c");
        changes.record(&record).unwrap();
    }
}
