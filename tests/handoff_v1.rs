//! A supervisor of ours replaces daemons that are built on the crate `beyond-handoff` 0.1.4: incumbent and successor are that crate's, in this very binary,
//! started again (`v1/daemon.rs`). Each crash of each party has its *better* outcome here: exactly one serves in the end, there was no second writer, and
//! nothing that was acknowledged is lost; where the crate's own supervisor leaves nobody, that is said.

#![deny(unsafe_code)]

mod v1;

use std::time::Instant;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use procsup::Status;
use procsup::handoff::supervisor::EventKind;
use v1::*;

/// Not a test: the daemon.
#[test]
fn daemon() {
    if daemon::said("V1_ROLE").as_deref() == Some("daemon") {
        daemon::run();
    }
}

/// Not a test: a successor that does what its script says.
#[test]
fn successor() {
    if daemon::said("V1_ROLE").as_deref() == Some("successor") {
        raw::successor();
    }
}

// covers: C16-4, HO-3, HO-4, HO-5, HO-6, HO-7
#[test]
fn a_daemon_is_replaced_and_the_next_one_too() {
    let mut world = World::started(&[]);
    let first = world.check();
    world.replace(&[], 0, 0);
    assert_eq!(world.supervisor().replace(world.daemon(&[]), 0, 0).unwrap_err().status, Status::InProgress);
    let second = world.committed();
    assert_eq!(world.check(), second);
    until("the first one has ended", || !is_there(first));
    assert!(world.has_noted("ends committed") && !world.has_noted("resumed"));
    assert!(world.has_noted("drain 60000") || world.has_noted("drain 59999"), "the usual grace\n{}", world.notes());
    assert!(!world.journal().exists(), "the journal is taken away");
    let outcome = world.supervisor().outcome(0).unwrap();
    assert!(outcome.committed && !outcome.unsealed);
    assert_eq!((outcome.old_pid, outcome.new_pid, outcome.connections.open), (first, second, 3));
    assert_eq!((outcome.old_build.text(), outcome.new_build.text()), ("build-1", "beef"));
    assert_eq!((outcome.old_generation, outcome.new_generation), (1, 2));
    world.check_next();
    let told: Vec<i32> = world.events.iter().filter(|told| told.kind == EventKind::Progress).map(|told| told.phase).collect();
    assert_eq!(told, [7, 8, 9, 7, 8, 9], "draining, sealing, sealed");
}

// covers: B19, HO-6
#[test]
fn every_generation_is_told_its_own_number() {
    let mut world = World::started(&[]);
    world.replace(&[], 0, 0);
    world.committed();
    assert!(world.has_noted("LISTEN_PID true") && !world.has_noted("LISTEN_PID false"), "{}", world.notes());
}

// covers: HO-3, HO-8, B16
#[test]
fn a_replacement_is_called_off_and_the_owner_goes_on() {
    let mut world = World::started(&[("V1_SEAL_MS", "300")]);
    let owner = world.check();
    world.replace(&[], 0, 0);
    world.wait_for(EventKind::Progress, &mut |_| {});
    world.supervisor().cancel().unwrap();
    world.aborted(Status::Cancelled);
    assert_eq!(world.check(), owner);
    assert!(world.has_noted("resumed"));
    assert!(world.supervisor().cancel().is_err());
    // At once, for the owner was asked whether it is done.
    world.check_next();
}

// covers: HO-3
#[test]
fn a_seal_that_fails_leaves_the_owner() {
    let mut world = World::started(&[("V1_SEAL_FAILS", "1")]);
    let owner = world.check();
    world.replace(&[], 0, 0);
    let words = world.aborted(Status::Aborted);
    assert!(words.contains("no seal today"), "{words}");
    assert_eq!(world.check(), owner);
    assert!(world.has_noted("resumed") && !world.has_noted("begun"));
    assert_eq!(world.notes().matches("resumed").count(), 1);
}

/// The crate never resumes an owner whose drain has failed (B6): it is said, and nobody waits.
// covers: HO-3
#[test]
fn a_drain_that_fails_is_told() {
    let mut world = World::started(&[("V1_DRAIN_FAILS", "1")]);
    world.replace(&[], 0, 0);
    let words = world.aborted(Status::Protocol);
    assert!(words.contains("has closed its channel"), "{words}");
    assert!(!world.has_noted("begun"));
}

/// An incumbent that is stopped in its drain is called off, and asked whether it goes on; when it does, it says so, and the next replacement can begin
/// at once.
// covers: B16, LAW-15
#[test]
fn a_hung_owner_is_waited_for_after_the_replacement_is_off() {
    let mut world = World::started(&[("V1_STOP", "o-inside-drain")]);
    let owner = world.check();
    world.replace(&[], 60_000, 300);
    let told = world.wait_for(EventKind::Progress, &mut |_| {});
    assert_eq!(told.phase, 7);
    let resuming = world.wait(EventKind::Progress);
    assert_eq!(resuming.phase, 6, "the owner is to go on");
    until("it stands still", || is_stopped(owner));
    kill(Pid::from_raw(owner), Signal::SIGCONT).unwrap();
    world.aborted(Status::Timeout);
    assert_eq!(world.check(), owner);
}

/// Silence of each party, in each phase in which the other waits: all of it ends by itself. At once, for most of it is waiting.
// covers: B8, B11, LAW-15, L2
#[test]
fn silence_ends_in_every_phase() {
    let mut all = Vec::new();
    // Who, with which variables of owner and successor; what it comes to.
    for (name, of_owner, of_successor) in [
        ("the successor never greets", None, Some(("V1_STOP", "n-before-handshake"))),
        ("the successor loads for ever", None, Some(("V1_LOAD_MS", "60000"))),
        ("the owner drains for ever", Some(("V1_DRAIN_MS", "3000")), None),
        ("the owner seals for ever", Some(("V1_SEAL_MS", "3500")), None),
        ("the successor stands still once it has begun", None, Some(("V1_STOP", "n-after-begin"))),
        ("the successor opens for ever", None, Some(("V1_OPEN_MS", "60000"))),
        ("the successor stands still before it is ready", None, Some(("V1_STOP", "n-before-announce-ready"))),
    ] {
        all.push(std::thread::spawn(move || {
            let list = |one: Option<(&'static str, &'static str)>| one.into_iter().collect::<Vec<_>>();
            let mut world = World::started(&list(of_owner));
            let owner = world.check();
            world.replace(&list(of_successor), 1_000, 500);
            let words = world.aborted(Status::Timeout);
            println!("{name}: {words}");
            assert_eq!(world.check(), owner, "{name}");
            assert!(of_owner.is_some() || !world.has_noted("ends committed"), "{name}");
            if of_owner.is_none() {
                world.check_next();
            }
        }));
    }
    for one in all {
        one.join().unwrap();
    }
}

/// The crate gives a successor 5 s to greet and 10 s to open, whatever the deadline is (B11): here it has the deadline, and what it loads before it greets
/// costs nobody anything.
// covers: B11, B12
#[test]
fn a_successor_may_load_before_it_greets() {
    let mut world = World::started(&[]);
    let owner = world.check();
    world.replace(&[("V1_LOAD_MS", "700")], 0, 0);
    let began = Instant::now();
    while began.elapsed().as_millis() < 400 {
        assert_eq!(world.ask(), owner, "it serves meanwhile");
        let _ = world.supervisor().next_event(0).unwrap();
    }
    world.committed();
    world.check();
}

// covers: B10
#[test]
fn a_successor_that_is_not_healthy_is_told_of() {
    let mut world = World::started(&[]);
    world.replace(&[("V1_UNHEALTHY", "1")], 0, 0);
    world.committed();
    assert!(world.words().contains("not healthy"), "{}", world.words());
}

// ---- crashes ----

/// The four points of the crate's feature in an incumbent, and the two of its fixtures. With the crate's own supervisor the first four leave nobody (B3).
// covers: B3, B15, LAW-14, L1, HO-10
#[test]
fn an_owner_that_dies_is_succeeded() {
    for (how, point, unsealed) in [
        ("V1_CRASH", "o-inside-drain", true),
        ("HANDOFF_CRASH_AT", "o-after-drained-sent", true),
        ("V1_CRASH", "o-inside-seal", true),
        ("HANDOFF_CRASH_AT", "o-after-seal-flock-released", true),
        ("HANDOFF_CRASH_AT", "o-after-seal-complete-sent", false),
        ("HANDOFF_CRASH_AT", "o-after-commit-recv", false),
    ] {
        let mut world = World::started(&[(how, point)]);
        let owner = world.check();
        world.replace(&[("V1_OPEN_MS", "100")], 20_000, 5_000);
        let successor = world.committed();
        assert_eq!(world.check(), successor, "{point}");
        until("the owner is dead", || !is_there(owner));
        let outcome = world.supervisor().outcome(0).unwrap();
        assert_eq!((outcome.committed, outcome.unsealed), (true, unsealed), "{point}");
        let ended = world.events.iter().any(|told| told.kind == EventKind::OwnerEnded);
        assert_eq!(ended, !point.ends_with("commit-recv"), "{point}: {:?}", world.events);
    }
}

/// An owner dies before anybody has greeted, and a successor that is slow to load follows it.
// covers: B3, L1
#[test]
fn an_owner_that_dies_before_the_greeting_is_succeeded() {
    let mut world = World::started(&[]);
    let owner = world.check();
    world.replace(&[("V1_LOAD_MS", "300")], 20_000, 5_000);
    kill(Pid::from_raw(owner), Signal::SIGKILL).unwrap();
    let successor = world.committed();
    assert_eq!(world.check(), successor);
}

// covers: HO-8, HO-10, LAW-14, L1
#[test]
fn a_successor_that_dies_leaves_the_owner() {
    for point in ["n-before-handshake", "n-after-handshake", "n-after-begin", "n-before-announce-ready"] {
        let mut world = World::started(&[]);
        let owner = world.check();
        world.replace(&[("V1_CRASH", point)], 20_000, 5_000);
        let words = world.aborted(Status::Exited);
        assert!(words.contains("has ended"), "{words}");
        assert_eq!(world.check(), owner, "{point}");
        assert!(!world.journal().exists());
        world.check_next();
    }
}

/// Both die: another one is started from the last command that has served, with the listeners that are held.
// covers: L5
#[test]
fn when_none_is_left_another_is_started() {
    let mut world = World::started(&[("V1_CRASH", "o-inside-seal")]);
    world.replace(&[("V1_CRASH", "n-after-begin")], 20_000, 5_000);
    world.aborted(Status::Exited);
    world.wait(EventKind::Serving);
    world.check();
    assert!(world.words().contains("no generation is left"), "{}", world.words());
}

// covers: L5
#[test]
fn a_generation_that_ends_by_itself_is_started_again_and_not_for_ever() {
    let mut world = World::started(&[]);
    for _ in 0..3 {
        let owner = world.check();
        kill(Pid::from_raw(owner), Signal::SIGKILL).unwrap();
        let ended = world.wait(EventKind::OwnerEnded);
        assert_eq!((ended.pid, ended.exit_signal), (owner, 9));
        world.wait(EventKind::Serving);
    }
    let owner = world.check();
    kill(Pid::from_raw(owner), Signal::SIGKILL).unwrap();
    assert_eq!(world.wait(EventKind::GaveUp).reason, Status::BudgetExhausted);
}

/// The program of a successor is not there: that is the answer, and the owner has heard of nothing.
// covers: B18
#[test]
fn a_program_that_is_not_there_is_the_answer() {
    let mut world = World::started(&[]);
    let missing = std::sync::Arc::new(procsup::Command::new("/nowhere/daemon").unwrap());
    let error = world.supervisor().replace(missing, 0, 0).unwrap_err();
    assert_eq!((error.status, error.step), (Status::NotFound, "exec"));
    assert!(!world.has_noted("resumed"));
    world.check_next();
}

// ---- our own death ----

/// Not a test: a supervisor that dies.
#[test]
fn supervisor() {
    if daemon::said("V1_ROLE").as_deref() == Some("supervisor") {
        supervise_and_die();
    }
}

/// The eleven steps at which the crate's crash matrix kills its supervisor. Whoever serves then is found again, and replaced; what the journal says is
/// in the records, and the journal is taken away.
// covers: C16-4, HO-9, HO-10, L4, B2, LAW-14
#[test]
fn a_supervisor_may_die_at_every_step() {
    let steps = [
        ("s-after-o-hello", false),
        ("s-after-spawn-successor", false),
        ("s-after-n-hello", false),
        ("s-after-prepare-sent", false),
        ("s-after-drained-recv", false),
        ("s-after-seal-request-sent", false),
        ("s-after-seal-complete-recv", false),
        ("s-after-begin-sent", true),
        ("s-after-ready-recv", true),
        ("s-after-commit-sent", true),
        ("s-after-journal-clear", true),
    ];
    std::thread::scope(|scope| {
        for (point, followed) in steps {
            scope.spawn(move || {
                // Long enough that the owner has given up to take its lock again (2 s): with the crate's own supervisor nobody is left (B2).
                let opens = if point == "s-after-begin-sent" { "2600" } else { "0" };
                let mut world = World::after_a_death_at(point, opens);
                let served = world.check();
                // On a machine that is busy the owner can have its lock again before the successor has read BEGIN: then that one ends, as it should.
                let followed = followed && !(point == "s-after-begin-sent" && world.notes().contains(" no lock "));
                let first: i32 = world.notes().split_once(" serves").and_then(|(all, _)| all.rsplit('\n').next()?.parse().ok()).unwrap();
                assert_eq!(served != first, followed, "{point}\n{}", world.notes());
                until("the other one has ended", || world.pids().iter().filter(|pid| is_there(**pid)).count() == 1);
                let had_journal = world.journal().exists();
                assert_eq!(world.recover(), served, "{point}");
                assert!(!world.journal().exists());
                assert_eq!(world.supervisor().outcome(0).is_ok(), had_journal, "{point}");
                if had_journal {
                    assert_eq!(world.supervisor().outcome(0).unwrap().committed, followed, "{point}");
                }
                world.check_next();
            });
        }
    });
}

// covers: HO-9, B17
#[test]
fn a_journal_that_is_none_costs_nothing() {
    let mut world = World::started(&[]);
    let owner = world.check();
    drop(world.supervisor.take());
    std::fs::write(world.journal(), "").unwrap();
    assert_eq!(world.recover(), owner);
    let outcome = world.supervisor().outcome(0).unwrap();
    assert_eq!(outcome.reason, Status::Protocol);
    assert!(outcome.words.contains("no journal"), "{}", outcome.words);
    world.check_next();
    assert!(world.path.join("state.bin.corrupt").exists(), "nothing of it is lost");
}

/// A journal that cannot be written ends nobody: with the crate's own supervisor a full disk behind Begin kills the successor (B17).
// covers: B17
#[test]
fn a_journal_that_cannot_be_written_is_in_nobodys_way() {
    let mut world = World::new();
    let supervisor = world.supervise();
    let nowhere = std::path::Path::new("/proc/self/state.bin");
    supervisor.set_journal(nowhere).unwrap();
    let command = world.daemon(&[]);
    world.supervisor().start(command).unwrap();
    world.wait(EventKind::Serving);
    world.check_next();
}

/// The crate's own tools read what is written here, and the other way round.
// covers: HO-9
#[test]
fn the_crate_reads_our_journal_and_we_read_its() {
    use beyond_handoff::state::{Phase, StateJournal};
    let world = World::after_a_death_at("s-after-ready-recv", "0");
    let theirs = StateJournal::read(&world.journal()).unwrap().unwrap();
    assert_eq!(theirs.phase, Phase::AwaitingReady);
    let numbers = world.pids();
    assert_eq!((theirs.incumbent_pid, theirs.successor_pid), (numbers[0] as u32, Some(numbers[1] as u32)));
    let own = beyond_handoff::Supervisor::new(&world.control()).unwrap().with_journal(world.journal());
    assert_eq!(own.resume_from_journal().unwrap().unwrap().handoff_id, theirs.handoff_id);
    assert!(!world.journal().exists());
    // And one of its own.
    for (phase, words) in [(Phase::Sealing, "Sealing"), (Phase::ResumingAfterAbort, "ResumingAfterAbort")] {
        let left = StateJournal {
            handoff_id: theirs.handoff_id,
            phase,
            incumbent_pid: std::process::id(),
            successor_pid: Some(1),
            started_at_unix_ms: 1_700_000_000_000,
        };
        left.write_atomic(&world.journal()).unwrap();
        let mut again = World::started(&[]);
        let supervisor = procsup::handoff::supervisor::HandoffSupervisor::new(Some(&again.control())).unwrap();
        supervisor.set_protocol(procsup::handoff::supervisor::Protocol::V1).unwrap();
        supervisor.set_journal(&world.journal()).unwrap();
        supervisor.recover().unwrap();
        let outcome = supervisor.outcome(0).unwrap();
        assert!(!outcome.committed && outcome.words.contains(words), "{}", outcome.words);
        assert_eq!((outcome.new_pid, outcome.began_realtime), (1, 1_700_000_000_000_000_000));
        again.check();
    }
}
