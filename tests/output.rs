//! Captured output: the last bytes, never at the price of a wait.

#![deny(unsafe_code)]

mod common;

use std::time::Instant;

use common::*;
use nix::sys::signal::Signal;
use procsup::{Command, Status, Stdio, Supervisor};

fn capturing(script: &str, max: usize) -> Command {
    let mut command = command("sh", &["-c", script]);
    command.stdio(2, Stdio::Inherit).unwrap().capture(max).unwrap();
    command
}

#[track_caller]
fn captured(command: &Command) -> Vec<u8> {
    let child = procsup::spawn(command).unwrap();
    child.reap(patience()).unwrap();
    child.output().unwrap()
}

#[test]
fn capture_takes_both_streams_in_their_order() {
    assert_eq!(captured(&capturing("echo out; echo err >&2; echo out", 1 << 16)), b"out\nerr\nout\n");
}

#[test]
fn capture_keeps_the_last_bytes() {
    assert_eq!(captured(&capturing("echo 0123456789", 5)), b"6789\n");
    assert_eq!(captured(&capturing("echo 0123456789", 11)), b"0123456789\n");
    assert_eq!(captured(&capturing("", 1)), b"");
}

#[test]
fn capture_is_binary() {
    assert_eq!(captured(&capturing("printf '\\000\\377\\n\\000'", 100)), [0, 255, b'\n', 0]);
}

#[test]
fn capture_leaves_redirected_streams_alone() {
    let mut command = capturing("echo out; echo err >&2", 100);
    command.stdio(1, Stdio::Null).unwrap();
    assert_eq!(captured(&command), b"err\n");
    let mut merged = capturing("echo out; echo err >&2", 100);
    merged.stdio(2, Stdio::Merge).unwrap();
    assert_eq!(captured(&merged), b"out\nerr\n");
}

#[test]
fn capture_can_be_read_while_the_child_runs() {
    let child = procsup::spawn(&capturing("echo so far; exec sleep 100", 100)).unwrap();
    until("the line", || child.output().unwrap() == b"so far\n");
    child.terminate(-1).unwrap();
    assert_eq!(child.output().unwrap(), b"so far\n", "and after its end");
}

#[test]
fn capture_must_have_been_asked_for() {
    let child = procsup::spawn(&pausing()).unwrap();
    assert_eq!(child.output().unwrap_err().status, Status::State);
    child.terminate(-1).unwrap();
    for bad in [0, (1 << 30) + 1] {
        assert_eq!(pausing().capture(bad).unwrap_err().status, Status::InvalidArgument);
    }
}

/// A child blocks when its pipe is full: every way to wait for it must read.
#[test]
fn p25_ten_megabytes_of_output_do_not_block_the_child() {
    let script = "head -c 10000000 /dev/zero; echo end";
    let expected = [vec![0; 996], b"end\n".to_vec()].concat();
    assert_eq!(captured(&capturing(script, 1000)), expected, "reap");

    let child = procsup::spawn(&capturing(script, 1000)).unwrap();
    until("its end", || child.reap_nonblock().unwrap().is_some());
    assert_eq!(child.output().unwrap(), expected, "reap_nonblock");

    let supervisor = Supervisor::new().unwrap();
    let child = supervisor.spawn(&capturing(script, 1000), 0).unwrap();
    while supervisor.next_event(patience()).unwrap().unwrap().exit.is_none() {}
    assert_eq!(child.output().unwrap(), expected, "events");
}

#[test]
fn ev17_a_grandchild_that_holds_the_capture_never_delays_the_reap() {
    let mut command = capturing("sleep 100 & echo $!", 100);
    command.sweep_survivors(false);
    let child = procsup::spawn(&command).unwrap();
    let began = Instant::now();
    assert!(child.reap(patience()).unwrap().success());
    assert!(began.elapsed() < at_once(), "waited for end of file");
    let grandchild = String::from_utf8(child.output().unwrap()).unwrap().trim().parse().unwrap();
    assert!(!is_dead(grandchild));
    kill(grandchild, Signal::SIGKILL);
}

/// The same for one that never stops writing: the last drain has an end.
#[test]
fn ev17_a_grandchild_that_floods_the_capture_never_delays_the_reap() {
    let mut command = capturing("yes & echo $! >&2; exit 3", 100);
    let (read, write) = pipe();
    command.sweep_survivors(false).stdio(2, Stdio::Fd(std::os::fd::AsRawFd::as_raw_fd(&write))).unwrap();
    let child = procsup::spawn(&command).unwrap();
    let grandchild = read_line(&read).parse().unwrap();
    let began = Instant::now();
    assert_eq!(child.reap(patience()).unwrap().code, 3);
    assert!(began.elapsed() < at_once(), "drained without end");
    assert!(child.output().unwrap().len() <= 100);
    until("the flood to end with its pipe", || {
        is_dead(grandchild) || nix::sys::signal::kill(nix::unistd::Pid::from_raw(grandchild), Signal::SIGKILL).is_ok()
    });
}

#[test]
fn ev17_a_grandchild_that_holds_a_pipe_never_delays_the_reap() {
    let mut command = sh("sleep 100 & echo $!");
    command.sweep_survivors(false);
    let (child, line, output) = spawn_ready(&mut command);
    let began = Instant::now();
    assert!(child.reap(patience()).unwrap().success());
    assert!(began.elapsed() < at_once());
    assert!(!is_readable(&output, 0), "the pipe is still open");
    kill(line.parse().unwrap(), Signal::SIGKILL);
}
