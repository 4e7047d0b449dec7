//! Each tier of the spawn engine by itself. The tier is chosen once per process, by its environment, so this program runs
//! itself again for each of them. `PROCSUP_SPAWN_PATH=fork cargo test` runs everything that way.

#![deny(unsafe_code)]

mod common;

use std::io::Write;
use std::os::fd::AsRawFd;

use common::*;
use nix::errno::Errno;
use procsup::{Kind, Status, Stdio};

#[test]
fn every_tier_makes_the_same_child() {
    for tier in ["clone3", "clone", "fork"] {
        let mut again = std::process::Command::new(std::env::current_exe().unwrap());
        again.args(["--exact", "one_life_on_a_forced_tier", "--ignored", "--nocapture"]).env("PROCSUP_SPAWN_PATH", tier);
        let output = again.output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        if is_filtered() && said.contains("status: Unsupported") {
            continue;
        }
        assert!(output.status.success() && said.contains("1 passed"), "{tier}:\n{said}");
    }
}

#[test]
#[ignore = "run by every_tier_makes_the_same_child"]
fn one_life_on_a_forced_tier() {
    let tier = std::env::var("PROCSUP_SPAWN_PATH").unwrap();

    // Streams, passed descriptors, a listening descriptor, and nothing else.
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(b"passed").unwrap();
    let high = nix::fcntl::fcntl(&file, nix::fcntl::FcntlArg::F_DUPFD(700)).unwrap();
    let mut command = echoing();
    command.pass_fd(file.as_raw_fd(), 9).unwrap().pass_fd(high, 10).unwrap().listen_fd(high, Some(c"x")).unwrap();
    command.umask(0o27).unwrap().cwd("/").unwrap().nice(3).unwrap();
    let (child, input, output) = spawn_echoing(&command);
    assert_eq!(procsup::path_name(child.spawn_path().unwrap()), tier);
    assert_eq!(descriptor_numbers(child.pid()), [0, 1, 2, 3, 9, 10]);
    assert_eq!(group_and_session(child.pid()).0, child.pid());
    assert_eq!((status_of(child.pid(), "Umask").as_str(), nice_of(child.pid())), ("0027", 3));
    for signals in ["SigIgn", "SigBlk", "SigCgt"] {
        assert_eq!(status_of(child.pid(), signals), "0000000000000000");
    }
    assert!(environment_of(child.pid()).contains(&format!("LISTEN_PID={}", child.pid())));
    assert_eq!(procsup::live_count(), 1);
    drop(input);
    assert_eq!(child.reap(patience()).unwrap().code, 0);
    assert_eq!(read_to_end(output), b"");

    // Failures are exact, and leave nothing.
    let before = descriptors(std::process::id() as i32);
    for (program, directory, step, errno) in [
        ("/nonexistent", None, "exec", Errno::ENOENT),
        ("/etc/passwd", None, "exec", Errno::EACCES),
        ("true", Some("/nonexistent"), "chdir", Errno::ENOENT),
    ] {
        let mut failing = common::command(program, &[]);
        failing.stdio(1, Stdio::Pipe).unwrap();
        if let Some(directory) = directory {
            failing.cwd(directory).unwrap();
        }
        let error = procsup::spawn(&failing).unwrap_err();
        assert_eq!((error.step, error.errno), (step, Some(errno)));
    }
    assert_eq!(descriptors(std::process::id() as i32), before);
    assert_eq!((children(), procsup::live_count()), (vec![], 0));

    // Signals, sweep, ladder.
    let (child, line, _output) = spawn_ready(&mut sh("trap '' TERM; (trap '' TERM; exec sleep 100) & echo $!; wait"));
    let exit = child.terminate(50).unwrap();
    assert_eq!((exit.kind, exit.signal), (Kind::Signaled, libc::SIGKILL));
    until("the grandchild's end", || is_dead(line.parse().unwrap()));

    // Four threads at once.
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for code in 0..20 {
                    assert_eq!(run(&sh(&format!("exit {code}"))).code, code);
                }
            });
        }
    });
    drop(file);
}

/// Root's children of another user are made by a fork whatever the tier.
#[test]
fn a_tier_that_is_not_known_is_no_tier() {
    let mut again = std::process::Command::new(std::env::current_exe().unwrap());
    again.args(["--exact", "one_life_on_a_forced_tier", "--ignored"]).env("PROCSUP_SPAWN_PATH", "teleport");
    assert!(!again.output().unwrap().status.success(), "its first check names the tier");
    assert_eq!(procsup::spawn(&command("/nonexistent", &[])).unwrap_err().status, Status::NotFound);
}
