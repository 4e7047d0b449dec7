//! A host thread that takes every child's status with `waitpid(-1)`: each of ours still has its true end, and nothing hangs.

#![deny(unsafe_code)]

mod common;

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use common::*;
use nix::errno::Errno;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use procsup::{Kind, Supervisor};

#[test]
fn law03_a_host_that_waits_for_everything() {
    let (stop, stolen) = (AtomicBool::new(false), AtomicU32::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
                    Ok(WaitStatus::StillAlive) | Err(Errno::ECHILD) => std::thread::yield_now(),
                    _ => drop(stolen.fetch_add(1, Ordering::Relaxed)),
                }
            }
        });
        let _stop = Stop(&stop);
        // The thief is at work.
        until("the first theft", || {
            run(&sh("exit 0"));
            stolen.load(Ordering::Relaxed) > 0
        });
        let check = |exit: procsup::Exit, code: i32| match exit.kind {
            Kind::Lost => assert!(!kernel_keeps_status(), "lost, though this kernel keeps the status"),
            _ => assert_eq!((exit.kind, exit.code), (Kind::Exited, code)),
        };
        for round in 0..50 {
            let child = procsup::spawn(&sh(&format!("exit {round}"))).unwrap();
            check(child.reap(patience()).unwrap(), round);
            let child = procsup::spawn(&sh(&format!("exit {round}"))).unwrap();
            until("its end", || child.reap_nonblock().unwrap().is_some());
            check(child.reap(0).unwrap(), round);
        }
        let supervisor = Supervisor::new().unwrap();
        for code in 0..20 {
            supervisor.spawn(&sh(&format!("exit {code}")), code).unwrap();
        }
        let mut ends = 0;
        while ends < 20 {
            let event = supervisor.next_event(patience()).unwrap().expect("an end that was stolen is an end");
            if let Some(exit) = event.exit() {
                check(exit, event.token() as i32);
                ends += 1;
            }
        }
        let child = procsup::spawn(&pausing()).unwrap();
        let exit = child.terminate(patience()).unwrap();
        assert!(exit.kind == Kind::Lost || exit.signal == libc::SIGTERM);
        // A failed exec is no child at all: the thief must not have seen it, nor we a strange answer.
        for _ in 0..20 {
            assert_eq!(procsup::spawn(&command("/nonexistent", &[])).unwrap_err().errno, Some(Errno::ENOENT));
        }
    });
    assert_eq!(procsup::live_count(), 0);
}
