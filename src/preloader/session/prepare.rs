//! How a session is made ready, as one step of its journey (PA-19 to PA-30).
//!
//! The trap: it fails in the middle (a full disk, a directory that is gone, no descriptors), with half of it made. Everything that was made is owned by a value
//! that removes it, so nothing has to be undone here.

use std::ffi::{CStr, OsStr};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag};
use nix::sys::stat::{FileStat, Mode, fstat, fstatat, mkdirat};

use super::arguments::OWN;
use super::layout::Layout;
use super::place::Place;
use super::private::Private;
use super::stdin::Gate;
use super::{Arguments, Instance, Owner, Purpose, Session, Socket, Value, Violations, port, predefined, properties};
use crate::clock::{self, Deadline};
use crate::error::{Error, Result, Status};
use crate::journey::Journey;
use crate::preloader::step::{SPAWNING_KIT_PREPARATION, SUBPROCESS_FINISH, is_foreign};
use crate::sys::foreign_file::{self, Refusal};
use crate::sys::tree;

/// The directory of sockets in an instance's.
pub const SOCKETS: &CStr = c"apps.s";
/// What a worker says.
pub const OUTPUT: &str = "stdout_and_err";
/// What properties.json may have; more is refused, not cut.
const PROPERTIES: usize = 32 * 1024;

/// Where a process may listen.
#[derive(Debug)]
pub struct Sockets {
    directory: OwnedFd,
    path: PathBuf,
}

impl Sockets {
    fn of(path: &Path) -> Result<Self> {
        let directory = tree::hold_place(path).map_err(|errno| Error::system("open", errno, format!("socket_dir: {}", path.display())))?;
        Ok(Self { directory, path: path.to_owned() })
    }

    /// What is wrong with a socket of this path, for an application of this user.
    fn violation(&self, path: &Path, uid: u32) -> Option<String> {
        // As it was named, or as the kernel calls it: who asks where he is gets that.
        let is_here = |dir: &Path| {
            let real = || std::fs::read_link(format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&self.directory)));
            dir == self.path || real().is_ok_and(|real| dir == real)
        };
        let (Some(dir), Some(name)) = (path.parent(), path.file_name()) else { return Some("is no path of a socket".to_owned()) };
        if !is_here(dir) {
            return Some(format!("does not lie directly in {}", self.path.display()));
        }
        match look(&self.directory, name) {
            Err(Errno::ENOENT) => Some("is not there".to_owned()),
            Err(Errno::EBUSY) => Some("is a mount".to_owned()),
            Err(errno) => Some(format!("cannot be looked at: {}", errno.desc())),
            Ok(found) if found.st_mode & libc::S_IFMT != libc::S_IFSOCK => Some("is no socket".to_owned()),
            Ok(found) if found.st_uid != uid => Some(format!("belongs to user {}, and not to the application's user {uid}", found.st_uid)),
            Ok(_) => None,
        }
    }
}

/// What has this name. A file system that somebody has mounted there is not asked, and a link not followed.
fn look(directory: &OwnedFd, name: &OsStr) -> core::result::Result<FileStat, Errno> {
    match tree::open_within(directory, name, OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC) {
        Ok(held) => fstat(&held),
        // This process is short of something: nobody else is to blame.
        Err(Errno::EMFILE | Errno::ENFILE | Errno::ENOMEM) => fstatat(directory, name, AtFlags::AT_SYMLINK_NOFOLLOW),
        Err(errno) => Err(errno),
    }
}

/// The one step.
pub fn prepare(arguments: &Arguments, purpose: Purpose, owner: &Owner, until: Deadline, journey: &mut Journey) -> Result<Session> {
    journey.begin(SPAWNING_KIT_PREPARATION, clock::now());
    let steps = journey.steps().iter().map(|step| step.name).filter(|step| is_foreign(step) && *step != SUBPROCESS_FINISH);
    let steps: Vec<&'static str> = steps.collect();
    let made = make(arguments, purpose, owner, until, &steps);
    let now = clock::now();
    if made.is_ok() {
        journey.end(SPAWNING_KIT_PREPARATION, now)
    } else {
        journey.fail(SPAWNING_KIT_PREPARATION, now)
    };
    made
}

fn make(arguments: &Arguments, purpose: Purpose, owner: &Owner, until: Deadline, steps: &[&'static str]) -> Result<Session> {
    let in_time = |doing: &str| {
        let over = || Error::new(Status::Timeout, "prepare", format!("the time was over while {doing}"));
        if until.has_come() { Err(over()) } else { Ok(()) }
    };
    in_time("the session was prepared")?;
    let mut all = predefined::complete(arguments, purpose, owner)?;
    let place = Place::of(&all)?;
    let keep = all.flag("debug_work_dir");
    let instance =
        if all.get("socket_dir").is_none() && purpose != Purpose::Worker { Some(make_instance(&place, &mut all, keep)?) } else { None };
    let violations = all.violations(purpose);
    if !violations.is_empty() {
        return Err(Error::invalid("arguments", violations.join("; ")));
    }
    let port = if all.flag("generic_app") || all.flag("find_free_port") {
        let range = port::Range::of(&all).map_err(|why| Error::invalid("arguments", why))?;
        let port = port::find(range, until)?;
        all.put("expected_start_port", port.into())?;
        Some(port)
    } else {
        None
    };
    let sockets = Sockets::of(Path::new(all.text("socket_dir").unwrap_or_default()))?;
    let layout = Layout::make(Private::make(&place, keep)?, steps.iter().copied())?;
    write_arguments(&layout, &all)?;
    // Before anybody can write to them, and non-blocking: so the first writer is heard, whenever it comes.
    let finish = Arc::new(layout.fifo("response/finish")?);
    let worker = purpose == Purpose::Worker;
    let output = if worker { Some(layout.fifo(OUTPUT)?) } else { None };
    let stdin = if worker { Some(Gate::make(&layout)?) } else { None };
    in_time("the session was prepared")?;
    Ok(Session {
        layout,
        purpose,
        owner: owner.clone(),
        arguments: all,
        port,
        finish,
        output: Mutex::new(output),
        stdin,
        sockets,
        instance: Mutex::new(instance),
    })
}

/// A directory for sockets, where the caller has none.
fn make_instance(place: &Arc<Place>, all: &mut Arguments, keep: bool) -> Result<Instance> {
    let instance = Private::make(place, keep)?;
    let sockets = instance.path().join("apps.s");
    mkdirat(instance.directory(), SOCKETS, Mode::S_IRWXU)
        .map_err(|errno| Error::system("mkdirat", errno, format!("cannot make {}", sockets.display())))?;
    let held = tree::hold(instance.directory(), SOCKETS).map_err(|errno| Error::system("open", errno, sockets.display().to_string()))?;
    tree::allow(&held).map_err(|errno| Error::system("chmod", errno, sockets.display().to_string()))?;
    for (name, path) in [("instance_dir", instance.path()), ("socket_dir", &sockets)] {
        let text = path.to_str().ok_or_else(|| Error::invalid("spawn_dir", "spawn_dir: its path is no UTF-8, and JSON is"))?;
        all.put(name, text.into())?;
    }
    Ok(Instance(instance))
}

/// Once as a whole, and once more each by itself (PA-26, PA-27).
fn write_arguments(layout: &Layout, all: &Arguments) -> Result<()> {
    let told = || all.iter().filter(|(name, _)| !OWN.contains(name));
    let mut object = serde_json::Map::new();
    object.extend(told().map(|(name, value)| (name.to_owned(), value.clone())));
    let text = |value: &Value| serde_json::to_vec(value).map_err(|error| Error::invalid("arguments", format!("arguments: {error}")));
    for (name, value) in told() {
        match value {
            Value::Null => layout.write(&format!("args/{name}"), b"")?,
            Value::String(text) => layout.write(&format!("args/{name}"), text.as_bytes())?,
            Value::Array(_) | Value::Object(_) => layout.write(&format!("args/{name}.json"), &text(value)?)?,
            Value::Bool(_) | Value::Number(_) => layout.write(&format!("args/{name}"), &text(value)?)?,
        }
    }
    layout.write("args.json", &text(&Value::Object(object))?)
}

impl Session {
    pub(super) fn read_sockets(&self) -> core::result::Result<Vec<Socket>, Violations> {
        let rules = properties::Rules {
            preloader: self.purpose == Purpose::StartPreloader,
            port: self.port,
            library: super::uses_wrapper(&self.arguments) && !self.arguments.flag("wrapper_supplied_by_third_party"),
            unix: &|path| self.sockets.violation(path, self.owner.uid),
        };
        let Some(response) = self.layout.directory("response") else { return properties::missing(&rules) };
        match foreign_file::read(response, c"properties.json", PROPERTIES) {
            Ok(None) => properties::missing(&rules),
            Ok(Some(found)) if found.more => Err(properties::refused(&rules, format!("properties.json has more than {PROPERTIES} bytes"))),
            Ok(Some(found)) => properties::sockets(&found.bytes, &rules),
            // This process is short of something: nobody else is to blame.
            Err(Refusal::Cannot(errno @ (Errno::EMFILE | Errno::ENFILE | Errno::ENOMEM))) => {
                let why = format!("properties.json could not be read by this process: {}", errno.desc());
                Err(Violations { library: vec![why], ..Violations::default() })
            }
            Err(refusal) => Err(properties::refused(&rules, format!("properties.json {}", refusal.why()))),
        }
    }
}
