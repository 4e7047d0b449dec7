//! The end of a child by our hand: the ladder, the whole group, the deadline, and who is to blame.

#![deny(unsafe_code)]

mod common;

use std::time::{Duration, Instant};

use common::*;
use nix::sys::signal::Signal;
use procsup::{Cause, Isolation, Kind, State, Status, Supervisor};

/// Ignores TERM; prints "ready" once it does.
const DEAF: &str = "trap '' TERM; echo ready; exec sleep 100";

#[test]
fn ev11_terminate_ends_as_soon_as_the_child_does() {
    let child = procsup::spawn(&pausing()).unwrap();
    let began = Instant::now();
    let exit = child.terminate(patience()).unwrap();
    assert!(began.elapsed() < at_once(), "the grace was slept out: {:?}", began.elapsed());
    assert_eq!((exit.kind, exit.signal, exit.cause), (Kind::Signaled, libc::SIGTERM, Cause::Stop));
}

#[test]
fn ev11_terminate_escalates_to_kill() {
    let (child, _, _output) = spawn_ready(&mut sh(DEAF));
    let began = Instant::now();
    let exit = child.terminate(100).unwrap();
    assert!(began.elapsed() >= Duration::from_millis(100), "it had its grace");
    assert_eq!((exit.signal, exit.cause), (libc::SIGKILL, Cause::Stop));
}

#[test]
fn ev11_terminate_takes_a_clean_exit_as_it_is() {
    let (child, _, _output) = spawn_ready(&mut sh("trap 'exit 7' TERM; echo ready; while :; do sleep 100 & wait $!; done"));
    let exit = child.terminate(-1).unwrap();
    assert_eq!((exit.kind, exit.code, exit.cause), (Kind::Exited, 7, Cause::Stop));
}

#[test]
fn ev11_stop_steps_of_the_command_are_followed() {
    let mut command = sh("trap '' TERM; trap 'echo int' INT; trap 'echo usr' USR1; echo ready; while :; do sleep 100 & wait $!; done");
    command.stop_step(libc::SIGINT, 50).unwrap().stop_step(libc::SIGUSR1, 50).unwrap().stop_step(libc::SIGKILL, -1).unwrap();
    let (child, _, output) = spawn_ready(&mut command);
    let exit = child.terminate(-1).unwrap();
    assert_eq!(exit.signal, libc::SIGKILL);
    assert_eq!(String::from_utf8(read_to_end(output)).unwrap(), "int\nusr\n");
}

#[test]
fn ev11_terminate_begin_returns_at_once() {
    let (child, _, _output) = spawn_ready(&mut sh(DEAF));
    let began = Instant::now();
    child.terminate_begin(100).unwrap();
    assert!(began.elapsed() < Duration::from_millis(100), "{:?}", began.elapsed());
    assert_eq!(child.state().unwrap(), State::Stopping);
    assert_eq!(child.reap(patience()).unwrap().signal, libc::SIGKILL, "the wait climbs the ladder");
}

#[test]
fn ev11_terminate_wakes_a_stopped_child() {
    let child = procsup::spawn(&pausing()).unwrap();
    kill(child.pid(), Signal::SIGSTOP);
    until("stopped", || process_state(child.pid()) == Some('T'));
    let exit = child.terminate(patience()).unwrap();
    assert_eq!(exit.signal, libc::SIGTERM, "not only KILL reaches it");
}

/// A plan that does not end the child ends itself; the child stays watched.
#[test]
fn ev11_a_plan_without_kill_ends_in_a_timeout() {
    let mut command = sh(DEAF);
    command.stop_step(libc::SIGTERM, 50).unwrap();
    let (child, _, _output) = spawn_ready(&mut command);
    assert_eq!(child.terminate(-1).unwrap_err().status, Status::Timeout);
    assert_eq!(child.reap_nonblock().unwrap(), None, "not forgotten");
    child.signal(libc::SIGKILL).unwrap();
    assert_eq!(child.reap(patience()).unwrap().signal, libc::SIGKILL);
}

#[test]
fn ev24_a_child_that_ignores_everything_is_ended() {
    let (child, _, _output) = spawn_ready(&mut sh("trap '' HUP INT QUIT TERM USR1 USR2 PIPE ALRM; echo ready; exec sleep 100"));
    assert_eq!(child.terminate(0).unwrap().signal, libc::SIGKILL);
}

#[test]
fn law09_the_group_is_swept_when_its_leader_exits() {
    let (child, line, _output) = spawn_ready(&mut sh("sleep 100 & echo $!"));
    let exit = child.reap(patience()).unwrap();
    assert!(exit.success());
    until("the grandchild's end", || is_dead(line.parse().unwrap()));
}

/// The trap of "TERM, look whether the leader is gone, done".
#[test]
fn law09_a_grandchild_that_ignores_term_is_swept() {
    let (child, line, _output) = spawn_ready(&mut sh("(trap '' TERM; exec sleep 100) & echo $!; wait"));
    let grandchild: i32 = line.parse().unwrap();
    until("the trap", || ignores(grandchild, libc::SIGTERM));
    child.terminate(patience()).unwrap();
    until("the grandchild's end", || is_dead(grandchild));
}

#[test]
fn law09_the_sweep_works_through_every_way_to_reap() {
    let script = "sleep 100 & echo $!";
    let (polled, line, _output) = spawn_ready(&mut sh(script));
    until("its end", || polled.reap_nonblock().unwrap().is_some());
    until("swept by reap_nonblock", || is_dead(line.parse().unwrap()));

    let supervisor = Supervisor::new().unwrap();
    let mut command = sh(script);
    command.stdio(1, procsup::Stdio::Pipe).unwrap();
    let child = supervisor.spawn(&command, 0).unwrap();
    let line = read_line(&child.take_stream(1).unwrap());
    while supervisor.next_event(patience()).unwrap().unwrap().exit.is_none() {}
    until("swept by events", || is_dead(line.parse().unwrap()));
}

#[test]
fn law09_the_sweep_works_for_sessions_too() {
    let mut command = sh("sleep 100 & echo $!");
    command.isolate(Isolation::Session);
    let (child, line, _output) = spawn_ready(&mut command);
    child.reap(patience()).unwrap();
    until("the grandchild's end", || is_dead(line.parse().unwrap()));
}

#[test]
fn law09_survivors_may_be_left() {
    let mut command = sh("sleep 100 & echo $!");
    command.sweep_survivors(false);
    let (child, line, _output) = spawn_ready(&mut command);
    let grandchild: i32 = line.parse().unwrap();
    child.reap(patience()).unwrap();
    // A sweep would have been sent before the reap returned: a process with a pending KILL does not sleep any more.
    until("asleep", || process_state(grandchild) == Some('S'));
    kill(grandchild, Signal::SIGKILL);
}

/// Without a group of its own there is nothing to sweep, least of all our own group.
#[test]
fn law02_a_child_in_the_hosts_group_is_ended_alone() {
    let mut command = sh("sleep 100 & echo $!; wait");
    command.isolate(Isolation::None);
    let (child, line, _output) = spawn_ready(&mut command);
    let grandchild: i32 = line.parse().unwrap();
    assert_eq!(group_and_session(child.pid()), group_and_session(std::process::id() as i32));
    assert_eq!(child.terminate(patience()).unwrap().signal, libc::SIGTERM);
    until("asleep: one of our own group", || process_state(grandchild) == Some('S'));
    kill(grandchild, Signal::SIGKILL);
}

#[test]
fn ev18_a_deadline_runs_the_stop_plan() {
    let mut command = pausing();
    command.deadline(50).unwrap();
    let began = Instant::now();
    let exit = run(&command);
    assert_eq!((exit.signal, exit.cause), (libc::SIGTERM, Cause::Deadline));
    assert!(began.elapsed() >= Duration::from_millis(50));
}

#[test]
fn ev18_a_deadline_is_driven_by_events() {
    let supervisor = Supervisor::new().unwrap();
    let mut command = sh(DEAF);
    command.stdio(1, procsup::Stdio::Null).unwrap();
    command.deadline(50).unwrap().stop_step(libc::SIGTERM, 50).unwrap().stop_step(libc::SIGKILL, -1).unwrap();
    supervisor.spawn(&command, 0).unwrap();
    let exit = loop {
        if let Some(exit) = supervisor.next_event(patience()).unwrap().unwrap().exit {
            break exit;
        }
    };
    assert_eq!((exit.kind, exit.cause), (Kind::Signaled, Cause::Deadline));
}

#[test]
fn ev18_a_deadline_does_not_touch_a_child_in_time() {
    let mut command = sh("exit 4");
    command.deadline(patience()).unwrap();
    let exit = run(&command);
    assert_eq!((exit.code, exit.cause), (4, Cause::Itself));
}

#[test]
fn cause_tells_who_ended_it() {
    let child = procsup::spawn(&pausing()).unwrap();
    child.signal(libc::SIGCONT).unwrap();
    kill(child.pid(), Signal::SIGHUP);
    let exit = child.reap(patience()).unwrap();
    assert_eq!((exit.signal, exit.cause), (libc::SIGHUP, Cause::Itself), "our signal was not what it died of");

    let child = procsup::spawn(&pausing()).unwrap();
    child.signal(libc::SIGUSR2).unwrap();
    assert_eq!(child.reap(patience()).unwrap().cause, Cause::Owner);

    let supervisor = Supervisor::new().unwrap();
    let child = supervisor.spawn(&pausing(), 0).unwrap();
    drop(supervisor);
    assert_eq!(child.reap(0).unwrap().cause, Cause::Shutdown);
}

/// Whoever comes too late has ended nothing.
#[test]
fn cause_of_a_child_that_was_over_before() {
    let (child, _supervisor) = spawn_zombie(&sh("exit 6"));
    let exit = child.terminate(-1).unwrap();
    assert_eq!((exit.code, exit.cause), (6, Cause::Itself), "terminate");
    let (child, _supervisor) = spawn_zombie(&sh("exit 6"));
    child.terminate_begin(-1).unwrap();
    let exit = child.reap(patience()).unwrap();
    assert_eq!((exit.code, exit.cause), (6, Cause::Itself), "terminate_begin");
    let mut late = sh("exit 6");
    late.deadline(1).unwrap();
    let (child, _supervisor) = spawn_zombie(&late);
    let began = Instant::now();
    until("the deadline", || began.elapsed() > Duration::from_millis(2));
    let exit = child.reap(patience()).unwrap();
    assert_eq!((exit.code, exit.cause), (6, Cause::Itself), "deadline");
    let (child, supervisor) = spawn_zombie(&sh("exit 6"));
    drop(supervisor);
    let exit = child.reap(patience()).unwrap();
    assert_eq!((exit.code, exit.cause), (6, Cause::Itself), "the end of the supervisor");
}

#[test]
fn terminate_refuses_a_negative_grace() {
    let child = procsup::spawn(&pausing()).unwrap();
    assert_eq!(child.terminate(-2).unwrap_err().status, Status::InvalidArgument);
    assert_eq!(child.state().unwrap(), State::Running, "and changes nothing");
    child.terminate(-1).unwrap();
}
