//! Summary, problem and solution of a failure, where the application gives none.
//!
//! The trap: what fails, and how, is partly the application's choice (it names the category and the step), so these are total functions of
//! category, step, purpose and whatever else is known or not: no combination is unexpected, none ends the host. They are read at night by
//! somebody who did not write the application: what was run, where, as whom, how far it came, what to do next.
//!
//! The form is plain text: paragraphs, lists of lines that begin with "- ", and quotations that are indented by four spaces.

use std::fmt::Write as _;

use nix::errno::Errno;

use super::places::{Place, Who, place};
use super::{advice, hints};
use crate::journey::{Journey, Progress};
use crate::preloader::journey::is_foreign;
use crate::preloader::journey::step::SPAWNING_KIT_PREPARATION;
use crate::preloader::session::{Purpose, Violations};
use crate::process::child::for_want_of_memory;
use crate::registry::{Exit, Kind, Oom};
use crate::report::case::Category;
use crate::report::{duration, plain};

/// Who has supplied what speaks the protocol.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Supplier {
    /// The application's author: it speaks by itself.
    Application,
    /// Somebody else, as a wrapper.
    ThirdParty,
    /// The wrapper is the one of this library, or the one that it was made to run.
    Library,
}

/// What the texts are made of.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    /// What was started.
    pub purpose: Purpose,
    /// The kind.
    pub category: Category,
    /// The step that failed, of those that were: the process's, the preloader's, else the host's.
    pub step: &'a str,
    /// One sentence.
    pub message: &'a str,
    /// The system call's error.
    pub errno: Option<Errno>,
    /// How the process ended.
    pub exit: Option<Exit>,
    /// More sentences.
    pub violations: &'a Violations,
    /// Whose the protocol is.
    pub supplier: Supplier,
    /// What was run, where, as whom, if it is known.
    pub command: Option<&'a str>,
    /// See there.
    pub root: Option<&'a str>,
    /// See there.
    pub user: Option<&'a str>,
    /// How far it came.
    pub journey: &'a Journey,
    /// What the process wrote.
    pub output: &'a [u8],
}

/// How much is quoted: lines, and characters of a line.
const QUOTED: (usize, usize) = (8, 240);
/// So many sentences at most.
const MOST_VIOLATIONS: usize = 64;

/// The step that is to be blamed: the process's or the preloader's own word first, for the host fails at whatever it waited for.
pub fn culprit(journey: &Journey) -> Option<&'static str> {
    let failed = || journey.steps().iter().filter(|step| step.progress == Progress::Errored);
    failed().find(|step| is_foreign(step.name)).or_else(|| failed().next()).map(|step| step.name)
}

/// Where the process hangs, and since when: the last of its steps that is under way.
pub fn hangs(journey: &Journey) -> Option<(&'static str, Option<i64>)> {
    let step = journey.steps().iter().rev().find(|step| is_foreign(step.name) && step.progress == Progress::InProgress)?;
    Some((step.name, step.begin))
}

fn subject(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Direct => "The application",
        Purpose::StartPreloader => "The preloader",
        Purpose::Worker => "The worker",
    }
}

/// How it ended, in words: "exit code 1".
pub fn ended(exit: &Exit) -> String {
    match exit.kind {
        Kind::Exited => format!("exit code {}", exit.code),
        Kind::Signaled if exit.memory.oom != Oom::None => for_want_of_memory(exit.memory.oom).to_owned(),
        Kind::Signaled => match nix::sys::signal::Signal::try_from(exit.signal) {
            Ok(signal) => format!("killed by signal {} ({signal})", exit.signal),
            Err(_) => format!("killed by signal {}", exit.signal),
        },
        Kind::Lost => "how is not known".to_owned(),
    }
}

/// One line.
pub fn summary(facts: &Facts<'_>) -> String {
    let Facts { purpose, category, step, journey, .. } = facts;
    let (subject, doing) = (subject(*purpose), place(step).doing);
    if *step == SPAWNING_KIT_PREPARATION && !facts.violations.application.is_empty() {
        return format!("{subject} could not be started: what was set for it is wrong");
    }
    match (category, facts.exit) {
        (Category::Timeout, _) => match hangs(journey) {
            Some((hanging, _)) => format!("{subject} was not ready in time: it was still {}", place(hanging).doing),
            None => format!("{subject} could not be started: the time was over while {doing}"),
        },
        (_, Some(exit)) if place(step).who != Who::Preloader => {
            format!("{subject} ended before it was ready ({}), while {doing}", ended(&exit))
        }
        _ => format!("{subject} could not be started: {} while {doing}", advice::nature(*category)),
    }
}

/// With a full stop, and a capital letter where it begins.
fn sentence(text: &str) -> String {
    let text = plain::line(text.trim());
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    // What is set is written as it is: `socket_dir` stays that.
    let first = if text.split([' ', ':']).next().is_some_and(|word| word.contains('_')) { text.chars().take(1).collect() } else { first };
    let end = if text.ends_with(['.', '!', '?', ':', '"']) || text.is_empty() { "" } else { "." };
    format!("{first}{}{end}", letters.as_str())
}

/// What is wrong.
pub fn problem(facts: &Facts<'_>) -> String {
    let Facts { purpose, category, step, message, journey, .. } = facts;
    let Place { who, doing, .. } = place(step);
    let mut text = sentence(message);
    let by = match (who, purpose) {
        (Who::Host, _) => "this library was",
        (Who::Preloader, _) => "the preloader was",
        (Who::Process, Purpose::Direct) => "the application's process was",
        (Who::Process, Purpose::StartPreloader) => "the preloader's process was",
        (Who::Process, Purpose::Worker) => "the worker was",
    };
    let _ = write!(text, "\n\nThat was at the step {}, when {by} {doing}.", plain::line(step));
    if *category == Category::Timeout
        && let Some((hanging, begun)) = hangs(journey)
    {
        let since = begun.and_then(|begun| Some(format!(", for {}", duration(journey.span()?.1.saturating_sub(begun)))));
        let _ = write!(text, " The process itself was {} (step {hanging}){}.", place(hanging).doing, since.unwrap_or_default());
    }
    if let Some((first, last)) = journey.span()
        && last > first
    {
        let _ = write!(text, " It had been under way for {}.", duration(last.saturating_sub(first)));
    }
    let what = [("the command", facts.command), ("in the directory", facts.root), ("as the user", facts.user)];
    let what: Vec<_> = what.iter().filter_map(|(name, value)| Some(format!("{name} {}", quoted(value.as_ref()?)))).collect();
    if !what.is_empty() {
        let _ = write!(text, "\n\nWhat was run: {}.", what.join(", "));
    }
    let wrong: Vec<_> = facts.violations.application.iter().chain(&facts.violations.library).collect();
    let is_said = wrong.len() == 1 && message.contains(wrong[0].as_str());
    if !wrong.is_empty() && !is_said {
        text.push_str("\n\nThis is wrong:\n");
        for violation in wrong.iter().take(MOST_VIOLATIONS) {
            let _ = write!(text, "\n- {}", sentence(&cut(violation, 500)));
        }
        if wrong.len() > MOST_VIOLATIONS {
            let _ = write!(text, "\n- And {} more.", wrong.len() - MOST_VIOLATIONS);
        }
    }
    if let Some(words) = last_words(facts.output) {
        let _ = write!(text, "\n\nThe last that it wrote:\n\n{words}");
    }
    text
}

/// What to do.
pub fn solution(facts: &Facts<'_>) -> String {
    let Facts { purpose, category, step, errno, exit, .. } = facts;
    let mut list = Vec::new();
    let hints = hints::hints(facts.output, facts.supplier != Supplier::Application);
    // The arguments, before anything was run.
    let is_refused = *step == SPAWNING_KIT_PREPARATION && !facts.violations.application.is_empty();
    if is_refused {
        return "- Correct what is named above, where it was set: `ps_command_session`, `ps_preloader_set`, or the command itself. Nothing was started."
            .to_owned();
    }
    if !facts.violations.application.is_empty() {
        list.push(match facts.supplier {
            Supplier::Application => {
                "The application speaks the protocol of a session by itself, and what it wrote of its sockets (response/properties.json) or was given is \
                 wrong: this is for its author, or for whoever configured it, to mend."
            }
            Supplier::ThirdParty => {
                "The wrapper that loads the application comes from somebody else, and what it wrote of its sockets (response/properties.json) or was given is \
                 wrong: this is for its author, or for whoever configured it, to mend. The application itself may be right."
            }
            Supplier::Library => {
                "What was configured for the application is wrong, or the application has changed what its wrapper says of its sockets \
                 (response/properties.json): look at what is named above."
            }
        });
    }
    if !facts.violations.library.is_empty() {
        list.push(
            "What is wrong was written by the wrapper that loads the application, not by the application: look whether the wrapper fits this version of \
             the library, and if it does, report it as a defect together with this text.",
        );
    }
    list.extend(errno.map(advice::of_errno));
    list.extend(exit.as_ref().map(advice::of_exit));
    let is_timeout = *category == Category::Timeout;
    list.push(match hangs(facts.journey) {
        Some((hanging, _)) if is_timeout => place(hanging).advice,
        _ => place(step).advice,
    });
    if list.iter().all(|advice| advice.is_empty()) || is_timeout || errno.is_none() {
        list.push(advice::of_category(*category));
    }
    let list = list.into_iter().filter(|advice| !advice.is_empty()).map(str::to_owned);
    let mut list: Vec<String> = hints.into_iter().chain(list).collect();
    // In the preparation nothing of it has run yet.
    list.extend(by_hand(facts).filter(|_| *purpose != Purpose::Worker && *step != SPAWNING_KIT_PREPARATION));
    list.iter().map(|advice| format!("- {advice}")).collect::<Vec<_>>().join("\n")
}

/// What to type, to see it fail without the library.
fn by_hand(facts: &Facts<'_>) -> Option<String> {
    let (command, word) = (facts.command?, |text: &str| quoted_for_shell(text));
    let enter = facts.root.map(|root| format!("cd {} && ", word(root))).unwrap_or_default();
    // A loader does nothing without a session.
    let is_loader = facts.supplier != Supplier::Application;
    let session = if is_loader { "PASSENGER_SPAWN_WORK_DIR=DIRECTORY " } else { "" };
    let line = match facts.user {
        Some(user) => {
            format!("sudo -u {} sh -c {}", word(user.split(' ').next().unwrap_or(user)), word(&format!("{enter}{session}{command}")))
        }
        None => format!("{enter}{session}{command}"),
    };
    let how = if is_loader {
        ", set `debug_work_dir` to true, so that the DIRECTORY of a try stays (in `spawn_dir`, else $TMPDIR, else /tmp)"
    } else {
        ""
    };
    Some(format!("To see it fail by itself{how}:\n\n    {}", plain::line(&cut(&line, 2_000))))
}

/// As one word of a shell's line.
fn quoted_for_shell(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+=,".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

fn quoted(text: &str) -> String {
    format!("`{}`", plain::line(&cut(text, 500)))
}

/// All of a text in one line, and not too much of it.
pub fn one_line(text: &str) -> String {
    cut(&text.split_whitespace().collect::<Vec<_>>().join(" "), 1_000)
}

/// The beginning of a text.
pub fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{} ...", &text[..end]),
        None => text.to_owned(),
    }
}

/// The last lines that say anything, as a quotation.
fn last_words(output: &[u8]) -> Option<String> {
    // The tail is enough, however long it is.
    let tail = &output[output.len().saturating_sub(16 * 1024)..];
    let tail = String::from_utf8_lossy(tail);
    let said: Vec<_> = tail.lines().rev().map(str::trim_end).filter(|line| !line.is_empty()).take(QUOTED.0).collect();
    let lines: Vec<_> = said.iter().rev().map(|line| format!("    {}", plain::tabbed(&cut(line, QUOTED.1)))).collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use strum::VariantArray as _;

    use super::*;
    use crate::preloader::journey::step::*;
    use crate::preloader::journey::{DIRECT, NATIVE_PRELOADER, NATIVE_WORKER, START, THROUGH, journey, route};
    use crate::registry::{Cause, Memory};

    const PURPOSES: [Purpose; 3] = [Purpose::Direct, Purpose::StartPreloader, Purpose::Worker];

    fn exit(kind: Kind, code: i32, signal: i32) -> Exit {
        let (user_us, system_us, max_rss_kib, started_ns, ended_ns) = (0, 0, 0, 0, 0);
        let (cause, removal, killed, memory) = (Cause::Itself, None, false, Memory::default());
        Exit {
            kind,
            code,
            signal,
            core_dumped: false,
            cause,
            user_us,
            system_us,
            max_rss_kib,
            started_ns,
            ended_ns,
            removal,
            killed,
            memory,
        }
    }

    fn starved(oom: Oom) -> Exit {
        Exit { memory: Memory { oom, ..Memory::default() }, ..exit(Kind::Signaled, -1, libc::SIGKILL) }
    }

    /// A failure at a step, all else as given.
    fn told<T>(
        purpose: Purpose,
        category: Category,
        step: &str,
        change: impl FnOnce(&mut Facts<'_>),
        tell: impl FnOnce(&Facts<'_>) -> T,
    ) -> T {
        let mut journey = journey(purpose, true);
        journey.begin(SPAWNING_KIT_PREPARATION, 0);
        journey.fail(step, 1_500_000_000);
        let mut facts = Facts {
            purpose,
            category,
            step,
            message: "it did not work",
            errno: None,
            exit: None,
            violations: &Violations::default(),
            supplier: Supplier::Application,
            command: Some("bundle exec rackup"),
            root: Some("/srv/shop"),
            user: Some("deploy"),
            journey: &journey,
            output: b"",
        };
        change(&mut facts);
        tell(&facts)
    }

    fn is_good(text: &str) -> bool {
        !text.trim().is_empty() && text == text.trim() && !text.contains("  -") && !text.contains("..\n") && !text.contains("(s)")
    }

    // covers: PA-74, P-b12
    #[test]
    fn every_category_at_every_step_of_every_way_has_its_texts() {
        let mut summaries = std::collections::BTreeSet::new();
        for purpose in PURPOSES {
            let native = NATIVE_PRELOADER.steps.iter().chain(NATIVE_WORKER.steps);
            let all = DIRECT.steps.iter().chain(START.steps).chain(THROUGH.steps).chain(native).copied().chain(["A_STEP_THAT_IS_NONE"]);
            for (step, category) in all.flat_map(|step| Category::VARIANTS.iter().map(move |category| (step, *category))) {
                let texts = told(purpose, category, step, |_| (), |facts| [summary(facts), problem(facts), solution(facts)]);
                assert!(texts.iter().all(|text| is_good(text)), "{purpose:?} {category:?} {step}: {texts:#?}");
                assert!(!texts[0].contains('\n') && texts[0].contains(place(step).doing), "{texts:#?}");
                let is_on_the_way = route(purpose).steps.contains(&step);
                assert!(texts[1].contains(step) && texts[1].contains("1500.0 ms") == is_on_the_way, "{texts:#?}");
                for part in ["It did not work.", "`bundle exec rackup`", "`/srv/shop`", "`deploy`"] {
                    assert!(texts[1].contains(part), "{part}: {texts:#?}");
                }
                assert!(texts[2].starts_with("- ") && texts[2].contains(place(step).advice), "{texts:#?}");
                assert_eq!(
                    texts[2].contains("sudo -u deploy sh -c 'cd /srv/shop && bundle exec rackup'"),
                    purpose != Purpose::Worker && step != SPAWNING_KIT_PREPARATION
                );
                if is_on_the_way {
                    summaries.insert(texts[0].clone());
                }
            }
        }
        let ways: usize = PURPOSES.iter().map(|purpose| route(*purpose).steps.len()).sum();
        assert_eq!(summaries.len(), ways * Category::VARIANTS.len(), "each its own");
    }

    // covers: PA-53
    #[test]
    fn a_timeout_names_the_step_that_hangs() {
        let mut journey = journey(Purpose::Direct, true);
        journey.begin(SPAWNING_KIT_HANDSHAKE_PERFORM, 0);
        journey.set(SUBPROCESS_APP_LOAD_OR_EXEC, Progress::InProgress, Some(500_000_000), None);
        journey.fail(SPAWNING_KIT_HANDSHAKE_PERFORM, 90_000_000_000);
        let texts = told(
            Purpose::Direct,
            Category::Timeout,
            SPAWNING_KIT_HANDSHAKE_PERFORM,
            |facts| {
                // The journey of the test outlives the facts.
                facts.journey = Box::leak(Box::new(journey));
            },
            |facts| [summary(facts), problem(facts), solution(facts)],
        );
        assert_eq!(texts[0], "The application was not ready in time: it was still loading the application");
        assert!(texts[1].contains("loading the application (step SUBPROCESS_APP_LOAD_OR_EXEC), for 89.5 s."), "{}", texts[1]);
        assert!(texts[2].contains("give it more time") && texts[2].contains(place(SUBPROCESS_APP_LOAD_OR_EXEC).advice), "{}", texts[2]);
    }

    // covers: PA-54
    #[test]
    fn an_end_is_told_with_what_it_means() {
        for (ending, said, meant) in [
            (exit(Kind::Exited, 127, 0), "exit code 127", "does not find"),
            (exit(Kind::Exited, 0, 0), "exit code 0", "foreground"),
            (exit(Kind::Signaled, -1, libc::SIGKILL), "killed by signal 9 (SIGKILL)", "no memory"),
            (starved(Oom::Own), "killed by the kernel for want of memory (the limit of its own control group)", "memory.max"),
            (starved(Oom::Above), "killed by the kernel for want of memory (no limit of its own control group)", "above"),
            (starved(Oom::Probable), "probably killed by the kernel for want of memory", "dmesg"),
            (exit(Kind::Signaled, -1, 40), "killed by signal 40", "Look at"),
            (exit(Kind::Lost, -1, 0), "how is not known", "reaped"),
        ] {
            let [summary, solution] = told(
                Purpose::Direct,
                Category::Internal,
                SUBPROCESS_APP_LOAD_OR_EXEC,
                |facts| facts.exit = Some(ending),
                |facts| [summary(facts), solution(facts)],
            );
            assert_eq!(summary, format!("The application ended before it was ready ({said}), while loading the application"));
            assert!(solution.contains(meant), "{solution}");
        }
    }

    // covers: PA-61
    #[test]
    fn who_has_supplied_the_wrapper_decides_whose_fault_it_is() {
        let wrong = |application: &[&str], library: &[&str]| Violations {
            application: application.iter().map(|text| (*text).to_owned()).collect(),
            library: library.iter().map(|text| (*text).to_owned()).collect(),
        };
        let tell = |violations: Violations, supplier| {
            told(
                Purpose::Direct,
                Category::Internal,
                SPAWNING_KIT_HANDSHAKE_PERFORM,
                |facts| (facts.violations, facts.supplier) = (Box::leak(Box::new(violations)), supplier),
                |facts| (problem(facts), solution(facts)),
            )
        };
        let (problem, solution) =
            tell(wrong(&["sockets[0].address is missing", "sockets[1].protocol is empty"], &[]), Supplier::Application);
        assert!(problem.contains("\n- Sockets[0].address is missing.\n- Sockets[1].protocol is empty."), "{problem}");
        assert!(
            solution.contains("The application speaks the protocol of a session by itself") && !solution.contains("defect"),
            "{solution}"
        );
        let (_, solution) = tell(wrong(&["x"], &[]), Supplier::ThirdParty);
        assert!(solution.contains("comes from somebody else"), "{solution}");
        let (_, solution) = tell(wrong(&["x"], &[]), Supplier::Library);
        assert!(solution.contains("What was configured for the application is wrong"), "{solution}");
        let (problem, solution) = tell(wrong(&[], &["sockets is missing"]), Supplier::Library);
        assert!(
            problem.contains("- Sockets is missing.") && solution.contains("not by the application") && solution.contains("defect"),
            "{solution}"
        );
    }

    // covers: PA-9
    #[test]
    fn all_violations_stand_in_the_problem_as_far_as_anybody_reads() {
        let application: Vec<_> = (0..100).map(|n| format!("argument {n} is missing")).collect();
        let violations = Violations { application, library: Vec::new() };
        let problem = told(
            Purpose::Direct,
            Category::Internal,
            SPAWNING_KIT_PREPARATION,
            |facts| facts.violations = Box::leak(Box::new(violations)),
            problem,
        );
        assert!(problem.contains("- Argument 0 is missing.") && problem.contains("- Argument 63 is missing.\n- And 36 more."), "{problem}");
    }

    // covers: PA-54
    #[test]
    fn the_last_words_are_quoted_in_few_lines() {
        let output: Vec<u8> = (0..1_000).flat_map(|n| format!("line {n} \x1b[31m {}\n\n", "x".repeat(n)).into_bytes()).collect();
        let problem = told(
            Purpose::Direct,
            Category::Internal,
            SUBPROCESS_LISTEN,
            |facts| facts.output = Box::leak(output.into_boxed_slice()),
            problem,
        );
        let (_, words) = problem.split_once("The last that it wrote:\n\n").unwrap();
        assert_eq!(words.lines().count(), QUOTED.0);
        assert!(
            words
                .lines()
                .all(|line| line.starts_with("    line 99") && line.contains(r"\x1b[31m") && line.ends_with(" ...") && line.len() < 300),
            "{words}"
        );
    }

    #[test]
    fn what_is_typed_by_hand_is_one_word_each() {
        assert_eq!(quoted_for_shell("/srv/shop-1"), "/srv/shop-1");
        assert_eq!(quoted_for_shell("a'b $(rm x)"), r"'a'\''b $(rm x)'");
        assert_eq!(quoted_for_shell(""), "''");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(100))]

        // covers: P-b12
        #[test]
        fn no_combination_is_unexpected(
            purpose in prop::sample::select(PURPOSES.to_vec()),
            category in prop::sample::select(Category::VARIANTS.to_vec()),
            steps in prop::collection::vec((0..25usize, 0..4u8, any::<Option<i64>>(), any::<Option<i64>>()), 0..10),
            step in prop::option::of("\\PC{0,20}"),
            message in "\\PC{0,60}",
            errno in prop::option::of(-5..200i32),
            ending in prop::option::of((1..4u8, any::<i32>(), any::<i32>())),
            strings in prop::collection::vec(prop::option::of("(\\PC|\n){0,30}"), 3),
            wrong in prop::collection::vec("(\\PC|\n){0,30}", 0..5),
            output in prop::collection::vec(any::<u8>(), 0..300),
        ) {
            let mut journey = journey(purpose, false);
            for (at, progress, begin, end) in steps {
                let progress = [Progress::NotStarted, Progress::InProgress, Progress::Performed, Progress::Errored][usize::from(progress)];
                let route = route(purpose).steps;
                journey.set(route[at % route.len()], progress, begin, end);
            }
            let violations = Violations { application: wrong.clone(), library: wrong };
            let facts = Facts {
                purpose,
                category,
                step: step.as_deref().or(culprit(&journey)).unwrap_or(SPAWNING_KIT_FINISH),
                message: &message,
                errno: errno.map(Errno::from_raw),
                exit: ending.map(|(kind, code, signal)| exit(Kind::from_repr(kind).unwrap(), code, signal)),
                violations: &violations,
                supplier: Supplier::Library,
                command: strings[0].as_deref(),
                root: strings[1].as_deref(),
                user: strings[2].as_deref(),
                journey: &journey,
                output: &output,
            };
            let texts = [summary(&facts), problem(&facts), solution(&facts)];
            prop_assert!(texts.iter().all(|text| !text.trim().is_empty() && text.len() < 20_000));
        }
    }
}
