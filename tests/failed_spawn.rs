//! A spawn that fails leaves nothing behind: no zombie, descriptor, slot, and no SIGCHLD either.

#![deny(unsafe_code)]

mod common;

use std::sync::atomic::{AtomicU32, Ordering};

use common::*;
use nix::errno::Errno;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use procsup::{Status, Stdio, live_count};

static DEATHS: AtomicU32 = AtomicU32::new(0);

extern "C" fn on_death(_signal: i32) {
    DEATHS.fetch_add(1, Ordering::Relaxed);
}

#[test]
fn ev23_a_failed_spawn_leaves_nothing() {
    run(&sh("exit 0"));
    let count = SigAction::new(SigHandler::Handler(on_death), SaFlags::SA_RESTART, SigSet::empty());
    #[allow(unsafe_code)]
    // SAFETY: the handler touches one atomic.
    unsafe { sigaction(Signal::SIGCHLD, &count) }.unwrap();
    let before = descriptors(std::process::id() as i32);
    for _ in 0..20 {
        let mut failing = command("/nonexistent/program", &[]);
        for stream in 0..3 {
            failing.stdio(stream, Stdio::Pipe).unwrap();
        }
        assert_eq!(procsup::spawn(&failing).unwrap_err().errno, Some(Errno::ENOENT));
        let mut elsewhere = sh("exit 0");
        elsewhere.cwd("/nonexistent").unwrap().capture(100).unwrap();
        assert_eq!(procsup::spawn(&elsewhere).unwrap_err().step, "chdir");
    }
    assert_eq!(descriptors(std::process::id() as i32), before);
    assert_eq!((children(), live_count()), (vec![], 0));
    assert_eq!(DEATHS.load(Ordering::Relaxed), 0, "the host hears of no death");
    assert!(run(&sh("exit 0")).success());
    assert_eq!(DEATHS.load(Ordering::Relaxed), 1, "but of that of a child");

    // Without free descriptors: a typed error at once, and all is well when there are some again.
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    let highest = u64::try_from(before.last().unwrap().0).unwrap();
    for more in 1..6 {
        setrlimit(Resource::RLIMIT_NOFILE, highest + more, hard).unwrap();
        let mut many = sh("exit 0");
        for stream in 0..3 {
            many.stdio(stream, Stdio::Pipe).unwrap();
        }
        let result = procsup::spawn(&many);
        setrlimit(Resource::RLIMIT_NOFILE, soft, hard).unwrap();
        match result {
            Err(error) => assert_eq!((error.status, error.errno), (Status::Limit, Some(Errno::EMFILE)), "{error}"),
            Ok(child) => {
                child.let_go();
                assert!(child.reap(patience()).unwrap().success());
            }
        }
        assert_eq!(descriptors(std::process::id() as i32), before, "with room for {more}");
    }
    assert_eq!((children(), live_count()), (vec![], 0));
}
