//! Runs of the bridge against the model, with faults.

use std::time::Duration;

use http::{HeaderMap, Response};
use scim_profiles::pagerduty::teams::{
    Auth, DesiredGroup, Region, Report, Secret, Step, TeamConfig, TeamOptions, TeamState, TeamSync,
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
}

pub(crate) const FAULTS: [Fault; 13] = [
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
    mut fault: impl FnMut() -> Fault,
    mut look: impl FnMut(&PagerDuty, &TeamState, &Write),
) -> Option<Report> {
    let mut sync = TeamSync::new(config.clone(), groups.to_vec(), state.clone());
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
            Step::Done(report) => return Some(report),
        };
        if let Some(write) = request.write() {
            assert!(!report_is_dry(config), "{write}");
            look(model, state, write);
        }
        now += Duration::from_millis(100);
        let http = request.into_http();
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
            Fault::CrashBefore => return None,
            Fault::CrashAfter => {
                model.answer(&http);
                return None;
            }
        }
    }
    panic!("the run does not end");
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
