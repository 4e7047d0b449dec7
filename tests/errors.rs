//! What C cannot see of errors: the step of each refused setter, NUL bytes in strings, a JSON that parses.

#![deny(unsafe_code)]

mod common;

use common::*;
use procsup::{Command, Error, Isolation, Status, Stdio};

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
