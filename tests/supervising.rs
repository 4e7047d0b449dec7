//! Limits, queue, restarts, output and shutdown of a supervisor, through its events.

#![deny(unsafe_code)]

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::*;
use procsup::{Cause, Command, Event, EventKind, RestartWhen, State, Status, Supervisor};

#[track_caller]
fn next(supervisor: &Supervisor) -> Event {
    supervisor.next_event(patience()).unwrap().expect("an event in time")
}

/// The next event, which must be of this kind.
#[track_caller]
fn take(supervisor: &Supervisor, kind: EventKind) -> Event {
    let event = next(supervisor);
    assert_eq!(event.kind(), kind, "{event:?}");
    event
}

/// Kinds and tokens of the next events.
#[track_caller]
fn take_kinds(supervisor: &Supervisor, count: usize) -> Vec<(EventKind, u64)> {
    (0..count).map(|_| next(supervisor)).map(|event| (event.kind(), event.token())).collect()
}

fn limited(running: u32) -> Supervisor {
    let supervisor = Supervisor::new().unwrap();
    supervisor.set_max_running(running).unwrap();
    supervisor
}

/// A path of a file that is not there, in a directory of its own.
fn new_path(name: &str) -> PathBuf {
    let directory = std::env::temp_dir().join(format!("procsup-supervising-{}-{name}", std::process::id()));
    fs::create_dir(&directory).unwrap();
    directory.join("output")
}

/// Exactly these files lie beside it (hidden ones too); takes the directory away.
#[track_caller]
fn assert_only(path: &Path, expected: &[&str]) {
    let directory = path.parent().unwrap();
    let names: Vec<_> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(names, expected);
    fs::remove_dir_all(directory).unwrap();
}

// ---- limits and the line ----

#[test]
fn who_is_beyond_the_limit_waits_in_line_first_in_first_out() {
    let supervisor = limited(1);
    let mut children = vec![supervisor.spawn(&pausing(), 0).unwrap()];
    children.extend((1..4).map(|token| supervisor.spawn(&sh("exit 0"), token).unwrap()));
    assert_eq!(supervisor.counts().unwrap(), (3, 1, 0));
    assert_eq!((children[0].state().unwrap(), children[3].state().unwrap()), (State::Running, State::Pending));
    assert_eq!((children[3].pid(), children[3].signal(0).unwrap_err().status), (0, Status::State));
    children[0].signal(libc::SIGKILL).unwrap();
    let expected: Vec<_> = (0..4).flat_map(|token| [(EventKind::Started, token), (EventKind::Exited, token)]).collect();
    assert_eq!(take_kinds(&supervisor, 8), expected);
    assert_eq!(supervisor.counts().unwrap(), (0, 0, 0));
}

#[test]
fn a_child_that_is_being_stopped_holds_its_slot() {
    let supervisor = limited(1);
    let mut deaf = sh("trap '' TERM; echo; while :; do sleep 1; done");
    deaf.stdio(1, procsup::Stdio::Pipe).unwrap();
    let deaf = supervisor.spawn(&deaf, 0).unwrap();
    read_line(&deaf.take_stream(1).unwrap());
    supervisor.spawn(&sh("exit 0"), 1).unwrap();
    deaf.terminate_begin(patience()).unwrap();
    assert_eq!(supervisor.counts().unwrap(), (1, 0, 1));
    deaf.signal(libc::SIGKILL).unwrap();
    let expected = [(EventKind::Started, 0), (EventKind::Exited, 0), (EventKind::Started, 1), (EventKind::Exited, 1)];
    assert_eq!(take_kinds(&supervisor, 4), expected);
}

/// Nobody hears of an end before what waited for it runs.
#[test]
fn the_next_in_line_runs_before_the_end_is_told() {
    let supervisor = limited(1);
    let first = supervisor.spawn(&pausing(), 0).unwrap();
    let second = supervisor.spawn(&pausing(), 1).unwrap();
    take(&supervisor, EventKind::Started);
    first.signal(libc::SIGKILL).unwrap();
    take(&supervisor, EventKind::Exited);
    assert_eq!(second.state().unwrap(), State::Running);
    assert!(process_state(second.pid()).is_some());
}

#[test]
fn a_full_line_refuses_and_is_not_used_up_by_it() {
    let supervisor = limited(1);
    supervisor.set_max_pending(1).unwrap();
    let (_running, waiting) = (supervisor.spawn(&pausing(), 0).unwrap(), supervisor.spawn(&pausing(), 1).unwrap());
    for _ in 0..3 {
        assert_eq!(supervisor.spawn(&pausing(), 2).unwrap_err().status, Status::Limit);
    }
    assert_eq!(supervisor.counts().unwrap(), (1, 1, 0));
    waiting.terminate_begin(-1).unwrap();
    supervisor.spawn(&pausing(), 3).unwrap();
}

#[test]
fn a_cancelled_child_is_never_started() {
    let supervisor = limited(1);
    let running = supervisor.spawn(&pausing(), 0).unwrap();
    let begun = supervisor.spawn(&pausing(), 1).unwrap();
    let waited = supervisor.spawn(&pausing(), 2).unwrap();
    take(&supervisor, EventKind::Started);
    begun.terminate_begin(-1).unwrap();
    assert!(is_readable(supervisor.fd().unwrap(), 0), "CANCELLED");
    assert_eq!(waited.terminate(-1).unwrap_err().status, Status::Cancelled);
    assert_eq!(take_kinds(&supervisor, 2), [(EventKind::Cancelled, 1), (EventKind::Cancelled, 2)]);
    assert_eq!((begun.state().unwrap(), begun.reap(0).unwrap_err().status), (State::Cancelled, Status::Cancelled));
    running.signal(libc::SIGKILL).unwrap();
    take(&supervisor, EventKind::Exited);
    assert!(supervisor.next_event(50).unwrap().is_none());
    assert_eq!(supervisor.counts().unwrap(), (0, 0, 0));
}

#[test]
fn a_higher_limit_starts_who_waits_and_rings() {
    let supervisor = limited(1);
    supervisor.spawn(&pausing(), 0).unwrap();
    let second = supervisor.spawn(&pausing(), 1).unwrap();
    take(&supervisor, EventKind::Started);
    let fd = supervisor.fd().unwrap();
    assert!(!is_readable(fd, 0));
    supervisor.set_max_running(2).unwrap();
    assert!(is_readable(fd, 0), "there is something to do");
    assert_eq!(take(&supervisor, EventKind::Started).token(), 1);
    assert_eq!(second.state().unwrap(), State::Running);
}

#[test]
fn a_queued_child_that_cannot_be_started_says_why() {
    let supervisor = limited(1);
    supervisor.spawn(&sh("exit 0"), 0).unwrap();
    let missing = supervisor.spawn(&Command::new("/nonexistent/program").unwrap(), 1).unwrap();
    let mut failed = None;
    for _ in 0..3 {
        let event = next(&supervisor);
        failed = failed.or((event.kind() == EventKind::Failed).then_some(event));
    }
    assert_eq!(failed.map(|event| (event.token(), event.status())), Some((1, Some(Status::NotFound))));
    let error = missing.reap(0).unwrap_err();
    assert_eq!((error.status, error.errno), (Status::NotFound, Some(nix::errno::Errno::ENOENT)));
    assert_eq!(missing.state().unwrap(), State::Cancelled);
    assert_eq!(supervisor.counts().unwrap(), (0, 0, 0), "its slot is free");
}

/// The number may be another file's by the time of the start.
#[test]
fn a_queued_child_keeps_the_descriptors_that_it_was_lent() {
    let supervisor = limited(1);
    let first = supervisor.spawn(&pausing(), 0).unwrap();
    let (read, write) = pipe();
    let mut command = sh("echo here >&7");
    command.pass_fd(std::os::fd::AsRawFd::as_raw_fd(&write), 7).unwrap();
    let second = supervisor.spawn(&command, 1).unwrap();
    drop(write);
    first.signal(libc::SIGKILL).unwrap();
    assert!(second.reap(patience()).unwrap().success());
    drop(command);
    assert_eq!(read_line(&read), "here");
}

// ---- restarts ----

fn kept_alive(script: &str, when: RestartWhen, failures: u32) -> Command {
    let mut command = sh(script);
    command.restart(when, 0, 10).unwrap().restart_limit(failures, 60_000).unwrap();
    command
}

#[test]
fn a_crash_loop_is_given_up() {
    let supervisor = Supervisor::new().unwrap();
    let child = supervisor.spawn(&kept_alive("exit 3", RestartWhen::OnFailure, 3), 0).unwrap();
    for run in 1..=3 {
        assert_eq!(take(&supervisor, EventKind::Started).run, run);
        assert_eq!(take(&supervisor, EventKind::Exited).run, run);
        let last = next(&supervisor);
        assert_eq!(last.kind(), if run < 3 { EventKind::Restarting } else { EventKind::GaveUp });
        assert_eq!(last.exit().unwrap().code, 3);
    }
    assert_eq!((child.reap(0).unwrap().code, child.state().unwrap()), (3, State::Exited));
    assert!(supervisor.next_event(0).unwrap().is_none());
}

#[test]
fn success_starts_the_count_anew() {
    let path = new_path("anew");
    let script = format!("echo >> {0}; test $(wc -l < {0}) = 3 || exit 1; : > {0}", path.display());
    let supervisor = Supervisor::new().unwrap();
    let child = supervisor.spawn(&kept_alive(&script, RestartWhen::Always, 3), 0).unwrap();
    for _ in 0..9 {
        take(&supervisor, EventKind::Started);
        take(&supervisor, EventKind::Exited);
        take(&supervisor, EventKind::Restarting);
    }
    child.terminate_begin(-1).unwrap();
    child.reap(patience()).unwrap();
    fs::remove_dir_all(path.parent().unwrap()).unwrap();
}

#[test]
fn what_was_stopped_is_not_started_again() {
    let supervisor = Supervisor::new().unwrap();
    let child = supervisor.spawn(&kept_alive("exec sleep 100", RestartWhen::Always, 0), 0).unwrap();
    take(&supervisor, EventKind::Started);
    child.signal(libc::SIGKILL).unwrap();
    take(&supervisor, EventKind::Exited);
    take(&supervisor, EventKind::Restarting);
    assert_eq!((take(&supervisor, EventKind::Started).run, child.reap_nonblock().unwrap()), (2, None));
    assert_eq!(child.terminate(-1).unwrap().cause, Cause::Stop);
    take(&supervisor, EventKind::Exited);
    assert!(supervisor.next_event(50).unwrap().is_none());
}

#[test]
fn a_child_that_rests_can_be_cancelled() {
    let supervisor = Supervisor::new().unwrap();
    let mut command = sh("exit 1");
    command.restart(RestartWhen::Always, patience(), patience()).unwrap();
    let child = supervisor.spawn(&command, 0).unwrap();
    take_kinds(&supervisor, 3);
    assert_eq!((child.state().unwrap(), supervisor.counts().unwrap()), (State::Pending, (1, 0, 0)));
    assert_eq!(child.terminate(-1).unwrap().code, 1, "the exit of its last run");
    take(&supervisor, EventKind::Cancelled);
}

/// What it owns goes with its last run, not with the first.
#[test]
fn a_sandbox_lives_as_long_as_its_child_comes_back() {
    let path = new_path("sandbox");
    let directory = path.parent().unwrap().to_owned();
    let supervisor = Supervisor::new().unwrap();
    let mut command = kept_alive("exit 1", RestartWhen::OnFailure, 2);
    command.sandbox_dir(&directory).unwrap();
    supervisor.spawn(&command, 0).unwrap();
    take_kinds(&supervisor, 3);
    assert!(directory.exists(), "after the first run");
    take_kinds(&supervisor, 3);
    assert!(!directory.exists(), "after the last");
}

#[test]
fn restart_and_lines_need_a_supervisor() {
    assert_eq!(procsup::spawn(&kept_alive("exit 0", RestartWhen::Always, 0)).unwrap_err().status, Status::InvalidArgument);
    let mut lines = sh("exit 0");
    lines.output_lines(true);
    assert_eq!(procsup::spawn(&lines).unwrap_err().status, Status::InvalidArgument);
}

// ---- output ----

#[test]
fn every_line_is_an_event_before_the_end() {
    let supervisor = Supervisor::new().unwrap();
    let mut command = sh(r"printf 'a\n\nlong line\nrest'");
    command.output_lines(true).output_line_limit(4).unwrap().capture(100).unwrap();
    let child = supervisor.spawn(&command, 0).unwrap();
    take(&supervisor, EventKind::Started);
    let mut said = Vec::new();
    let exited = loop {
        let event = next(&supervisor);
        let Some(line) = event.line().cloned() else { break event };
        assert_eq!((event.kind(), line.stream), (EventKind::Output, 1));
        supervisor.with_event_data(|data| assert_eq!(data, line.bytes)).unwrap();
        said.push((String::from_utf8(line.bytes).unwrap(), line.whole));
    };
    let expected = [("a", true), ("", true), ("long", false), (" lin", false), ("e", true), ("rest", false)];
    assert_eq!(said, expected.map(|(text, whole)| (text.to_owned(), whole)));
    assert_eq!(exited.kind(), EventKind::Exited);
    assert_eq!(child.output().unwrap(), b"a\n\nlong line\nrest");
}

#[test]
fn a_host_that_takes_no_lines_holds_the_child_back_and_loses_none() {
    let supervisor = Supervisor::new().unwrap();
    let mut command = sh("i=0; while [ $i -lt 20000 ]; do echo 0123456789012345678901234567890123456789; i=$((i+1)); done");
    command.output_lines(true);
    let child = supervisor.spawn(&command, 0).unwrap();
    take(&supervisor, EventKind::Started);
    let mut lines = 0;
    while next(&supervisor).kind() == EventKind::Output {
        lines += 1;
    }
    assert_eq!((lines, child.reap(0).unwrap().code), (20_000, 0));
}

#[test]
fn a_file_appears_whole_when_the_child_has_ended() {
    let path = new_path("file");
    let supervisor = Supervisor::new().unwrap();
    let mut command = sh("echo one; exec sleep 100");
    command.output_file(&path, false).unwrap();
    let child = supervisor.spawn(&command, 0).unwrap();
    let mut late = command.clone();
    take(&supervisor, EventKind::Started);
    assert!(!path.exists(), "not before the end");
    child.signal(libc::SIGKILL).unwrap();
    assert_eq!(take(&supervisor, EventKind::Exited).status(), None);
    assert!(path.exists());
    assert_eq!(supervisor.spawn(&late, 0).unwrap_err().status, Status::OutputExists);
    late.output_file(&path, true).unwrap();
    let mut replacing = sh("echo two");
    replacing.output_file(&path, true).unwrap();
    assert!(supervisor.spawn(&replacing, 0).unwrap().reap(patience()).unwrap().success());
    assert_eq!(fs::read_to_string(&path).unwrap(), "two\n");
    assert_only(&path, &["output"]);
}

#[test]
fn a_file_that_came_meanwhile_is_not_touched() {
    let path = new_path("meanwhile");
    let supervisor = Supervisor::new().unwrap();
    let mut command = sh("echo mine; read line");
    command.stdio(0, procsup::Stdio::Pipe).unwrap().output_file(&path, false).unwrap();
    let child = supervisor.spawn(&command, 0).unwrap();
    take(&supervisor, EventKind::Started);
    fs::write(&path, "theirs").unwrap();
    nix::unistd::write(child.take_stream(0).unwrap(), b"\n").unwrap();
    let exited = take(&supervisor, EventKind::Exited);
    assert_eq!((exited.status(), exited.exit().unwrap().code), (Some(Status::OutputExists), 0));
    assert_eq!(child.reap(0).unwrap_err().status, Status::OutputExists);
    assert_eq!(fs::read_to_string(&path).unwrap(), "theirs");
    assert_only(&path, &["output"]);
}

#[test]
fn a_failed_child_can_drop_its_file() {
    let path = new_path("drop");
    let mut command = sh("echo half; exit 1");
    command.output_file(&path, false).unwrap().output_on_failure(false);
    assert_eq!(run(&command).code, 1);
    assert_only(&path, &[]);
}

#[test]
fn input_from_memory_is_complete_for_every_child() {
    let bytes = vec![b'x'; 300_000];
    let mut command = command("wc", &["-c"]);
    command.stdio(0, procsup::Stdio::Inherit).unwrap().input(&bytes).unwrap();
    assert_eq!((output_of(&mut command).trim(), output_of(&mut command).trim()), ("300000", "300000"));
}

// ---- the end ----

#[test]
fn a_shutdown_cancels_stops_and_tells_once() {
    let supervisor = limited(2);
    let mut soft = sh("trap 'exit 5' TERM; echo; while :; do sleep 0.01; done");
    soft.stdio(1, procsup::Stdio::Pipe).unwrap();
    let soft = supervisor.spawn(&soft, 0).unwrap();
    read_line(&soft.take_stream(1).unwrap());
    let mut deaf = sh("trap '' TERM; echo; while :; do sleep 0.01; done");
    deaf.stdio(1, procsup::Stdio::Pipe).unwrap().stop_step(libc::SIGTERM, 20).unwrap();
    let deaf = supervisor.spawn(&deaf, 1).unwrap();
    read_line(&deaf.take_stream(1).unwrap());
    let waiting = supervisor.spawn(&pausing(), 2).unwrap();
    take_kinds(&supervisor, 2);
    supervisor.shutdown(-1).unwrap();
    supervisor.shutdown(patience()).unwrap();
    assert_eq!(supervisor.spawn(&pausing(), 3).unwrap_err().status, Status::Shutdown);
    assert_eq!(take(&supervisor, EventKind::Cancelled).token(), 2);
    take(&supervisor, EventKind::Exited);
    take(&supervisor, EventKind::Exited);
    assert!(take(&supervisor, EventKind::ShutdownDone).child.is_none());
    supervisor.shutdown(0).unwrap();
    assert!(supervisor.next_event(20).unwrap().is_none(), "once");
    assert_eq!((soft.reap(0).unwrap().code, deaf.reap(0).unwrap().signal), (5, libc::SIGKILL));
    assert_eq!(deaf.reap(0).unwrap().cause, Cause::Shutdown);
    assert_eq!(waiting.reap(0).unwrap_err().status, Status::Shutdown);
}

#[test]
fn a_shutdown_of_nobody_is_done_at_once() {
    let supervisor = Supervisor::new().unwrap();
    supervisor.shutdown(-1).unwrap();
    take(&supervisor, EventKind::ShutdownDone);
    assert!(supervisor.next_event(0).unwrap().is_none());
}

/// Ends that other threads reap are told all the same, and never more run at once than may.
#[test]
fn ends_that_many_threads_reap_are_told_exactly_once() {
    let supervisor = limited(3);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let supervisor = &supervisor;
            scope.spawn(move || {
                for i in 0..25 {
                    let child = supervisor.spawn(&command("true", &[]), thread * 25 + i).unwrap();
                    let (_, running, stopping) = supervisor.counts().unwrap();
                    assert!(running + stopping <= 3);
                    assert!(child.reap(patience()).unwrap().success());
                }
            });
        }
    });
    let mut told = [0; 100];
    let mut open = 0;
    while let Some(event) = supervisor.next_event(0).unwrap() {
        open += if event.kind() == EventKind::Started { 1 } else { -1 };
        assert!((0..=3).contains(&open), "by the events {open} run at once");
        told[event.token() as usize] += 1;
    }
    assert_eq!(told, [2; 100]);
}
