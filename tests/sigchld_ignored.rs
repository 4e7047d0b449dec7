//! A host that ignores SIGCHLD: the kernel reaps every child by itself, at once.

#![deny(unsafe_code)]

mod common;

use common::*;
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use procsup::{Kind, Supervisor};

#[test]
fn law03_sigchld_ignored_gives_typed_results_and_no_hang() {
    let ignore = SigAction::new(SigHandler::SigIgn, SaFlags::empty(), SigSet::empty());
    #[allow(unsafe_code)]
    // SAFETY: no handler is set.
    unsafe { sigaction(Signal::SIGCHLD, &ignore) }.unwrap();

    let true_or_lost =
        |exit: procsup::Exit, code| (exit.kind == Kind::Lost && !kernel_keeps_status()) || (exit.kind, exit.code) == (Kind::Exited, code);
    for code in 0..20 {
        let exit = run(&sh(&format!("exit {code}")));
        assert!(true_or_lost(exit, code), "{exit:?}");
    }
    let child = procsup::spawn(&pausing()).unwrap();
    let exit = child.terminate(patience()).unwrap();
    assert!(exit.kind == Kind::Lost || exit.signal == libc::SIGTERM, "{exit:?}");

    let supervisor = Supervisor::new().unwrap();
    supervisor.spawn(&sh("exit 3"), 0).unwrap();
    let exit = loop {
        if let Some(exit) = supervisor.next_event(patience()).unwrap().unwrap().exit {
            break exit;
        }
    };
    assert!(true_or_lost(exit, 3), "{exit:?}");

    // Ignored in the host is not ignored in the child, which may want to wait for children of its own.
    let (child, _input, _output) = spawn_echoing(&echoing());
    assert!(!ignores(child.pid(), libc::SIGCHLD));
    child.terminate(-1).unwrap();

    // And it is still the host's choice.
    assert!(ignores(std::process::id() as i32, libc::SIGCHLD));
    assert_eq!((procsup::live_count(), procsup::kill_and_reap_all(0)), (0, 0));
}
