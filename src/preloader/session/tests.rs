//! Sessions as a whole: what is made, and what a hostile application makes of it.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;

use nix::sys::stat::Mode;
use nix::unistd::{geteuid, mkfifo};

use super::*;
use crate::clock::MILLI;
use crate::preloader::journey::journey;
use crate::preloader::journey::step::SPAWNING_KIT_PREPARATION;
use crate::process::leftovers;

struct Rig {
    home: tempfile::TempDir,
    arguments: Arguments,
}

impl Rig {
    fn new() -> Self {
        Self::within(tempfile::tempdir().unwrap())
    }

    fn within(home: tempfile::TempDir) -> Self {
        let mut arguments = Arguments::default();
        for (name, text) in [("app_root", "/srv/app"), ("start_command", "run"), ("spawn_dir", home.path().to_str().unwrap())] {
            arguments.set(name, Some(text)).unwrap();
        }
        Self { home, arguments }
    }

    fn set(mut self, name: &str, text: &str) -> Self {
        self.arguments.set(name, Some(text)).unwrap();
        self
    }

    fn sockets(self) -> Self {
        let sockets = self.home.path().join("apps.s");
        fs::create_dir(&sockets).unwrap();
        let text = sockets.to_str().unwrap().to_owned();
        self.set("socket_dir", &text)
    }

    fn with(&self, purpose: Purpose, until: Deadline) -> (Result<Session>, Journey) {
        let mut journey = journey(purpose, uses_wrapper(&self.arguments));
        let owner = Owner::of(&self.arguments).unwrap();
        (Session::prepare(&self.arguments, purpose, &owner, until, &mut journey), journey)
    }

    fn prepare(&self, purpose: Purpose) -> Session {
        self.with(purpose, Deadline::NEVER).0.unwrap()
    }
}

/// What is in a directory, by path: kind and mode.
fn listing(top: &Path) -> BTreeMap<String, (u32, u32)> {
    let mut found = BTreeMap::new();
    let mut todo = vec![top.to_owned()];
    while let Some(directory) = todo.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let facts = fs::symlink_metadata(&path).unwrap();
            found.insert(path.strip_prefix(top).unwrap().to_str().unwrap().to_owned(), (facts.mode() & 0o7777, facts.uid()));
            if facts.is_dir() {
                todo.push(path);
            }
        }
    }
    found
}

fn gone(path: &Path) {
    while path.exists() {
        leftovers::await_removals(Deadline::after(1_000 * MILLI));
    }
}

// covers: PA-19, PA-20, PA-23, PA-26, PA-81
#[test]
fn everything_of_the_layout_is_there_and_private() {
    let rig = Rig::new().sockets().set("starts_using_wrapper", "true").set("startup_file", "config.ru");
    for (purpose, steps, worker) in [
        (
            Purpose::StartPreloader,
            &[
                "subprocess_before_first_exec",
                "subprocess_spawn_env_setupper_before_shell",
                "subprocess_os_shell",
                "subprocess_spawn_env_setupper_after_shell",
                "subprocess_exec_wrapper",
                "subprocess_wrapper_preparation",
                "subprocess_app_load_or_exec",
                "subprocess_listen",
            ][..],
            false,
        ),
        (
            Purpose::Worker,
            &[
                "preloader_preparation",
                "preloader_fork_subprocess",
                "preloader_send_response",
                "preloader_finish",
                "subprocess_prepare_after_forking_from_preloader",
                "subprocess_listen",
            ],
            true,
        ),
    ] {
        let session = rig.prepare(purpose);
        session.finalize().unwrap();
        let found = listing(session.path());
        let mut directories: Vec<String> =
            ["args", "envdump", "envdump/annotations", "response", "response/error", "response/steps"].map(str::to_owned).into();
        directories.extend(steps.iter().map(|step| format!("response/steps/{step}")));
        for (path, (mode, uid)) in &found {
            let is_directory = directories.contains(path);
            assert_eq!((*mode, *uid), (if is_directory { 0o700 } else { 0o600 }, geteuid().as_raw()), "{path}");
        }
        let mut others = vec!["args.json".to_owned(), "response/finish".to_owned()];
        if worker {
            others.extend(["stdin".to_owned(), "stdout_and_err".to_owned()]);
        }
        let must_be: std::collections::BTreeSet<String> = directories.into_iter().chain(others).collect();
        let is: std::collections::BTreeSet<String> = found.into_keys().filter(|path| !path.starts_with("args/")).collect();
        assert_eq!(is, must_be);
        assert_eq!(session.take_output().is_some(), worker);
    }
}

// covers: PA-26, PA-27, PA-14, PA-17
#[test]
fn arguments_are_written_as_a_whole_and_each_by_itself() {
    let rig = Rig::new()
        .sockets()
        .set("mine", "a \"text\"\n")
        .set("nothing.json", "null")
        .set("list.json", "[1,true]")
        .set("number.json", "1.5")
        .set("start_port_min", "6000")
        .set("environment_variables", "{\"A\":\"b\"}");
    let session = rig.prepare(Purpose::Direct);
    let read = |name: &str| fs::read_to_string(session.path().join("args").join(name)).unwrap();
    for (name, text) in [
        ("mine", "a \"text\"\n"),
        ("nothing", ""),
        ("list.json", "[1,true]"),
        ("number", "1.5"),
        ("generic_app", "false"),
        ("UNIX_PATH_MAX", "107"),
        ("environment_variables.json", "{\"A\":\"b\"}"),
        ("app_root", "/srv/app"),
    ] {
        assert_eq!(read(name), text, "{name}");
    }
    let whole: Value = serde_json::from_str(&fs::read_to_string(session.path().join("args.json")).unwrap()).unwrap();
    let files: std::collections::BTreeSet<String> =
        fs::read_dir(session.path().join("args")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    let keys = whole
        .as_object()
        .unwrap()
        .iter()
        .map(|(key, value)| if value.is_array() || value.is_object() { format!("{key}.json") } else { key.clone() });
    assert_eq!(keys.collect::<std::collections::BTreeSet<_>>(), files, "both have the same keys");
    assert!(!files.contains("spawn_dir") && !files.contains("start_port_min"), "what is the host's is not told");
    assert_eq!(whole["list"], serde_json::json!([1, true]));
}

// covers: PA-22
#[test]
fn nothing_is_made_twice() {
    let rig = Rig::new().sockets();
    let session = rig.prepare(Purpose::Direct);
    session.write("envdump/envvars", b"A=b").unwrap();
    let error = session.write("envdump/envvars", b"").unwrap_err();
    assert_eq!(error.errno, Some(Errno::EEXIST));
    assert!(error.message.contains("envdump/envvars"));
    symlink("/etc/hostname", session.path().join("envdump/ulimits")).unwrap();
    assert_eq!(session.write("envdump/ulimits", b"").unwrap_err().errno, Some(Errno::EEXIST), "nor through a link");
    for path in ["../x", "args/../x", "nowhere/x", ""] {
        assert!(session.write(path, b"").is_err(), "{path:?}");
    }
}

// covers: PA-21
#[test]
fn as_root_all_is_the_owners_in_the_end() {
    if !geteuid().is_root() {
        return;
    }
    let rig = Rig::new().set("user", "nobody");
    let session = rig.prepare(Purpose::StartPreloader);
    session.write("envdump/envvars", b"A=b").unwrap();
    let owner = session.owner().clone();
    assert!(listing(session.path()).values().all(|(_, uid)| *uid == 0) && fs::metadata(session.path()).unwrap().uid() == 0);
    session.finalize().unwrap();
    assert!(listing(session.path()).values().all(|(_, uid)| *uid == owner.uid));
    let instance = PathBuf::from(session.arguments().text("instance_dir").unwrap());
    for path in [session.path(), &instance, &instance.join("apps.s")] {
        let facts = fs::metadata(path).unwrap();
        assert_eq!((facts.uid(), facts.gid(), facts.mode() & 0o7777), (owner.uid, owner.gid, 0o700), "{}", path.display());
    }
}

// covers: PA-29, PA-30
#[test]
fn a_preparation_that_fails_is_a_step_that_failed() {
    let rig = Rig::new();
    let progress = |journey: &Journey| journey.step(SPAWNING_KIT_PREPARATION).unwrap().progress;
    let (made, journey) = rig.with(Purpose::Direct, Deadline::NEVER);
    assert!(made.is_ok());
    assert_eq!(progress(&journey), Progress::Performed);
    let (late, journey) = rig.with(Purpose::Direct, Deadline::PAST);
    assert_eq!((late.unwrap_err().status, progress(&journey)), (Status::Timeout, Progress::Errored));
    let rig = Rig::new().set("app_root", "").set("base_uri", "");
    let (wrong, journey) = rig.with(Purpose::Direct, Deadline::NEVER);
    let error = wrong.unwrap_err();
    assert_eq!((error.status, progress(&journey)), (Status::InvalidArgument, Progress::Errored));
    assert!(error.message.contains("app_root") && error.message.contains("base_uri"), "{}", error.message);
    assert_eq!(fs::read_dir(rig.home.path()).unwrap().count(), 0, "nothing is left");
}

// covers: CO-passenger-1020
#[test]
fn a_directory_of_sockets_that_is_gone_is_named() {
    let rig = Rig::new().sockets();
    fs::remove_dir(rig.home.path().join("apps.s")).unwrap();
    let error = rig.with(Purpose::Worker, Deadline::NEVER).0.unwrap_err();
    assert_eq!(error.status, Status::NotFound);
    assert!(error.message.contains("socket_dir") && error.message.contains("apps.s"), "{}", error.message);
}

// covers: PA-31
#[test]
fn the_directories_go_with_the_session_unless_they_are_to_stay() {
    let rig = Rig::new();
    let session = rig.prepare(Purpose::Direct);
    let (path, instance) = (session.path().to_owned(), session.take_instance().unwrap());
    assert!(session.take_instance().is_none());
    drop(session);
    gone(&path);
    assert_eq!(fs::read_dir(rig.home.path()).unwrap().count(), 1, "who listens is still there");
    drop(instance);
    while fs::read_dir(rig.home.path()).unwrap().count() > 0 {
        leftovers::await_removals(Deadline::after(1_000 * MILLI));
    }
    let rig = rig.set("debug_work_dir", "true");
    let session = rig.prepare(Purpose::Direct);
    let path = session.path().to_owned();
    drop(session);
    assert!(path.join("args.json").exists());
}

// covers: PA-51, P-b18
#[test]
fn the_word_of_a_process_is_one_byte() {
    let rig = Rig::new().sockets();
    for (bytes, word) in [
        (&b"1"[..], Finish::Success),
        (b"0", Finish::Failure(Some(b'0'))),
        (b"\n1", Finish::Failure(Some(b'\n'))),
        (b"", Finish::Failure(None)),
    ] {
        let session = rig.prepare(Purpose::Direct);
        assert_eq!(session.read_finish(), Finish::Nothing, "nobody was there");
        let mut writer = fs::OpenOptions::new().write(true).open(session.path().join("response/finish")).unwrap();
        assert_eq!(session.read_finish(), Finish::Nothing, "somebody is");
        writer.write_all(bytes).unwrap();
        drop(writer);
        assert_eq!(session.read_finish(), word);
    }
}

// covers: PA-82, P-b18, LAW-7
#[test]
fn the_gate_opens_once_and_nothing_waits_for_the_worker() {
    let rig = Rig::new().sockets();
    let session = rig.prepare(Purpose::Worker);
    let path = session.path().join("stdin");
    let worker = std::thread::spawn(move || fs::read_to_string(path).unwrap());
    let mut writer = fs::File::from(session.open_stdin().unwrap());
    assert_eq!(session.open_stdin().unwrap_err().status, Status::State);
    // The worker may not have come yet: then there is nobody to write to.
    while let Err(error) = writer.write_all(b"hello") {
        assert_eq!(error.raw_os_error(), Some(libc::EPIPE), "an end of the worker is heard");
    }
    drop(writer);
    assert_eq!(worker.join().unwrap(), "hello");
    assert_eq!(rig.prepare(Purpose::Direct).open_stdin().unwrap_err().status, Status::State);
}

// covers: PA-24, PA-82
#[test]
fn a_gate_that_was_replaced_is_a_typed_error() {
    let rig = Rig::new().sockets();
    let outside = rig.home.path().join("outside");
    mkfifo(&outside, Mode::S_IRWXU).unwrap();
    let replacements: [&dyn Fn(&Path); 6] = [
        &|_| (),
        &|path| symlink(&outside, path).unwrap(),
        &|path| fs::write(path, "").unwrap(),
        &|path| fs::create_dir(path).unwrap(),
        &|path| mkfifo(path, Mode::S_IRWXU).unwrap(),
        &|path| drop(UnixListener::bind(path).unwrap()),
    ];
    for replace in replacements {
        let session = rig.prepare(Purpose::Worker);
        let path = session.path().join("stdin");
        fs::remove_file(&path).unwrap();
        replace(&path);
        assert_eq!(session.open_stdin().unwrap_err().status, Status::Protocol);
    }
}

fn good_sockets(path: &Path) -> String {
    format!(r#"{{"sockets":[{{"address":"unix:{}","protocol":"session","concurrency":1,"accept_http_requests":true}}]}}"#, path.display())
}

// covers: PA-58, PA-60, PA-62, P-b6
#[test]
fn a_socket_is_believed_where_it_is_the_applications() {
    let rig = Rig::new().sockets();
    let directory = rig.home.path().join("apps.s");
    let said = |path: &Path| {
        let session = rig.prepare(Purpose::Direct);
        fs::write(session.path().join("response/properties.json"), good_sockets(path)).unwrap();
        session.sockets().map_err(|violations| violations.application.join("; "))
    };
    let path = directory.join("one");
    assert_eq!(said(&path).unwrap_err(), "sockets[0].address is not there");
    let _listener = UnixListener::bind(&path).unwrap();
    assert_eq!(said(&path).unwrap().len(), 1);
    let outside = rig.home.path().join("outside");
    let _outside = UnixListener::bind(&outside).unwrap();
    for elsewhere in [
        outside.clone(),
        directory.join("../outside"),
        directory.join("../apps.s/../outside"),
        directory.join("sub/one"),
        PathBuf::from("/"),
    ] {
        assert!(said(&elsewhere).is_err(), "{}", elsewhere.display());
    }
    symlink(&outside, directory.join("link")).unwrap();
    assert_eq!(said(&directory.join("link")).unwrap_err(), "sockets[0].address is no socket");
    fs::write(directory.join("file"), "").unwrap();
    assert_eq!(said(&directory.join("file")).unwrap_err(), "sockets[0].address is no socket");
    if geteuid().is_root() {
        std::os::unix::fs::lchown(&path, Some(65_534), Some(0)).unwrap();
        assert!(said(&path).unwrap_err().contains("belongs to user 65534"));
        std::os::unix::fs::lchown(&path, Some(0), Some(65_534)).unwrap();
        assert!(said(&path).is_ok(), "the group says nothing");
    }
}

// covers: PA-60
#[test]
fn a_directory_of_sockets_has_two_names() {
    let rig = Rig::new();
    let (real, link) = (rig.home.path().join("real"), rig.home.path().join("link"));
    fs::create_dir(&real).unwrap();
    symlink(&real, &link).unwrap();
    let rig = rig.set("socket_dir", link.to_str().unwrap());
    let _listener = UnixListener::bind(real.join("one")).unwrap();
    for path in [real.join("one"), link.join("one")] {
        let session = rig.prepare(Purpose::Direct);
        fs::write(session.path().join("response/properties.json"), good_sockets(&path)).unwrap();
        assert_eq!(session.sockets().unwrap().len(), 1);
    }
}

// covers: PA-25, PA-62, PA-61
#[test]
fn properties_that_are_missing_or_too_large_or_no_file_are_violations() {
    let rig = Rig::new().sockets();
    let said = |make: &dyn Fn(&Path)| {
        let session = rig.prepare(Purpose::StartPreloader);
        make(&session.path().join("response/properties.json"));
        session.sockets().unwrap_err().application.join("; ")
    };
    assert!(said(&|_| ()).contains("no socket with the protocol \"preloader\""));
    assert!(said(&|path| fs::write(path, vec![b' '; 32 * 1024 + 1]).unwrap()).contains("more than 32768 bytes"));
    assert!(said(&|path| fs::write(path, vec![b' '; 32 * 1024]).unwrap()).contains("no JSON"));
    assert!(said(&|path| fs::File::create(path).unwrap().set_len(1 << 40).unwrap()).contains("more than 32768 bytes"));
    assert!(said(&|path| symlink("/etc/passwd", path).unwrap()).contains("is a link"));
    assert!(said(&|path| mkfifo(path, Mode::S_IRWXU).unwrap()).contains("is a fifo"));
    assert!(said(&|path| fs::create_dir(path).unwrap()).contains("is a directory"));
}

// covers: PA-63, PA-75, PA-47
#[test]
fn what_a_process_has_written_is_read() {
    let rig = Rig::new().sockets();
    let session = rig.prepare(Purpose::Direct);
    let write = |relative: &str, text: &str| fs::write(session.path().join(relative), text).unwrap();
    assert_eq!(session.response(), Response::default());
    write("response/error/category", "IO_ERROR\n");
    write("response/error/summary", "it is so");
    write("response/error/advanced_problem_details", "a\nb");
    write("response/error/problem_description.txt", "plain");
    write("response/error/problem_description.html", "<b>html</b>");
    write("response/error/solution_description.txt", "<b>");
    write("response/steps/subprocess_listen/state", "STEP_PERFORMED\n");
    write("response/steps/subprocess_listen/begin_time_monotonic", "1.5");
    write("response/steps/subprocess_listen/begin_time", "garbage, and not asked for");
    write("response/steps/subprocess_os_shell/state", "");
    write("envdump/envvars", "A=b\n");
    write("envdump/annotations/two", "2");
    write("envdump/annotations/one", "1");
    write("envdump/annotations/.hidden", "no");
    let response = session.response();
    assert_eq!(response.notes, [""; 0]);
    assert_eq!(
        (response.category.as_deref(), response.summary.as_deref(), response.advanced.as_deref()),
        (Some("IO_ERROR"), Some("it is so"), Some("a\nb"))
    );
    assert_eq!(response.problem, Some(Text::Html("<b>html</b>".into())));
    assert_eq!(response.solution, Some(Text::Plain("<b>".into())));
    assert_eq!(response.steps, [("SUBPROCESS_LISTEN".to_owned(), Progress::Performed, Some(1_500 * MILLI), None)]);
    assert_eq!(response.dumps.envvars.as_deref(), Some("A=b\n"));
    let annotations = [("one".to_owned(), "1".to_owned()), ("two".to_owned(), "2".to_owned())];
    assert_eq!(response.dumps.annotations, annotations);
}

// covers: PA-80, PA-63
#[test]
fn of_one_that_is_ready_its_steps_are_read_and_only_of_a_preloader_what_it_tells_of_itself() {
    let rig = Rig::new().sockets();
    for (purpose, keeps) in [(Purpose::StartPreloader, true), (Purpose::Direct, false), (Purpose::Worker, false)] {
        let session = rig.prepare(purpose);
        let write = |relative: &str, text: &str| fs::write(session.path().join(relative), text).unwrap();
        write("response/steps/subprocess_listen/state", "STEP_PERFORMED");
        write("response/steps/subprocess_listen/end_time", "1.5");
        write("response/error/summary", "none");
        write("envdump/envvars", "A=b\n");
        write("envdump/annotations/one", "1");
        let response = session.response_of_ready();
        assert_eq!((response.steps.len(), response.summary), (1, None), "{purpose:?}");
        assert_eq!((response.dumps.envvars.is_some(), response.dumps.annotations.len()), (keeps, usize::from(keeps)), "{purpose:?}");
    }
}

// covers: PA-30, D-10, LAW-17
#[test]
fn what_was_moved_out_of_a_session_is_nobodys_to_remove() {
    let rig = Rig::new().sockets();
    for moved in ["response/error", "response/steps", "args"] {
        let session = rig.prepare(Purpose::Worker);
        let path = session.path().to_owned();
        let away = rig.home.path().join(moved.replace('/', "-"));
        fs::rename(path.join(moved), &away).unwrap();
        fs::write(away.join("precious"), "").unwrap();
        fs::create_dir_all(path.join(moved).join("one/two")).unwrap();
        // More than one look shows, and less than is left to later.
        for number in 0..300 {
            fs::write(path.join(moved).join(format!("file-{number}")), "").unwrap();
        }
        drop(session);
        assert!(!path.exists(), "{moved}");
        assert!(away.join("precious").exists(), "{moved}");
    }
}

// covers: PA-63
#[test]
fn a_step_that_the_host_takes_is_told_like_any_other() {
    let rig = Rig::new().sockets();
    let session = rig.prepare(Purpose::Direct);
    session.mark_step("SUBPROCESS_OS_SHELL", Progress::NotStarted, None, None).unwrap();
    session.mark_step("SUBPROCESS_BEFORE_FIRST_EXEC", Progress::Performed, Some(5), Some(7_000_000_001)).unwrap();
    session.mark_step("SUBPROCESS_WRAPPER_PREPARATION", Progress::Performed, None, None).unwrap();
    let steps = session.response().steps;
    let must_be = [
        ("SUBPROCESS_BEFORE_FIRST_EXEC".to_owned(), Progress::Performed, Some(5), Some(7_000_000_001)),
        ("SUBPROCESS_OS_SHELL".to_owned(), Progress::NotStarted, None, None),
    ];
    assert_eq!(steps, must_be, "one that this journey does not have is passed over");
}

/// Puts something in the place of each file that is read.
fn spoil(session: &Session, make: &dyn Fn(&Path)) {
    let step = "response/steps/subprocess_listen";
    for relative in [
        "response/properties.json",
        "response/error/category",
        "response/error/summary",
        "response/error/advanced_problem_details",
        "response/error/problem_description.html",
        "response/error/problem_description.txt",
        "response/error/solution_description.html",
        "response/error/solution_description.txt",
        &format!("{step}/state"),
        &format!("{step}/begin_time"),
        &format!("{step}/end_time_monotonic"),
        "envdump/envvars",
        "envdump/user_info",
        "envdump/ulimits",
        "envdump/annotations/one",
    ] {
        make(&session.path().join(relative));
    }
}

// covers: PA-24, PA-65, D-10, P-b12, LAW-17
#[test]
fn what_is_no_file_is_a_note_and_never_waited_for() {
    let rig = Rig::new().sockets();
    let secret = rig.home.path().join("secret");
    fs::write(&secret, "hunter2").unwrap();
    let makers: [&dyn Fn(&Path); 6] = [
        &|path| symlink(&secret, path).unwrap(),
        &|path| symlink("/nowhere", path).unwrap(),
        &|path| mkfifo(path, Mode::S_IRWXU).unwrap(),
        &|path| fs::create_dir(path).unwrap(),
        &|path| symlink(path, path).unwrap(),
        &|path| {
            fs::write(path, "x").unwrap();
            fs::set_permissions(path, fs::Permissions::from_mode(0o0)).unwrap();
        },
    ];
    for (at, make) in makers.iter().enumerate() {
        let session = rig.prepare(Purpose::Direct);
        spoil(&session, make);
        if at == 5 && geteuid().is_root() {
            assert_eq!(session.response().summary.as_deref(), Some("x"), "root may");
            continue;
        }
        let response = session.response();
        assert_eq!(
            Response { notes: response.notes.clone(), ..Response::default() },
            Response { notes: response.notes.clone(), ..response.clone() }
        );
        // The time of a step without a state is not asked for.
        assert_eq!(response.notes.len(), 12, "{:#?}", response.notes);
        assert!(session.sockets().is_err() && !format!("{response:?}").contains("hunter2"));
    }
}

// covers: PA-25, LAW-17, D-10
#[test]
fn much_is_cut() {
    let rig = Rig::new().sockets();
    let session = rig.prepare(Purpose::Direct);
    spoil(&session, &|path| fs::File::create(path).unwrap().set_len(8 << 30).unwrap());
    for number in 0..20 {
        fs::File::create(session.path().join(format!("envdump/annotations/more-{number}"))).unwrap().set_len(8 << 30).unwrap();
    }
    let response = session.response();
    assert_eq!((response.category.as_deref(), response.steps.len()), (None, 0), "a word that is too long is none");
    assert_eq!(response.summary.map(|text| text.len()), Some(128 * 1024));
    assert_eq!(response.dumps.annotations.iter().map(|(_, text)| text.len()).sum::<usize>(), 1024 * 1024);
    assert!(
        response.notes.iter().any(|note| note == "response/error/summary has more than 131072 bytes, and is cut"),
        "{:#?}",
        response.notes
    );
}

// covers: PA-25, LAW-17
#[test]
fn many_are_left_out_whatever_they_are_called() {
    // In memory, where there is such a place: they are many.
    let rig = Rig::within(tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()).sockets();
    let session = rig.prepare(Purpose::Direct);
    let annotations = session.path().join("envdump/annotations");
    let mut name = 0u32;
    while name < 100_000 {
        nix::unistd::mkfifoat(nix::fcntl::AT_FDCWD, &annotations.join(name.to_string()), Mode::S_IRWXU).unwrap();
        name += 1;
    }
    let response = session.response();
    assert!(response.dumps.annotations.is_empty() && response.notes.len() == NOTES_OF_A_RESPONSE);
    let path = session.path().to_owned();
    drop(session);
    gone(&path);
    let session = rig.prepare(Purpose::Direct);
    for byte in (1..=255u8).filter(|byte| *byte != b'/') {
        let name = std::ffi::OsStr::from_bytes(&[b'n', byte]).to_owned();
        fs::write(session.path().join("envdump/annotations").join(name), [byte]).unwrap();
    }
    let response = session.response();
    assert_eq!(response.dumps.annotations.len(), 100);
    assert!(response.notes.iter().any(|note| note.contains("more than 100 annotations")), "{:?}", response.notes);
}

use std::os::unix::ffi::OsStrExt;

/// Their bound.
const NOTES_OF_A_RESPONSE: usize = 64;

// covers: PA-23, PA-65
#[test]
fn directories_that_are_replaced_lead_nowhere() {
    let rig = Rig::new().sockets();
    let session = rig.prepare(Purpose::Direct);
    let outside = rig.home.path().join("outside");
    fs::create_dir_all(outside.join("error")).unwrap();
    fs::write(outside.join("error/summary"), "hunter2").unwrap();
    fs::write(outside.join("properties.json"), good_sockets(Path::new("/x"))).unwrap();
    fs::write(session.path().join("response/error/summary"), "true").unwrap();
    fs::rename(session.path().join("response"), session.path().join("moved")).unwrap();
    symlink(&outside, session.path().join("response")).unwrap();
    assert_eq!(session.response().summary.as_deref(), Some("true"));
    assert!(session.sockets().unwrap_err().application[0].contains("no properties.json"));
}

// covers: PA-23
#[test]
fn directories_that_are_removed_are_empty() {
    let rig = Rig::new().sockets();
    let session = rig.prepare(Purpose::Direct);
    fs::remove_dir_all(session.path()).unwrap();
    let response = session.response();
    assert_eq!(Response { notes: Vec::new(), ..response }, Response::default());
    assert!(session.sockets().is_err());
}

// covers: PA-28, PA-57
#[test]
fn a_port_is_found_where_one_is_asked_for() {
    for name in ["generic_app", "find_free_port"] {
        let rig = Rig::new().sockets().set(name, "true");
        let session = rig.prepare(Purpose::Direct);
        let port = session.port().unwrap();
        assert!((5000..=65_535).contains(&port));
        assert_eq!(fs::read_to_string(session.path().join("args/expected_start_port")).unwrap(), port.to_string());
        assert_eq!(session.sockets().unwrap()[0].address, format!("tcp://127.0.0.1:{port}"));
    }
    assert_eq!(Rig::new().prepare(Purpose::Direct).port(), None);
}
