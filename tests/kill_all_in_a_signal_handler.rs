//! The three calls that a signal handler may make, made from one, while other threads spawn and reap.

#![deny(unsafe_code)]

mod common;

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use common::*;
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, raise, sigaction};
use procsup::{kill_and_reap_all, live_count, signal_all};

static SEEN: AtomicU32 = AtomicU32::new(0);
static CALLS: AtomicU32 = AtomicU32::new(0);

extern "C" fn handler(_signal: i32) {
    SEEN.fetch_add(live_count(), Ordering::Relaxed);
    signal_all(libc::SIGCONT);
    kill_and_reap_all(100);
    CALLS.fetch_add(1, Ordering::Relaxed);
}

#[test]
fn ev02_law05_the_registry_can_be_used_in_a_signal_handler() {
    let action = SigAction::new(SigHandler::Handler(handler), SaFlags::SA_RESTART, SigSet::empty());
    #[allow(unsafe_code)]
    // SAFETY: the handler calls what procsup declares safe there, and atomics.
    unsafe { sigaction(Signal::SIGUSR1, &action) }.unwrap();

    let children: Vec<_> = (0..10).map(|_| procsup::spawn(&pausing()).unwrap()).collect();
    raise(Signal::SIGUSR1).unwrap();
    assert_eq!((SEEN.load(Ordering::Relaxed), CALLS.load(Ordering::Relaxed), live_count()), (10, 1, 0));
    for child in &children {
        assert_eq!(child.reap(0).unwrap().cause, procsup::Cause::KillAll);
    }

    // A storm: handlers on top of every line of spawn, signal and reap. All must come to an end, with true records.
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let child = procsup::spawn(&pausing()).unwrap();
                    let _ = child.signal(libc::SIGTERM);
                    let exit = child.reap(patience()).expect("no child is forgotten");
                    assert!([libc::SIGTERM, libc::SIGKILL].contains(&exit.signal), "{exit:?}");
                    assert!(exit.max_rss_kib >= 0, "ours, not stolen: {exit:?}");
                }
            });
        }
        scope.spawn(|| {
            let _stop = Stop(&stop);
            for _ in 0..300 {
                let before = CALLS.load(Ordering::Relaxed);
                kill(std::process::id() as i32, Signal::SIGUSR1);
                until("the handler", || CALLS.load(Ordering::Relaxed) > before);
            }
        });
    });
    assert_eq!(live_count(), 0);
    assert!(common::children().is_empty());
}
