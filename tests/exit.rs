//! How a child ended: exact, at any time, as often as asked, and without blocking unless asked to.

#![deny(unsafe_code)]

mod common;

use std::time::Instant;

use common::*;
use nix::sys::signal::Signal;
use procsup::{Cause, Kind, State, Status};

#[test]
fn exit_record_of_a_code() {
    for code in [0, 1, 42, 255] {
        let exit = run(&sh(&format!("exit {code}")));
        assert_eq!((exit.kind, exit.code, exit.signal, exit.cause), (Kind::Exited, code, 0, Cause::Itself));
        assert_eq!(exit.success(), code == 0);
    }
}

#[test]
fn exit_record_of_a_signal() {
    let child = procsup::spawn(&pausing()).unwrap();
    kill(child.pid(), Signal::SIGUSR1);
    let exit = child.reap(patience()).unwrap();
    assert_eq!((exit.kind, exit.code, exit.signal), (Kind::Signaled, -1, libc::SIGUSR1));
    assert_eq!(exit.cause, Cause::Itself, "a stranger's signal");
    assert!(!exit.success());
}

#[test]
fn exit_record_counts_the_work() {
    let exit = run(&sh("i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done"));
    assert!(exit.user_us > 1_000, "{exit:?}");
    assert!(exit.system_us >= 0, "{exit:?}");
    assert!((300..1_000_000).contains(&exit.max_rss_kib), "{exit:?}");
    assert!(exit.ended_ns - exit.started_ns >= exit.user_us * 900, "it took at least the time that it worked: {exit:?}");
}

#[test]
fn ev13_reap_nonblock_is_none_while_the_child_runs() {
    let (child, input, _output) = spawn_echoing(&echoing());
    for _ in 0..3 {
        assert_eq!(child.reap_nonblock().unwrap(), None);
    }
    assert_eq!(child.state().unwrap(), State::Running);
    drop(input);
    until("its end", || child.reap_nonblock().unwrap().is_some());
    assert_eq!(process_state(child.pid()), None, "reaped, no zombie");
}

#[test]
fn law11_an_exit_can_be_asked_for_at_any_time() {
    let child = procsup::spawn(&sh("exit 3")).unwrap();
    let first = child.reap(patience()).unwrap();
    assert_eq!(child.reap(0).unwrap(), first);
    assert_eq!(child.reap(-1).unwrap(), first);
    assert_eq!(child.reap_nonblock().unwrap(), Some(first));
    assert_eq!(child.terminate(0).unwrap(), first);
    assert_eq!(child.state().unwrap(), State::Exited);
}

#[test]
fn law11_four_threads_reap_the_same_child() {
    for _ in 0..20 {
        let (child, input, _output) = spawn_echoing(&echoing());
        let records = std::thread::scope(|scope| {
            let waiters: Vec<_> = (0..4).map(|_| scope.spawn(|| child.reap(patience()).unwrap())).collect();
            drop(input);
            waiters.into_iter().map(|waiter| waiter.join().unwrap()).collect::<Vec<_>>()
        });
        assert!(records.iter().all(|record| *record == records[0]), "{records:?}");
        assert_eq!((records[0].kind, records[0].code), (Kind::Exited, 0));
        assert!(records[0].max_rss_kib > 0, "the true record, not that of a thief: {:?}", records[0]);
    }
}

#[test]
fn law04_reap_times_out_at_its_time() {
    let child = procsup::spawn(&pausing()).unwrap();
    let began = Instant::now();
    assert_eq!(child.reap(0).unwrap_err().status, Status::Timeout);
    assert_eq!(child.reap(50).unwrap_err().status, Status::Timeout);
    assert!(began.elapsed().as_millis() >= 50, "not before its time");
    assert!(began.elapsed() < at_once(), "nor long after it");
    assert_eq!(child.reap(-2).unwrap_err().status, Status::InvalidArgument);
    child.terminate(-1).unwrap();
}

/// A thread that waits for one child for ever blocks nobody else: not on another child, and not on the same.
#[test]
fn law04_a_waiting_thread_blocks_no_other() {
    let child = procsup::spawn(&pausing()).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| child.reap(-1).unwrap());
        until("the waiter waits", || child.state().unwrap() == State::Running);
        let began = Instant::now();
        assert!(run(&command("true", &[])).success());
        assert_eq!(child.reap_nonblock().unwrap(), None);
        assert_eq!(child.reap(0).unwrap_err().status, Status::Timeout);
        child.signal(libc::SIGKILL).unwrap();
        assert!(began.elapsed() < at_once());
    });
}

#[test]
fn ev12_a_child_that_the_host_reaped_still_has_its_status() {
    for (script, kind, code, signal) in [("exit 9", Kind::Exited, 9, 0), ("kill -KILL $$", Kind::Signaled, -1, libc::SIGKILL)] {
        let (child, _supervisor) = spawn_stolen(&sh(script));
        let exit = child.reap(patience()).unwrap();
        if exit.kind == Kind::Lost {
            assert!(!kernel_keeps_status());
            assert_eq!((exit.code, exit.signal), (-1, 0));
        } else {
            assert_eq!((exit.kind, exit.code, exit.signal), (kind, code, signal));
        }
        assert_eq!((exit.user_us, exit.system_us, exit.max_rss_kib), (-1, -1, -1), "nobody knows what it used");
        assert_eq!(child.state().unwrap(), State::Exited);
    }
}

#[test]
fn ev10_signal_numbers_and_ended_children() {
    let child = procsup::spawn(&pausing()).unwrap();
    child.signal(0).unwrap();
    for bad in [-1, 65, i32::MAX] {
        assert_eq!(child.signal(bad).unwrap_err().status, Status::InvalidArgument);
    }
    child.signal(libc::SIGTERM).unwrap();
    let exit = child.reap(patience()).unwrap();
    assert_eq!((exit.signal, exit.cause), (libc::SIGTERM, Cause::Owner));
    for number in [0, libc::SIGTERM] {
        assert_eq!(child.signal(number).unwrap_err().status, Status::Exited);
    }
}

/// One that does not end the leader, or the sweep would do the work.
#[test]
fn ev10_a_signal_reaches_a_grandchild_though_the_leader_lives() {
    let grandchild = "trap 'echo grandchild' USR1; echo ready; while :; do sleep 100 & wait $!; done";
    let (child, _, output) = spawn_ready(&mut sh(&format!("trap : USR1; ({grandchild}) & while :; do wait; done")));
    child.signal(libc::SIGUSR1).unwrap();
    assert_eq!(read_line(&output), "grandchild");
    assert_eq!(child.reap_nonblock().unwrap(), None);
    child.signal(libc::SIGKILL).unwrap();
    child.reap(patience()).unwrap();
}

#[test]
fn ev10_a_signal_reaches_the_whole_group() {
    let (child, line, _output) = spawn_ready(&mut sh("sleep 100 & echo $!; wait"));
    let grandchild: i32 = line.parse().unwrap();
    child.signal(libc::SIGTERM).unwrap();
    child.reap(patience()).unwrap();
    until("the grandchild's end", || is_dead(grandchild));
}

#[test]
fn law08_the_pidfd_is_a_duplicate_and_readable_at_the_end() {
    let child = procsup::spawn(&pausing()).unwrap();
    let pidfd = child.pidfd().unwrap();
    assert!(!is_readable(&pidfd, 0));
    let flags = nix::fcntl::fcntl(&pidfd, nix::fcntl::FcntlArg::F_GETFD).unwrap();
    assert_eq!(flags & libc::FD_CLOEXEC, libc::FD_CLOEXEC);
    child.signal(libc::SIGKILL).unwrap();
    assert!(is_readable(&pidfd, patience()));
    child.reap(patience()).unwrap();
    assert_eq!(child.pidfd().unwrap_err().status, Status::Exited);
    assert!(is_readable(&pidfd, 0), "ours was not touched");
}

#[test]
fn state_follows_the_life_of_a_child() {
    let (child, _line, _output) = spawn_ready(&mut sh("trap '' TERM; echo ready; exec sleep 100"));
    assert_eq!(child.state().unwrap(), State::Running);
    child.terminate_begin(patience()).unwrap();
    assert_eq!(child.state().unwrap(), State::Stopping);
    kill(child.pid(), Signal::SIGKILL);
    until("EXITED", || child.state().unwrap() == State::Exited);
    assert_eq!(child.reap(0).unwrap().cause, Cause::Stop);
}

#[test]
fn ev01_a_child_has_pid_and_group() {
    let child = procsup::spawn(&pausing()).unwrap();
    assert!(children().contains(&child.pid()));
    assert_eq!(group_and_session(child.pid()).0, child.pid());
    let exit = child.terminate(-1).unwrap();
    assert!(exit.started_ns > 0 && exit.ended_ns > exit.started_ns);
    assert!(child.pid() > 0, "the number stays for display");
}

/// The exec of a set-uid or core-dumping program aside, the flag needs a core limit and a place to write to; where the
/// machine writes none, both sides must say so.
#[test]
fn exit_record_tells_a_core_dump() {
    let directory = tempfile::tempdir().unwrap();
    let mut command = sh("kill -ABRT $$");
    command.cwd(directory.path()).unwrap().rlimit(libc::RLIMIT_CORE as i32, 0, 0).unwrap();
    let exit = run(&command);
    assert_eq!(exit.signal, libc::SIGABRT);
    let piped = std::fs::read_to_string("/proc/sys/kernel/core_pattern").is_ok_and(|pattern| pattern.starts_with('|'));
    assert!(piped || !exit.core_dumped, "a limit of 0 and no program to take it");
}
