//! The conversation as a list of steps, each with its verdict.

use std::collections::HashSet;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use scim_profiles::Profile;
use serde_json::Value;
use ureq::http::Method;

use super::client::{Answer, Client};
use super::need::{Custom, Manners, Need, judge};
use super::target::{Groups, Target};
use super::vendor::{self, Refusal};

/// So many requests in a row without any answer, and the server is given up.
const PATIENCE: u32 = 3;

/// So many lives make a run long enough for a progress bar.
const LONG_RUN: usize = 20;

/// What a script plays against: the server, and the record of what happened.
pub(crate) struct Session<'c> {
    client: &'c Client,
    profile: &'static Profile,
    groups: Groups,
    custom: Custom,
    progress: bool,
    phase: &'static str,
    played: Vec<Played>,
    cut_short: usize,
    unanswered: u32,
    made: Vec<String>,
    deleted: HashSet<String>,
}

/// One request and what came of it.
#[derive(Debug)]
pub(crate) struct Played {
    /// The part of the script it belongs to.
    pub(crate) phase: &'static str,
    /// What it is for.
    pub(crate) step: &'static str,
    /// Where it is documented that the identity provider does this.
    pub(crate) source: &'static str,
    /// The request's method.
    pub(crate) method: Method,
    /// The request's path and query, as sent.
    pub(crate) path: String,
    /// The status, if an answer came.
    pub(crate) status: Option<u16>,
    /// The row of the profile by which the request is refused, if there is one.
    pub(crate) refused_by: Option<&'static str>,
    /// How long it took.
    pub(crate) took: Duration,
    /// What differs from what is needed; empty when all is well.
    pub(crate) differences: Vec<String>,
}

/// Why a script cannot go on.
#[derive(Debug)]
pub(crate) enum Halt {
    /// This user or group cannot be played any further; the others can.
    CutShort,
    /// The server does not answer.
    Gone,
}

/// What the clean-up came to.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct CleanUp {
    /// Deleted; what was found gone is not counted.
    pub(crate) deleted: usize,
    /// Still there.
    pub(crate) left: usize,
}

/// One step being put together; nothing is sent before [`Step::send`].
#[must_use = "a step does nothing before it is sent"]
pub(crate) struct Step<'s, 'c> {
    session: &'s mut Session<'c>,
    step: &'static str,
    source: &'static str,
    method: Method,
    path: String,
    body: Option<Value>,
    statuses: Vec<u16>,
    needs: Vec<Need>,
}

impl<'c> Session<'c> {
    /// A session with nothing played, against this service; `lives` is how many users and groups will be.
    pub(crate) fn new(
        client: &'c Client,
        target: &Target,
        manners: Manners,
        lives: usize,
        quiet: bool,
    ) -> Self {
        Self {
            client,
            profile: target.profile,
            groups: target.groups,
            custom: Custom { manners, errors: target.profile.errors.body },
            progress: lives >= LONG_RUN && !quiet,
            phase: "",
            played: Vec::new(),
            cut_short: 0,
            unanswered: 0,
            made: Vec::new(),
            deleted: HashSet::new(),
        }
    }

    /// The base URL of the service.
    pub(crate) fn base(&self) -> &str {
        self.client.base()
    }

    /// Opens a part of the script that is played once.
    pub(crate) fn phase(&mut self, phase: &'static str) {
        self.phase = phase;
    }

    /// Plays a part of the script for each of `lives`. One that is cut short does not stop the others.
    ///
    /// # Errors
    ///
    /// [`Halt::Gone`]
    pub(crate) fn each<T>(
        &mut self,
        phase: &'static str,
        lives: &mut [T],
        mut play: impl FnMut(&mut Self, &mut T) -> Result<(), Halt>,
    ) -> Result<(), Halt> {
        self.phase = phase;
        let bar = self.bar(lives.len());
        for life in lives {
            match play(self, life) {
                Ok(()) => {}
                Err(Halt::CutShort) => self.cut_short += 1,
                Err(Halt::Gone) => {
                    bar.abandon();
                    return Err(Halt::Gone);
                }
            }
            bar.inc(1);
        }
        bar.finish_and_clear();
        Ok(())
    }

    /// A step with this purpose; `source` says where it is documented.
    pub(crate) fn step(&mut self, step: &'static str, source: &'static str) -> Step<'_, 'c> {
        Step {
            session: self,
            step,
            source,
            method: Method::GET,
            path: String::new(),
            body: None,
            statuses: vec![200],
            needs: Vec::new(),
        }
    }

    /// Deletes whatever was created and not deleted since, newest first, and says how that went.
    pub(crate) fn clean_up(&mut self) -> CleanUp {
        let left: Vec<_> = self.made.iter().filter(|path| !self.deleted.contains(*path)).cloned().collect();
        let mut done = CleanUp::default();
        self.phase = "clean-up";
        let bar = self.bar(left.len());
        for (n, path) in left.iter().enumerate().rev() {
            match self.client.send(&Method::DELETE, path, None) {
                Ok(answer) if answer.succeeded() => done.deleted += 1,
                Ok(answer) if answer.status == 404 => {}
                Ok(_) => done.left += 1,
                Err(_) => {
                    // Nobody there: waiting for each of the others would take for ever.
                    done.left += n + 1;
                    break;
                }
            }
            bar.inc(1);
        }
        bar.finish_and_clear();
        done
    }

    /// Everything played, in order, and how many lives were cut short.
    pub(crate) fn into_played(self) -> (Vec<Played>, usize) {
        (self.played, self.cut_short)
    }

    fn bar(&self, length: usize) -> ProgressBar {
        if !self.progress {
            return ProgressBar::hidden();
        }
        // Draws on stderr, and not at all where that is no terminal.
        let bar = ProgressBar::new(length as u64).with_message(self.phase);
        match ProgressStyle::with_template("{msg:20} {bar:40} {pos}/{len} {eta}") {
            Ok(style) => bar.with_style(style),
            Err(_) => bar,
        }
    }
}

impl Step<'_, '_> {
    /// `GET`
    pub(crate) fn get(self, path: impl Into<String>) -> Self {
        self.request(Method::GET, path, None)
    }

    /// `POST`; what it creates is remembered for the clean-up.
    pub(crate) fn post(self, path: impl Into<String>, body: Value) -> Self {
        self.request(Method::POST, path, Some(body)).status(&[201])
    }

    /// `PUT`
    pub(crate) fn put(self, path: impl Into<String>, body: Value) -> Self {
        self.request(Method::PUT, path, Some(body))
    }

    /// `PATCH`; 204 does as well as 200.
    pub(crate) fn patch(self, path: impl Into<String>, body: Value) -> Self {
        self.request(Method::PATCH, path, Some(body)).status(&[200, 204])
    }

    /// `DELETE`
    pub(crate) fn delete(self, path: impl Into<String>) -> Self {
        self.request(Method::DELETE, path, None).status(&[204])
    }

    /// The statuses that are well; each method has its usual ones.
    pub(crate) fn status(mut self, statuses: &[u16]) -> Self {
        self.statuses = statuses.to_vec();
        self
    }

    /// One more thing needed of the answer.
    pub(crate) fn needs(mut self, need: Need) -> Self {
        self.needs.push(need);
        self
    }

    /// Sends the request, judges the answer and writes down both. What the vendor's tables say is refused
    /// has to be refused, as they say it.
    ///
    /// # Errors
    ///
    /// No answer came. An answer that differs from what is needed is no error here.
    pub(crate) fn send(self) -> Result<Answer, Halt> {
        let Self { session, step, source, method, path, body, mut statuses, mut needs } = self;
        let refusal = vendor::refusal(session.profile, session.groups, &method, &path, body.as_ref());
        if let Some(Refusal { status, .. }) = refusal {
            statuses = vec![status];
            needs.clear();
        }
        let refused_by = refusal.map(|refusal| refusal.row);
        let answered = session.client.send(&method, &path, body.as_ref());
        let (status, took, differences) = match &answered {
            Ok(answer) => {
                (Some(answer.status), answer.took, judge(answer, &statuses, &needs, session.custom))
            }
            Err(error) => (None, Duration::ZERO, vec![format!("{error:#}")]),
        };
        let differences = differences.iter().map(|text| session.client.redact(text)).collect();
        if let Ok(answer) = &answered
            && answer.succeeded()
        {
            match (&method, answer.id()) {
                (&Method::POST, Some(id)) => session.made.push(format!("{path}/{id}")),
                (&Method::DELETE, _) => {
                    session.deleted.insert(path.trim_end_matches('?').to_owned());
                }
                _ => {}
            }
        }
        let phase = session.phase;
        session.played.push(Played {
            phase,
            step,
            source,
            method,
            path,
            status,
            refused_by,
            took,
            differences,
        });
        match answered {
            Ok(answer) => {
                session.unanswered = 0;
                Ok(answer)
            }
            Err(_) => {
                session.unanswered += 1;
                Err(if session.unanswered >= PATIENCE { Halt::Gone } else { Halt::CutShort })
            }
        }
    }

    fn request(mut self, method: Method, path: impl Into<String>, body: Option<Value>) -> Self {
        self.method = method;
        self.path = path.into();
        self.body = body;
        self
    }
}
