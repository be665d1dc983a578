//! One run of the bridge: the planner's steps, done.

use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};
use jiff::{SignedDuration, Timestamp};
use scim_core::schema::Registry;
use scim_core::{Store, TenantId};
use scim_profiles::guard::{GuardLedger as _, MemoryLedger};
use scim_profiles::pagerduty::teams::{
    End, LookUp, Mode, Released, Report, Step, TeamConfig, TeamSync, Write,
};
use tokio::sync::watch;

use super::client::Client;
use super::directory;
use super::memory::Memory;
use super::trail::{self, Trail};
use crate::guard::Ledger;

/// What a tenant's runs need.
#[derive(Clone)]
pub(super) struct Bridge<S> {
    pub(super) tenant: TenantId,
    pub(super) config: TeamConfig,
    pub(super) store: S,
    pub(super) registry: &'static Registry,
    pub(super) memory: Memory,
    pub(super) client: Client,
    pub(super) trail: Trail,
    /// Where it is noted what was taken away.
    pub(super) ledger: Ledger,
    /// After how long everybody is looked up.
    pub(super) look_up_every: SignedDuration,
    /// Whether the process is to end.
    pub(super) stopped: watch::Receiver<bool>,
}

impl<S: Store> Bridge<S> {
    /// Brings PagerDuty up to date, or in a dry run says what that takes. `None` if the process is to end before;
    /// the request under way is finished then, and what came of it recorded.
    ///
    /// # Errors
    ///
    /// The database or the audit log fails. What was done is known to the next run.
    pub(super) async fn run(&self) -> anyhow::Result<Option<Report>> {
        let tenant = self.tenant.as_str();
        let is_dry = self.config.options.mode == Mode::DryRun;
        if !is_dry {
            self.record_what_was_begun().await?;
        }
        let directory =
            directory::read(&self.store, self.registry, &self.tenant, self.config.guards()).await?;
        let state = self.memory.load(tenant).await?;
        let now = Timestamp::now();
        let mut config = self.config.clone();
        let looked_up = self.memory.looked_up(tenant).await?;
        if looked_up.is_none_or(|at| now.duration_since(at) >= self.look_up_every) {
            config.options.look_up = LookUp::Always;
        }
        let looks_up_all = config.options.look_up == LookUp::Always;
        // A dry run notes nothing, and so judges by itself alone.
        let ledger = if is_dry { Ledger::Memory(MemoryLedger::new()) } else { self.ledger.clone() };
        let lift = self.ledger.lifted(&self.tenant).await?.filter(|lift| lift.until > now);
        let mut sync = TeamSync::new(config, directory.groups, state)
            .at(now)
            .with_lift(lift)
            .with_protected_users(directory.protected);
        let bar = progress(tenant);
        show(&bar, sync.progress());
        let begun = Instant::now();
        let mut stopped = self.stopped.clone();
        while !*stopped.borrow() {
            match sync.next(begun.elapsed(), random) {
                Step::Send(request) => {
                    bar.set_message(request.to_string());
                    let asked = match request.write().cloned() {
                        Some(write) => Some((self.begin(&write).await?, write)),
                        None => None,
                    };
                    let answer = self.client.send(request.into_http()).await;
                    if let Some((id, write)) = asked {
                        let status = answer.as_ref().map(http::Response::status).map_err(|error| *error);
                        self.end(&id, &trail::done(&id, tenant, &write, status)?).await?;
                    }
                    match answer {
                        Ok(response) => sync.receive(begun.elapsed(), response),
                        Err(error) => sync.failed(begun.elapsed(), error),
                    }
                    show(&bar, sync.progress());
                }
                Step::Save(_) if is_dry => {}
                Step::Save(save) => {
                    let (group, state) = (save.group, save.state.cloned());
                    self.memory.save(tenant, &group, state.as_ref()).await?;
                }
                Step::Charge(removals) => {
                    let at = Timestamp::now();
                    let charged = ledger.charge(&self.tenant, at, removals.charges()).await?;
                    sync.charged(at, &charged);
                }
                Step::Release(Released { then, charges }) => {
                    ledger.release(&self.tenant, then, &charges).await?;
                }
                Step::Wait(pause) => {
                    bar.set_message(format!("waiting for {:.1} s", pause.as_secs_f64()));
                    // Also where nobody can ask for the end any more, this was the time to look.
                    let _ = tokio::time::timeout(pause, stopped.changed()).await;
                }
                Step::Done(report) => {
                    bar.finish_and_clear();
                    if !is_dry {
                        self.record_what_is_guarded(&report).await?;
                        if looks_up_all && report.end == End::Complete {
                            self.memory.look_up(tenant, now).await?;
                        }
                    }
                    return Ok(Some(report));
                }
            }
        }
        bar.finish_and_clear();
        Ok(None)
    }

    /// Records what guards refuse and did not refuse before. What they do not refuse any more is forgotten by a run
    /// that came to its end: the next time is another one.
    async fn record_what_is_guarded(&self, report: &Report) -> anyhow::Result<()> {
        let tenant = self.tenant.as_str();
        let mut before = self.memory.guarded(tenant).await?;
        for refused in &report.guarded {
            let refusal = trail::refusal(refused)?;
            if !before.remove(&refusal) {
                let id = new_id();
                let line = trail::guarded(&id, tenant, refused)?;
                self.memory.guard(tenant, &refusal, &id, &line).await?;
                self.trail.record(&line)?;
                self.memory.end(&id).await?;
            }
        }
        if report.end == End::Complete {
            for refusal in before {
                self.memory.unguard(tenant, &refusal).await?;
            }
        }
        Ok(())
    }

    /// Keeps what is about to be changed, until it has a line in the audit log.
    async fn begin(&self, write: &Write) -> anyhow::Result<String> {
        let (id, tenant) = (new_id(), self.tenant.as_str());
        self.memory.begin(tenant, &id, &trail::begun(&id, tenant, write)?).await?;
        Ok(id)
    }

    /// Records what came of it. Where that cannot be done, the next run does it before anything else.
    async fn end(&self, id: &str, line: &str) -> anyhow::Result<()> {
        if let Err(error) = self.trail.record(line) {
            self.memory.begin(self.tenant.as_str(), id, line).await?;
            return Err(error);
        }
        self.memory.end(id).await
    }

    /// Records what was asked for, or refused by a guard, when the process ended, or could not be recorded then: as far
    /// as it is known what came of it.
    async fn record_what_was_begun(&self) -> anyhow::Result<()> {
        for (id, line) in self.memory.begun(self.tenant.as_str()).await? {
            if !self.trail.has(&id)? {
                self.trail.record(&line)?;
            }
            self.memory.end(&id).await?;
        }
        Ok(())
    }
}

fn new_id() -> String {
    uuid::Uuid::new_v4().to_string()
}

fn random() -> u32 {
    uuid::Uuid::new_v4().as_fields().0
}

/// On a terminal, how many groups are done, and what is asked for now.
fn progress(tenant: &str) -> ProgressBar {
    let style = ProgressStyle::with_template("{prefix} {bar:30} {pos}/{len} groups, {elapsed}: {wide_msg}");
    let bar = ProgressBar::new(0).with_prefix(tenant.escape_debug().to_string());
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// Shows how many groups are finished, of how many.
fn show(bar: &ProgressBar, (finished, all): (usize, usize)) {
    bar.set_length(u64::try_from(all).unwrap_or(u64::MAX));
    bar.set_position(u64::try_from(finished).unwrap_or(u64::MAX));
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use indicatif::{ProgressDrawTarget, TermLike};
    use scim_profiles::pagerduty::teams::{Auth, DesiredGroup, Region, Secret, TeamState};

    use super::*;

    /// A terminal of 100 columns that keeps all that is written to it.
    #[derive(Clone, Debug, Default)]
    struct Terminal(Arc<Mutex<String>>);

    impl TermLike for Terminal {
        fn width(&self) -> u16 {
            100
        }

        fn move_cursor_up(&self, _: usize) -> std::io::Result<()> {
            Ok(())
        }

        fn move_cursor_down(&self, _: usize) -> std::io::Result<()> {
            Ok(())
        }

        fn move_cursor_right(&self, _: usize) -> std::io::Result<()> {
            Ok(())
        }

        fn move_cursor_left(&self, _: usize) -> std::io::Result<()> {
            Ok(())
        }

        fn write_line(&self, text: &str) -> std::io::Result<()> {
            self.write_str(text)
        }

        fn write_str(&self, text: &str) -> std::io::Result<()> {
            self.0.lock().unwrap().push_str(text);
            Ok(())
        }

        fn clear_line(&self) -> std::io::Result<()> {
            self.write_str("<clear>")
        }

        fn flush(&self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// The bar of a run of three groups, of which each fails: it shows what is asked for, how many are done of how
    /// many, and is gone at the end.
    #[test]
    fn the_bar_follows_the_run() {
        let terminal = Terminal::default();
        let shown = || std::mem::take(&mut *terminal.0.lock().unwrap());
        let bar = progress("ac\u{1b}me");
        bar.set_draw_target(ProgressDrawTarget::term_like_with_hz(Box::new(terminal.clone()), 255));
        let auth = Auth::ApiKey(Secret::new("key"));
        let config = TeamConfig::new(Region::Us, auth, "acme").unwrap();
        let groups = ["A", "B", "C"].map(|name| DesiredGroup::new(name, name)).into();
        let mut sync = TeamSync::new(config, groups, TeamState::default());
        show(&bar, sync.progress());
        let mut seen = Vec::new();
        loop {
            match sync.next(std::time::Duration::ZERO, || 0) {
                Step::Send(request) => {
                    bar.set_message(request.to_string());
                    let refused = http::Response::builder().status(400);
                    sync.receive(std::time::Duration::ZERO, refused.body(Vec::new()).unwrap());
                    show(&bar, sync.progress());
                    // A bar is drawn so many times a second; here whenever it changes.
                    bar.force_draw();
                    let (done, all) = sync.progress();
                    seen.push((format!("{done}/{all} groups"), shown()));
                }
                Step::Done(_) => break,
                _ => {}
            }
        }
        assert!(!seen.is_empty());
        for (done, text) in &seen {
            assert!(text.contains(done) && !text.contains("0/0"), "{done}: {text:?}");
            assert!(text.contains(r"ac\u{1b}me") && text.contains("find the team"), "{text:?}");
        }
        assert_eq!(seen.last().unwrap().0, "3/3 groups");
        bar.finish_and_clear();
        let end = shown();
        assert!(end.contains("<clear>") && !end.contains("groups"), "{end:?}");
    }
}
