//! Runs of the bridge against the model, with faults.

use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use http::{HeaderMap, Response};
use jiff::{SignedDuration, Timestamp};
use scim_core::TenantId;
use scim_profiles::guard::{GuardLedger, MemoryLedger};
use scim_profiles::pagerduty::teams::{
    Auth, DesiredGroup, Region, Released, Report, Secret, Step, TeamConfig, TeamOptions, TeamState, TeamSync,
    TransportError, Write,
};

use crate::model::{self, PagerDuty};

/// What goes wrong with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    NotSent,
    DroppedBefore,
    DroppedAfter,
    /// It arrives twice, and is answered for the first time.
    Twice,
    /// It arrives twice, and is answered for the second time.
    TwiceAnsweredLast,
    FailsBefore,
    FailsAfter,
    Limited,
    LimitedWithoutHeaders,
    Html,
    HtmlAfter,
    CrashBefore,
    CrashAfter,
    /// It has its effect when so many more were answered, and is not answered itself, or answered 5xx, or
    /// has had it before, too.
    Late(u32),
    FailsLate(u32),
    TwiceLate(u32),
}

impl Fault {
    /// Whether something has its effect when nobody waits for it any more.
    pub(crate) fn is_late(self) -> bool {
        matches!(self, Self::Late(_) | Self::FailsLate(_) | Self::TwiceLate(_))
    }
}

pub(crate) const FAULTS: [Fault; 20] = [
    Fault::NotSent,
    Fault::DroppedBefore,
    Fault::DroppedAfter,
    Fault::Twice,
    Fault::TwiceAnsweredLast,
    Fault::FailsBefore,
    Fault::FailsAfter,
    Fault::Limited,
    Fault::LimitedWithoutHeaders,
    Fault::Html,
    Fault::HtmlAfter,
    Fault::CrashBefore,
    Fault::CrashAfter,
    Fault::Late(1),
    Fault::Late(3),
    Fault::Late(20),
    Fault::FailsLate(2),
    Fault::FailsLate(9),
    Fault::TwiceLate(2),
    Fault::TwiceLate(12),
];

pub(crate) fn config() -> TeamConfig {
    TeamConfig::new(Region::Us, Auth::ApiKey(Secret::new(model::KEY)), "t-123").unwrap()
}

pub(crate) fn with(change: impl FnOnce(&mut TeamOptions)) -> TeamConfig {
    let mut options = TeamOptions::default();
    change(&mut options);
    config().with_options(options)
}

fn limited() -> Response<Vec<u8>> {
    let mut response = model::error(429, 2020, "Rate Limit Exceeded", &[]);
    let headers: &mut HeaderMap = response.headers_mut();
    headers.insert("ratelimit-limit", "960".parse().unwrap());
    headers.insert("ratelimit-remaining", "0".parse().unwrap());
    headers.insert("ratelimit-reset", "20".parse().unwrap());
    response
}

fn plain(status: u16, body: &str) -> Response<Vec<u8>> {
    Response::builder().status(status).body(body.as_bytes().to_vec()).unwrap()
}

/// A run; `None` if it crashed. `state` is then what was kept.
pub(crate) fn run_with(
    model: &mut PagerDuty,
    config: &TeamConfig,
    groups: &[DesiredGroup],
    state: &mut TeamState,
    fault: impl FnMut() -> Fault,
    look: impl FnMut(&PagerDuty, &TeamState, &Write),
) -> Option<Report> {
    let sync = TeamSync::new(config.clone(), groups.to_vec(), state.clone());
    run_sync(sync, (model, config, state), &MemoryLedger::new(), fault, look)
}

/// The same as it is begun, with a ledger of the guards.
pub(crate) fn run_sync(
    mut sync: TeamSync,
    (model, config, state): (&mut PagerDuty, &TeamConfig, &mut TeamState),
    ledger: &MemoryLedger,
    mut fault: impl FnMut() -> Fault,
    mut look: impl FnMut(&PagerDuty, &TeamState, &Write),
) -> Option<Report> {
    let tenant = TenantId::new("t-123");
    let mut now = Duration::from_secs(1000);
    for turn in 0_u32..100_000 {
        let random = turn.wrapping_mul(0x9E37_79B9);
        let request = match sync.next(now, || random) {
            Step::Send(request) => request,
            Step::Save(save) => {
                let fault = fault();
                if fault == Fault::CrashBefore {
                    return None;
                }
                state.set(&save.group, save.state.cloned());
                if fault == Fault::CrashAfter {
                    return None;
                }
                continue;
            }
            Step::Wait(pause) => {
                assert!(!pause.is_zero() && pause <= Duration::from_secs(302), "{pause:?}");
                now += pause;
                continue;
            }
            Step::Charge(removals) => {
                let at = clock(now);
                let charged = ready(ledger.charge(&tenant, at, removals.charges())).unwrap();
                sync.charged(at, &charged);
                continue;
            }
            Step::Release(Released { then, charges }) => {
                ready(ledger.release(&tenant, then, &charges)).unwrap();
                continue;
            }
            Step::Done(report) => return Some(report),
        };
        if let Some(write) = request.write() {
            assert!(!report_is_dry(config), "{write}");
            look(model, state, write);
        }
        now += Duration::from_millis(100);
        let http = request.into_http();
        model.send(&http);
        match fault() {
            Fault::None => {
                let response = model.answer(&http);
                sync.receive(now, response);
            }
            Fault::NotSent => sync.failed(now, TransportError::NotSent),
            Fault::DroppedBefore => sync.failed(now, TransportError::Dropped),
            Fault::DroppedAfter => {
                model.answer(&http);
                sync.failed(now, TransportError::TimedOut);
            }
            Fault::Twice => {
                let response = model.answer(&http);
                model.answer(&http);
                sync.receive(now, response);
            }
            Fault::TwiceAnsweredLast => {
                model.answer(&http);
                let response = model.answer(&http);
                sync.receive(now, response);
            }
            Fault::FailsBefore => sync.receive(now, plain(503, "")),
            Fault::FailsAfter => {
                model.answer(&http);
                sync.receive(now, plain(500, "{}"));
            }
            Fault::Limited => sync.receive(now, limited()),
            Fault::LimitedWithoutHeaders => sync.receive(now, plain(429, "")),
            Fault::Html => sync.receive(now, plain(200, "<html>maintenance</html>")),
            Fault::HtmlAfter => {
                model.answer(&http);
                sync.receive(now, plain(200, "<html>maintenance</html>"));
            }
            Fault::Late(requests) => {
                model.late.push((requests, http));
                sync.failed(now, TransportError::TimedOut);
            }
            Fault::FailsLate(requests) => {
                model.late.push((requests, http));
                sync.receive(now, plain(503, ""));
            }
            Fault::TwiceLate(requests) => {
                let response = model.answer(&http);
                model.late.push((requests, http));
                sync.receive(now, response);
            }
            Fault::CrashBefore => return None,
            Fault::CrashAfter => {
                model.answer(&http);
                return None;
            }
        }
    }
    panic!("the run does not end");
}

/// The time of a clock that began in 1970.
pub(crate) fn clock(now: Duration) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::try_from(now).unwrap()
}

/// What a future comes to that waits for nothing.
pub(crate) fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("it waits"),
    }
}

fn report_is_dry(config: &TeamConfig) -> bool {
    config.options.mode == scim_profiles::pagerduty::teams::Mode::DryRun
}

/// A run in which nothing goes wrong.
pub(crate) fn run(
    model: &mut PagerDuty,
    config: &TeamConfig,
    groups: &[DesiredGroup],
    state: &mut TeamState,
) -> Report {
    model.log.clear();
    run_with(model, config, groups, state, || Fault::None, |_, _, _| {}).expect("does not crash")
}
