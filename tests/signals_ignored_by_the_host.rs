//! Dispositions belong to the whole process, so this has one to itself.

#![deny(unsafe_code)]

mod common;

use common::*;
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};

extern "C" fn handler(_signal: i32) {}

#[test]
fn p17_ignored_and_handled_signals_are_default_in_the_child() {
    let ignored = [Signal::SIGHUP, Signal::SIGINT, Signal::SIGQUIT, Signal::SIGTERM, Signal::SIGUSR1, Signal::SIGTSTP];
    for (signals, how) in [(&ignored[..], SigHandler::SigIgn), (&[Signal::SIGUSR2, Signal::SIGALRM][..], SigHandler::Handler(handler))] {
        for signal in signals {
            let action = SigAction::new(how, SaFlags::empty(), SigSet::empty());
            #[allow(unsafe_code)]
            // SAFETY: the handler does nothing.
            unsafe { sigaction(*signal, &action) }.unwrap();
        }
    }
    let (child, _input, _output) = spawn_echoing(&echoing());
    assert_eq!(status_of(child.pid(), "SigIgn"), "0000000000000000");
    assert_eq!(status_of(child.pid(), "SigCgt"), "0000000000000000");
    assert_eq!(child.terminate(patience()).unwrap().signal, libc::SIGTERM, "it dies of what the host ignores");

    // Law 1: the host's own are as they were.
    for signal in ignored {
        assert!(ignores(std::process::id() as i32, signal as i32), "{signal}");
    }

    // Changed between two spawns: nothing is remembered.
    let action = SigAction::new(SigHandler::SigIgn, SaFlags::empty(), SigSet::empty());
    #[allow(unsafe_code)]
    // SAFETY: no handler is set.
    unsafe { sigaction(Signal::SIGWINCH, &action) }.unwrap();
    let (child, _input, _output) = spawn_echoing(&echoing());
    assert!(!ignores(child.pid(), libc::SIGWINCH));
    child.terminate(-1).unwrap();
}
