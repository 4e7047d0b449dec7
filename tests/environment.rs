//! What surrounds the child's program: variables, directory, umask, priority, limits, user, signals, group.

#![deny(unsafe_code)]

mod common;

use std::os::fd::AsRawFd;
use std::sync::Arc;

use common::*;
use procsup::{Command, EnvBase, Isolation, Managed, Stdio};

/// Starts it, hands it over, ends it. It must have answered once: a spawn returns while the kernel is still loading the
/// program, and /proc shows its environment only later.
fn looking_at(command: &Command, look: impl FnOnce(&Arc<Managed>)) {
    let (child, _input, _output) = spawn_echoing(command);
    look(&child);
    child.terminate(0).unwrap();
}

#[test]
fn env_inherit_set_and_unset() {
    let mut command = echoing();
    command.env("PROCSUP_NEW", value("1")).unwrap().env("PROCSUP_NEW", value("two words=2")).unwrap().env("PATH", None).unwrap();
    looking_at(&command, |child| {
        let mut expected: Vec<String> =
            std::env::vars().filter(|(name, _)| name != "PATH").map(|(name, value)| format!("{name}={value}")).collect();
        expected.push("PROCSUP_NEW=two words=2".to_owned());
        let mut actual = environment_of(child.pid());
        expected.sort();
        actual.sort();
        assert_eq!(actual, expected);
    });
}

#[test]
fn env_clear_is_empty() {
    let mut command = echoing();
    command.env_base(EnvBase::Clear);
    looking_at(&command, |child| assert!(environment_of(child.pid()).is_empty()));
    command.env("A", value("")).unwrap();
    looking_at(&command, |child| assert_eq!(environment_of(child.pid()), ["A="]));
}

#[test]
fn env_baseline_keeps_the_usual_variables() {
    let mut command = echoing();
    command.env_base(EnvBase::Baseline).env("EXTRA", value("x")).unwrap();
    looking_at(&command, |child| {
        let names: Vec<String> = environment_of(child.pid()).iter().map(|entry| entry.split('=').next().unwrap().to_owned()).collect();
        assert!(names.contains(&"PATH".to_owned()) && names.contains(&"EXTRA".to_owned()));
        assert!(!names.iter().any(|name| name.starts_with("CARGO")), "{names:?}");
    });
}

#[test]
fn env_of_the_child_decides_where_its_program_is_searched() {
    let directory = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("/bin/sh", directory.path().join("procsup-test-shell")).unwrap();
    let mut command = command("procsup-test-shell", &["-c", "exit 5"]);
    assert!(procsup::spawn(&command).is_err());
    command.env("PATH", Some(directory.path().as_os_str())).unwrap();
    assert_eq!(run(&command).code, 5);
}

#[test]
fn ev22_each_child_gets_its_own_slot_number() {
    let mut numbers = Vec::new();
    for slot in ["", "2", "3"] {
        let mut command = sh("echo \"slot=$TEST_ENV_NUMBER\"");
        command.env("TEST_ENV_NUMBER", value(slot)).unwrap();
        numbers.push(output_of(&mut command));
    }
    assert_eq!(numbers, ["slot=\n", "slot=2\n", "slot=3\n"]);
}

/// sd_listen_fds(3) demands the pid of the very process, which only the child knows.
#[test]
fn listen_fd_variables_name_the_childs_own_pid() {
    let (read, _write) = pipe();
    for base in [EnvBase::Inherit, EnvBase::Clear, EnvBase::Baseline] {
        let mut command = echoing();
        command.listen_fd(read.as_raw_fd(), Some(c"http")).unwrap().listen_fd(read.as_raw_fd(), None).unwrap().env_base(base);
        looking_at(&command, |child| {
            let mut entries = environment_of(child.pid());
            entries.retain(|entry| entry.starts_with("LISTEN_"));
            entries.sort();
            assert_eq!(
                entries,
                ["LISTEN_FDNAMES=http:unknown".to_owned(), "LISTEN_FDS=2".to_owned(), format!("LISTEN_PID={}", child.pid())]
            );
        });
    }
}

/// A command spawned twice must not tell the second child the first one's pid, nor at the same time from two threads.
#[test]
fn listen_fd_pid_holds_for_every_spawn_of_a_command() {
    let (read, _write) = pipe();
    let mut command = echoing();
    command.listen_fd(read.as_raw_fd(), None).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..10 {
                    looking_at(&command, |child| assert!(environment_of(child.pid()).contains(&format!("LISTEN_PID={}", child.pid()))));
                }
            });
        }
    });
}

/// The protocol has three names; others that look alike are the application's.
#[test]
fn listen_fd_leaves_other_variables_alone() {
    let (read, _write) = pipe();
    let mut command = echoing();
    command.listen_fd(read.as_raw_fd(), None).unwrap().env("LISTEN_ADDRESS", value("::1")).unwrap();
    looking_at(&command, |child| assert!(environment_of(child.pid()).contains(&"LISTEN_ADDRESS=::1".to_owned())));
}

#[test]
fn cwd_is_changed_in_the_child_only() {
    let directory = tempfile::tempdir().unwrap();
    let before = std::env::current_dir().unwrap();
    let mut command = echoing();
    command.cwd(directory.path()).unwrap();
    looking_at(&command, |child| {
        let seen = std::fs::read_link(format!("/proc/{}/cwd", child.pid())).unwrap();
        assert_eq!(seen, directory.path().canonicalize().unwrap());
    });
    assert_eq!(std::env::current_dir().unwrap(), before);
}

#[test]
fn ev19_a_child_gets_its_own_directory_and_silence() {
    let sandbox = tempfile::tempdir().unwrap().keep();
    let mut command = sh("echo \"$PWD $TMPDIR\" > said; echo noise; echo noise >&2; exec sleep 100");
    command.cwd(&sandbox).unwrap().env("TMPDIR", Some(sandbox.as_os_str())).unwrap().sandbox_dir(&sandbox).unwrap();
    command.stdio(1, Stdio::Null).unwrap();
    let child = procsup::spawn(&command).unwrap();
    let expected = format!("{0} {0}\n", sandbox.display());
    until("the file", || std::fs::read_to_string(sandbox.join("said")).is_ok_and(|text| text == expected));
    child.terminate(-1).unwrap();
    until("the removal, be it by another thread", || !sandbox.exists());
}

#[test]
fn umask_nice_and_limits_of_the_child() {
    let mut command = echoing();
    command
        .umask(0o137)
        .unwrap()
        .nice(7)
        .unwrap()
        .rlimit(libc::RLIMIT_NOFILE as i32, 77, 99)
        .unwrap()
        .rlimit(libc::RLIMIT_CORE as i32, 0, 0)
        .unwrap();
    looking_at(&command, |child| {
        assert_eq!(status_of(child.pid(), "Umask"), "0137");
        assert_eq!(nice_of(child.pid()), 7);
        let limits = std::fs::read_to_string(format!("/proc/{}/limits", child.pid())).unwrap();
        let files: Vec<&str> = limits.lines().find(|line| line.starts_with("Max open files")).unwrap().split_whitespace().collect();
        assert_eq!(files[3..5], ["77", "99"]);
    });
    assert_ne!(status_of(std::process::id() as i32, "Umask"), "0137", "the host's own");
    assert_ne!(nice_of(std::process::id() as i32), 7);
}

#[test]
fn no_new_privs_is_as_asked() {
    let mut command = echoing();
    let before = status_of(std::process::id() as i32, "NoNewPrivs");
    looking_at(&command, |child| assert_eq!(status_of(child.pid(), "NoNewPrivs"), before));
    command.no_new_privs(true);
    looking_at(&command, |child| assert_eq!(status_of(child.pid(), "NoNewPrivs"), "1"));
}

#[test]
fn isolation_none_group_and_session() {
    let host = group_and_session(std::process::id() as i32);
    for isolation in [Isolation::None, Isolation::Group, Isolation::Session] {
        let mut command = echoing();
        command.isolate(isolation);
        looking_at(&command, |child| {
            let expected = match isolation {
                Isolation::None => host,
                Isolation::Group => (child.pid(), host.1),
                Isolation::Session => (child.pid(), child.pid()),
            };
            assert_eq!(group_and_session(child.pid()), expected, "{isolation:?}");
        });
    }
}

/// Each id must be that of no account: there is no look into a user database.
#[test]
fn credentials_are_taken_on() {
    if !is_root() {
        eprintln!("not run: only root can change the user");
        return;
    }
    let mut command = echoing();
    command.credentials(54_321, 54_322, &[54_323, 54_324]).unwrap();
    looking_at(&command, |child| {
        assert_eq!(status_of(child.pid(), "Uid"), "54321 54321 54321 54321");
        assert_eq!(status_of(child.pid(), "Gid"), "54322 54322 54322 54322");
        assert_eq!(status_of(child.pid(), "Groups"), "54323 54324");
        assert_eq!(child.spawn_path().unwrap(), procsup::SpawnPath::Fork, "two users never share memory");
    });
    command.credentials(54_321, 54_322, &[]).unwrap();
    looking_at(&command, |child| assert_eq!(status_of(child.pid(), "Groups"), ""));
}

#[test]
fn p16_blocked_signals_are_not_inherited() {
    use nix::sys::signal::{SigSet, Signal};
    let mut set = SigSet::empty();
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGUSR1] {
        set.add(signal);
    }
    // Only this thread's mask; libtest gives each test a thread of its own.
    let before = set.thread_swap_mask(nix::sys::signal::SigmaskHow::SIG_BLOCK).unwrap();
    looking_at(&echoing(), |child| {
        assert_eq!(status_of(child.pid(), "SigBlk"), "0000000000000000");
        let now = SigSet::thread_get_mask().unwrap();
        assert!(now.contains(Signal::SIGTERM) && now.contains(Signal::SIGUSR1), "law 1: the host's mask is as it was");
    });
    before.thread_set_mask().unwrap();
}

/// Rust programs ignore SIGPIPE; no child of theirs should.
#[test]
fn p17_sigpipe_is_not_ignored_in_the_child() {
    assert!(ignores(std::process::id() as i32, libc::SIGPIPE));
    looking_at(&echoing(), |child| assert!(!ignores(child.pid(), libc::SIGPIPE)));
}
