//! The error as a whole: what comes together in it.

use super::*;
use crate::preloader::journey::{journey, step::*};
use crate::registry::{Cause, Kind, Memory};

fn arguments(all: &[(&str, &str)]) -> Arguments {
    let mut arguments = Arguments::default();
    for (name, value) in all {
        arguments.set(name, Some(value)).unwrap();
    }
    arguments
}

fn exit(code: i32) -> Exit {
    let (user_us, system_us, max_rss_kib, started_ns, ended_ns) = (0, 0, 0, 0, 0);
    let (kind, cause, removal, killed, memory) = (Kind::Exited, Cause::Itself, None, false, Memory::default());
    Exit {
        kind,
        code,
        signal: 0,
        core_dumped: false,
        cause,
        user_us,
        system_us,
        max_rss_kib,
        started_ns,
        ended_ns,
        removal,
        killed,
        memory,
    }
}

/// A journey that waits for the process to be ready.
fn waiting(purpose: Purpose) -> Journey {
    let mut journey = journey(purpose, true);
    let now = clock::now();
    assert!(journey.begin(SPAWNING_KIT_PREPARATION, now) && journey.end(SPAWNING_KIT_PREPARATION, now + 1));
    assert!(journey.begin(SPAWNING_KIT_HANDSHAKE_PERFORM, now + 1));
    journey
}

fn evidence<'a>(arguments: &'a Arguments, response: Response) -> Evidence<'a> {
    let (purpose, response) = (Purpose::Direct, Some(response));
    Evidence { journey: waiting(purpose), response, arguments, output: Vec::new(), pid: Some(77), exit: None, preloader: None, purpose }
}

fn case(error: &Error) -> &Case {
    error.case.as_deref().unwrap()
}

fn states(error: &Error) -> Vec<(&str, Progress)> {
    error
        .journey
        .as_ref()
        .unwrap()
        .steps()
        .iter()
        .filter(|step| step.progress != Progress::NotStarted)
        .map(|step| (step.name, step.progress))
        .collect()
}

// covers: PA-53, PA-54
#[test]
fn in_the_event_of_an_error_the_handshake_step_is_errored() {
    let arguments = Arguments::default();
    for failure in [
        Failure::exited(77, Some(&exit(1))),
        Failure::answered(Some(b'0')),
        Failure::answered(None),
        Failure::timeout(SPAWNING_KIT_HANDSHAKE_PERFORM, "waiting"),
        Failure::violated(Violations { application: vec!["sockets is missing".into()], library: Vec::new() }),
    ] {
        let (status, category) = (failure.status, failure.category);
        let error = error(failure, evidence(&arguments, Response::default()));
        let step = error.journey.as_ref().unwrap().step(SPAWNING_KIT_HANDSHAKE_PERFORM).unwrap();
        assert!(step.progress == Progress::Errored && step.end.is_some(), "{error:?}");
        assert_eq!((error.status, case(&error).category, error.pid), (status, category, Some(77)));
    }
}

// covers: PA-54, PA-64
#[test]
fn the_journey_that_the_process_has_told_is_in_the_error() {
    let told = |name: &str, progress| (name.to_owned(), progress, None, None);
    let response = Response {
        steps: vec![told(SUBPROCESS_BEFORE_FIRST_EXEC, Progress::Performed), told(SUBPROCESS_APP_LOAD_OR_EXEC, Progress::InProgress)],
        ..Response::default()
    };
    let arguments = Arguments::default();
    let ended = Evidence { exit: Some(exit(1)), ..evidence(&arguments, response.clone()) };
    let error = error(Failure::exited(77, Some(&exit(1))), ended);
    let came = [
        (SPAWNING_KIT_PREPARATION, Progress::Performed),
        (SPAWNING_KIT_HANDSHAKE_PERFORM, Progress::Errored),
        (SUBPROCESS_BEFORE_FIRST_EXEC, Progress::Performed),
        (SUBPROCESS_APP_LOAD_OR_EXEC, Progress::Errored),
    ];
    assert_eq!(states(&error), came);
    assert_eq!(error.step, SUBPROCESS_APP_LOAD_OR_EXEC);
    assert_eq!(case(&error).summary, "The application ended before it was ready (exit code 1), while loading the application");
    // One that hangs has not failed.
    let error = super::error(Failure::timeout(SPAWNING_KIT_HANDSHAKE_PERFORM, "waiting"), evidence(&arguments, response));
    assert_eq!(states(&error)[3], (SUBPROCESS_APP_LOAD_OR_EXEC, Progress::InProgress));
    assert_eq!(error.step, SPAWNING_KIT_HANDSHAKE_PERFORM);
}

// covers: PA-73, PA-75
#[test]
fn the_messages_of_the_process_are_those_of_the_error() {
    let arguments = Arguments::default();
    let response = Response {
        category: Some("OPERATING_SYSTEM_ERROR\n".into()),
        summary: Some("no database\n".into()),
        advanced: Some("main.rb:1: no".into()),
        problem: Some(Text::Html("<p>It is <b>not</b> there<script>alert(1)</script></p>".into())),
        solution: Some(Text::Plain("Start <it>\n".into())),
        ..Response::default()
    };
    let error = error(Failure::answered(Some(b'0')), evidence(&arguments, response));
    let case = case(&error);
    assert_eq!(case.category, Category::OperatingSystem);
    assert_eq!((case.summary.as_str(), case.advanced.as_deref()), ("no database", Some("main.rb:1: no")));
    assert_eq!((case.problem.as_str(), case.solution.as_str()), ("It is not there", "Start <it>"));
    assert_eq!(error.message, "the process did not become ready: it said so: no database");
}

// covers: PA-54, PA-71, P-b12
#[test]
fn a_category_that_is_none_is_internal_and_noted() {
    let arguments = Arguments::default();
    let response = |category: &str| Response { category: Some(category.into()), ..Response::default() };
    let unknown = error(Failure::answered(Some(b'0')), evidence(&arguments, response("NO_SUCH_ERROR")));
    assert_eq!(case(&unknown).category, Category::Internal);
    assert!(case(&unknown).notes.iter().any(|note| note.contains("NO_SUCH_ERROR")), "{:?}", case(&unknown).notes);
    // P-b12: this one has ended the original.
    let file = error(Failure::answered(Some(b'0')), evidence(&arguments, response("FILE_SYSTEM_ERROR")));
    assert!(case(&file).category == Category::FileSystem && !case(&file).problem.is_empty() && !case(&file).solution.is_empty());
    // What the host knows better is not the process's to say.
    let late = error(Failure::timeout(SPAWNING_KIT_HANDSHAKE_PERFORM, "waiting"), evidence(&arguments, response("IO_ERROR")));
    assert_eq!(case(&late).category, Category::Timeout);
}

// covers: PA-73, PA-78, P-b5
#[test]
fn output_dumps_metrics_and_configuration_are_in_the_error() {
    let arguments =
        arguments(&[("app_root", "/srv/shop"), ("start_command", "rackup"), ("user", "deploy"), ("file_descriptor_ulimit", "512")]);
    let dumps = Dumps {
        envvars: Some("A=b".into()),
        user_info: Some("uid=7".into()),
        ulimits: Some("open files 512".into()),
        annotations: vec![("ruby_info".into(), "3.1".into())],
    };
    let preloader = Dumps { envvars: Some("P=q".into()), ..Dumps::default() };
    let response = Response { dumps: dumps.clone(), ..Response::default() };
    let error = error(
        Failure::exited(77, Some(&exit(3))),
        Evidence { output: b"early words".to_vec(), exit: Some(exit(3)), preloader: Some(&preloader), ..evidence(&arguments, response) },
    );
    assert_eq!(error.output, b"early words");
    let case = case(&error);
    assert_eq!((&case.subprocess, &case.preloader), (&dumps, &preloader));
    assert!(case.host.envvars.is_some() && case.host.ulimits.is_some());
    assert!(case.metrics.iter().any(|(name, _)| *name == "load"));
    assert_eq!(case.config["app_root"], "/srv/shop");
    for fact in
        [("command", "rackup"), ("directory", "/srv/shop"), ("user", "deploy"), ("limit of descriptors", "512"), ("ended", "exit code 3")]
    {
        assert!(case.facts.contains(&(fact.0, fact.1.to_owned())), "{fact:?} in {:?}", case.facts);
    }
    assert!(case.problem.contains("    early words"), "{}", case.problem);
}

// covers: PA-14
#[test]
fn what_is_confidential_is_nowhere_in_configuration_and_dumps() {
    let given = r#"{"DB_PASSWORD":"hunter2!","PLAIN":"yes","PEM":"-----BEGIN X-----\nabc=\n-----END X-----"}"#;
    let arguments = arguments(&[("environment_variables", given), ("api_key", "key-of-api"), ("connect_password", "c0nnect")]);
    let env = "PATH=/bin\nDB_PASSWORD=hunter2!\nPLAIN=yes\nDATABASE_URL=postgres://shop:hunter2!@db/shop\nMIRROR=redis://u:other@cache/1 x\n\
               PEM=-----BEGIN X-----\nabc=\n-----END X-----\nINHERITED_TOKEN=t-1\nEMPTY_TOKEN=\nLANG=C\nPWD=/srv";
    let dumps = Dumps {
        envvars: Some(env.into()),
        annotations: vec![("config".into(), "password: hunter2! key-of-api".into())],
        ..Dumps::default()
    };
    let response = Response { dumps: dumps.clone(), ..Response::default() };
    let error = error(Failure::exited(77, None), Evidence { preloader: Some(&dumps), ..evidence(&arguments, response) });
    let case = case(&error);
    for dumps in [&case.subprocess, &case.preloader] {
        assert_eq!(
            dumps.envvars.as_deref(),
            Some(
                "PATH=/bin\nDB_PASSWORD=(confidential)\nPLAIN=(confidential)\nDATABASE_URL=postgres://shop:(confidential)@db/shop\n\
                 MIRROR=redis://u:(confidential)@cache/1 x\nPEM=(confidential)\nINHERITED_TOKEN=(confidential)\nEMPTY_TOKEN=\nLANG=C\nPWD=/srv"
            )
        );
        assert_eq!(dumps.annotations[0].1, "password: (confidential) (confidential)");
    }
    for text in [error.render_text(), error.render_json(), error.render_html()] {
        for secret in ["hunter2!", "key-of-api", "c0nnect", "t-1", "abc="] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
    }
}

// covers: PA-77
#[test]
fn each_failure_has_an_id_of_its_own_which_every_form_shows() {
    let arguments = Arguments::default();
    let [one, two] = [(); 2].map(|()| error(Failure::exited(77, None), evidence(&arguments, Response::default())));
    assert_ne!(case(&one).id, case(&two).id);
    let id = case(&one).id.as_str();
    assert!(id.len() == 8 && id.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase()), "{id}");
    for text in [one.to_string(), one.render_text(), one.render_json(), one.render_html(), one.render_brief()] {
        assert!(text.contains(id), "{text}");
    }
}

// covers: PA-9
#[test]
fn wrong_arguments_are_told_all_at_once() {
    let arguments = Arguments::default();
    let wrong = vec!["app_root is missing".to_owned(), "start_command is empty.".to_owned()];
    let evidence = Evidence {
        response: None,
        pid: None,
        journey: journey(Purpose::Worker, true),
        purpose: Purpose::Worker,
        ..evidence(&arguments, Response::default())
    };
    let error = error(Failure::arguments(wrong), evidence);
    assert_eq!(error.status, Status::InvalidArgument);
    assert_eq!(error.message, "2 things are wrong with the arguments: app_root is missing; start_command is empty");
    assert!(case(&error).problem.contains("- app_root is missing.\n- start_command is empty."));
    // P-b15: of the way that it was on.
    assert_eq!(error.journey.as_ref().unwrap().kind(), "SPAWN_THROUGH_PRELOADER");
    assert_eq!(states(&error), [(SPAWNING_KIT_PREPARATION, Progress::Errored)]);
}

// covers: P-b14, PA-86
#[test]
fn a_wrong_user_is_told_with_both_numbers() {
    assert_eq!(
        Failure::wrong_user(5, 1001, 33).message,
        "process 5, which the preloader names as its worker, runs as uid 1001, and must run as uid 33"
    );
}

// covers: PA-48, PA-72
#[test]
fn a_start_command_that_cannot_be_executed_fails_at_its_step() {
    let arguments = Arguments::default();
    let spawn = Error::system("exec", Errno::ENOENT, "cannot run rackup");
    let mut evidence = evidence(&arguments, Response::default());
    evidence.journey = journey(Purpose::Direct, false);
    assert!(evidence.journey.begin(SPAWNING_KIT_FORK_SUBPROCESS, clock::now()));
    let error = error(Failure::of(SUBPROCESS_APP_LOAD_OR_EXEC, &spawn), evidence);
    assert_eq!((error.status, error.errno, error.step), (Status::NotFound, Some(Errno::ENOENT), SUBPROCESS_APP_LOAD_OR_EXEC));
    assert_eq!(case(&error).category, Category::FileSystem);
    assert_eq!(states(&error), [(SPAWNING_KIT_FORK_SUBPROCESS, Progress::Errored), (SUBPROCESS_APP_LOAD_OR_EXEC, Progress::Errored)]);
    assert!(case(&error).solution.contains("Something is not there."), "{}", case(&error).solution);
}

#[test]
fn long_texts_of_an_application_are_cut() {
    let arguments = Arguments::default();
    let long = "ä".repeat(LONGEST + 1_000);
    let dumps = Dumps { envvars: Some(format!("A={long}")), annotations: vec![("x".repeat(1_000), long.clone()); 100], ..Dumps::default() };
    let response = Response {
        summary: Some(long.clone()),
        advanced: Some(long.clone()),
        problem: Some(Text::Plain(long.clone())),
        solution: Some(Text::Html(long.clone())),
        dumps,
        ..Response::default()
    };
    let error = error(Failure::answered(None), evidence(&arguments, response));
    let page = error.render_html();
    assert!(error.message.chars().count() < 2_000 && page.len() < 3_000_000, "{}", page.len());
}

/// Pages to be looked at in a browser: `PAGES=DIR cargo test --lib pages_to_look_at -- --ignored`.
#[test]
#[ignore = "for a look"]
fn pages_to_look_at() {
    let directory = std::path::PathBuf::from(std::env::var_os("PAGES").expect("PAGES names a directory"));
    let arguments = arguments(&[
        ("app_group_name", "/srv/shop (production)"),
        ("app_root", "/srv/shop/releases/20261129-2244"),
        ("start_command", "bundle exec rackup --port 0 config.ru"),
        ("startup_file", "config.ru"),
        ("user", "deploy"),
        ("group", "www-data"),
        ("app_env", "production"),
        ("file_descriptor_ulimit", "4096"),
        ("environment_variables", r#"{"DATABASE_URL":"postgres://shop:hunter2!@db.internal/shop","SECRET_KEY_BASE":"1f0c"}"#),
        ("api_key", "5ac9d1"),
        ("starts_using_wrapper", "true"),
    ]);
    let now = clock::now();
    let at = |ms: i64| now - 2_000_000_000 + ms * 1_000_000;
    let mut direct = journey(Purpose::Direct, true);
    for (step, begin, end) in [(SPAWNING_KIT_PREPARATION, 0, 3), (SPAWNING_KIT_FORK_SUBPROCESS, 3, 6)] {
        assert!(direct.begin(step, at(begin)) && direct.end(step, at(end)));
    }
    assert!(direct.begin(SPAWNING_KIT_HANDSHAKE_PERFORM, at(6)));
    let done = |name: &str, begin, end| (name.to_owned(), Progress::Performed, Some(at(begin)), Some(at(end)));
    let steps = vec![
        done(SUBPROCESS_BEFORE_FIRST_EXEC, 6, 9),
        done(SUBPROCESS_SPAWN_ENV_SETUPPER_BEFORE_SHELL, 9, 35),
        done(SUBPROCESS_OS_SHELL, 35, 310),
        done(SUBPROCESS_SPAWN_ENV_SETUPPER_AFTER_SHELL, 310, 324),
        done(SUBPROCESS_EXEC_WRAPPER, 324, 350),
        done(SUBPROCESS_WRAPPER_PREPARATION, 350, 430),
        (SUBPROCESS_APP_LOAD_OR_EXEC.to_owned(), Progress::InProgress, Some(at(430)), None),
    ];
    let dumps = Dumps {
        envvars: Some("IN_PASSENGER=1\nPASSENGER_APP_ENV=production\nPATH=/usr/local/bin:/usr/bin:/bin\nDATABASE_URL=postgres://shop:hunter2!@db.internal/shop\nSECRET_KEY_BASE=1f0c\nLANG=C.UTF-8".into()),
        user_info: Some("uid=1001(deploy) gid=33(www-data) groups=33(www-data),1001(deploy)".into()),
        ulimits: Some("open files                      (-n) 4096\nmax user processes              (-u) 31337".into()),
        annotations: vec![("ruby_info".into(), "ruby 3.1.2p20 [x86_64-linux-gnu]".into()), ("activated_gems".into(), "rack 2.2.22\npg 1.5.6\nsequel 5.77.0".into())],
    };
    let output = "[shop] booting in production\n[shop] connecting to db.internal:5432\n/usr/lib/ruby/vendor_ruby/pg/connection.rb:696:in `async_connect_or_reset': connection to server at \"db.internal\" (10.0.0.7), port 5432 failed: Connection refused (PG::ConnectionBad)\n\tIs the server running on that host and accepting TCP/IP connections?\n\tfrom /srv/shop/releases/20261129-2244/config/database.rb:12:in `<main>'\n\x1b[31mgiving up\x1b[0m\n";
    let response = Response {
        steps: steps.clone(),
        dumps: dumps.clone(),
        notes: vec!["response/error/category is no category".into()],
        advanced: Some("PG::ConnectionBad (no connection)\n  config/database.rb:12\n  config.ru:3".into()),
        ..Response::default()
    };
    let make = |failure: Failure, response: Response, exit: Option<Exit>, output: &str| {
        error(
            failure,
            Evidence { journey: direct.clone(), exit, output: output.into(), pid: Some(48123), ..evidence(&arguments, response) },
        )
    };
    let write = |name: &str, page: &str| std::fs::write(directory.join(name), page).unwrap();
    let failed = make(Failure::exited(48123, Some(&exit(1))), response.clone(), Some(exit(1)), output);
    write("exited.html", &failed.render_html());
    write("exited.txt", &failed.render_text());
    write("exited.json", &failed.render_json());
    write("brief.html", &failed.render_brief());
    let told = Response {
        summary: Some("The database does not answer".into()),
        problem: Some(Text::Html("<h2>No database</h2><p>The application needs <code>db.internal:5432</code>, and <b>nobody answers</b> there.</p><ul><li>tried 3 times</li><li>with 5 s each</li></ul><script>alert(1)</script>".into())),
        solution: Some(Text::Plain("Start it:\n\n    systemctl start postgresql\n\nor <b>ask</b> the & team.".into())),
        ..response.clone()
    };
    write("told.html", &make(Failure::answered(Some(b'0')), told, None, output).render_html());
    write(
        "timeout.html",
        &make(Failure::timeout(SPAWNING_KIT_HANDSHAKE_PERFORM, "waiting for the application's word that it is ready"), response, None, "")
            .render_html(),
    );
    // Long names, long output, unknown times, fifteen steps.
    let long = Response {
        summary: Some("x".repeat(300)),
        steps: vec![
            (PRELOADER_PREPARATION.to_owned(), Progress::Performed, None, None),
            (PRELOADER_FORK_SUBPROCESS.to_owned(), Progress::InProgress, None, None),
        ],
        dumps: Dumps { envvars: Some(format!("LONG={}", "y".repeat(5_000))), ..dumps },
        ..Response::default()
    };
    let mut through = journey(Purpose::Worker, true);
    through.begin(SPAWNING_KIT_PREPARATION, at(0));
    let evidence = Evidence {
        journey: through,
        output: "a rather long line of output without an end ".repeat(3_000).into(),
        purpose: Purpose::Worker,
        ..evidence(&arguments, long)
    };
    write("long.html", &error(Failure::answered(None), evidence).render_html());
    write("plain.html", &Error::system("exec", Errno::ENOENT, "cannot run \"/usr/bin/nothing\"").render_html());
}
