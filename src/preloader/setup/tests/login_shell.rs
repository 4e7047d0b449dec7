//! With a login shell.

use super::*;

/// Those that are installed.
fn shells() -> Vec<&'static str> {
    ["/bin/bash", "/bin/sh", "/usr/bin/zsh", "/usr/bin/ksh"].into_iter().filter(|path| Path::new(path).exists()).collect()
}

// covers: PA-38, PA-39, PA-42, PA-47
#[test]
fn shell_files_are_read_and_what_was_given_is_given_again() {
    for shell in shells() {
        let mut rig = Rig::new();
        rig.set("environment_variables", r#"{"GIVEN":"mine","PWD":"/odd"}"#).set("app_env", "staging").set("find_free_port", "true");
        let app = rig.top.join("app");
        rig.shell(
            shell,
            "export GIVEN=theirs OWN=1 RAILS_ENV=theirs RACK_BASE_URI=/x PORT=1 IN_PASSENGER=no PASSENGER_SPAWN_WORK_DIR=/x PATH=/opt/y:$PATH\nunset PYTHONUNBUFFERED\ncd /usr\nulimit -n 200\n",
        );
        let run = rig.run(&["/bin/sh", "-c", "echo $$ $GIVEN $OWN $RAILS_ENV $PORT $IN_PASSENGER $PYTHONUNBUFFERED ${RACK_BASE_URI-none} $PASSENGER_SPAWN_WORK_DIR; pwd -P; ulimit -n; echo $PATH"]);
        let (pid, port, work) = (run.pid, run.session.port().unwrap(), run.session.path().to_owned());
        let said = run.good().to_owned();
        assert!(
            said.starts_with(&format!("{pid} mine 1 staging {port} 1 1 none {}\n{}\n200\n/opt/y:", work.display(), app.display())),
            "{shell}: {said}"
        );
        for (step, state) in [
            (step::SUBPROCESS_BEFORE_FIRST_EXEC, "STEP_PERFORMED"),
            (step::SUBPROCESS_SPAWN_ENV_SETUPPER_BEFORE_SHELL, "STEP_PERFORMED"),
            (step::SUBPROCESS_OS_SHELL, "STEP_PERFORMED"),
            (step::SUBPROCESS_SPAWN_ENV_SETUPPER_AFTER_SHELL, "STEP_PERFORMED"),
            (step::SUBPROCESS_APP_LOAD_OR_EXEC, "STEP_IN_PROGRESS"),
        ] {
            assert_eq!(run.state(step), state, "{shell}: {step}");
        }
        assert!(run.session.path().join(MARK).exists());
        // The dump is from behind the shell, and says nothing of ours.
        let dump = run.file("envdump/envvars");
        assert!(dump.contains("\nOWN=1\n") && dump.contains("GIVEN=mine\n") && !dump.contains("__ps_"), "{shell}: {dump}");
        assert!(run.file("envdump/ulimits").contains("200"), "{shell}");
        let steps = run.session.response().steps;
        let of = |name: &str| steps.iter().find(|step| step.0 == name).unwrap();
        let (before, shell_step, after) = (
            of(step::SUBPROCESS_SPAWN_ENV_SETUPPER_BEFORE_SHELL),
            of(step::SUBPROCESS_OS_SHELL),
            of(step::SUBPROCESS_SPAWN_ENV_SETUPPER_AFTER_SHELL),
        );
        assert!(before.3 <= shell_step.2 && shell_step.3.is_some() && shell_step.3 <= after.3, "{shell}: {steps:?}");
    }
}

// covers: PA-39, PA-44
#[test]
fn other_shells_are_passed_over_and_none_means_sh() {
    let mut rig = Rig::new();
    for (shell, is_used) in
        [("/usr/sbin/nologin", false), ("/bin/fish", false), ("/bin/csh", false), ("/bin/bash", true), ("/opt/x/zsh", true)]
    {
        rig.shell(shell, "");
        assert_eq!(Shell::of(&rig.arguments, &rig.owner).is_some(), is_used, "{shell}");
    }
    for empty in [None, Some(PathBuf::new())] {
        rig.owner.shell = empty;
        assert_eq!(Shell::of(&rig.arguments, &rig.owner).map(|shell| shell.path), Some("/bin/sh".into()));
    }
    rig.set("load_shell_envvars", "false");
    assert_eq!(Shell::of(&rig.arguments, &rig.owner), None);
}

// covers: PA-38, PA-42
#[test]
fn nothing_that_was_given_is_on_a_command_line() {
    let mut rig = Rig::new();
    rig.set("environment_variables", r#"{"SECRET":"hunter2"}"#);
    rig.shell("/bin/bash", "cat /proc/$$/cmdline >&2");
    let run = rig.run(&["/bin/sh", "-c", "cat /proc/$$/cmdline; ls /proc/$$/fd | wc -w"]);
    assert!(run.good().contains("setup.sh") && !run.output.contains("hunter2"), "{}", run.output);
    assert!(run.output.ends_with("3\n") || run.output.ends_with("4\n"), "{}", run.output);
    assert_eq!(fs::metadata(run.session.path().join(SCRIPT)).unwrap().permissions().mode() & 0o777, 0o600);
}

// covers: PA-48, P-b9
#[test]
fn a_program_that_cannot_be_executed_behind_the_shell_is_told_of() {
    let rig = &mut Rig::new();
    let make = |name: &str, text: &str, mode| {
        let path = rig.top.join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let plain = make("plain", "#!/bin/sh\n", 0o644);
    let orphan = make("orphan", "#!/no/such/interpreter\n", 0o755);
    let folder = rig.top.to_str().unwrap().to_owned();
    let programs = [
        ("/no/such/program", 127, "does not exist"),
        ("no_such_program", 127, "is not in the PATH"),
        (plain.as_str(), 126, "may not be executed"),
        (folder.as_str(), 126, "is a directory"),
        (orphan.as_str(), 127, "could not be executed"),
    ];
    rig.shell(shells()[0], "set -e\n");
    for (wrapper, at, programs) in
        [("false", step::SUBPROCESS_APP_LOAD_OR_EXEC, &programs[..]), ("true", step::SUBPROCESS_EXEC_WRAPPER, &programs[..1])]
    {
        rig.set("starts_using_wrapper", wrapper).set("startup_file", "x");
        for (program, code, words) in programs {
            let run = rig.run(&[program, "x"]);
            assert_eq!((run.exit.kind, run.exit.code), (Kind::Exited, *code), "{program}: {}", run.output);
            assert_eq!((run.state(at).as_str(), run.file("response/error/category").as_str()), ("STEP_ERRORED", "OPERATING_SYSTEM_ERROR"));
            assert!(run.file("response/error/summary").contains(words), "{program}: {}", run.file("response/error/summary"));
            let response = run.session.response();
            assert!(response.problem.is_some() && response.solution.is_some());
        }
    }
}

// covers: PA-48, P-b9
#[test]
fn whatever_sh_is_the_script_says_what_failed() {
    for (sh, options) in
        [("dash", &[][..]), ("bash", &["--posix"]), ("busybox", &["sh"]), ("mksh", &[]), ("ksh", &[]), ("zsh", &["--emulate", "sh"])]
    {
        let Some(sh) = ["/bin", "/usr/bin"].map(|directory| format!("{directory}/{sh}")).into_iter().find(|path| Path::new(path).exists())
        else {
            continue;
        };
        let mut rig = Rig::new();
        rig.set("environment_variables", r#"{"GIVEN":"it's\nmine"}"#).shell("/bin/sh", "");
        for (program, said, state) in
            [("/no/such", "", "STEP_ERRORED"), ("no_such", "", "STEP_ERRORED"), ("/bin/sh", "it's\nmine", "STEP_IN_PROGRESS")]
        {
            let session = rig.session();
            super::super::command(&rig.command(&[program, "-c", "printf %s \"$GIVEN\""]), &session).unwrap();
            let out = std::process::Command::new(&sh).args(options).arg(session.path().join(SCRIPT)).output().unwrap();
            assert_eq!(String::from_utf8_lossy(&out.stdout), said, "{sh} {program}: {out:?}");
            assert_eq!(read(&session, "response/steps/subprocess_app_load_or_exec/state"), state, "{sh} {program}: {out:?}");
            assert_eq!(read(&session, "response/error/category").is_empty(), state == "STEP_IN_PROGRESS", "{sh}");
        }
    }
}

// covers: PA-42
#[test]
fn shell_files_that_break_things_are_harmless_or_end_it() {
    for shell in shells() {
        for (profile, survives) in [
            ("set -eu; IFS=x; set -- a b; trap 'echo trap' EXIT; umask 0", true),
            ("exec 2>&-", true),
            ("printf() { exit 9; }; cd() { exit 9; }; export PATH=/nowhere", true),
            ("export __x=1; false", true),
            ("echo much; yes | head -c 300000", true),
            ("exit 3", false),
            ("kill -9 $$", false),
            ("exec /bin/false", false),
        ] {
            let mut rig = Rig::new();
            rig.set("environment_variables", r#"{"GIVEN":"mine"}"#).shell(shell, profile);
            let run = rig.run(&["/bin/sh", "-c", "echo $GIVEN"]);
            assert_eq!(
                run.exit.kind == Kind::Exited && run.exit.code == 0 && run.output.ends_with("mine\n"),
                survives,
                "{shell} {profile}: {}",
                run.output
            );
            let state = if survives { "STEP_PERFORMED" } else { "STEP_IN_PROGRESS" };
            assert_eq!(run.state(step::SUBPROCESS_OS_SHELL), state, "{shell} {profile}");
        }
    }
}

// covers: PA-42
#[test]
fn functions_in_place_of_commands_come_no_further_than_the_shell() {
    if !Path::new("/bin/bash").exists() {
        return;
    }
    let mut rig = Rig::new();
    rig.shell("/bin/bash", "printf() { exit 9; }; cd() { exit 9; }; test() { exit 9; }; export -f printf cd test; set -o allexport; export SHELLOPTS; alias exec=false; shopt -s expand_aliases\n");
    assert_eq!(rig.run(&["/bin/sh", "-c", "/bin/echo fine"]).good().lines().last(), Some("fine"));
    // In place of the one command there: the shell ends, and its step is where.
    rig.shell("/bin/bash", "exec() { :; }\n");
    let run = rig.run(&["/bin/sh", "-c", "echo fine"]);
    assert_eq!((run.output.as_str(), run.state(step::SUBPROCESS_OS_SHELL).as_str()), ("", "STEP_IN_PROGRESS"));
}

// covers: PA-42
#[test]
fn what_a_shell_cannot_hand_on_is_refused() {
    let mut rig = Rig::new();
    rig.set("environment_variables", r#"{"foo.bar":"1"}"#);
    assert!(rig.run(&["/usr/bin/env"]).good().contains("foo.bar=1\n"));
    rig.shell("/bin/sh", "");
    let session = rig.session();
    let error = super::super::command(&rig.command(&["/usr/bin/env"]), &session).unwrap_err();
    assert_eq!((error.status, error.step), (Status::InvalidArgument, "environment_variables"));
    rig.set("environment_variables", "{}");
    let mut named = rig.command(&["/usr/bin/env"]);
    named.arg0("other").unwrap();
    assert_eq!(super::super::command(&named, &rig.session()).unwrap_err().status, Status::Unsupported);
}

// covers: PA-38
#[test]
fn arguments_arrive_byte_for_byte() {
    let all: Vec<u8> = (1..=255).collect();
    for shell in shells() {
        let mut rig = Rig::new();
        rig.shell(shell, "");
        let mut command = rig.command(&["/bin/sh", "-c", "printf %s \"$1\" >\"$0\""]);
        let out = rig.top.join("out");
        command.arg(&out).unwrap().arg(OsStr::from_bytes(&all)).unwrap();
        rig.run_command(&command).good();
        assert_eq!(fs::read(&out).unwrap(), all, "{shell}");
    }
}
