//! Peers that say what they must not, or nothing: each has its answer, in bounds, and leaves the other one as it was.

use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use beyond_handoff as handoff;
use handoff::protocol::{HandoffId, Message, Side};
use procsup::Status;
use procsup::handoff::supervisor::EventKind;

use super::raw::{Incumbent, hear, hello, say, sealed, until_prepare, until_seal};
use super::*;

/// An incumbent of ours, and nobody else.
fn world_of() -> (World, Incumbent) {
    let mut world = World::new();
    let incumbent = Incumbent::at(&world.control());
    assert_eq!(world.recover(), std::process::id() as i32);
    (world, incumbent)
}

/// One that does what is expected of it until it has sealed, and tells what it hears then.
fn seals(incumbent: &Incumbent) {
    incumbent.next(|stream, note| {
        let id = until_seal(stream);
        say(stream, &sealed(id));
        while let Some(told) = hear(stream) {
            note(handoff::protocol::short_name(&told));
            if matches!(told, Message::Heartbeat { .. }) {
                say(stream, &Message::Heartbeat { ts_ms: 2 });
            }
        }
        note("end");
    });
}

fn replace_by(world: &World, script: &str, deadline_ms: i64) {
    let command = this_as("successor", &world.path, &[("V1_SCRIPT", script)]);
    world.supervisor().replace(command, deadline_ms, 0).unwrap();
}

/// Before its Begin: the incumbent hears of nothing, or goes on.
// covers: HO-5, B21, B22, LAW-17, D1.4
#[test]
fn a_successor_that_says_what_it_must_not_is_dismissed() {
    for (script, reason, words) in [
        ("hello-as:1 stay", Status::PeerRejected, "greets as 1"),
        ("hello-of-a-child stay", Status::PeerRejected, "greets as"),
        ("hello-incumbent stay", Status::Protocol, "greets as an incumbent"),
        ("hello-versions:2-9 stay", Status::VersionMismatch, "versions 2 to 9"),
        ("hex:01001000ff stay", Status::Protocol, "a frame of 1048577 bytes"),
        ("hex:01000000ff stay", Status::Protocol, "a frame of 1 bytes"),
        ("hex:0300000001000e stay", Status::Protocol, "no message of this protocol"),
        ("hello ack ready stay", Status::Protocol, "says Ready out of its turn"),
        ("hello ack hello stay", Status::Protocol, "says Hello out of its turn"),
        ("hello ack drained stay", Status::Protocol, "says Drained"),
        ("hello ack hex:0900000009000d80d095ffbc31 stay", Status::VersionMismatch, "version 9"),
        ("hello ack beats:30000 stay", Status::Protocol, "more frames"),
        ("end", Status::Exited, "has ended"),
    ] {
        let (mut world, incumbent) = world_of();
        // It drains for ever, so that nothing else ends it.
        incumbent.next(|stream, note| {
            say(stream, &hello(Side::Incumbent, std::process::id(), (1, 1)));
            while let Some(told) = hear(stream) {
                note(handoff::protocol::short_name(&told));
                if matches!(told, Message::ResumeAfterAbort { .. }) {
                    say(stream, &Message::Drained { open_conns_remaining: 0, accept_closed: true });
                }
                if matches!(told, Message::Heartbeat { .. }) {
                    say(stream, &Message::Heartbeat { ts_ms: 2 });
                }
            }
        });
        if script == "end" {
            let nobody = this_as("nobody", &world.path, &[]);
            world.supervisor().replace(nobody, 0, 0).unwrap();
        } else {
            replace_by(&world, script, 0);
        }
        let told = world.aborted(reason);
        assert!(told.contains(words), "{script}: {told}");
        let heard = incumbent.heard.lock().unwrap().clone();
        let expected: [&[&str]; 3] = [&[], &["HelloAck"], &["HelloAck", "PrepareHandoff", "ResumeAfterAbort", "Heartbeat"]];
        assert!(expected.contains(&&heard.iter().map(String::as_str).collect::<Vec<_>>()[..]), "{script}: {heard:?}");
        until("it is gone", || world.pids().iter().all(|pid| !is_there(*pid)));
    }
}

/// After its Begin: it is killed, and only then is the incumbent told to go on.
// covers: B14, B15, HO-8
#[test]
fn a_successor_that_fails_after_its_begin_is_killed_first() {
    for (script, reason) in [
        ("hello ack begin ready-of-another stay", Status::Protocol),
        ("hello ack begin drained stay", Status::Protocol),
        ("hello ack begin hex:ffffffff stay", Status::Protocol),
        ("hello ack begin", Status::Exited),
    ] {
        let (mut world, incumbent) = world_of();
        seals(&incumbent);
        replace_by(&world, script, 0);
        world.aborted(reason);
        assert_eq!(incumbent.heard.lock().unwrap()[..2], ["ResumeAfterAbort", "Heartbeat"], "{script}");
        until("it is gone", || world.pids().iter().all(|pid| !is_there(*pid)));
    }
}

/// READY has come, and the deadline too, when the supervisor looks at last: a process that has said READY has published itself, so it stays.
// covers: B5, B14
#[test]
fn a_ready_that_came_in_time_counts_however_late_it_is_looked_at() {
    let (mut world, incumbent) = world_of();
    seals(&incumbent);
    replace_by(&world, "hello ack begin wait-for:go ready stay", 3_000);
    // Opening.
    while world.wait(EventKind::Progress).phase != 9 {}
    std::fs::write(world.path.join("go"), "").unwrap();
    until("it has said so", || world.has_noted("ready true"));
    // The time itself: three seconds of its deadline and one of slack pass, and nobody looks.
    std::thread::sleep(Duration::from_millis(4_100));
    let pid = world.committed();
    assert!(is_there(pid));
    until("the owner is told", || incumbent.heard.lock().unwrap().last().is_some_and(|told| told == "end"));
    assert_eq!(incumbent.heard.lock().unwrap()[0], "Commit");
}

/// A byte now and then is no sign of life: the phase has its end.
// covers: B21, LAW-15, LAW-17
#[test]
fn a_frame_that_never_ends_ends_with_its_phase() {
    let (mut world, _incumbent) = world_of();
    let began = Instant::now();
    replace_by(&world, "drip", 900);
    world.aborted(Status::Timeout);
    assert!(began.elapsed() < patience() / 2);
}

/// Whatever the incumbent says: the successor is dismissed and has not begun, and the incumbent sees the end of the channel.
// covers: B21, B22, HO-3, HO-5
#[test]
fn an_incumbent_that_says_what_it_must_not_is_left() {
    type Says = fn(&UnixStream);
    let cases: [(&str, Status, Says); 8] = [
        ("greets as a successor", Status::Protocol, |stream| _ = say(stream, &hello(Side::Successor, 1, (1, 1)))),
        ("another version", Status::VersionMismatch, |stream| _ = say(stream, &hello(Side::Incumbent, 1, (2, 3)))),
        ("a frame too long", Status::Protocol, |stream| {
            use std::io::Write;
            let _ = (&mut &*stream).write_all(&[0xFF; 8]);
        }),
        ("seals before it is asked", Status::Protocol, |stream| {
            let id = until_prepare(stream);
            say(stream, &sealed(id));
        }),
        ("drains twice", Status::Protocol, |stream| {
            until_seal(stream);
            say(stream, &Message::Drained { open_conns_remaining: 0, accept_closed: true });
        }),
        ("seals another handoff", Status::Protocol, |stream| {
            until_seal(stream);
            say(stream, &sealed(HandoffId::new()));
        }),
        ("is ready", Status::Protocol, |stream| {
            until_prepare(stream);
            say(stream, &Message::Begin { handoff_id: HandoffId::new() });
        }),
        ("hangs up", Status::Protocol, |stream| _ = until_seal(stream)),
    ];
    for (name, reason, says) in cases {
        let (mut world, incumbent) = world_of();
        incumbent.next(move |stream, note| {
            says(stream);
            if name != "hangs up" {
                while hear(stream).is_some() {}
                note("end");
            }
        });
        world.replace(&[], 0, 0);
        world.aborted(reason);
        assert!(!world.has_noted("begun"), "{name}");
        until("the successor is gone", || world.pids().iter().all(|pid| !is_there(*pid)));
        if name != "hangs up" {
            until("it sees the end", || incumbent.heard.lock().unwrap().last().is_some_and(|told| told == "end"));
        }
    }
}

/// After the successor has begun, whatever the incumbent says is not heard: an end of its channel would make it take its lock.
// covers: B15, B21
#[test]
fn an_incumbent_that_talks_on_is_not_hung_up_on() {
    let (mut world, incumbent) = world_of();
    incumbent.next(|stream, note| {
        let id = until_seal(stream);
        say(stream, &sealed(id));
        say(stream, &Message::Drained { open_conns_remaining: 0, accept_closed: true });
        while let Some(told) = hear(stream) {
            note(handoff::protocol::short_name(&told));
        }
    });
    replace_by(&world, "hello ack begin wait-for:go ready stay", 0);
    while world.wait(EventKind::Progress).phase != 9 {}
    // Some looks, in which it is heard.
    for _ in 0..5 {
        let _ = world.supervisor().next_event(20).unwrap();
    }
    assert!(incumbent.heard.lock().unwrap().is_empty());
    std::fs::write(world.path.join("go"), "").unwrap();
    world.committed();
    until("it is told", || *incumbent.heard.lock().unwrap() == ["Commit"]);
}

/// B16: who has been told to go on is believed when it says so, and else that is said.
// covers: B16
#[test]
fn an_owner_that_does_not_answer_is_not_said_to_go_on() {
    let (mut world, incumbent) = world_of();
    incumbent.next(|stream, note| {
        let id = until_seal(stream);
        say(stream, &sealed(id));
        assert!(matches!(hear(stream), Some(Message::ResumeAfterAbort { .. })));
        // It cannot take its lock, ends the session, and is back later.
        note("left");
    });
    replace_by(&world, "hello ack begin", 0);
    world.aborted(Status::Exited);
    assert_eq!(*incumbent.heard.lock().unwrap(), ["left"], "and its next greeting was waited for");
}

/// What we do to the listeners is nothing: they are not closed, not shut, and keep their flags, whoever is called off.
// covers: B1, HO-6, LAW-16, S7
#[test]
fn no_flag_of_a_listener_is_touched() {
    let (mut world, incumbent) = world_of();
    world.listener.set_nonblocking(true).unwrap();
    let flags = |listener: &TcpListener| nix::fcntl::fcntl(listener, nix::fcntl::FcntlArg::F_GETFL).unwrap();
    let before = flags(&world.listener);
    seals(&incumbent);
    replace_by(&world, "hello ack begin drained", 0);
    world.end();
    assert_eq!(flags(&world.listener), before);
    assert!(world.has_noted("channel true"));
    TcpStream::connect(world.listener.local_addr().unwrap()).unwrap();
}

/// Nobody listens at the path any more, though the owner lives: it is said at once, and nothing is started.
// covers: B5
#[test]
fn an_owner_without_a_path_is_told_of() {
    let (mut world, _incumbent) = world_of();
    std::fs::remove_file(world.control()).unwrap();
    let error = world.supervisor().replace(world.daemon(&[]), 0, 0).unwrap_err();
    assert_eq!((error.status, error.step), (Status::NotFound, "connect"));
    assert!(world.pids().is_empty());
    assert_eq!(world.supervisor().owner().unwrap().0, std::process::id() as i32);
    world.events.clear();
}

/// The numbers of an operator.
// covers: HO-11
#[test]
fn replacements_are_counted() {
    let mut world = World::started(&[]);
    world.replace(&[], 0, 0);
    world.committed();
    world.replace(&[("V1_CRASH", "n-after-begin")], 0, 0);
    world.aborted(Status::Exited);
    let text = world.supervisor().metrics().unwrap();
    for line in
        ["handoff_committed_total 1", "handoff_aborted_total{reason=\"PS_ERR_EXITED\"} 1", "handoff_generation 2", "handoff_in_progress 0"]
    {
        assert!(text.lines().any(|one| one == line), "{line}\n{text}");
    }
    assert!(!text.contains("handoff_last_gap_seconds 0.000000000"), "{text}");
}

/// The supervisor is freed in the middle: the owner goes on, and the successor is gone.
// covers: L4, S8
#[test]
fn a_supervisor_that_is_freed_leaves_the_owner() {
    let mut world = World::started(&[("V1_SEAL_MS", "300")]);
    let owner = world.check();
    world.replace(&[], 0, 0);
    while world.wait(EventKind::Progress).phase != 8 {}
    drop(world.supervisor.take());
    assert_eq!(world.check(), owner);
    until("the successor is gone", || world.pids().iter().filter(|pid| is_there(**pid)).count() == 1);
    assert_eq!(world.recover(), owner);
}

/// It is stopped in the middle of a replacement: that is called off first, and who is left is stopped.
// covers: HO-3, S8
#[test]
fn a_generation_is_stopped_in_the_middle_of_its_replacement() {
    let mut world = World::started(&[("V1_SEAL_MS", "200")]);
    let owner = world.check();
    world.replace(&[], 0, 0);
    while world.wait(EventKind::Progress).phase != 8 {}
    world.supervisor().stop(2_000).unwrap();
    world.supervisor().stop(2_000).unwrap();
    world.aborted(Status::Cancelled);
    let stopped = world.wait(EventKind::Stopped);
    assert_eq!(stopped.pid, owner);
    until("all are gone", || {
        let _ = world.supervisor().next_event(1).unwrap();
        world.pids().iter().all(|pid| !is_there(*pid))
    });
    assert!(world.supervisor().stop(0).is_err() && world.supervisor().owner().is_err());
    let (started, events) = (world.pids().len(), &world.events);
    assert!(started == 2 && events.iter().all(|told| told.kind != EventKind::OwnerEnded), "nobody is started in its place: {events:?}");
}

/// One that has begun goes its own way: it may have the lock, and the channel stays open for it.
// covers: B2, S9
#[test]
fn a_supervisor_that_is_freed_leaves_a_successor_that_has_begun() {
    let mut world = World::started(&[]);
    let owner = world.check();
    world.replace(&[("V1_OPEN_MS", "2500")], 0, 0);
    // Until it has its lock the owner, which hears of the end as well, may be the first to take it again.
    until("it has begun", || {
        let _ = world.supervisor().next_event(10).unwrap();
        world.has_noted("has the lock")
    });
    drop(world.supervisor.take());
    let successor = world.check();
    assert_ne!(successor, owner);
    assert_eq!(world.recover(), successor);
}
