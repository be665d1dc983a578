//! One run of the bridge: the planner's steps, done.

use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};
use scim_core::schema::Registry;
use scim_core::{Store, TenantId};
use scim_profiles::pagerduty::teams::{Mode, Report, Step, TeamConfig, TeamSync};
use tokio::sync::watch;

use super::client::Client;
use super::directory;
use super::memory::Memory;
use super::trail::Trail;

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
    /// Whether the process is to end.
    pub(super) stopped: watch::Receiver<bool>,
}

impl<S: Store> Bridge<S> {
    /// Brings PagerDuty up to date, or in a dry run says what that takes. `None` if the process is to end before;
    /// the request under way is finished then, and what came of it recorded.
    ///
    /// # Errors
    ///
    /// The database fails. What was done is known to the next run.
    pub(super) async fn run(&self) -> anyhow::Result<Option<Report>> {
        let tenant = self.tenant.as_str();
        let groups = directory::groups(&self.store, self.registry, &self.tenant).await?;
        let state = self.memory.load(tenant).await?;
        let is_dry = self.config.options.mode == Mode::DryRun;
        let mut sync = TeamSync::new(self.config.clone(), groups, state);
        let bar = progress(tenant);
        let begun = Instant::now();
        let mut stopped = self.stopped.clone();
        while !*stopped.borrow() {
            match sync.next(begun.elapsed(), random) {
                Step::Send(request) => {
                    bar.set_message(request.to_string());
                    let write = request.write().cloned();
                    let answer = self.client.send(request.into_http()).await;
                    if let Some(write) = write {
                        let status = answer.as_ref().map(http::Response::status).map_err(|error| *error);
                        self.trail.record(tenant, &write, status);
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
                Step::Wait(pause) => {
                    bar.set_message(format!("waiting for {:.1} s", pause.as_secs_f64()));
                    // Also where nobody can ask for the end any more, this was the time to look.
                    let _ = tokio::time::timeout(pause, stopped.changed()).await;
                }
                Step::Done(report) => {
                    bar.finish_and_clear();
                    return Ok(Some(report));
                }
            }
        }
        bar.finish_and_clear();
        Ok(None)
    }
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

fn show(bar: &ProgressBar, (finished, all): (usize, usize)) {
    bar.set_length(u64::try_from(all).unwrap_or(u64::MAX));
    bar.set_position(u64::try_from(finished).unwrap_or(u64::MAX));
}
