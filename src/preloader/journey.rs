//! The three ways that a process of an application is started on, by the reference's step names, and what it says of its own steps.
//!
//! The trap: the steps below `SUBPROCESS_` and `PRELOADER_` are written by a process that may lie, die in between or never have heard of them. So
//! they are taken in once it is over, leniently: an unknown name and an impossible time are noted and left out. And one that failed
//! without saying where gets the likeliest step blamed ([`guess`]).

use super::session::{Purpose, Response};
use crate::clock;
use crate::journey::{Journey, Progress, Route, Step};

pub use super::step::{self, is_foreign, is_subprocess};
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

/// A preloader that speaks our own protocol.
pub static NATIVE_PRELOADER: Route = Route {
    kind: "START_NATIVE_PRELOADER",
    title: "starting a preloader",
    steps: &[NATIVE_PREPARATION, NATIVE_START, NATIVE_OPEN, NATIVE_LOAD],
};

/// A worker of one.
pub static NATIVE_WORKER: Route = Route {
    kind: "SPAWN_THROUGH_NATIVE_PRELOADER",
    title: "starting a worker through a preloader",
    steps: &[NATIVE_PREPARATION, NATIVE_FORK, NATIVE_PROOF, NATIVE_GATE, NATIVE_WORK],
};

/// A worker that becomes the next preloader.
pub static NATIVE_NEXT: Route =
    Route { kind: "PROMOTE_WORKER", title: "making a worker the next preloader", steps: &[NATIVE_PREPARATION, NATIVE_PROMOTION] };

/// A start of such a preloader.
pub fn native_start() -> Journey {
    Journey::new(&NATIVE_PRELOADER).dated(clock::wall_ahead())
}

/// A promotion.
pub fn native_promotion() -> Journey {
    Journey::new(&NATIVE_NEXT).dated(clock::wall_ahead())
}

/// A start of such a worker.
pub fn native_worker() -> Journey {
    Journey::new(&NATIVE_WORKER).dated(clock::wall_ahead())
}

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

/// What the process has said of its steps. What of it makes no sense is answered, each as a sentence, and left out.
pub fn take_in(journey: &mut Journey, response: &Response) -> Vec<String> {
    take_in_at(journey, response, clock::now())
}

/// How far a clock that was turned into ours may lie outside the journey: the loaders write the time of day.
const SLACK: i64 = 1_000_000_000;
/// How many sentences there are at most: who writes the steps does not decide it.
const MOST_NOTES: usize = 16;

fn take_in_at(journey: &mut Journey, response: &Response, now: i64) -> Vec<String> {
    let first = journey.span().map_or(now, |(first, _)| first);
    let mut notes = Vec::new();
    for (name, progress, begin, end) in &response.steps {
        let mut note = |what: &str| {
            if notes.len() < MOST_NOTES {
                notes.push(format!("the step {}: {what}", name.chars().take(80).collect::<String>()));
            }
        };
        if !is_foreign(name) || journey.step(name).is_none() {
            note("there is none of that name that the process could tell of");
            continue;
        }
        let mut time = |what: &str, stamp: Option<i64>| {
            let stamp = stamp?;
            let is_possible = (first.saturating_sub(SLACK)..=now.saturating_add(SLACK)).contains(&stamp);
            if !is_possible {
                note(&format!("its {what} lies outside the attempt"));
            }
            is_possible.then(|| stamp.clamp(first.min(now), now))
        };
        let (begin, mut end) = (time("begin", *begin), time("end", *end));
        if begin.is_some() && end < begin {
            end = end.and(begin);
        }
        // One that is under way has no end, whatever was left from before.
        let end = end.filter(|_| matches!(progress, Progress::Performed | Progress::Errored));
        journey.set(name, *progress, begin, end);
    }
    notes
}

/// Blames a step of the process, if none is blamed yet: the one that is under way; else the one after the last that was done; else the first;
/// and if all were done, the last. It has failed by `now`. (A step of the preloader that has failed is blame enough.)
pub fn guess(journey: &mut Journey, now: i64) {
    let is_blamed = |step: &Step| is_foreign(step.name) && step.progress == Progress::Errored;
    if journey.steps().iter().any(is_blamed) {
        return;
    }
    let own: Vec<Step> = journey.steps().iter().filter(|step| is_subprocess(step.name)).copied().collect();
    let under_way = own.iter().find(|step| step.progress == Progress::InProgress);
    let last_done = own.iter().rposition(|step| step.progress == Progress::Performed);
    let guilty = under_way.or(match last_done {
        Some(last) => own.get(last + 1).or(own.last()),
        None => own.first(),
    });
    if let Some(step) = guilty
        && !journey.fail(step.name, now)
    {
        // It had said that it was done: only a guess moves such a one.
        journey.set(step.name, Progress::Errored, step.begin, step.end);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: i64 = 1_000_000_000;

    /// What a process has said of its steps.
    fn said(steps: &[(&str, Progress)]) -> Response {
        let steps = steps.iter().map(|(name, progress)| ((*name).to_owned(), *progress, None, None)).collect();
        Response { steps, ..Response::default() }
    }

    fn errored(journey: &Journey) -> Vec<&str> {
        journey.steps().iter().filter(|step| step.progress == Progress::Errored).map(|step| step.name).collect()
    }

    /// The one that is blamed, of a direct spawn with a wrapper.
    fn blamed(steps: &[(&str, Progress)]) -> String {
        let mut journey = journey(Purpose::Direct, true);
        assert!(take_in(&mut journey, &said(steps)).is_empty());
        guess(&mut journey, 5);
        let [guilty] = errored(&journey)[..] else { panic!("{journey:?}") };
        guilty.to_owned()
    }

    fn names(journey: &Journey) -> Vec<&str> {
        journey.steps().iter().map(|step| step.name).collect()
    }

    // covers: PA-66
    #[test]
    fn a_spawn_directly_journey_has_its_steps() {
        let journey = journey(Purpose::Direct, true);
        assert_eq!(journey.kind(), "SPAWN_DIRECTLY");
        assert_eq!(
            names(&journey),
            [
                "SPAWNING_KIT_PREPARATION",
                "SPAWNING_KIT_FORK_SUBPROCESS",
                "SPAWNING_KIT_HANDSHAKE_PERFORM",
                "SPAWNING_KIT_FINISH",
                "SUBPROCESS_BEFORE_FIRST_EXEC",
                "SUBPROCESS_SPAWN_ENV_SETUPPER_BEFORE_SHELL",
                "SUBPROCESS_OS_SHELL",
                "SUBPROCESS_SPAWN_ENV_SETUPPER_AFTER_SHELL",
                "SUBPROCESS_EXEC_WRAPPER",
                "SUBPROCESS_WRAPPER_PREPARATION",
                "SUBPROCESS_APP_LOAD_OR_EXEC",
                "SUBPROCESS_LISTEN",
                "SUBPROCESS_FINISH",
            ]
        );
    }

    // covers: PA-66, P-b15
    #[test]
    fn a_start_preloader_journey_has_its_steps() {
        let preloader = journey(Purpose::StartPreloader, true);
        assert_eq!((preloader.kind(), preloader.title()), ("START_PRELOADER", "starting a preloader"));
        assert_eq!(names(&preloader), names(&journey(Purpose::Direct, true)));
    }

    // covers: PA-66
    #[test]
    fn a_spawn_through_preloader_journey_has_its_steps() {
        let through = journey(Purpose::Worker, true);
        assert_eq!(through.kind(), "SPAWN_THROUGH_PRELOADER");
        assert_eq!(
            names(&through),
            [
                "SPAWNING_KIT_PREPARATION",
                "SPAWNING_KIT_CONNECT_TO_PRELOADER",
                "SPAWNING_KIT_SEND_COMMAND_TO_PRELOADER",
                "SPAWNING_KIT_READ_RESPONSE_FROM_PRELOADER",
                "SPAWNING_KIT_PARSE_RESPONSE_FROM_PRELOADER",
                "SPAWNING_KIT_PROCESS_RESPONSE_FROM_PRELOADER",
                "SPAWNING_KIT_HANDSHAKE_PERFORM",
                "SPAWNING_KIT_FINISH",
                "PRELOADER_PREPARATION",
                "PRELOADER_FORK_SUBPROCESS",
                "PRELOADER_SEND_RESPONSE",
                "PRELOADER_FINISH",
                "SUBPROCESS_PREPARE_AFTER_FORKING_FROM_PRELOADER",
                "SUBPROCESS_LISTEN",
                "SUBPROCESS_FINISH",
            ]
        );
        assert_eq!(names(&through), names(&journey(Purpose::Worker, false)), "a wrapper is the preloader's matter");
    }

    // covers: PA-66
    #[test]
    fn without_a_wrapper_there_are_no_steps_of_one() {
        for purpose in [Purpose::Direct, Purpose::StartPreloader] {
            let (with, without) = (journey(purpose, true), journey(purpose, false));
            let missing: Vec<_> = names(&with).into_iter().filter(|name| without.step(name).is_none()).collect();
            assert_eq!(missing, [SUBPROCESS_EXEC_WRAPPER, SUBPROCESS_WRAPPER_PREPARATION]);
        }
    }

    // covers: PA-64
    #[test]
    fn guess_the_step_in_progress_is_blamed() {
        let steps = [(SUBPROCESS_BEFORE_FIRST_EXEC, Progress::Performed), (SUBPROCESS_APP_LOAD_OR_EXEC, Progress::InProgress)];
        assert_eq!(blamed(&steps), SUBPROCESS_APP_LOAD_OR_EXEC);
    }

    // covers: PA-64
    #[test]
    fn guess_the_first_step_is_blamed_if_none_was_done() {
        assert_eq!(blamed(&[]), SUBPROCESS_BEFORE_FIRST_EXEC);
    }

    // covers: PA-64
    #[test]
    fn guess_the_step_after_the_last_that_was_done_is_blamed() {
        let steps = [(SUBPROCESS_BEFORE_FIRST_EXEC, Progress::Performed), (SUBPROCESS_EXEC_WRAPPER, Progress::Performed)];
        assert_eq!(blamed(&steps), SUBPROCESS_WRAPPER_PREPARATION);
    }

    // covers: PA-64
    #[test]
    fn guess_the_last_step_is_blamed_if_all_were_done() {
        let all: Vec<_> = DIRECT.steps.iter().filter(|step| is_subprocess(step)).map(|step| (*step, Progress::Performed)).collect();
        assert_eq!(blamed(&all), SUBPROCESS_FINISH);
        // One that was left out on purpose changes nothing.
        let but_the_shell: Vec<_> = all.into_iter().filter(|(step, _)| *step != SUBPROCESS_OS_SHELL).collect();
        assert_eq!(blamed(&but_the_shell), SUBPROCESS_FINISH);
    }

    #[test]
    fn guess_blames_nobody_beside_one_that_is_blamed() {
        for (purpose, guilty) in [(Purpose::Direct, SUBPROCESS_LISTEN), (Purpose::Worker, PRELOADER_FORK_SUBPROCESS)] {
            let mut journey = journey(purpose, true);
            take_in(&mut journey, &said(&[(guilty, Progress::Errored)]));
            guess(&mut journey, 5);
            assert_eq!(errored(&journey), [guilty]);
        }
    }

    // covers: PA-70
    #[test]
    fn a_retry_begins_a_journey_from_the_beginning() {
        let mut journey = journey(Purpose::Worker, true);
        assert!(journey.begin(SPAWNING_KIT_PREPARATION, 1) && journey.fail(SPAWNING_KIT_CONNECT_TO_PRELOADER, 2));
        journey.reset();
        assert!(journey.first_failed().is_none() && journey.span().is_none());
        assert!(journey.begin(SPAWNING_KIT_PREPARATION, 3));
    }

    #[test]
    fn what_a_process_cannot_know_is_noted_and_left_out() {
        let mut journey = journey(Purpose::Worker, true);
        let before = journey.clone();
        let long = "x".repeat(10_000);
        let alien = [SPAWNING_KIT_HANDSHAKE_PERFORM, SUBPROCESS_OS_SHELL, "SUBPROCESS_NEVER_HEARD_OF", long.as_str()];
        let notes = take_in(&mut journey, &said(&alien.map(|name| (name, Progress::Errored))));
        assert_eq!(notes.len(), alien.len(), "{notes:?}");
        assert!(notes.iter().all(|note| note.len() < 200));
        assert_eq!(journey, before);
        assert_eq!(take_in(&mut journey, &said(&[("x", Progress::Errored); 100])).len(), MOST_NOTES);
    }

    // covers: PA-70
    #[test]
    fn times_are_taken_in_if_they_can_be() {
        let mut journey = journey(Purpose::Direct, false);
        let (began, now) = (100 * SECOND, 110 * SECOND);
        assert!(journey.begin(SPAWNING_KIT_PREPARATION, began));
        let step = |name: &str, progress, begin, end| (name.to_owned(), progress, begin, end);
        let response = Response {
            steps: vec![
                step(SUBPROCESS_BEFORE_FIRST_EXEC, Progress::Performed, Some(began + 1), Some(began + 5)),
                step(SUBPROCESS_OS_SHELL, Progress::Performed, Some(0), Some(i64::MAX)),
                step(SUBPROCESS_APP_LOAD_OR_EXEC, Progress::Performed, Some(began + 9), Some(began + 7)),
                step(SUBPROCESS_LISTEN, Progress::InProgress, Some(began - SLACK), Some(now)),
            ],
            ..Response::default()
        };
        let notes = take_in_at(&mut journey, &response, now);
        assert_eq!(notes.len(), 2, "{notes:?}");
        let times = |name| journey.step(name).map(|step| (step.begin, step.end)).unwrap();
        assert_eq!(times(SUBPROCESS_BEFORE_FIRST_EXEC), (Some(began + 1), Some(began + 5)));
        assert_eq!(times(SUBPROCESS_OS_SHELL), (None, None));
        assert_eq!(times(SUBPROCESS_APP_LOAD_OR_EXEC), (Some(began + 9), Some(began + 9)));
        assert_eq!(times(SUBPROCESS_LISTEN), (Some(began), None));
    }

    proptest! {
        // covers: PA-64
        #[test]
        fn whatever_was_said_one_step_is_blamed_and_no_time_runs_backwards(
            purpose in prop::sample::select(vec![Purpose::Direct, Purpose::StartPreloader, Purpose::Worker]),
            steps in prop::collection::vec((0..25usize, 0..4u8, any::<Option<i64>>(), any::<Option<i64>>()), 0..30),
        ) {
            let progress = |of| [Progress::NotStarted, Progress::InProgress, Progress::Performed, Progress::Errored][usize::from(of)];
            let route = route(purpose).steps;
            let steps = steps.into_iter().map(|(at, of, begin, end)| (route[at % route.len()].to_owned(), progress(of), begin, end)).collect();
            let mut journey = journey(purpose, false);
            take_in_at(&mut journey, &Response { steps, ..Response::default() }, 1_000);
            guess(&mut journey, 1_000);
            prop_assert!(!errored(&journey).is_empty());
            prop_assert!(journey.steps().iter().all(|step| step.begin.is_none() || step.end.is_none() || step.begin <= step.end));
        }
    }
}
