//! Many children behind one descriptor: each start and each end exactly once, in order, with no thread of ours.

#![deny(unsafe_code)]

mod common;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use common::*;
use procsup::{Cause, Event, EventKind, Kind, Managed, State, Status, Supervisor};

#[track_caller]
fn next(supervisor: &Supervisor) -> Event {
    supervisor.next_event(patience()).unwrap().expect("an event in time")
}

#[test]
fn events_start_and_end_in_order() {
    let supervisor = Supervisor::new().unwrap();
    let mut command = sh("exit 8");
    command.user_data(77);
    let child = supervisor.spawn(&command, 5).unwrap();
    let (started, exited) = (next(&supervisor), next(&supervisor));
    assert_eq!((started.kind(), started.exit()), (EventKind::Started, None));
    assert_eq!(exited.kind(), EventKind::Exited);
    for event in [&started, &exited] {
        assert!(event.child.as_ref().is_some_and(|of| Arc::ptr_eq(of, &child)));
        assert_eq!((event.user_data(), event.token(), event.pid), (77, 5, child.pid()));
    }
    assert_eq!(exited.exit().unwrap().code, 8);
    assert_eq!(exited.exit().unwrap(), child.reap(0).unwrap());
    assert!(started.time_ns <= exited.time_ns);
    assert!(supervisor.next_event(0).unwrap().is_none(), "each exactly once");
}

#[test]
fn events_of_many_children_come_exactly_once_each() {
    let supervisor = Supervisor::new().unwrap();
    let children: Vec<Arc<Managed>> = (0..100).map(|code| supervisor.spawn(&sh(&format!("exit {code}")), code).unwrap()).collect();
    let mut seen: HashMap<u64, Vec<Event>> = HashMap::new();
    for _ in 0..200 {
        let event = next(&supervisor);
        seen.entry(event.token()).or_default().push(event);
    }
    for (code, child) in children.iter().enumerate() {
        let events = &seen[&(code as u64)];
        assert_eq!(events.iter().map(|event| event.kind()).collect::<Vec<_>>(), [EventKind::Started, EventKind::Exited]);
        assert_eq!(events[1].exit().unwrap().code, code as i32);
        assert_eq!(child.state().unwrap(), State::Exited);
    }
    assert!(supervisor.next_event(0).unwrap().is_none());
}

/// A blocking call in one place must not swallow the event that another place waits for.
#[test]
fn law11_a_reap_does_not_swallow_the_event() {
    let supervisor = Supervisor::new().unwrap();
    let child = supervisor.spawn(&sh("exit 2"), 0).unwrap();
    let exit = child.reap(patience()).unwrap();
    assert_eq!(next(&supervisor).kind(), EventKind::Started);
    let exited = supervisor.next_event(0).unwrap().unwrap();
    assert_eq!(exited.exit(), Some(exit));
    assert!(supervisor.next_event(0).unwrap().is_none());
}

#[test]
fn law04_no_wait_means_no_wait() {
    let supervisor = Supervisor::new().unwrap();
    let child = supervisor.spawn(&pausing(), 0).unwrap();
    assert_eq!(next(&supervisor).kind(), EventKind::Started);
    let began = Instant::now();
    assert!(supervisor.next_event(0).unwrap().is_none());
    assert!(supervisor.next_event(30).unwrap().is_none());
    assert!(began.elapsed().as_millis() >= 30 && began.elapsed() < at_once());
    assert_eq!(supervisor.next_event(-2).unwrap_err().status, Status::InvalidArgument);
    child.terminate(-1).unwrap();
}

#[test]
fn the_descriptor_is_readable_exactly_when_there_is_something() {
    let supervisor = Supervisor::new().unwrap();
    let fd = supervisor.fd().unwrap();
    assert!(!is_readable(fd, 0), "nothing yet");
    let child = supervisor.spawn(&pausing(), 0).unwrap();
    assert!(is_readable(fd, 0), "STARTED");
    next(&supervisor);
    assert!(!is_readable(fd, 0), "taken");
    child.signal(libc::SIGKILL).unwrap();
    assert!(is_readable(fd, patience()), "EXITED");
    assert!(is_readable(fd, 0), "still, until it is taken");
    assert_eq!(next(&supervisor).kind(), EventKind::Exited);
    assert!(!is_readable(fd, 0));
}

/// A descriptor that was asked for late, with events waiting, and one event taken by a reap elsewhere.
#[test]
fn the_descriptor_knows_of_events_before_it() {
    let supervisor = Supervisor::new().unwrap();
    let child = supervisor.spawn(&sh("exit 0"), 0).unwrap();
    child.reap(patience()).unwrap();
    assert!(is_readable(supervisor.fd().unwrap(), 0));
    next(&supervisor);
    next(&supervisor);
    assert!(!is_readable(supervisor.fd().unwrap(), 0));
}

#[test]
fn the_descriptor_wakes_for_a_timer() {
    let supervisor = Supervisor::new().unwrap();
    let mut command = pausing();
    command.deadline(50).unwrap();
    supervisor.spawn(&command, 0).unwrap();
    next(&supervisor);
    assert!(is_readable(supervisor.fd().unwrap(), patience()), "the deadline");
    assert_eq!(next(&supervisor).exit().unwrap().cause, Cause::Deadline);
}

#[test]
fn terminate_begin_is_finished_by_events() {
    let supervisor = Supervisor::new().unwrap();
    let mut command = sh("trap '' TERM; echo ready; exec sleep 100");
    command.stdio(1, procsup::Stdio::Pipe).unwrap();
    let child = supervisor.spawn(&command, 0).unwrap();
    next(&supervisor);
    read_line(&child.take_stream(1).unwrap());
    child.terminate_begin(50).unwrap();
    let exit = next(&supervisor).exit().unwrap();
    assert_eq!((exit.signal, exit.cause), (libc::SIGKILL, Cause::Stop));
}

/// EV-21: one stuck worker is timed out and ended; the others keep their results.
#[test]
fn ev21_one_stuck_child_does_not_touch_the_others() {
    let supervisor = Supervisor::new().unwrap();
    let mut stuck = pausing();
    stuck.deadline(100).unwrap();
    supervisor.spawn(&stuck, 0).unwrap();
    for code in 1..10 {
        supervisor.spawn(&sh(&format!("exit {code}")), code).unwrap();
    }
    let mut ends = HashMap::new();
    while ends.len() < 10 {
        let event = next(&supervisor);
        if let Some(exit) = event.exit() {
            ends.insert(event.token(), exit);
        }
    }
    assert_eq!((ends[&0].kind, ends[&0].cause), (Kind::Signaled, Cause::Deadline));
    assert!((1..10).all(|code| ends[&code].code == code as i32 && ends[&code].cause == Cause::Itself));
}

#[test]
fn closing_kills_all_it_owns() {
    let supervisor = Supervisor::new().unwrap();
    let mut children: Vec<Arc<Managed>> = (0..5).map(|i| supervisor.spawn(&pausing(), i).unwrap()).collect();
    let mut deaf = sh("trap '' TERM; exec sleep 100");
    deaf.stop_step(libc::SIGTERM, patience()).unwrap();
    children.push(supervisor.spawn(&deaf, 9).unwrap());
    let other = Supervisor::new().unwrap();
    let bystander = other.spawn(&pausing(), 0).unwrap();
    let began = Instant::now();
    drop(supervisor);
    assert!(began.elapsed() < at_once());
    for child in &children {
        assert_eq!(process_state(child.pid()), None, "no zombie");
        assert_eq!(child.state().unwrap(), State::Exited);
        let exit = child.reap(0).unwrap();
        assert_eq!((exit.signal, exit.cause), (libc::SIGKILL, Cause::Shutdown));
    }
    assert_eq!(bystander.reap_nonblock().unwrap(), None, "another supervisor's child");
}

#[test]
fn closing_ends_a_wait_in_another_thread() {
    let supervisor = Supervisor::new().unwrap();
    let child = supervisor.spawn(&pausing(), 0).unwrap();
    next(&supervisor);
    std::thread::scope(|scope| {
        let waiter = scope.spawn(|| supervisor.next_event(-1));
        supervisor.close();
        assert_eq!(waiter.join().unwrap().unwrap_err().status, Status::Shutdown);
    });
    assert_eq!(supervisor.spawn(&pausing(), 0).unwrap_err().status, Status::Shutdown);
    assert_eq!(child.reap(0).unwrap().cause, Cause::Shutdown);
}

/// Its owner has seen the exit and let go: nobody could do anything with the events.
#[test]
fn events_of_a_child_that_was_reaped_and_let_go_are_not_delivered() {
    let supervisor = Supervisor::new().unwrap();
    let child = supervisor.spawn(&sh("exit 0"), 1).unwrap();
    child.reap(patience()).unwrap();
    child.let_go();
    let kept = supervisor.spawn(&sh("exit 0"), 2).unwrap();
    assert_eq!((next(&supervisor).token(), next(&supervisor).token()), (2, 2));
    assert!(supervisor.next_event(0).unwrap().is_none());
    drop(kept);
}

/// Let go while it runs: the supervisor still owns it and tells of its end.
#[test]
fn events_of_a_child_that_was_let_go_while_running_are_delivered() {
    let supervisor = Supervisor::new().unwrap();
    let child = supervisor.spawn(&sh("exit 6"), 1).unwrap();
    child.let_go();
    drop(child);
    assert_eq!(next(&supervisor).kind(), EventKind::Started);
    assert_eq!(next(&supervisor).exit().unwrap().code, 6);
}

#[test]
fn a_supervisor_works_from_many_threads() {
    let supervisor = Supervisor::new().unwrap();
    let ends = std::thread::scope(|scope| {
        for thread in 0..4 {
            let supervisor = &supervisor;
            scope.spawn(move || {
                for i in 0..25 {
                    supervisor.spawn(&sh("exit 1"), thread * 25 + i).unwrap();
                }
            });
        }
        let takers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let mut ends = Vec::new();
                    // Ends are over when all hundred were taken by one or the other: then nothing comes any more.
                    while let Some(event) = supervisor.next_event(if ends.len() < 100 { 500 } else { 0 }).unwrap() {
                        if event.exit().is_some() {
                            ends.push(event.token());
                        }
                    }
                    ends
                })
            })
            .collect();
        takers.into_iter().flat_map(|taker| taker.join().unwrap()).collect::<Vec<u64>>()
    });
    let mut ends = ends;
    while let Some(event) = supervisor.next_event(if ends.len() < 100 { patience() } else { 0 }).unwrap() {
        if event.exit().is_some() {
            ends.push(event.token());
        }
    }
    ends.sort_unstable();
    assert_eq!(ends, (0..100).collect::<Vec<u64>>());
}

/// While one child is waited for, the others of its supervisor go on: output is drained, deadlines are kept.
#[test]
fn a_wait_for_one_child_drives_the_others() {
    let supervisor = Supervisor::new().unwrap();
    let mut late = pausing();
    late.deadline(30).unwrap();
    let late = supervisor.spawn(&late, 0).unwrap();
    let waited_for = supervisor.spawn(&pausing(), 0).unwrap();
    let pid = late.pid();
    std::thread::scope(|scope| {
        scope.spawn(|| waited_for.reap(-1).unwrap());
        until("the other's deadline", || process_state(pid).is_none());
        waited_for.signal(libc::SIGKILL).unwrap();
    });
}
