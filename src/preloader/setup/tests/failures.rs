//! Commands that cannot be started.

use super::*;
use crate::preloader::failure::{self, Category, Evidence};

// covers: PA-45
#[test]
fn the_directory_that_keeps_the_user_out_is_named_at_every_level() {
    if !is_root() {
        return;
    }
    let mut rig = Rig::new();
    let levels = ["l1", "l1/l2", "l1/l2/l3"].map(|level| rig.top.join(level));
    fs::create_dir_all(&levels[2]).unwrap();
    let root = levels[2].to_str().unwrap().to_owned();
    rig.set("app_root", &root).user("nobody", "nogroup");
    for level in &levels {
        fs::set_permissions(level, fs::Permissions::from_mode(0o700)).unwrap();
        let (failure, session) = rig.fail(&rig.command(&["/bin/true"]));
        fs::set_permissions(level, fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!((failure.status, failure.step), (Status::Permission, step::SUBPROCESS_SPAWN_ENV_SETUPPER_BEFORE_SHELL));
        assert_eq!((failure.category, failure.errno), (Category::OperatingSystem, Some(nix::errno::Errno::EACCES)));
        assert!(failure.message.contains(&format!("'{}' is inaccessible to user 'nobody'", level.display())), "{}", failure.message);
        assert!(read(&session, "response/error/problem_description.txt").contains(&root));
        assert!(read(&session, "response/error/solution_description.txt").contains(level.to_str().unwrap()));
    }
    rig.run(&["/bin/true"]).good();
}

// covers: PA-45
#[test]
fn a_supplementary_group_opens_a_directory_and_a_link_is_followed_to_the_closed_one() {
    if !is_root() {
        return;
    }
    let mut rig = Rig::new();
    let (shut, root) = (rig.top.join("shut"), rig.top.join("link"));
    fs::create_dir_all(shut.join("app")).unwrap();
    std::os::unix::fs::symlink("shut/app", &root).unwrap();
    fs::set_permissions(&shut, fs::Permissions::from_mode(0o750)).unwrap();
    nix::unistd::chown(&shut, None, Some(nix::unistd::Gid::from_raw(4242))).unwrap();
    let root = root.to_str().unwrap().to_owned();
    rig.set("app_root", &root).user("nobody", "nogroup");
    let (failure, _) = rig.fail(&rig.command(&["/bin/true"]));
    assert!(failure.message.contains(&format!("'{}' is inaccessible", shut.display())), "{}", failure.message);
    rig.owner.groups.push(4242);
    rig.run(&["/bin/true"]).good();
}

// covers: PA-45
#[test]
fn an_access_list_counts_though_the_mode_says_otherwise() {
    let mut rig = Rig::new();
    let shut = rig.top.join("shut");
    fs::create_dir_all(shut.join("app")).unwrap();
    let set = std::process::Command::new("setfacl").args(["-m", "u:nobody:---"]).arg(&shut).output();
    if !is_root() || !set.is_ok_and(|done| done.status.success()) {
        return;
    }
    let root = shut.join("app").to_str().unwrap().to_owned();
    rig.set("app_root", &root).user("nobody", "nogroup");
    let (failure, _) = rig.fail(&rig.command(&["/bin/true"]));
    assert!(failure.message.contains(&format!("'{}' is inaccessible", shut.display())), "{}", failure.message);
}

// covers: PA-45
#[test]
fn what_is_not_there_or_no_directory_is_named() {
    let mut rig = Rig::new();
    fs::write(rig.top.join("file"), "").unwrap();
    for (root, name, status, words) in [
        ("none/a/b", "none", Status::NotFound, "does not exist"),
        ("file", "file", Status::NotFound, "is no directory"),
        ("file/x", "file", Status::NotFound, "is no directory"),
    ] {
        let root = rig.top.join(root).to_str().unwrap().to_owned();
        rig.set("app_root", &root);
        let (failure, _) = rig.fail(&rig.command(&["/bin/true"]));
        assert_eq!((failure.status, failure.step), (status, step::SUBPROCESS_SPAWN_ENV_SETUPPER_BEFORE_SHELL));
        assert_eq!(failure.message, format!("'{}' {words}", rig.top.join(name).display()));
    }
}

// covers: PA-45, PA-74
#[test]
fn the_journey_ends_where_the_process_could_not_begin() {
    let mut rig = Rig::new();
    let root = rig.top.join("none").to_str().unwrap().to_owned();
    rig.set("app_root", &root);
    let (failed, session) = rig.fail(&rig.command(&["/bin/true"]));
    let evidence = Evidence {
        journey: journey(Purpose::Direct, false),
        response: Some(session.response()),
        arguments: session.arguments(),
        output: Vec::new(),
        pid: None,
        exit: None,
        preloader: None,
        purpose: Purpose::Direct,
    };
    let error = failure::error(failed, evidence).take_apart();
    let way = error.journey.unwrap();
    let progress = |name| way.step(name).unwrap().progress;
    assert_eq!(progress(step::SUBPROCESS_BEFORE_FIRST_EXEC), Progress::Performed);
    assert_eq!(progress(step::SUBPROCESS_SPAWN_ENV_SETUPPER_BEFORE_SHELL), Progress::Errored);
    assert_eq!(progress(step::SUBPROCESS_SPAWN_ENV_SETUPPER_AFTER_SHELL), Progress::NotStarted);
    assert_eq!(progress(step::SUBPROCESS_APP_LOAD_OR_EXEC), Progress::NotStarted);
    let case = error.case.unwrap();
    assert!(case.problem.contains("does not exist") && case.solution.contains("app_root"), "{case:?}");
    assert!(case.subprocess.envvars.is_some_and(|dump| dump.contains("IN_PASSENGER=1\n")));
}

// covers: PA-48, P-b9
#[test]
fn a_program_that_cannot_be_executed_is_told_of_with_its_reason() {
    let mut rig = Rig::new();
    let make = |name: &str, text: &str, mode| {
        let path = rig.top.join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let plain = make("plain", "#!/bin/sh\n", 0o644);
    let orphan = make("orphan", "#! /no/such/interpreter -x\n", 0o755);
    let no_program = make("no_program", "hello\n", 0o755);
    let folder = rig.top.to_str().unwrap().to_owned();
    for (wrapper, at) in [("false", step::SUBPROCESS_APP_LOAD_OR_EXEC), ("true", step::SUBPROCESS_EXEC_WRAPPER)] {
        rig.set("starts_using_wrapper", wrapper).set("startup_file", "x");
        for (program, status, words) in [
            ("/no/such/program", Status::NotFound, "does not exist"),
            ("no_such_program", Status::NotFound, "is not in the PATH"),
            (plain.as_str(), Status::Permission, "may not be executed by"),
            (orphan.as_str(), Status::NotFound, "names '/no/such/interpreter' as its interpreter"),
            (no_program.as_str(), Status::System, "is no program of this machine"),
            (folder.as_str(), Status::Permission, "is a directory"),
        ] {
            let (failure, session) = rig.fail(&rig.command(&[program]));
            assert_eq!((failure.status, failure.step, failure.category), (status, at, Category::OperatingSystem), "{program}: {failure:?}");
            assert!(failure.message.contains(words), "{program}: {}", failure.message);
            let response = session.response();
            assert!(response.problem.is_some() && response.solution.is_some(), "{program}");
        }
    }
}

// covers: PA-48
#[test]
fn a_login_shell_that_is_not_there_is_told_of() {
    let mut rig = Rig::new();
    rig.shell("/opt/none/zsh", "");
    let (failure, _) = rig.fail(&rig.command(&["/bin/true"]));
    assert_eq!((failure.status, failure.step), (Status::NotFound, step::SUBPROCESS_OS_SHELL));
    assert!(failure.message.starts_with("the login shell '/opt/none/zsh' does not exist"), "{}", failure.message);
}

// covers: PA-43, PA-12
#[test]
fn a_limit_that_cannot_be_had_is_told_of() {
    let mut rig = Rig::new();
    rig.set("file_descriptor_ulimit", "2000000000");
    let (failure, session) = rig.fail(&rig.command(&["/bin/true"]));
    assert_eq!((failure.status, failure.step), (Status::Limit, step::SUBPROCESS_SPAWN_ENV_SETUPPER_BEFORE_SHELL));
    assert!(failure.message.contains("cannot be set to 2000000000"), "{}", failure.message);
    assert!(session.response().solution.is_some());
}

// covers: PA-43
#[test]
fn what_the_engine_says_keeps_its_place() {
    let rig = Rig::new();
    let (session, command) = (rig.session(), rig.command(&["/bin/true"]));
    let failed = |step, errno| explain(Error::system(step, errno, "cannot run /bin/true"), &command, &session);
    use nix::errno::Errno::{EAGAIN, EPERM};
    for (engine, at) in [
        ("clone3", step::SPAWNING_KIT_FORK_SUBPROCESS),
        ("fork", step::SPAWNING_KIT_FORK_SUBPROCESS),
        ("setpgid", step::SUBPROCESS_BEFORE_FIRST_EXEC),
        ("setuid", step::SUBPROCESS_SPAWN_ENV_SETUPPER_BEFORE_SHELL),
        ("exec", step::SUBPROCESS_APP_LOAD_OR_EXEC),
    ] {
        let failure = failed(engine, if engine == "setuid" { EPERM } else { EAGAIN });
        assert_eq!((failure.step, failure.category), (at, Category::OperatingSystem));
        assert!(failure.message.contains("EAGAIN") || failure.message.contains("cannot become"), "{}", failure.message);
    }
    let failure = explain(Error::invalid("env", "env: no"), &command, &session);
    assert_eq!((failure.step, failure.category), (step::SPAWNING_KIT_FORK_SUBPROCESS, Category::Internal));
}

// covers: PA-43
#[test]
fn a_command_that_becomes_another_user_than_its_session_is_refused() {
    let rig = Rig::new();
    let mut command = rig.command(&["/bin/true"]);
    command.credentials(12345, 12345, &[]).unwrap();
    assert_eq!(super::super::command(&command, &rig.session()).unwrap_err().step, "credentials");
    for part in [|command: &mut Command| _ = command.user(12345).unwrap(), |command: &mut Command| _ = command.group(12345).unwrap()] {
        let mut command = rig.command(&["/bin/true"]);
        part(&mut command);
        assert_eq!(super::super::command(&command, &rig.session()).unwrap_err().step, "credentials", "the other one is the host's");
    }
    let mut command = rig.command(&["/bin/true"]);
    command.user(nix::unistd::geteuid().as_raw()).unwrap();
    super::super::command(&command, &rig.session()).unwrap();
}
