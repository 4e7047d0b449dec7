//! Children that end with the host, and children that do not: asked of a forked copy that is then killed.

#![deny(unsafe_code)]

mod common;

use common::*;
use nix::sys::signal::Signal;

#[test]
fn p18_p19_a_child_dies_with_its_host_exactly_if_asked_to() {
    for dies_with_host in [true, false] {
        let (read, write) = pipe();
        in_forked_copy(|| {
            // The host proper, one more fork away: it is killed, which the copy in between reports as a normal end.
            #[allow(unsafe_code)]
            // SAFETY: the copy has one thread and leaves by a signal.
            match unsafe { nix::unistd::fork() }.unwrap() {
                nix::unistd::ForkResult::Child => {
                    let mut command = pausing();
                    command.die_with_host(dies_with_host);
                    let child = procsup::spawn(&command).unwrap();
                    nix::unistd::write(&write, format!("{}\n", child.pid()).as_bytes()).unwrap();
                    loop {
                        nix::unistd::pause();
                    }
                }
                nix::unistd::ForkResult::Parent { child } => {
                    let pid: i32 = read_line(&read).parse().unwrap();
                    assert!(!is_dead(pid));
                    kill(child.as_raw(), Signal::SIGKILL);
                    nix::sys::wait::waitpid(child, None).unwrap();
                    if dies_with_host {
                        until("the child's end", || is_dead(pid));
                    } else {
                        // With the host's end its death signals are out: one that has such a signal does not sleep any more.
                        until("asleep", || process_state(pid) == Some('S'));
                        kill(pid, Signal::SIGKILL);
                    }
                }
            }
        });
    }
}
