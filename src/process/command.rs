//! What shall run, and how. Every setter checks its value and leaves the command as it was when it refuses.
//!
//! A command is a description: it can be spawned any number of times, from several threads at once. Descriptors it names are
//! borrowed (looked up at each spawn), but those given by [`Command::own_fd`] move to the first child.

use core::ffi::CStr;
use std::ffi::{CString, OsStr};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};

use nix::errno::Errno;

pub use super::environment::Base as EnvBase;
use super::environment::Environment;
use super::input::Input;
use super::sandbox::Sandbox;
use super::{cgroup, outfile, stop};
use crate::error::{Error, Result, Status};
use crate::sys::child::{Isolation, Limit};
pub use crate::sys::clone::Credentials;
use crate::sys::{cstr, fds, signal};

/// What a standard stream of a child is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, strum::FromRepr, strum::IntoStaticStr, strum::VariantNames)]
#[repr(i32)]
pub enum Stdio {
    /// The host's own (default).
    #[default]
    #[strum(serialize = "PS_STDIO_INHERIT")]
    Inherit = 0,
    /// /dev/null.
    #[strum(serialize = "PS_STDIO_NULL")]
    Null = 1,
    /// A pipe, whose other end the host gets.
    #[strum(serialize = "PS_STDIO_PIPE")]
    Pipe = 2,
    /// A descriptor of the host.
    #[strum(serialize = "PS_STDIO_FD")]
    Fd(RawFd) = 3,
    /// Stream 2 only: wherever stream 1 goes.
    #[strum(serialize = "PS_STDIO_MERGE")]
    Merge = 4,
}

/// A command. Cheap to clone: large parts are shared.
#[derive(Clone, Debug)]
pub struct Command {
    pub(super) program: CString,
    args: Vec<CString>,
    arg0: Option<CString>,
    argv: Arc<OnceLock<Argv>>,
    pub(super) env: Environment,
    pub(super) directory: Option<CString>,
    pub(super) stdio: [Stdio; 3],
    /// (descriptor of the host, number in the child)
    pub(super) passed: Vec<(RawFd, RawFd)>,
    /// (descriptor of the host, name)
    pub(super) listening: Vec<(RawFd, Vec<u8>)>,
    pub(super) credentials: Option<Credentials>,
    pub(super) umask: Option<u32>,
    pub(super) nice: Option<i32>,
    pub(super) limits: Vec<Limit>,
    pub(super) no_new_privs: bool,
    pub(super) die_with_host: bool,
    pub(super) isolation: Isolation,
    pub(super) sandbox: Option<Arc<Sandbox>>,
    pub(super) owned: Arc<Mutex<Vec<OwnedFd>>>,
    pub(super) plan: Arc<Vec<stop::Step>>,
    plan_is_default: bool,
    pub(super) deadline_ms: Option<i64>,
    pub(super) sweep: bool,
    pub(super) capture: Option<usize>,
    pub(super) lines: bool,
    pub(super) line_limit: usize,
    pub(super) output_file: Option<outfile::Spec>,
    pub(super) keep_on_failure: bool,
    pub(super) input: Option<Arc<Input>>,
    pub(super) cgroup: Option<cgroup::Spec>,
    restart: Restart,
    /// Its process is to outlive this one: no mark says that it is ours.
    pub(super) outlives: bool,
    user_data: u64,
    /// Duplicates of lent descriptors, for a command that is spawned later than it was given.
    pins: Vec<Arc<OwnedFd>>,
}

/// When a child that has ended is started again.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, strum::FromRepr, strum::IntoStaticStr, strum::VariantNames)]
#[repr(i32)]
pub enum RestartWhen {
    /// Never (default).
    #[default]
    #[strum(serialize = "PS_RESTART_NEVER")]
    Never = 0,
    /// When it did not exit with 0.
    #[strum(serialize = "PS_RESTART_ON_FAILURE")]
    OnFailure = 1,
    /// Whenever it has ended by itself.
    #[strum(serialize = "PS_RESTART_ALWAYS")]
    Always = 2,
}

/// How a child is kept alive.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Restart {
    /// After which ends.
    pub when: RestartWhen,
    /// The shortest wait before the next start, milliseconds.
    pub min_delay_ms: i64,
    /// The longest.
    pub max_delay_ms: i64,
    /// Failed runs in a row after which it is given up; 0: never.
    pub failures: u32,
    /// A run as long as this was no failure to start.
    pub healthy_ms: i64,
}

impl Default for Restart {
    fn default() -> Self {
        Self { when: RestartWhen::Never, min_delay_ms: 100, max_delay_ms: 10_000, failures: 5, healthy_ms: 10_000 }
    }
}

struct Argv(cstr::Array);

impl core::fmt::Debug for Argv {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Argv")
    }
}

fn c_string(step: &'static str, bytes: impl AsRef<OsStr>) -> Result<CString> {
    CString::new(bytes.as_ref().as_bytes()).map_err(|_| Error::invalid(step, format!("{step}: the string holds a NUL byte")))
}

fn open_fd(step: &'static str, fd: RawFd) -> Result<()> {
    if fds::is_open(fd) {
        return Ok(());
    }
    Err(Error { errno: Some(Errno::EBADF), ..Error::invalid(step, format!("{step}: {fd} is not an open descriptor")) })
}

/// Numbers of descriptors that a child may have; the kernel's ceiling of `fs.nr_open` is far below.
const MAX_FD: RawFd = 1 << 20;

impl Command {
    /// A command that runs `program`, searched in PATH if it holds no slash.
    pub fn new(program: impl AsRef<OsStr>) -> Result<Self> {
        let program = c_string("program", program)?;
        if program.is_empty() {
            return Err(Error::invalid("program", "program: the string is empty"));
        }
        Ok(Self {
            program,
            args: Vec::new(),
            arg0: None,
            argv: Arc::default(),
            env: Environment::default(),
            directory: None,
            stdio: [Stdio::Inherit; 3],
            passed: Vec::new(),
            listening: Vec::new(),
            credentials: None,
            umask: None,
            nice: None,
            limits: Vec::new(),
            no_new_privs: false,
            die_with_host: false,
            isolation: Isolation::Group,
            sandbox: None,
            owned: Arc::default(),
            plan: Arc::new(stop::default_plan()),
            plan_is_default: true,
            deadline_ms: None,
            sweep: true,
            capture: None,
            lines: false,
            line_limit: 64 * 1024,
            output_file: None,
            keep_on_failure: true,
            input: None,
            cgroup: None,
            restart: Restart::default(),
            outlives: false,
            user_data: 0,
            pins: Vec::new(),
        })
    }

    /// Appends one argument.
    pub fn arg(&mut self, arg: impl AsRef<OsStr>) -> Result<&mut Self> {
        self.args.push(c_string("arg", arg)?);
        self.argv = Arc::default();
        Ok(self)
    }

    /// What the child sees as `argv[0]`; the program as it was named, unless this says otherwise.
    pub fn arg0(&mut self, arg0: impl AsRef<OsStr>) -> Result<&mut Self> {
        self.arg0 = Some(c_string("arg0", arg0)?);
        self.argv = Arc::default();
        Ok(self)
    }

    /// The argument vector, made once.
    pub(super) fn argv(&self) -> &cstr::Array {
        let make = || {
            let first = self.arg0.as_ref().unwrap_or(&self.program);
            Argv(cstr::Array::new([first].into_iter().chain(&self.args).cloned().collect()))
        };
        &self.argv.get_or_init(make).0
    }

    /// Sets a variable; `None` removes it.
    pub fn env(&mut self, name: impl AsRef<OsStr>, value: Option<&OsStr>) -> Result<&mut Self> {
        let name = c_string("env", name)?;
        let value = value.map(|value| c_string("env", value)).transpose()?;
        let refuse = || Error::invalid("env", format!("env: {name:?} is no name of a variable: it is empty or holds '='"));
        self.env.set(&name, value.as_deref()).ok_or_else(refuse)?;
        Ok(self)
    }

    /// What the environment begins with.
    pub fn env_base(&mut self, base: EnvBase) -> &mut Self {
        self.env.base = base;
        self
    }

    /// The working directory. A relative one counts from the host's at the time of the spawn.
    pub fn cwd(&mut self, directory: impl AsRef<Path>) -> Result<&mut Self> {
        let directory = c_string("cwd", directory.as_ref())?;
        if directory.is_empty() {
            return Err(Error::invalid("cwd", "cwd: the string is empty"));
        }
        self.directory = Some(directory);
        Ok(self)
    }

    /// What stream 0, 1 or 2 is.
    pub fn stdio(&mut self, stream: i32, how: Stdio) -> Result<&mut Self> {
        let index = usize::try_from(stream).ok().filter(|i| *i < 3);
        let index = index.ok_or_else(|| Error::invalid("stdio", format!("stdio: stream {stream} is not 0, 1 or 2")))?;
        match how {
            Stdio::Fd(fd) => open_fd("stdio", fd)?,
            Stdio::Merge if stream != 2 => return Err(Error::invalid("stdio", "stdio: only stream 2 can be merged (into 1)")),
            _ => {}
        }
        self.stdio[index] = how;
        Ok(self)
    }

    /// Gives the child the descriptor `fd` as `child_fd`.
    pub fn pass_fd(&mut self, fd: RawFd, child_fd: RawFd) -> Result<&mut Self> {
        open_fd("pass_fd", fd)?;
        if !(0..MAX_FD).contains(&child_fd) {
            return Err(Error::invalid("pass_fd", format!("pass_fd: {child_fd} cannot be the number of a descriptor")));
        }
        if self.passed.iter().any(|(_, taken)| *taken == child_fd) {
            return Err(Error::invalid("pass_fd", format!("pass_fd: descriptor {child_fd} of the child is given twice")));
        }
        self.passed.push((fd, child_fd));
        Ok(self)
    }

    /// Gives the child a listening descriptor by the rules of sd_listen_fds(3): numbers from 3 in the order of calls.
    pub fn listen_fd(&mut self, fd: RawFd, name: Option<&CStr>) -> Result<&mut Self> {
        open_fd("listen_fd", fd)?;
        let name = name.map_or(&b"unknown"[..], CStr::to_bytes);
        let bad = |byte: &u8| *byte == b':' || byte.is_ascii_control() || !byte.is_ascii();
        if name.is_empty() || name.len() > 255 || name.iter().any(bad) {
            return Err(Error::invalid("listen_fd", "listen_fd: a name has 1 to 255 printable ASCII characters and no ':'"));
        }
        self.listening.push((fd, name.to_vec()));
        Ok(self)
    }

    /// The user the child becomes. Such a child is made by fork: two users never share memory.
    pub fn credentials(&mut self, uid: u32, gid: u32, groups: &[u32]) -> Result<&mut Self> {
        if uid == u32::MAX || gid == u32::MAX || groups.contains(&u32::MAX) {
            return Err(Error::invalid("credentials", "credentials: the id 4294967295 means \"no change\" to the kernel"));
        }
        if groups.len() > 65_536 {
            return Err(Error::invalid("credentials", "credentials: more than 65536 groups (NGROUPS_MAX)"));
        }
        self.credentials = Some(Credentials { uid, gid, groups: groups.to_vec() });
        Ok(self)
    }

    /// The umask.
    pub fn umask(&mut self, mask: u32) -> Result<&mut Self> {
        if mask > 0o777 {
            return Err(Error::invalid("umask", format!("umask: {mask:#o} is above 0777")));
        }
        self.umask = Some(mask);
        Ok(self)
    }

    /// The nice value, -20 to 19.
    pub fn nice(&mut self, nice: i32) -> Result<&mut Self> {
        if !(-20..=19).contains(&nice) {
            return Err(Error::invalid("nice", format!("nice: {nice} is not between -20 and 19")));
        }
        self.nice = Some(nice);
        Ok(self)
    }

    /// A resource limit (getrlimit(2)); `u64::MAX` is "no limit".
    pub fn rlimit(&mut self, resource: i32, soft: u64, hard: u64) -> Result<&mut Self> {
        if !(0..16).contains(&resource) {
            return Err(Error::invalid("rlimit", format!("rlimit: there is no resource {resource}")));
        }
        if soft > hard {
            return Err(Error::invalid("rlimit", format!("rlimit: the soft limit {soft} is above the hard limit {hard}")));
        }
        self.limits.retain(|limit| limit.resource != resource as u32);
        self.limits.push(Limit { resource: resource as u32, soft, hard });
        Ok(self)
    }

    /// Whether exec may no longer raise privileges (prctl(2), `PR_SET_NO_NEW_PRIVS`).
    pub fn no_new_privs(&mut self, on: bool) -> &mut Self {
        self.no_new_privs = on;
        self
    }

    /// Whether the child is killed when this process ends, however it ends.
    pub fn die_with_host(&mut self, on: bool) -> &mut Self {
        self.die_with_host = on;
        self
    }

    /// Whether the child leads a group, a session, or nothing.
    pub fn isolate(&mut self, isolation: Isolation) -> &mut Self {
        self.isolation = isolation;
        self
    }

    /// A directory that is removed, with all in it, once the last child of this command has been reaped.
    pub fn sandbox_dir(&mut self, directory: impl AsRef<Path>) -> Result<&mut Self> {
        let directory = directory.as_ref();
        c_string("sandbox_dir", directory)?;
        if directory.as_os_str().is_empty() {
            return Err(Error::invalid("sandbox_dir", "sandbox_dir: the string is empty"));
        }
        let absolute = std::path::absolute(directory).map_err(|error| Error::invalid("sandbox_dir", format!("sandbox_dir: {error}")))?;
        if !absolute.components().any(|part| matches!(part, std::path::Component::Normal(_))) {
            return Err(Error::invalid("sandbox_dir", "sandbox_dir: the root directory cannot be removed"));
        }
        if absolute.components().any(|part| matches!(part, std::path::Component::ParentDir)) {
            return Err(Error::invalid("sandbox_dir", "sandbox_dir: a path with \"..\" may lead elsewhere by the time it is removed"));
        }
        self.sandbox = Some(Arc::new(Sandbox::new(absolute)));
        Ok(self)
    }

    /// Takes a descriptor that is closed once the first child spawned from now on has been reaped.
    pub fn own_fd(&mut self, fd: OwnedFd) -> Result<&mut Self> {
        let number = fd.as_raw_fd();
        let mut owned = crate::lock::lock(&self.owned);
        debug_assert!(owned.iter().all(|other| other.as_raw_fd() != number));
        owned.push(fd);
        drop(owned);
        Ok(self)
    }

    /// Whether this descriptor was taken already.
    pub fn owns_fd(&self, fd: RawFd) -> bool {
        crate::lock::lock(&self.owned).iter().any(|owned| owned.as_raw_fd() == fd)
    }

    /// Adds a step to the stop plan; the first call replaces the default plan. -1: as long as the last step ever waits.
    pub fn stop_step(&mut self, signal: i32, wait_ms: i64) -> Result<&mut Self> {
        if !(1..=signal::MAX).contains(&signal) {
            return Err(Error::invalid("stop_step", format!("stop_step: {signal} is no signal")));
        }
        if wait_ms < -1 {
            return Err(Error::invalid("stop_step", format!("stop_step: a wait of {wait_ms} ms")));
        }
        let mut plan = if self.plan_is_default { Vec::new() } else { self.plan.to_vec() };
        plan.push(stop::Step { signal, wait_ms });
        self.plan = Arc::new(plan);
        self.plan_is_default = false;
        Ok(self)
    }

    /// The time after which the stop plan runs; 0 or more.
    pub fn deadline(&mut self, ms: i64) -> Result<&mut Self> {
        if ms < 0 {
            return Err(Error::invalid("deadline", format!("deadline: {ms} ms lie in the past")));
        }
        self.deadline_ms = Some(ms);
        Ok(self)
    }

    /// Whether the rest of the group is killed when its leader ends (the default).
    pub fn sweep_survivors(&mut self, sweep: bool) -> &mut Self {
        self.sweep = sweep;
        self
    }

    /// Keeps the last `max_bytes` of what streams 1 and 2 say, as far as they are not redirected.
    pub fn capture(&mut self, max_bytes: usize) -> Result<&mut Self> {
        if max_bytes == 0 || max_bytes > 1 << 30 {
            return Err(Error::invalid("capture", "capture: between 1 byte and 1 GiB can be kept"));
        }
        self.capture = Some(max_bytes);
        Ok(self)
    }

    /// Hands out every line that streams 1 and 2 say, as far as they are not redirected, as an event.
    pub fn output_lines(&mut self, on: bool) -> &mut Self {
        self.lines = on;
        self
    }

    /// The longest line that comes in one piece; 1 byte to 16 MiB.
    pub fn output_line_limit(&mut self, max_bytes: usize) -> Result<&mut Self> {
        if max_bytes == 0 || max_bytes > 1 << 24 {
            return Err(Error::invalid("output_line_limit", "output_line_limit: a line may have between 1 byte and 16 MiB"));
        }
        self.line_limit = max_bytes;
        Ok(self)
    }

    /// Whether its output comes as events.
    pub fn has_output_lines(&self) -> bool {
        self.lines
    }

    /// Stream 1 goes to a file that appears when the child has ended. `replace`: in place of one that is there.
    pub fn output_file(&mut self, path: impl AsRef<Path>, replace: bool) -> Result<&mut Self> {
        self.output_file = Some(outfile::Spec::new(path.as_ref(), replace)?);
        Ok(self)
    }

    /// Whether that file appears also when the child did not exit with 0 (the default).
    pub fn output_on_failure(&mut self, keep: bool) -> &mut Self {
        self.keep_on_failure = keep;
        self
    }

    /// What the child finds on its standard input. The bytes are copied.
    pub fn input(&mut self, bytes: &[u8]) -> Result<&mut Self> {
        let input = Input::new(bytes).map_err(|errno| Error::system("memfd_create", errno, "cannot keep the input of a command"))?;
        self.input = Some(Arc::new(input));
        Ok(self)
    }

    /// A control group for the child: made before it, killed and removed after it. With a slash at the end: a fresh one inside that directory
    /// for every child.
    pub fn cgroup(&mut self, directory: impl AsRef<Path>) -> Result<&mut Self> {
        let directory = directory.as_ref();
        c_string("cgroup", directory)?;
        self.cgroup = Some(cgroup::Spec::new(directory)?);
        Ok(self)
    }

    /// A file of the control group to write before the child is born, such as "pids.max".
    pub fn cgroup_set(&mut self, file: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Result<&mut Self> {
        let none = || Error::new(Status::State, "cgroup_set", "cgroup_set: the command has no control group yet");
        self.cgroup.as_mut().ok_or_else(none)?.set(file.as_ref(), value.as_ref())?;
        Ok(self)
    }

    /// When a child that has ended is started again, and after which wait: it doubles with every failure, from the shortest to the longest.
    pub fn restart(&mut self, when: RestartWhen, min_delay_ms: i64, max_delay_ms: i64) -> Result<&mut Self> {
        if min_delay_ms < 0 || max_delay_ms < min_delay_ms || max_delay_ms > i64::MAX / crate::clock::MILLI {
            let message = format!("restart: a wait between {min_delay_ms} and {max_delay_ms} ms is none");
            return Err(Error::invalid("restart", message));
        }
        self.restart = Restart { when, min_delay_ms, max_delay_ms, ..self.restart };
        Ok(self)
    }

    /// After how many failed runs in a row a child is given up (0: never), and how long a run must be not to count as failed.
    pub fn restart_limit(&mut self, failures: u32, healthy_ms: i64) -> Result<&mut Self> {
        if !(0..=i64::MAX / crate::clock::MILLI).contains(&healthy_ms) {
            return Err(Error::invalid("restart_limit", format!("restart_limit: a run of {healthy_ms} ms")));
        }
        self.restart = Restart { failures, healthy_ms, ..self.restart };
        Ok(self)
    }

    /// How its children are kept alive.
    pub fn get_restart(&self) -> Restart {
        self.restart
    }

    /// The same command for a later spawn: lent descriptors are duplicated now, since their numbers may be others' by then.
    pub(crate) fn pinned(&self) -> Result<Self> {
        let mut pinned = self.clone();
        let mut pins: Vec<Arc<OwnedFd>> = Vec::new();
        let mut pin = |fd: &mut RawFd| {
            let copy = fds::duplicate_number(*fd)
                .map_err(|errno| Error::system("fcntl", errno, format!("cannot keep descriptor {fd} for a later start")))?;
            *fd = copy.as_raw_fd();
            pins.push(Arc::new(copy));
            Ok(())
        };
        for (fd, _) in &mut pinned.passed {
            pin(fd)?;
        }
        for (fd, _) in &mut pinned.listening {
            pin(fd)?;
        }
        for how in &mut pinned.stdio {
            if let Stdio::Fd(fd) = how {
                pin(fd)?;
            }
        }
        pinned.pins = pins;
        Ok(pinned)
    }

    /// A word that comes back with every event of the child.
    pub fn user_data(&mut self, user_data: u64) -> &mut Self {
        self.user_data = user_data;
        self
    }

    /// That word.
    pub fn get_user_data(&self) -> u64 {
        self.user_data
    }
}
