//! The host forks while other threads are in the middle of a spawn: whatever they held, the copy can begin anew.

#![deny(unsafe_code)]

mod common;

use std::sync::atomic::{AtomicBool, Ordering};

use common::*;
use procsup::{kill_and_reap_all, live_count};

// covers: LAW-6, LAW-13
#[test]
fn law06_fork_while_other_threads_spawn() {
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    assert_eq!(run(&sh("exit 5")).code, 5);
                }
            });
        }
        scope.spawn(|| {
            let _stop = Stop(&stop);
            for _ in 0..30 {
                in_forked_copy(|| {
                    assert_eq!((live_count(), kill_and_reap_all(-1)), (0, 0));
                    assert_eq!(run(&sh("exit 6")).code, 6);
                });
            }
        });
    });
    assert_eq!(live_count(), 0);
}
