//! What went wrong at a start, put together for people: category, texts, what the process had written down of itself.
//!
//! The trap: all of it is made when something has already gone wrong, from what a hostile application may have left; so every part is total
//! (each category at each step of each way has its texts), bounded, and never a reason to fail again.

mod advice;
mod category;
mod hints;
mod host;
pub mod markup;
pub mod mask;
mod places;
mod texts;

use nix::errno::Errno;
use serde_json::Value;

use super::journey::{self, step};
use super::session::{Arguments, Purpose, Response, Violations, uses_wrapper};
use crate::clock;
use crate::error::{Error, Status};
use crate::journey::{Journey, Progress};
use crate::registry::{Cause, Exit};
pub use crate::report::case::{Case, Category};
use crate::report::dumps::{Dumps, Text};
use crate::sys::reserve;
use mask::Mask;
use texts::{Facts, Supplier};

/// One way to fail. Made by the constructors, each of which knows its status and category.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What the call answers.
    pub status: Status,
    /// The kind, where the application does not name another.
    pub category: Category,
    /// The step at which it failed: one of [`super::journey::step`].
    pub step: &'static str,
    /// One sentence.
    pub message: String,
    /// The system call's error, if one failed.
    pub errno: Option<Errno>,
    /// More of it, each a sentence: all that is wrong with the arguments, or with what the process says of its sockets.
    pub violations: Violations,
}

impl Failure {
    /// In words; without a system call.
    #[cold]
    #[inline(never)]
    pub fn new(status: Status, category: Category, step: &'static str, message: impl Into<String>) -> Self {
        Self { status, category, step, message: message.into(), errno: None, violations: Violations::default() }
    }

    /// What a room below has answered at this step: a system call that failed (the category is inferred from step, call and errno), the time
    /// that was over, an argument.
    pub fn of(step: &'static str, error: &Error) -> Self {
        Self { errno: error.errno, ..Self::new(error.status, category::infer(step, error), step, error.message.clone()) }
    }

    /// Arguments that are wrong; all that is wrong with them.
    pub fn arguments(violations: Vec<String>) -> Self {
        let message = match &violations[..] {
            [one] => one.clone(),
            all => format!("{} things are wrong with the arguments: {}", all.len(), listed(all)),
        };
        let violations = Violations { application: violations, library: Vec::new() };
        Self { violations, ..Self::new(Status::InvalidArgument, Category::Internal, step::SPAWNING_KIT_PREPARATION, message) }
    }

    /// The time was over at this step; it was `doing` something ("waiting for the application's word that it is ready").
    pub fn timeout(step: &'static str, doing: &str) -> Self {
        Self::new(Status::Timeout, Category::Timeout, step, format!("the time was over while {doing}"))
    }

    /// The process ended before it was ready, or closed its output.
    pub fn exited(pid: i32, exit: Option<&Exit>) -> Self {
        let how = exit.map(|exit| format!(": {}", texts::ended(exit))).unwrap_or_default();
        let message = format!("process {pid} ended before it was ready{how}");
        Self::new(Status::Exited, Category::Internal, step::SPAWNING_KIT_HANDSHAKE_PERFORM, message)
    }

    /// The process ended at this step; 0: nobody knows which one it was.
    pub fn ended_at(step: &'static str, pid: i32, exit: Option<&Exit>) -> Self {
        let how = exit.map(|exit| format!(": {}", texts::ended(exit))).unwrap_or_default();
        let who = if pid > 0 { format!("process {pid}") } else { "the process".to_owned() };
        Self::new(Status::Exited, Category::Internal, step, format!("{who} ended before it was ready{how}"))
    }

    /// The process has said why it failed.
    pub fn said(step: &'static str, what: &str, text: &str) -> Self {
        Self::new(Status::Aborted, Category::Internal, step, format!("{what}: {}", texts::cut(text, 1_600)))
    }

    /// A native preloader does not fork, and says why.
    pub fn declined(status: Status, text: &str) -> Self {
        Self::new(status, Category::Internal, step::NATIVE_FORK, format!("the preloader does not fork: {}", texts::cut(text, 1_600)))
    }

    /// The process said that it failed: this byte, or the end without one.
    pub fn answered(byte: Option<u8>) -> Self {
        let how = match byte {
            Some(b'0') => "it said so".to_owned(),
            Some(byte) => format!("it wrote the byte {byte:#04x} where 1 means that it is ready"),
            None => "it closed the channel on which it was to say that it is ready".to_owned(),
        };
        let message = format!("the process did not become ready: {how}");
        Self::new(Status::Aborted, Category::Internal, step::SPAWNING_KIT_HANDSHAKE_PERFORM, message)
    }

    /// What it said of its sockets is wrong.
    pub fn violated(violations: Violations) -> Self {
        let all: Vec<_> = violations.application.iter().chain(&violations.library).cloned().collect();
        let message = format!("what the process says of its sockets is wrong: {}", listed(&all));
        Self { violations, ..Self::new(Status::Protocol, Category::Internal, step::SPAWNING_KIT_HANDSHAKE_PERFORM, message) }
    }

    /// The preloader answered with an error.
    pub fn refused(message: &str) -> Self {
        let message = format!("the preloader could not spawn the worker: {}", texts::cut(message, 1_000));
        Self::new(Status::Aborted, Category::Internal, step::SPAWNING_KIT_PROCESS_RESPONSE_FROM_PRELOADER, message)
    }

    /// The preloader's answer makes no sense, at this step.
    pub fn garbled(step: &'static str, what: &str) -> Self {
        let message = format!("the preloader's answer makes no sense: {}", texts::cut(what, 1_000));
        Self::new(Status::Protocol, Category::Internal, step, message)
    }

    /// The process that the preloader named is another user's.
    pub fn wrong_user(pid: i32, is: u32, must_be: u32) -> Self {
        let message = format!("process {pid}, which the preloader names as its worker, runs as uid {is}, and must run as uid {must_be}");
        Self::new(Status::PeerRejected, Category::Internal, step::SPAWNING_KIT_PROCESS_RESPONSE_FROM_PRELOADER, message)
    }

    /// The process that the preloader named could not be proven to be the one it has forked.
    pub fn unproven(pid: i32, why: &str) -> Self {
        let message = format!("process {pid}, which the preloader names, is not proven to be its worker: {}", texts::cut(why, 1_000));
        Self::new(Status::PeerRejected, Category::Internal, step::SPAWNING_KIT_PROCESS_RESPONSE_FROM_PRELOADER, message)
    }

    /// Whether the process failed by itself: its word for it counts, and a step of its own is to be blamed.
    fn is_its_own(&self) -> bool {
        self.step == step::SPAWNING_KIT_HANDSHAKE_PERFORM && matches!(self.status, Status::Exited | Status::Aborted)
    }
}

/// How a process ended, in words.
pub fn ended(exit: &Exit) -> String {
    texts::ended(exit)
}

/// Whoever has stopped a process knows why it failed.
pub fn blame(error: &mut Error, exit: Option<&Exit>) {
    match exit.map(|exit| exit.cause).filter(|_| error.status == Status::Exited) {
        Some(Cause::Stop) => error.status = Status::Cancelled,
        Some(Cause::Shutdown) => error.status = Status::Shutdown,
        _ => {}
    }
}

/// Sentences as one, no longer than a line of a log may be.
fn listed(sentences: &[String]) -> String {
    texts::cut(&sentences.iter().map(|sentence| sentence.trim_end_matches('.')).collect::<Vec<_>>().join("; "), 2_000)
}

/// What there is to look at.
#[derive(Debug)]
pub struct Evidence<'a> {
    /// How far it came; the failed step is not marked yet.
    pub journey: Journey,
    /// What the process has left in writing.
    pub response: Option<Response>,
    /// What was asked for, with the predefined ones.
    pub arguments: &'a Arguments,
    /// What the process has written.
    pub output: Vec<u8>,
    /// The process, if there was one.
    pub pid: Option<i32>,
    /// How it ended, if it has.
    pub exit: Option<Exit>,
    /// What the preloader has written down of itself when it was started.
    pub preloader: Option<&'a Dumps>,
    /// What was started.
    pub purpose: Purpose,
}

/// How much is kept of the application's texts, and of its annotations together, in characters.
const LONGEST: usize = 128 * 1024;

/// The error, with journey and case.
pub fn error(failure: Failure, evidence: Evidence<'_>) -> Error {
    let Evidence { mut journey, response, arguments, output, pid, exit, preloader, purpose } = evidence;
    let mut response = response.unwrap_or_default();
    // What an application writes is not worth the host's last memory: pieces of this size are not reserved one by one.
    let is_short = reserve::check(8 * LONGEST).is_err();
    if is_short {
        shorten(&mut response);
    }
    let mask = Mask::of(arguments);
    let now = clock::now();
    let mut notes = response.notes.clone();
    notes.extend(journey::take_in(&mut journey, &response));
    mark(&mut journey, &failure, now);

    let mut category = failure.category;
    if failure.is_its_own()
        && let Some(text) = &response.category
    {
        match category::named(text) {
            Ok(named) => category = named,
            Err(note) => notes.push(note),
        }
    }
    let step = texts::culprit(&journey).unwrap_or(failure.step);
    let shown = |name: &str| arguments.text(name).map(|text| mask.text(text));
    let [command, root, user] = ["start_command", "app_root", "user"].map(shown);
    let supplier = match (uses_wrapper(arguments), arguments.flag("wrapper_supplied_by_third_party")) {
        (false, _) => Supplier::Application,
        (true, true) => Supplier::ThirdParty,
        (true, false) => Supplier::Library,
    };
    let message = match &response.summary {
        Some(summary) if failure.is_its_own() && !summary.trim().is_empty() => {
            format!("{}: {}", failure.message, texts::one_line(summary))
        }
        _ => failure.message.clone(),
    };
    let facts = Facts {
        purpose,
        category,
        step,
        message: &message,
        errno: failure.errno,
        exit,
        violations: &failure.violations,
        supplier,
        command: command.as_deref(),
        root: root.as_deref(),
        user: user.as_deref(),
        journey: &journey,
        output: &output,
    };
    let given = |text: Option<Text>| text.map(readable).filter(|text| !text.trim().is_empty());
    let mut case = Case {
        category,
        id: id(),
        summary: response
            .summary
            .map(|text| texts::one_line(&text))
            .filter(|text| !text.is_empty())
            .unwrap_or_else(|| texts::summary(&facts)),
        problem: given(response.problem).unwrap_or_else(|| texts::problem(&facts)),
        solution: given(response.solution).unwrap_or_else(|| texts::solution(&facts)),
        advanced: response.advanced.map(|text| texts::cut(&text, LONGEST)).filter(|text| !text.trim().is_empty()),
        facts: known(&facts, shown, arguments.integer("file_descriptor_ulimit")),
        subprocess: bounded(mask.dumps(&response.dumps)),
        preloader: preloader.filter(|_| !is_short).map(|dumps| bounded(mask.dumps(dumps))).unwrap_or_default(),
        metrics: host::metrics(),
        ..Case::default()
    };
    if !is_short {
        case.host = host::dumps(&mask, &mut notes);
    }
    if let Value::Object(config) = mask.value(arguments.public()) {
        case.config = config;
    }
    case.notes = notes;
    Error::new(failure.status, step, message).with(|it| {
        (it.errno, it.pid, it.output) = (failure.errno, pid, output);
        (it.journey, it.case) = (Some(Box::new(journey)), Some(Box::new(case)));
    })
}

/// Only what is small.
fn shorten(response: &mut Response) {
    const SMALL: usize = 4096;
    for text in [&mut response.summary, &mut response.advanced].into_iter().flatten() {
        text.truncate(markup::beginning(text, SMALL).len());
    }
    for text in [&mut response.problem, &mut response.solution].into_iter().flatten() {
        let (Text::Html(text) | Text::Plain(text)) = text;
        text.truncate(markup::beginning(text, SMALL).len());
    }
    response.dumps = Dumps::default();
    response.notes.push("there was no memory for more".to_owned());
}

/// The steps that failed by this: the one that it failed at, whatever was said of it before; what the host was doing; and where the process
/// failed by itself, one of its own.
fn mark(journey: &mut Journey, failure: &Failure, now: i64) {
    if let Some(step) = journey.step(failure.step).copied()
        && !journey.fail(step.name, now)
    {
        journey.set(step.name, Progress::Errored, step.begin, step.end);
    }
    let under_way = |step: &&crate::journey::Step| !journey::is_foreign(step.name) && step.progress == Progress::InProgress;
    let open: Vec<_> = journey.steps().iter().filter(under_way).map(|step| step.name).collect();
    for step in open {
        journey.fail(step, now);
    }
    if failure.is_its_own() {
        journey::guess(journey, now);
    } else if journey::is_subprocess(failure.step) || failure.step == step::SPAWNING_KIT_FORK_SUBPROCESS {
        // The host knows where it ended: the steps behind, of which it had written down beforehand how far they would be, did not come about.
        let all = journey.steps().iter().map(|step| step.name).filter(|name| journey::is_subprocess(name));
        let behind = all.skip_while(|name| journey::is_subprocess(failure.step) && *name != failure.step);
        for name in behind.filter(|name| *name != failure.step).collect::<Vec<_>>() {
            journey.set(name, Progress::NotStarted, None, None);
        }
    }
}

/// A description that the application gave, as plain text: HTML as what it says.
fn readable(text: Text) -> String {
    match text {
        Text::Html(html) => markup::text_of(&html),
        Text::Plain(text) => texts::cut(text.trim_end(), LONGEST),
    }
}

/// No longer than a report can be.
fn bounded(mut dumps: Dumps) -> Dumps {
    for dump in [&mut dumps.envvars, &mut dumps.user_info, &mut dumps.ulimits].into_iter().flatten() {
        *dump = texts::cut(dump, LONGEST);
    }
    let mut left = LONGEST;
    dumps.annotations.truncate(64);
    for (name, value) in &mut dumps.annotations {
        *name = texts::cut(name, 200);
        *value = texts::cut(value, left);
        left = left.saturating_sub(value.len());
    }
    dumps
}

/// What was run, for people.
fn known(facts: &Facts<'_>, text: impl Fn(&str) -> Option<String>, limit: Option<i64>) -> Vec<(&'static str, String)> {
    let mut known = Vec::new();
    let mut add = |name, value: Option<String>| known.extend(value.filter(|value| !value.is_empty()).map(|value| (name, value)));
    add("application", text("app_group_name"));
    add("command", facts.command.map(str::to_owned));
    add("directory", facts.root.map(str::to_owned));
    add("startup file", text("startup_file"));
    add("user", facts.user.map(str::to_owned));
    add("group", text("group"));
    add("ended", facts.exit.as_ref().map(texts::ended));
    add("limit of descriptors", limit.filter(|limit| *limit > 0).map(|limit| limit.to_string()));
    add("time that it had taken", facts.journey.span().map(|(first, last)| crate::report::duration(last.saturating_sub(first))));
    known
}

/// Eight letters and digits, of which none is taken for another.
fn id() -> String {
    const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    crate::sys::random::unique().iter().rev().take(8).map(|byte| char::from(LETTERS[usize::from(byte & 31)])).collect()
}

#[cfg(test)]
mod tests;
