//! The machine: what to send next, what became of it.

use std::fmt;
use std::time::Duration;

use http::header::{HeaderMap, WWW_AUTHENTICATE};
use http::{Request as HttpRequest, Response as HttpResponse, StatusCode};
use jiff::Timestamp;

use super::answer::{self, ApiError, Body};
use super::book::{Answer, Book, Turn};
use super::check::Check;
use super::config::TeamConfig;
use super::desired::DesiredGroup;
use super::find::Find;
use super::guard::{GuardRefusal, Released, Removals};
use super::members::Members;
use super::pace::Pace;
use super::plan::Write;
use super::report::{End, Report};
use super::retire::Retire;
use super::state::{GroupState, TeamState};
use super::token::Session;
use super::wire::{self, Call};
use crate::guard::{Charged, Lift};

/// How many tasks in a row may fail for want of an answer before the run ends.
const MAX_FAILED_TASKS: u32 = 3;

/// A run of the bridge: groups in, requests out, one at a time.
///
/// It does no I/O and reads no clock. Whoever runs it asks for the [next](Self::next) step, does it, and
/// says what came of it by [`receive`](Self::receive) or [`failed`](Self::failed). Times are since any
/// moment of the caller's choice, and never go back.
///
/// ```
/// use std::time::Duration;
/// use http::{Response, StatusCode};
/// use scim_profiles::pagerduty::teams::*;
///
/// let config = TeamConfig::new(Region::Us, Auth::ApiKey(Secret::new("u+abcdefgh")), "t-123")?;
/// let groups = vec![DesiredGroup::new("g1", "Team Alpha").with_member("u1", "alex.doe@example.com")];
/// let mut kept = TeamState::default();
/// let mut sync = TeamSync::new(config, groups, kept.clone());
///
/// // What PagerDuty would answer, in this order.
/// let mut answers = vec![
///     (200, r#"{"teams": [], "more": false}"#),
///     (201, r#"{"team": {"id": "PQ9K7I8", "name": "Team Alpha"}}"#),
///     (200, r#"{"members": [], "more": false}"#),
///     (200, r#"{"users": [{"id": "P0XJYI9", "email": "Alex.Doe@example.com"}], "more": false}"#),
///     (204, ""),
///     (200, r#"{"members": [{"user": {"id": "P0XJYI9"}, "role": "responder"}], "more": false}"#),
/// ]
/// .into_iter();
/// let mut sent = Vec::new();
/// let mut now = Duration::ZERO;
/// let report = loop {
///     match sync.next(now, || 0) {
///         Step::Send(request) => {
///             sent.push(format!("{} {}", request.http().method(), request.http().uri().path()));
///             let (status, body) = answers.next().expect("is answered");
///             let response = Response::builder().status(status).body(body.as_bytes().to_vec())?;
///             sync.receive(now, response);
///         }
///         Step::Save(save) => kept.set(&save.group, save.state.cloned()),
///         Step::Wait(pause) => now += pause,
///         Step::Done(report) => break report,
///         Step::Charge(_) | Step::Release(_) => unreachable!("there are no guards"),
///     }
/// };
/// assert_eq!(sent[1], "POST /teams");
/// assert_eq!(sent[4], "PUT /teams/PQ9K7I8/users/P0XJYI9");
/// assert_eq!((report.end, report.plan.writes().len()), (End::Complete, 2));
/// assert_eq!(sync.progress(), (1, 1));
/// assert_eq!(kept.group("g1").and_then(|group| group.team.as_deref()), Some("PQ9K7I8"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct TeamSync {
    book: Book,
    session: Session,
    pace: Pace,
    task: Option<Task>,
    /// What is to be sent next, if that is known: again, or when what it depends on is kept.
    pending: Option<Call>,
    in_flight: Option<Call>,
    /// What the guards are asked for.
    asked: Option<Removals>,
    /// How often the pending call failed, and the call for a token.
    attempts: u32,
    token_attempts: u32,
    /// How many tasks in a row failed for want of an answer.
    failed_tasks: u32,
    end: Option<End>,
    /// When the run began: told, and by the clock of the caller.
    began_at: Option<Timestamp>,
    began: Option<Duration>,
}

/// What to do next.
#[derive(Debug)]
pub enum Step<'a> {
    /// To send a request, and to say what came of it.
    Send(Request),
    /// To keep what is remembered of a group, before the next step. If that fails, the run must not go
    /// on: what it would do next could not be made good after a crash.
    Save(Save<'a>),
    /// To note this in the ledger of the guards, and to say by [`charged`](TeamSync::charged) what became
    /// of that. It comes where [guards](TeamConfig::with_guards) have a ceiling on it.
    Charge(Removals),
    /// To take this back from the ledger: PagerDuty refused it.
    Release(Released),
    /// To wait for this long, then to ask again.
    Wait(Duration),
    /// Nothing more: the run is over.
    Done(Report),
}

/// What is remembered of a group, to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Save<'a> {
    /// The `id` of the SCIM group.
    pub group: String,
    /// What is remembered of it; `None` if that is nothing any more.
    pub state: Option<&'a GroupState>,
}

/// A request to PagerDuty. Its `Debug` and `Display` say what it is for, without credentials.
pub struct Request {
    http: Box<HttpRequest<Vec<u8>>>,
    call: Call,
}

impl Request {
    /// The request. It holds credentials, in a header or in the body.
    pub fn http(&self) -> &HttpRequest<Vec<u8>> {
        &self.http
    }

    /// The request, to be sent.
    pub fn into_http(self) -> HttpRequest<Vec<u8>> {
        *self.http
    }

    /// What it changes; `None` if it reads, or asks for a token.
    pub fn write(&self) -> Option<&Write> {
        match &self.call {
            Call::Write(write) => Some(write),
            _ => None,
        }
    }
}

/// What it is for: `find the team "SRE"`.
impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.call.fmt(f)
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", self.http.method())
            .field("uri", self.http.uri())
            .field("call", &self.call)
            .finish_non_exhaustive()
    }
}

/// Why a request has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TransportError {
    /// It was not sent: there was no connection.
    NotSent,
    /// The connection was lost. The request may have had its effect.
    Dropped,
    /// No answer came in time. The request may have had its effect, or have it yet.
    TimedOut,
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotSent => "there was no connection",
            Self::Dropped => "the connection was lost",
            Self::TimedOut => "no answer came in time",
        })
    }
}

impl std::error::Error for TransportError {}

#[derive(Debug)]
enum Task {
    Check(Check),
    Find(Find),
    Members(Members),
    Retire(Retire),
}

impl Task {
    fn turn(&mut self, book: &mut Book) -> Turn {
        match self {
            Self::Check(task) => task.turn(book),
            Self::Find(task) => task.turn(book),
            Self::Members(task) => task.turn(book),
            Self::Retire(task) => task.turn(book),
        }
    }

    fn answer(&mut self, book: &mut Book, answer: Answer) {
        match self {
            Self::Check(task) => task.answer(book, answer),
            Self::Find(task) => task.answer(book, answer),
            Self::Members(task) => task.answer(book, answer),
            Self::Retire(task) => task.answer(book, answer),
        }
    }

    fn charged(&mut self, book: &mut Book, verdict: Result<Timestamp, GuardRefusal>) {
        match self {
            // INVARIANT: these take nothing away.
            Self::Check(_) | Self::Find(_) => {}
            Self::Members(task) => task.charged(book, verdict),
            Self::Retire(task) => task.charged(book, verdict),
        }
    }
}

impl TeamSync {
    /// A run that makes PagerDuty's teams what `groups` say, beginning with what an earlier run
    /// remembered. `groups` are all that there are: what becomes of the team of a group that `state`
    /// knows and that is not among them is [`TeamOptions::deletion`](super::TeamOptions::deletion).
    pub fn new(config: TeamConfig, groups: Vec<DesiredGroup>, state: TeamState) -> Self {
        let mut book = Book::new(config, groups, state);
        book.settle();
        Self {
            book,
            session: Session::default(),
            pace: Pace::default(),
            task: None,
            pending: None,
            in_flight: None,
            asked: None,
            attempts: 0,
            token_attempts: 0,
            failed_tasks: 0,
            end: None,
            began_at: None,
            began: None,
        }
    }

    /// The same, begun at this time. Then it is remembered for [some time](super::TeamOptions::late) with
    /// whom and with which role a request was sent, which can have its effect late. Without the time, whom
    /// such a request puts onto a team stays there.
    #[must_use]
    pub fn at(mut self, now: Timestamp) -> Self {
        self.began_at = Some(now);
        self.book.now = Some(now);
        self
    }

    /// The same where an operator lifted the guards, as their ledger has it, and that is not over.
    #[must_use]
    pub fn with_lift(mut self, lift: Option<Lift>) -> Self {
        self.book.lift = lift;
        self
    }

    /// The same where these SCIM users are protected, by their `id`s: those of whom
    /// [`Guards::protects_user`](crate::guard::Guards::protects_user) says so. The bridge by itself knows of somebody who
    /// left a group the `id` and the e-mail address, and not the userName.
    #[must_use]
    pub fn with_protected_users(mut self, users: impl IntoIterator<Item = String>) -> Self {
        self.book.protected_users = users.into_iter().collect();
        self
    }

    /// What is remembered now. A dry run's is not to be kept.
    pub fn state(&self) -> &TeamState {
        &self.book.state
    }

    /// How many groups are finished, of how many, those that are gone among them: for a progress bar.
    ///
    /// ```
    /// # use scim_profiles::pagerduty::teams::*;
    /// let config = TeamConfig::new(Region::Us, Auth::ApiKey(Secret::new("u+abcdefgh")), "t-123")?;
    /// let groups = vec![DesiredGroup::new("g1", "Team Alpha"), DesiredGroup::new("g2", "Team Beta")];
    /// assert_eq!(TeamSync::new(config, groups, TeamState::default()).progress(), (0, 2));
    /// # Ok::<(), ConfigError>(())
    /// ```
    pub fn progress(&self) -> (usize, usize) {
        self.book.progress()
    }

    /// What to do next. `now` is the time since a moment of the caller's choice; `random` makes 32 random
    /// bits, by which pauses differ.
    ///
    /// If the last request was neither [received](Self::receive) nor [failed](Self::failed), it counts as
    /// [dropped](TransportError::Dropped).
    pub fn next(&mut self, now: Duration, mut random: impl FnMut() -> u32) -> Step<'_> {
        self.failed(now, TransportError::Dropped);
        self.pass(now);
        loop {
            if let Some(group) = self.book.next_save() {
                return Step::Save(Save { state: self.book.state.group(&group), group });
            }
            if let Some(released) = self.book.releases.pop_front() {
                return Step::Release(released);
            }
            if let Some(end) = &self.end {
                return Step::Done(self.report(end.clone()));
            }
            if let Some(removals) = &self.asked {
                return Step::Charge(removals.clone());
            }
            if let Some(pause) = self.pace.wait(now, &self.book.config.options, &mut random) {
                return Step::Wait(pause);
            }
            let Some(call) = self.pending.take().or_else(|| self.advance(now)) else { continue };
            match call {
                Call::Write(write) if self.book.config.is_dry_run() => {
                    self.book.plan.push(write);
                    self.deliver(Answer::Assumed);
                }
                call if self.book.has_saves() => self.pending = Some(call),
                call => match self.send(now, call) {
                    Some(request) => return Step::Send(request),
                    None => continue,
                },
            }
        }
    }

    /// What time it is, by the caller's clock.
    fn pass(&mut self, now: Duration) {
        let passed = now.saturating_sub(*self.began.get_or_insert(now));
        self.book.now = self.began_at.map(|at| at.saturating_add(passed).unwrap_or(at));
    }

    /// The next call of the task, or of the task after it; `None` if something else is to be done first.
    fn advance(&mut self, now: Duration) -> Option<Call> {
        let Some(task) = &mut self.task else {
            self.task = self.next_task();
            if self.task.is_none() {
                self.end = Some(End::Complete);
            }
            return None;
        };
        match task.turn(&mut self.book) {
            Turn::Call(call) => Some(call),
            Turn::Wait(pause) => {
                self.pace.wait_for(now, pause);
                None
            }
            Turn::Charge(removals) => {
                self.asked = Some(removals);
                None
            }
            Turn::Done => {
                self.task = None;
                self.book.settle();
                None
            }
        }
    }

    fn next_task(&mut self) -> Option<Task> {
        let queues = &mut self.book.queues;
        if queues.checks.is_empty() && queues.renames.is_empty() {
            queues.checks.append(&mut queues.refused);
        }
        let renamed = |(mut check, gives_way): (Check, bool)| {
            check.rename(gives_way);
            check
        };
        (queues.checks.pop_front().map(Task::Check))
            .or_else(|| queues.renames.next().map(renamed).map(Task::Check))
            .or_else(|| queues.finds.pop_front().map(Task::Find))
            .or_else(|| queues.members.pop_front().map(Task::Members))
            .or_else(|| queues.retires.pop_front().map(Task::Retire))
    }

    /// The request for `call`, or for the token it needs.
    fn send(&mut self, now: Duration, call: Call) -> Option<Request> {
        let authorization = self.session.authorization(now, self.book.config.auth());
        let call = match authorization {
            Some(_) => call,
            None => {
                self.pending = Some(call);
                Call::Token
            }
        };
        match wire::request(&self.book.config, &call, authorization) {
            Ok(http) => {
                self.in_flight = Some(call.clone());
                Some(Request { http: Box::new(http), call })
            }
            // INVARIANT: what is put into a URL is encoded, and short.
            Err(_) => {
                self.finish(End::Unavailable("a request cannot be written".to_owned()));
                None
            }
        }
    }

    /// The ledger of the guards says this, since `at`, of what was to be [noted](Step::Charge). In a dry
    /// run, ask one in memory, so that nothing is noted.
    pub fn charged(&mut self, at: Timestamp, charged: &Charged) {
        let Some(removals) = self.asked.take() else { return };
        let verdict = removals.verdict(&self.book.config, at, charged);
        if let Some(task) = &mut self.task {
            task.charged(&mut self.book, verdict);
        }
    }

    /// The request had this answer.
    pub fn receive(&mut self, now: Duration, response: HttpResponse<Vec<u8>>) {
        let Some(call) = self.in_flight.take() else { return };
        let (parts, body) = response.into_parts();
        self.pace.observe(now, &parts.headers);
        let status = parts.status;
        if status != StatusCode::UNAUTHORIZED && call != Call::Token {
            self.session.is_renewed = false;
        }
        if body.len() > self.book.config.options.max_body_bytes {
            self.pace.failed(now);
            return self.unknown(call, "the answer is too long".to_owned());
        }
        if status == StatusCode::TOO_MANY_REQUESTS {
            self.pace.refused(now, &parts.headers, "ratelimit-reset");
            return self.again(call, End::RateLimited);
        }
        if status.is_success() {
            match answer::read(&call, status, &body) {
                Ok(body) => self.answered(now, call, body),
                Err(why) => {
                    self.pace.failed(now);
                    self.unknown(call, why);
                }
            }
        } else if status.is_client_error() && status != StatusCode::REQUEST_TIMEOUT {
            let auth = self.book.config.auth();
            let error = ApiError::read(status, &body, |text| self.session.redact(auth, text));
            self.refused(call, error, is_scope_missing(&parts.headers));
        } else {
            self.pace.refused(now, &parts.headers, "retry-after");
            self.unknown(call, format!("the answer is {}", status.as_u16()));
        }
    }

    /// The request has no answer.
    pub fn failed(&mut self, now: Duration, error: TransportError) {
        let Some(call) = self.in_flight.take() else { return };
        self.pace.failed(now);
        match error {
            TransportError::NotSent => self.again(call, End::Unavailable(error.to_string())),
            TransportError::Dropped | TransportError::TimedOut => self.unknown(call, error.to_string()),
        }
    }

    fn answered(&mut self, now: Duration, call: Call, body: Body) {
        self.pace.succeeded();
        if let Body::Token(token) = body {
            self.token_attempts = 0;
            if let Err(missing) = self.session.take(now, &self.book.config, token) {
                self.finish(End::MissingScopes(missing));
            }
            return;
        }
        if let Call::Write(write) = call {
            self.book.plan.push(write);
        }
        self.failed_tasks = 0;
        self.deliver(Answer::Ok(body));
    }

    fn refused(&mut self, call: Call, error: ApiError, is_scope_missing: bool) {
        self.pace.succeeded();
        match (error.status, &call) {
            (_, Call::Token) => self.finish(End::TokenRefused(error)),
            (401, _) if self.session.renew(self.book.config.auth()) => self.pending = Some(call),
            (401, _) => self.finish(End::Unauthorized(error)),
            (402, _) => self.finish(End::MissingAbility(error)),
            (403, call) if is_scope_missing || call.is_search() => self.finish(End::Forbidden(error)),
            _ if error.is_of_account() => self.finish(End::Forbidden(error)),
            _ => {
                self.failed_tasks = 0;
                self.deliver(Answer::Refused(error));
            }
        }
    }

    /// The same again, since nothing came of it; after too many attempts the run ends with `end`.
    fn again(&mut self, call: Call, end: End) {
        let attempts = if call == Call::Token { &mut self.token_attempts } else { &mut self.attempts };
        *attempts += 1;
        if *attempts >= self.book.config.options.max_attempts {
            self.finish(end);
        } else if call != Call::Token {
            self.pending = Some(call);
        }
    }

    /// It is not known what came of it. What reads is asked again; of what writes, the task looks first.
    fn unknown(&mut self, call: Call, why: String) {
        match call {
            Call::Token => self.again(call, End::Unavailable(why)),
            Call::Write(_) => self.deliver(Answer::Unknown(why)),
            _ => {
                self.attempts += 1;
                if self.attempts < self.book.config.options.max_attempts {
                    self.pending = Some(call);
                    return;
                }
                self.failed_tasks += 1;
                if self.failed_tasks >= MAX_FAILED_TASKS {
                    self.finish(End::Unavailable(why));
                } else {
                    self.deliver(Answer::Unknown(why));
                }
            }
        }
    }

    fn deliver(&mut self, answer: Answer) {
        self.attempts = 0;
        if let Some(task) = &mut self.task {
            task.answer(&mut self.book, answer);
        }
    }

    fn finish(&mut self, end: End) {
        self.book.settle();
        self.pending = None;
        self.end = Some(end);
    }

    fn report(&self, end: End) -> Report {
        let groups = self.book.reports();
        Report {
            dry_run: self.book.config.is_dry_run(),
            end,
            plan: self.book.plan.clone().with_names(&groups),
            groups,
            guarded: self.book.guarded.clone(),
        }
    }
}

/// Whether the answer says that the token lacks a scope (RFC 6750 §3.1).
fn is_scope_missing(headers: &HeaderMap) -> bool {
    let challenges = headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
    challenges.into_iter().any(|challenge| challenge.contains("insufficient_scope"))
}
