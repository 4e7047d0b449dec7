//! One process of a preloader: made, followed until it is ready, left.
//!
//! Traps. **Its workers are in its group**: it is signalled alone, and nobody is swept when it ends. **Its standard input is the tie**: closed, it goes by
//! itself; so that end is ours alone, and is the first thing that is let go. **Its socket's name may be another's by now**: what is
//! removed is the inode that was there when it was ready, in the directory that was held then (LAW-17).

use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::clock::{self, Deadline};
use crate::error::{Error, Result, Status};
use crate::preloader::failure::{self, Category, Evidence, Failure};
use crate::preloader::follow::{Arrived, Attempt, Follow, Then};
use crate::preloader::journey::{journey, step};
use crate::preloader::session::{Arguments, Dumps, Instance, Owner, Purpose, Response, Session, uses_wrapper};
use crate::preloader::setup;
use crate::process::command::Command;
use crate::registry::Cause;
use crate::supervisor::{Managed, Supervisor};
use crate::sys::directory::{Directory, Inode, is_of};
use crate::sys::memory::Home;

/// How much of what a preloader writes is kept.
pub const KEPT: usize = 64 * 1024;

/// What every process of a preloader is made of.
#[derive(Clone, Debug)]
pub struct Recipe {
    /// What is run.
    pub command: Arc<Command>,
    /// With these arguments of its session.
    pub arguments: Arguments,
    /// Who it will be.
    pub owner: Owner,
}

/// Where it takes commands.
#[derive(Debug)]
pub struct Socket {
    /// Its name.
    pub path: PathBuf,
    directory: Directory,
    name: OsString,
    inode: Inode,
}

/// One process.
#[derive(Debug)]
pub struct Process {
    managed: Arc<Managed>,
    follow: Arc<Follow>,
    stdin: Option<OwnedFd>,
    /// Since it is ready.
    socket: Option<Socket>,
    dumps: Arc<Dumps>,
    /// Those of its workers' sessions, where they say nothing else.
    arguments: Arguments,
    owner: Owner,
    instance: Option<Arc<Instance>>,
    /// It is not wanted any more, and killed then.
    killed_at: Option<Deadline>,
    home: Home,
    /// Its start is over, this way or that.
    pub settled: bool,
    /// It has ended and was reaped.
    pub ended: bool,
}

impl Process {
    /// Makes one, with a session of its own, and follows it until it is ready. Takes as long as an exec.
    pub fn start(recipe: &Recipe, private: &Supervisor, generation: u32, until: Deadline, then: Then) -> Result<Self> {
        let Recipe { command, arguments, owner } = recipe;
        let mut way = journey(Purpose::StartPreloader, uses_wrapper(arguments));
        let failed = |failure: Failure, way, arguments: &Arguments| {
            let evidence = Evidence {
                journey: way,
                response: None,
                arguments,
                output: Vec::new(),
                pid: None,
                exit: None,
                preloader: None,
                purpose: Purpose::StartPreloader,
            };
            failure::error(failure, evidence)
        };
        let at = |step| move |error: Error| Failure::of(step, &error);
        check_socket_dir(arguments).map_err(|failure| failed(failure, way.clone(), arguments))?;
        let session = match Session::prepare(arguments, Purpose::StartPreloader, owner, until, &mut way) {
            Ok(session) => session,
            Err(error) => return Err(failed(at(step::SPAWNING_KIT_PREPARATION)(error), way, arguments)),
        };
        let real = setup::command(command, &session).and_then(|real| session.finalize().map(|()| real));
        let mut real = match real {
            Ok(real) => real,
            Err(error) => return Err(failed(at(step::SPAWNING_KIT_PREPARATION)(error), way, session.arguments())),
        };
        real.ready_when_told().shares_group(true).speak(KEPT);
        way.begin(step::SPAWNING_KIT_FORK_SUBPROCESS, clock::now());
        let managed = match private.spawn(&real, u64::from(generation)) {
            Ok(managed) => managed,
            Err(error) => {
                let (retry_after_ms, storm) = (error.retry_after_ms, error.storm);
                // What a budget says is no fault of the command.
                let refused = matches!(error.status, Status::BudgetExhausted | Status::InProgress);
                let failure = if refused { at(step::SPAWNING_KIT_FORK_SUBPROCESS)(error) } else { setup::explain(error, &real, &session) };
                return Err(failed(failure, way, session.arguments()).with(|it| (it.retry_after_ms, it.storm) = (retry_after_ms, storm)));
            }
        };
        way.end(step::SPAWNING_KIT_FORK_SUBPROCESS, clock::now());
        let stdin = managed.take_stream(0).ok();
        let mut all = arguments.clone();
        for name in ["instance_dir", "socket_dir"] {
            if let Some(value) = session.arguments().get(name) {
                all.put(name, value.clone())?;
            }
        }
        let owner = owner.clone();
        let follow = Follow::begin(&private.host(), &managed, Attempt { session, journey: way, deadline: until, preloader: None }, then);
        Ok(Self {
            managed,
            follow,
            stdin,
            socket: None,
            dumps: Arc::default(),
            arguments: all,
            owner,
            instance: None,
            killed_at: None,
            home: Home::here(),
            settled: false,
            ended: false,
        })
    }

    /// It is ready: where it takes commands is remembered.
    pub fn arrive(&mut self, arrived: Arrived) -> Result<()> {
        let Arrived { sockets, dumps, instance, journey, .. } = arrived;
        self.dumps = Arc::new(dumps);
        self.instance = instance.map(Arc::new);
        let address = sockets.iter().find(|socket| socket.protocol == "preloader").map_or("no address", |socket| &socket.address);
        let socket = match address.strip_prefix("unix:").map(Path::new) {
            Some(path) => Socket::of(path).map_err(|error| Failure::of(step::SPAWNING_KIT_FINISH, &error)),
            None => {
                let message = format!("the preloader takes commands at {address}, which is no unix socket");
                Err(Failure::new(Status::Protocol, Category::default(), step::SPAWNING_KIT_FINISH, message))
            }
        };
        self.socket = Some(socket.map_err(|failure| {
            let evidence = Evidence {
                journey,
                response: Some(Response { dumps: self.dumps.as_ref().clone(), ..Response::default() }),
                arguments: &self.arguments,
                output: self.output(),
                pid: Some(self.pid()),
                exit: None,
                preloader: None,
                purpose: Purpose::StartPreloader,
            };
            failure::error(failure, evidence)
        })?);
        Ok(())
    }

    /// Somebody waits for its start until then.
    pub fn put_off(&self, until: Deadline) {
        self.follow.put_off(until);
    }

    /// Its process id, for display.
    pub fn pid(&self) -> i32 {
        self.managed.pid()
    }

    /// Where it takes commands, once it is ready.
    pub fn socket(&self) -> Option<&Path> {
        self.socket.as_ref().map(|socket| socket.path.as_path())
    }

    /// What it has told of itself.
    pub fn dumps(&self) -> &Arc<Dumps> {
        &self.dumps
    }

    /// What its workers' sessions are told.
    pub fn arguments(&self) -> &Arguments {
        &self.arguments
    }

    /// Who it is, and its workers.
    pub fn owner(&self) -> &Owner {
        &self.owner
    }

    /// The directory that was made for its sockets.
    pub fn instance(&self) -> Option<&Arc<Instance>> {
        self.instance.as_ref()
    }

    /// The last of what it has written.
    pub fn output(&self) -> Vec<u8> {
        self.managed.output().unwrap_or_default()
    }

    /// How it ended, if it has.
    pub fn exit(&self) -> Option<crate::registry::Exit> {
        self.managed.process().ok().and_then(|child| child.exit())
    }

    /// It is not wanted any more: it goes by itself, or is killed then. Of several times the first counts.
    pub fn leave(&mut self, by: Deadline) {
        self.stdin = None;
        self.killed_at = Some(self.killed_at.map_or(by, |known| known.min(by)));
    }

    /// Whether it is not wanted any more.
    pub fn is_leaving(&self) -> bool {
        self.killed_at.is_some()
    }

    /// When it is to be killed.
    pub fn due(&self) -> Deadline {
        self.killed_at.filter(|_| !self.ended).unwrap_or(Deadline::NEVER)
    }

    /// Kills it, and it alone, if it has had its time.
    pub fn kill_if_due(&mut self, now: i64) {
        if self.due().is_over(now) {
            self.killed_at = Some(Deadline::NEVER);
            if let Ok(child) = self.managed.process() {
                child.kill(Cause::Stop);
            }
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stdin = None;
        // Where it is the socket of the original's, it is in use.
        if let Some(socket) = self.socket.take().filter(|_| self.home.is_here()) {
            // Most remove it themselves; one that was killed has not.
            let _ = socket.directory.remove(&socket.name, socket.inode);
        }
    }
}

impl Socket {
    fn of(path: &Path) -> Result<Self> {
        let failed = |errno| Error::system("lstat", errno, format!("cannot look at the preloader's socket {}", path.display()));
        let name = path.file_name().ok_or_else(|| failed(nix::errno::Errno::ENOENT))?.to_owned();
        let directory = Directory::of(path).map_err(failed)?;
        let found = directory.look(&name).map_err(failed)?;
        if !is_of(&found, libc::S_IFSOCK) {
            return Err(Error::new(Status::Protocol, step::SPAWNING_KIT_FINISH, format!("{} is no socket any more", path.display())));
        }
        Ok(Self { path: path.to_owned(), directory, name, inode: Inode::from(&found) })
    }
}

/// A directory for sockets that the caller has named, and that is gone, is told by its name: an application would say anything.
pub fn check_socket_dir(arguments: &Arguments) -> core::result::Result<(), Failure> {
    let named = arguments.text("socket_dir").map(PathBuf::from);
    let Some(path) = named.or_else(|| arguments.text("instance_dir").map(|dir| Path::new(dir).join("apps.s"))) else { return Ok(()) };
    match nix::sys::stat::stat(&path) {
        Ok(found) if is_of(&found, libc::S_IFDIR) => Ok(()),
        Ok(_) => Err(gone(&path, nix::errno::Errno::ENOTDIR)),
        Err(errno) => Err(gone(&path, errno)),
    }
}

fn gone(path: &Path, errno: nix::errno::Errno) -> Failure {
    let error = Error::system("stat", errno, format!("the directory for sockets, {}, cannot be used", path.display()));
    Failure::of(step::SPAWNING_KIT_PREPARATION, &error)
}
