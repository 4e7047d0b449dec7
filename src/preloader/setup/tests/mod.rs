//! Commands that are set up, started by the engine, and what they found.

mod failures;
mod login_shell;
mod plain;

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::*;
use crate::clock::Deadline;
use crate::preloader::journey::journey;
use crate::preloader::session::uses_wrapper;
use crate::preloader::session::{Owner, Purpose, Value};
use crate::registry::{Exit, Kind};
use crate::supervisor::{Managed, Supervisor};

/// A directory with an application's, a home's and the sessions' in it, and what is to be asked for.
struct Rig {
    top: PathBuf,
    arguments: Arguments,
    owner: Owner,
}

/// What came of one.
struct Run {
    exit: Exit,
    output: String,
    pid: i32,
    session: Session,
}

impl Rig {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let top = std::env::temp_dir().canonicalize().unwrap().join(format!("ps.{}.{number}", std::process::id()));
        let _ = fs::remove_dir_all(&top);
        for directory in ["app", "home", "spawn"] {
            fs::create_dir_all(top.join(directory)).unwrap();
        }
        fs::set_permissions(&top, fs::Permissions::from_mode(0o755)).unwrap();
        let mut arguments = Arguments::default();
        let (app, spawn) = (top.join("app"), top.join("spawn"));
        for (name, value) in [("app_root", app.to_str()), ("spawn_dir", spawn.to_str()), ("start_command", Some("run"))] {
            arguments.set(name, value).unwrap();
        }
        let owner = Owner::of(&arguments).unwrap();
        Self { top, arguments, owner }
    }

    fn set(&mut self, name: &str, value: &str) -> &mut Self {
        self.arguments.set(name, Some(value)).unwrap();
        self
    }

    /// Another user, with what belongs to it.
    fn user(&mut self, user: &str, group: &str) -> &mut Self {
        self.set("user", user).set("group", group);
        self.owner = Owner::of(&self.arguments).unwrap();
        self
    }

    /// The user's shell, which is a login shell with this file to read.
    fn shell(&mut self, path: &str, profile: &str) -> &mut Self {
        self.set("load_shell_envvars", "true");
        self.owner.name.get_or_insert_with(|| "tester".to_owned());
        (self.owner.shell, self.owner.home) = (Some(path.into()), Some(self.top.join("home")));
        for name in [".profile", ".bash_profile", ".zprofile"] {
            fs::write(self.top.join("home").join(name), profile).unwrap();
        }
        self
    }

    fn session(&self) -> Session {
        let mut journey = journey(Purpose::Direct, uses_wrapper(&self.arguments));
        Session::prepare(&self.arguments, Purpose::Direct, &self.owner, Deadline::NEVER, &mut journey).unwrap()
    }

    /// A program with arguments, at this home.
    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(words[0]).unwrap();
        for word in &words[1..] {
            command.arg(word).unwrap();
        }
        command.env("HOME", Some(self.top.join("home").as_os_str())).unwrap();
        command
    }

    fn begin(&self, command: &Command, session: &Session) -> Result<(Supervisor, Arc<Managed>)> {
        let mut made = super::command(command, session)?;
        session.finalize()?;
        made.speak(1 << 20);
        let supervisor = Supervisor::new()?;
        let child = supervisor.spawn(&made, 0)?;
        Ok((supervisor, child))
    }

    fn run_command(&self, command: &Command) -> Run {
        let session = self.session();
        let (_supervisor, child) = self.begin(command, &session).unwrap();
        let pid = child.pid();
        let exit = child.reap(60_000).unwrap();
        Run { exit, output: String::from_utf8_lossy(&child.output().unwrap()).into_owned(), pid, session }
    }

    fn run(&self, words: &[&str]) -> Run {
        self.run_command(&self.command(words))
    }

    /// One that cannot be started.
    fn fail(&self, command: &Command) -> (Failure, Session) {
        let session = self.session();
        let error = self.begin(command, &session).map(drop).unwrap_err();
        (explain(error, command, &session), session)
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.top);
    }
}

impl Run {
    /// The program ended well; what it said.
    fn good(&self) -> &str {
        assert_eq!((self.exit.kind, self.exit.code), (Kind::Exited, 0), "{}", self.output);
        &self.output
    }

    fn file(&self, name: &str) -> String {
        read(&self.session, name)
    }

    fn state(&self, step: &str) -> String {
        self.file(&format!("response/steps/{}/state", step.to_lowercase()))
    }
}

fn read(session: &Session, name: &str) -> String {
    fs::read(session.path().join(name)).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}

fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}
