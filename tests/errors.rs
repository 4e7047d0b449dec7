//! What goes wrong is said exactly: which step, which error of the kernel, which kind; and bad input changes nothing.

#![deny(unsafe_code)]

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt;

use common::*;
use nix::errno::Errno;
use procsup::{Command, Error, Isolation, Status, Stdio};

#[track_caller]
fn refusal(command: &Command) -> (Status, Option<Errno>, &'static str) {
    let error = procsup::spawn(command).unwrap_err();
    (error.status, error.errno, error.step)
}

#[test]
fn exec_of_a_missing_program() {
    assert_eq!(refusal(&command("/nonexistent/program", &[])), (Status::NotFound, Some(Errno::ENOENT), "exec"));
    assert_eq!(refusal(&command("procsup-no-such-program", &[])), (Status::NotFound, Some(Errno::ENOENT), "exec"));
    let error = procsup::spawn(&command("/nonexistent/program", &[])).unwrap_err();
    assert!(error.message.contains("/nonexistent/program") && error.message.contains("ENOENT"), "{error}");
}

#[test]
fn exec_through_a_file_as_directory() {
    assert_eq!(refusal(&command("/etc/passwd/x", &[])), (Status::NotFound, Some(Errno::ENOTDIR), "exec"));
}

#[test]
fn exec_without_permission() {
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("program");
    fs::write(&file, "#!/bin/sh\n").unwrap();
    assert_eq!(refusal(&Command::new(&file).unwrap()), (Status::Permission, Some(Errno::EACCES), "exec"));
    assert_eq!(refusal(&Command::new(scratch.path()).unwrap()), (Status::Permission, Some(Errno::EACCES), "exec"));
    // execvp goes on searching after "permission denied", and remembers it.
    let mut searched = Command::new("program").unwrap();
    searched.env("PATH", value(&format!("{}:/nonexistent", scratch.path().display()))).unwrap();
    assert_eq!(refusal(&searched), (Status::Permission, Some(Errno::EACCES), "exec"));
}

#[test]
fn exec_of_an_unknown_format_is_no_shell_script() {
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("program");
    fs::write(&file, "exit 0\n").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(refusal(&Command::new(&file).unwrap()), (Status::System, Some(Errno::ENOEXEC), "exec"));
}

#[test]
fn exec_with_too_many_arguments() {
    let mut command = command("true", &[]);
    let long = "x".repeat(100_000);
    for _ in 0..100 {
        command.arg(&long).unwrap();
    }
    assert_eq!(refusal(&command), (Status::System, Some(Errno::E2BIG), "exec"));
}

#[test]
fn failed_steps_before_the_exec_are_named() {
    let mut elsewhere = command("true", &[]);
    elsewhere.cwd("/nonexistent").unwrap();
    assert_eq!(refusal(&elsewhere), (Status::NotFound, Some(Errno::ENOENT), "chdir"));
    elsewhere.cwd("/etc/passwd").unwrap();
    assert_eq!(refusal(&elsewhere), (Status::NotFound, Some(Errno::ENOTDIR), "chdir"));
    let mut limited = command("true", &[]);
    limited.rlimit(libc::RLIMIT_NOFILE as i32, 1 << 40, 1 << 41).unwrap();
    assert_eq!(refusal(&limited), (Status::Permission, Some(Errno::EPERM), "rlimit"), "above fs.nr_open");
}

/// By a child that is a user without rights: the host itself may be root.
#[test]
fn credentials_without_the_right_are_refused() {
    let mut other = command("true", &[]);
    other.credentials(54_321, 54_321, &[]).unwrap();
    if is_root() {
        assert!(run(&other).success());
    } else {
        assert_eq!(refusal(&other), (Status::Permission, Some(Errno::EPERM), "setgroups"));
    }
}

/// Every setter that can refuse does, says so, and leaves the command as it was.
#[test]
fn refused_setters_leave_the_command_alone() {
    type Setter = fn(&mut Command) -> Result<(), Error>;
    let setters: &[(&str, Setter)] = &[
        ("arg", |c| c.arg("a\0b").map(drop)),
        ("arg0", |c| c.arg0("a\0b").map(drop)),
        ("env", |c| c.env("", value("x")).map(drop)),
        ("env", |c| c.env("A=B", value("x")).map(drop)),
        ("env", |c| c.env("A\0", None).map(drop)),
        ("env", |c| c.env("A", value("x\0")).map(drop)),
        ("cwd", |c| c.cwd("").map(drop)),
        ("cwd", |c| c.cwd("/\0").map(drop)),
        ("stdio", |c| c.stdio(3, Stdio::Null).map(drop)),
        ("stdio", |c| c.stdio(-1, Stdio::Null).map(drop)),
        ("stdio", |c| c.stdio(0, Stdio::Fd(-1)).map(drop)),
        ("stdio", |c| c.stdio(0, Stdio::Fd(1_000_000)).map(drop)),
        ("pass_fd", |c| c.pass_fd(-1, 3).map(drop)),
        ("pass_fd", |c| c.pass_fd(1_000_000, 3).map(drop)),
        ("pass_fd", |c| c.pass_fd(0, -1).map(drop)),
        ("pass_fd", |c| c.pass_fd(0, i32::MAX).map(drop)),
        ("listen_fd", |c| c.listen_fd(-1, None).map(drop)),
        ("listen_fd", |c| c.listen_fd(0, Some(c"")).map(drop)),
        ("listen_fd", |c| c.listen_fd(0, Some(c"a:b")).map(drop)),
        ("listen_fd", |c| c.listen_fd(0, Some(c"a\nb")).map(drop)),
        ("credentials", |c| c.credentials(u32::MAX, 0, &[]).map(drop)),
        ("credentials", |c| c.credentials(0, u32::MAX, &[]).map(drop)),
        ("credentials", |c| c.credentials(0, 0, &[u32::MAX]).map(drop)),
        ("credentials", |c| c.credentials(0, 0, &[1; 65_537]).map(drop)),
        ("umask", |c| c.umask(0o1000).map(drop)),
        ("nice", |c| c.nice(20).map(drop)),
        ("nice", |c| c.nice(-21).map(drop)),
        ("rlimit", |c| c.rlimit(-1, 0, 0).map(drop)),
        ("rlimit", |c| c.rlimit(16, 0, 0).map(drop)),
        ("rlimit", |c| c.rlimit(0, 2, 1).map(drop)),
        ("sandbox_dir", |c| c.sandbox_dir("").map(drop)),
        ("stop_step", |c| c.stop_step(0, 1).map(drop)),
        ("stop_step", |c| c.stop_step(65, 1).map(drop)),
        ("stop_step", |c| c.stop_step(1, -2).map(drop)),
        ("deadline", |c| c.deadline(-1).map(drop)),
        ("capture", |c| c.capture(0).map(drop)),
    ];
    let mut command = sh("pwd; umask; echo $#");
    command.umask(0o022).unwrap().cwd("/").unwrap();
    for (index, (step, setter)) in setters.iter().enumerate() {
        let error = setter(&mut command).unwrap_err();
        assert_eq!((error.status, error.step), (Status::InvalidArgument, *step), "number {index}: {error}");
        assert!(!error.message.is_empty());
    }
    assert_eq!(output_of(&mut command), "/\n0022\n0\n");
    for bad in ["", "a\0b"] {
        assert_eq!(Command::new(bad).unwrap_err().status, Status::InvalidArgument);
    }
}

#[test]
fn errors_render_as_text_json_and_html() {
    let error = procsup::spawn(&command("/nonexistent/<program>", &[])).unwrap_err();
    let (text, json, html) = (error.render_text(), error.render_json(), error.render_html());
    for rendering in [&text, &json, &html] {
        for part in ["PS_ERR_NOT_FOUND", "ENOENT", "exec"] {
            assert!(rendering.contains(part), "{part} in {rendering}");
        }
    }
    let parsed: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((parsed["errno"].as_i64(), parsed["step"].as_str()), (Some(libc::ENOENT.into()), Some("exec")));
    assert!(!html.contains("<program>") && html.contains("&lt;program&gt;"));
}

#[test]
fn isolation_and_default_are_what_they_say() {
    assert_eq!(Isolation::default(), Isolation::Group);
    assert_eq!(Stdio::default(), Stdio::Inherit);
}
