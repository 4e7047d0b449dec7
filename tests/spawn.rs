//! The start of a child: arguments, the way it is made, many at once, and what it may outlive.

#![deny(unsafe_code)]

mod common;

use std::sync::Mutex;

use common::*;
use procsup::{Command, SpawnPath, Stdio};

#[test]
fn spawn_gives_the_arguments_as_they_are() {
    let mut command = command("printf", &["[%s]", "a", "two words", "", "*", "ä\t\\"]);
    assert_eq!(output_of(&mut command), "[a][two words][][*][ä\t\\]");
}

#[test]
fn spawn_arg0_is_what_the_child_sees() {
    let mut command = sh("echo \"$0\"; cat /proc/$$/comm");
    let comm = output_of(&mut command);
    assert_eq!(comm, "sh\nsh\n");
    let mut renamed = echoing();
    renamed.arg0("worker: 1").unwrap();
    let (child, _input, _output) = spawn_echoing(&renamed);
    assert_eq!(std::fs::read(format!("/proc/{}/cmdline", child.pid())).unwrap(), b"worker: 1\0");
    child.terminate(-1).unwrap();
}

/// A quiet fall to a slower tier must not go unnoticed.
#[test]
fn spawn_path_is_the_forced_or_the_fastest_one() {
    let child = procsup::spawn(&pausing()).unwrap();
    let forced = std::env::var("PROCSUP_SPAWN_PATH").ok();
    if forced.is_some() || !is_filtered() {
        assert_eq!(procsup::path_name(child.spawn_path().unwrap()), forced.as_deref().unwrap_or("clone3"));
    }
    child.terminate(-1).unwrap();
}

/// The kernel's parent-death signal looks at the thread, not at the process.
#[test]
fn p18_a_child_outlives_the_thread_that_spawned_it() {
    for dies_with_host in [false, true] {
        let (child, task) = std::thread::spawn(move || {
            let mut command = pausing();
            command.die_with_host(dies_with_host);
            let task = std::fs::read_link("/proc/thread-self").unwrap();
            (procsup::spawn(&command).unwrap(), std::path::Path::new("/proc").join(task))
        })
        .join()
        .unwrap();
        // With its task the thread's death signals are out; others come and go after that before we look.
        until("the end of the thread", || !task.exists());
        for _ in 0..20 {
            run(&command("true", &[]));
        }
        assert_eq!(child.reap_nonblock().unwrap(), None, "die_with_host: {dies_with_host}");
        child.terminate(-1).unwrap();
    }
}

#[test]
fn law13_eight_threads_spawn_one_command() {
    let command = sh("exit 17");
    let pids = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..25 {
                    let child = procsup::spawn(&command).unwrap();
                    let exit = child.reap(patience()).unwrap();
                    assert_eq!(exit.code, 17);
                    pids.lock().unwrap().push((exit.started_ns, child.pid()));
                }
            });
        }
    });
    assert_eq!(pids.into_inner().unwrap().len(), 200);
}

/// One of a thousand shares nothing with the next: each has its own handle, pid and code.
#[test]
fn ev03_many_children_at_once_keep_their_codes() {
    let children: Vec<_> = (0..100).map(|code| (code, procsup::spawn(&sh(&format!("read line; exit {code}"))).unwrap())).collect();
    let mut pids: Vec<i32> = children.iter().map(|(_, child)| child.pid()).collect();
    pids.sort_unstable();
    pids.dedup();
    assert_eq!(pids.len(), 100);
    for (code, child) in children.iter().rev() {
        assert_eq!(child.reap(patience()).unwrap().code, *code);
    }
}

#[test]
fn command_can_be_changed_between_spawns_and_clones_are_independent() {
    let mut command = sh("echo \"$#:$1:$V\"");
    command.arg("name").unwrap();
    let mut clone = command.clone();
    assert_eq!(output_of(&mut command), "0::\n");
    command.arg("more").unwrap().env("V", value("v")).unwrap();
    assert_eq!(output_of(&mut command), "1:more:v\n");
    assert_eq!(output_of(&mut clone), "0::\n");
}

#[test]
fn ev20_a_failed_exec_leaves_without_our_exit_handlers() {
    // A copy that ran them would write what this process has not flushed yet, a second time, into the same file.
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("log");
    let mut writer = std::io::BufWriter::new(std::fs::File::create(&file).unwrap());
    std::io::Write::write_all(&mut writer, b"once").unwrap();
    procsup::spawn(&Command::new("/nonexistent/program").unwrap()).unwrap_err();
    drop(writer);
    assert_eq!(std::fs::read(&file).unwrap(), b"once");
}

#[test]
fn user_data_and_paths_have_names() {
    let mut command = pausing();
    command.user_data(u64::MAX).stdio(1, Stdio::Null).unwrap();
    assert_eq!(command.get_user_data(), u64::MAX);
    let child = procsup::spawn(&command).unwrap();
    assert_eq!((child.user_data(), child.token()), (u64::MAX, 0));
    child.terminate(-1).unwrap();
    assert_eq!([SpawnPath::Clone3, SpawnPath::Clone, SpawnPath::Fork].map(procsup::path_name), ["clone3", "clone", "fork"]);
}
