//! Without a login shell.

use super::*;

/// A line of a dump.
fn has_line(text: &str, line: &str) -> bool {
    text.lines().any(|known| known == line)
}

// covers: PA-34, PA-40, PA-44, PA-46, PA-47
#[test]
fn the_steps_before_the_program_are_performed() {
    let mut rig = Rig::new();
    let run = rig.run(&["/bin/true"]);
    run.good();
    for step in [
        step::SUBPROCESS_BEFORE_FIRST_EXEC,
        step::SUBPROCESS_SPAWN_ENV_SETUPPER_BEFORE_SHELL,
        step::SUBPROCESS_SPAWN_ENV_SETUPPER_AFTER_SHELL,
    ] {
        assert_eq!(run.state(step), "STEP_PERFORMED", "{step}");
    }
    assert_eq!(run.state(step::SUBPROCESS_OS_SHELL), "STEP_NOT_STARTED");
    assert_eq!(run.state(step::SUBPROCESS_APP_LOAD_OR_EXEC), "STEP_IN_PROGRESS");
    assert!(!run.session.path().join(MARK).exists() && !run.session.path().join(SCRIPT).exists());
    rig.set("starts_using_wrapper", "true").set("startup_file", "config.ru");
    let run = rig.run(&["/bin/true"]);
    assert_eq!(
        (run.state(step::SUBPROCESS_EXEC_WRAPPER), run.state(step::SUBPROCESS_APP_LOAD_OR_EXEC)),
        ("STEP_IN_PROGRESS".into(), "".into())
    );
    // What the host has done has its times.
    let done =
        run.session.response().steps.into_iter().find(|(name, ..)| name == step::SUBPROCESS_SPAWN_ENV_SETUPPER_BEFORE_SHELL).unwrap();
    assert!(done.2.is_some() && done.2 <= done.3, "{done:?}");
}

// covers: PA-41, PA-40, PA-42, PA-47
#[test]
fn the_environment_is_the_default_one_with_what_was_given_on_top() {
    let mut rig = Rig::new();
    rig.set("node_libdir", "/usr/share/x/node").set("app_env", "staging").set("base_uri", "/sub").set("preload_bundler", "true");
    rig.set("environment_variables", r#"{"GIVEN":"1","NODE_ENV":"mine","HOME":"/given"}"#);
    let mut command = rig.command(&["/usr/bin/env"]);
    command.env("RUBYOPT", Some(OsStr::new("-W0"))).unwrap();
    command.env("RACK_ENV", Some(OsStr::new("said"))).unwrap();
    let run = rig.run_command(&command);
    let app = rig.top.join("app");
    let work = run.session.path().to_owned();
    for line in [
        "IN_PASSENGER=1",
        "PYTHONUNBUFFERED=1",
        "NODE_PATH=/usr/share/x/node",
        "RAILS_ENV=staging",
        "RACK_ENV=said",
        "WSGI_ENV=staging",
        "NODE_ENV=mine",
        "PASSENGER_APP_ENV=staging",
        "RUBYOPT=-W0 -r bundler/setup",
        "RAILS_RELATIVE_URL_ROOT=/sub",
        "RACK_BASE_URI=/sub",
        "PASSENGER_BASE_URI=/sub",
        "GIVEN=1",
        "HOME=/given",
        &format!("PWD={}", app.display()),
        &format!("PASSENGER_SPAWN_WORK_DIR={}", work.display()),
    ] {
        assert!(has_line(run.good(), line), "{line}: {}", run.output);
    }
    // The dump is what the process has, line for line.
    let (mut dump, mut found): (Vec<_>, Vec<_>) =
        (run.file("envdump/envvars").lines().map(str::to_owned).collect(), run.output.lines().map(str::to_owned).collect());
    dump.sort();
    found.sort();
    assert_eq!(dump, found);
}

// covers: PA-41
#[test]
fn a_base_uri_of_nothing_takes_the_variables_away_and_a_port_is_told() {
    let mut rig = Rig::new();
    rig.set("base_uri", "/").set("find_free_port", "true");
    let mut command = rig.command(&["/usr/bin/env"]);
    command.env("PORT", Some(OsStr::new("1"))).unwrap();
    let run = rig.run_command(&command);
    for name in ["RAILS_RELATIVE_URL_ROOT=", "RACK_BASE_URI=", "PASSENGER_BASE_URI=", "RUBYOPT=", "NODE_PATH="] {
        assert!(
            !run.good().lines().any(|line| line.starts_with(name) && !std::env::vars().any(|(host, _)| name == format!("{host}="))),
            "{name}"
        );
    }
    assert!(has_line(&run.output, &format!("PORT={}", run.session.port().unwrap())));
}

// covers: PA-46
#[test]
fn it_runs_in_the_application_root_as_it_was_given() {
    let mut rig = Rig::new();
    let link = rig.top.join("link");
    std::os::unix::fs::symlink("app", &link).unwrap();
    rig.set("app_root", link.to_str().unwrap());
    let run = rig.run(&["/bin/sh", "-c", "echo $PWD; pwd -P"]);
    assert_eq!(run.good(), format!("{}\n{}\n", link.display(), rig.top.join("app").display()));
}

// covers: PA-42
#[test]
fn nasty_values_arrive_as_they_are() {
    let mut rig = Rig::new();
    let long = "x".repeat(100_000);
    let nasty = ["a\nb\n", "'", "\"$(id)`id`\\", "$HOME;&|", "ü漢🙂", "", " lead", "\u{7f}\u{1}\t", "-n", &long];
    let given: serde_json::Map<_, _> = nasty.iter().enumerate().map(|(at, value)| (format!("V{at}"), Value::from(*value))).collect();
    let names: Vec<_> = given.keys().cloned().collect();
    rig.arguments.put("environment_variables", Value::Object(given)).unwrap();
    let script: String = names.iter().map(|name| format!("printf '%s\\0' \"${name}\";")).collect();
    for shell in [None, Some("/bin/bash"), Some("/bin/sh"), Some("/usr/bin/zsh")] {
        if let Some(shell) = shell {
            if !Path::new(shell).exists() {
                continue;
            }
            let mangle: String = names.iter().map(|name| format!("export {name}=mangled\n")).collect();
            rig.shell(shell, &mangle);
        }
        let run = rig.run(&["/bin/sh", "-c", &script]);
        assert_eq!(
            run.good().split('\0').collect::<Vec<_>>()[..nasty.len()],
            names.iter().map(|name| nasty[name[1..].parse::<usize>().unwrap()]).collect::<Vec<_>>(),
            "{shell:?}"
        );
    }
}

// covers: P-b8, PA-38
#[test]
fn a_list_of_commands_runs_to_its_end_in_the_pid_that_is_known() {
    let rig = Rig::new();
    let run = rig.run(&["/bin/sh", "-c", "echo one; exec /bin/sh -c 'echo two $$'"]);
    assert_eq!(run.good(), format!("one\ntwo {}\n", run.pid));
}

// covers: PA-12, PA-43, PA-47
#[test]
fn the_limit_of_descriptors_is_set_and_written_down() {
    let mut rig = Rig::new();
    rig.set("file_descriptor_ulimit", "123");
    let run = rig.run(&["/bin/sh", "-c", "ulimit -Sn; ulimit -Hn; ulimit -a"]);
    assert!(run.good().starts_with("123\n123\n"));
    assert!(has_line(&run.file("envdump/ulimits"), "nofiles              123"));
    // dash says it in the very same words.
    let said: Vec<_> = run.output.lines().skip(2).filter(|line| line.starts_with("time(seconds)")).collect();
    if !said.is_empty() {
        assert_eq!(run.output.lines().skip(2).take(12).collect::<Vec<_>>(), run.file("envdump/ulimits").lines().collect::<Vec<_>>());
    }
    rig.set("file_descriptor_ulimit", "0");
    let (soft, _) = nix::sys::resource::getrlimit(nix::sys::resource::Resource::RLIMIT_NOFILE).unwrap();
    assert_eq!(rig.run(&["/bin/sh", "-c", "ulimit -n"]).good().trim(), soft.to_string());
}

// covers: PA-43, PA-20
#[test]
fn the_user_is_switched_and_told_who_it_is() {
    if !is_root() {
        return;
    }
    let mut rig = Rig::new();
    rig.user("nobody", "nogroup");
    let mut command = Command::new("/bin/sh").unwrap();
    command
        .arg("-c")
        .unwrap()
        .arg("id; id -r -u; echo $USER $LOGNAME $HOME $SHELL; cat $PASSENGER_SPAWN_WORK_DIR/envdump/user_info")
        .unwrap();
    let run = rig.run_command(&command);
    let id = "uid=65534(nobody) gid=65534(nogroup) groups=65534(nogroup)";
    assert_eq!(run.good(), format!("{id}\n65534\nnobody nobody /nonexistent /usr/sbin/nologin\n{id}\n"));
}

// covers: PA-43, P-b7
#[test]
fn a_user_without_an_entry_is_a_user() {
    if !is_root() {
        return;
    }
    let mut rig = Rig::new();
    rig.user("54321", "54322").set("load_shell_envvars", "true");
    let mut command = Command::new("/bin/sh").unwrap();
    command
        .arg("-c")
        .unwrap()
        .arg("id -u; id -g; id -G; echo $USER $LOGNAME $HOME $SHELL; cat $PASSENGER_SPAWN_WORK_DIR/envdump/user_info")
        .unwrap();
    let run = rig.run_command(&command);
    assert_eq!(run.good(), "54321\n54322\n54322\n54321 54321 / /bin/sh\nuid=54321 gid=54322 groups=54322\n");
    assert_eq!(run.state(step::SUBPROCESS_OS_SHELL), "STEP_NOT_STARTED", "without an entry there is no login");
}

// covers: PA-37, PA-38
#[test]
fn one_that_executes_itself_anew_keeps_its_pid() {
    let rig = Rig::new();
    let run = rig.run(&["/bin/sh", "-c", "if [ \"$1\" = again ]; then echo $$; else exec /bin/sh -c \"$0\" again again; fi", "echo $$"]);
    assert_eq!(run.good().trim(), run.pid.to_string());
}
