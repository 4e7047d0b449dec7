//! `kill_and_reap_all` takes every child of the process, so it has a process to itself.

#![deny(unsafe_code)]

mod common;

use common::*;
use procsup::{Cause, State, Supervisor, kill_and_reap_all, live_count};

#[test]
fn ev05_kill_and_reap_all_empties_the_registry_and_leaves_strangers_alone() {
    assert_eq!((kill_and_reap_all(0), live_count()), (0, 0), "nothing to do");

    let mut bystander = std::process::Command::new("sleep").arg("100").spawn().unwrap();
    let sandbox = tempfile::tempdir().unwrap().keep();
    let (read, write) = pipe();
    let (family, line, _output) = spawn_ready(&mut sh("sleep 100 & echo $!; wait"));
    let (deaf, _, _deaf_output) = spawn_ready(&mut sh("trap '' TERM; echo ready; exec sleep 100"));
    let mut owner = pausing();
    owner.sandbox_dir(&sandbox).unwrap().own_fd(write).unwrap();
    let owner = procsup::spawn(&owner).unwrap();
    let supervisor = Supervisor::new().unwrap();
    let supervised = supervisor.spawn(&pausing(), 0).unwrap();
    let (stolen, _first) = spawn_stolen(&sh("exit 3"));
    let (over, _second) = spawn_zombie(&sh("exit 4"));

    assert_eq!(kill_and_reap_all(patience()), 0);
    assert_eq!(live_count(), 0);
    for child in [&family, &deaf, &owner, &supervised] {
        assert_eq!(process_state(child.pid()), None, "no zombie");
        let exit = child.reap(0).unwrap();
        assert_eq!((exit.signal, exit.cause), (libc::SIGKILL, Cause::KillAll));
        assert!(exit.max_rss_kib > 0);
    }
    until("the grandchild's end", || is_dead(line.parse().unwrap()));
    assert!([-1, 3].contains(&stolen.reap(0).unwrap().code));
    let exit = over.reap(0).unwrap();
    assert_eq!((exit.code, exit.cause), (4, Cause::Itself), "it was over before");
    assert_eq!(supervised.state().unwrap(), State::Exited);

    // What they owned went with the next calls.
    assert!(!sandbox.exists());
    assert_eq!(read_to_end(read), b"");
    assert!(supervisor.next_event(patience()).unwrap().is_some());
    assert!(supervisor.next_event(patience()).unwrap().unwrap().exit.is_some());

    assert!(bystander.try_wait().unwrap().is_none(), "not ours to kill");
    bystander.kill().unwrap();
    bystander.wait().unwrap();

    // And all goes on.
    assert!(run(&sh("exit 0")).success());
}
