//! A command becomes a child: [`make`] is the recipe.
//!
//! Every ingredient is an owned value, so an early return takes back what was made so far, in the opposite order. The one exception is the slot
//! of the registry, which is retired by hand and only where it is certain that no child came of it: a panic on the way must
//! not make a child unknown that runs.

use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};

use nix::errno::Errno;

use super::belongings::{Belongings, Resources};
use super::cgroup::Cgroup;
use super::child::{Begun, Child, Life, Rare, Readying, Tier};
use super::command::Command;
use super::descriptors::{self, Ends, Plan};
use super::lineage::Mark;
use super::output::Output;
use super::output::feed::Feed;
use super::stop::Ladder;
use super::stops::Stops;
use super::systemd::{Listening, Notifying, Told};
use super::terminal::Master;
use crate::clock::{self, Deadline};
use crate::error::{Error, Result, Status};
use crate::lock::lock;
use crate::registry::{Cause, Facts, Lease, Slot, Tie};
use crate::sys::Fault;
use crate::sys::fds;
use crate::sys::memory::{Home, PerProcess};
use crate::sys::oom;
use crate::sys::processor;
use crate::sys::procfs;
use crate::sys::signal;
use crate::sys::spawn::landing::Landing;
use crate::sys::spawn::{self as sys_spawn, Background, Contained, Failure, Isolation, Request, Spawned, Terminal};

/// What this process keeps open to spawn fast.
#[derive(Default)]
struct Engine {
    landing: Landing,
    /// Real-time signals that were ignored when a supervisor was made. They outlive an exec, and to look at each of them anew is dearer than all else
    /// that a child does; the others are reset without a look (`sys/spawn/child.rs`).
    realtime_ignored: AtomicU64,
    /// One thread opens what is kept; the others do without meanwhile.
    settled: AtomicBool,
}

/// A program with a deadline has so long to begin, or as long as that.
const LEAST_FOR_EXEC_MS: i64 = 10_000;

/// Descriptors that must be free beside those that are kept: a host near its limit needs them itself, and a table so small costs nothing to copy.
const HEADROOM: usize = 64;

static ENGINE: PerProcess<Engine> = PerProcess::new();

fn engine() -> Result<&'static Engine> {
    let make = || {
        sys_spawn::learn();
        Ok(Engine::default())
    };
    let give_back = |of_the_original: &Engine| of_the_original.landing.give_back();
    let engine = ENGINE.get_or_succeed(make, give_back).map_err(|errno| Error::system("mmap", errno, "cannot set up the spawn engine"))?;
    if !engine.settled.load(Ordering::Relaxed) && !engine.settled.swap(true, Ordering::Relaxed) {
        engine.landing.reserve(HEADROOM);
        oom::prepare();
    }
    Ok(engine)
}

/// Reserves the landing descriptors now, while low numbers are free, and looks which real-time signals are ignored. A host that calls this early spawns
/// faster. Answers whether there was room for the descriptors: then there is for other conveniences.
pub fn prepare() -> Result<bool> {
    let engine = engine()?;
    engine.realtime_ignored.fetch_or(procfs::ignored_signals() & !signal::STANDARD, Ordering::Relaxed);
    Ok(engine.landing.is_reserved())
}

/// Starts the command. Returns when the program has begun, or with the exact step and errno of what failed.
///
/// Blocks as long as its exec takes (a slow file system shows here), for at most 32 ms when the kernel is out of processes, and for a quarter of
/// a second when the program is open for writing.
///
/// `belongings`: what the command gives to this child; given back if it is never made. Those aside, all it
/// holds is made here.
pub fn spawn(command: &Command, belongings: Belongings) -> Result<Child> {
    let mut kept = Undo(Some(belongings));
    let mut child = make(command)?;
    if let Some(belongings) = kept.0.take() {
        give(&mut child, belongings);
    }
    Ok(child)
}

/// A child that nobody has seen yet owns these from now on.
pub(super) fn give(child: &mut Child, belongings: Belongings) {
    if let Ok(life) = child.life.get_mut()
        && !belongings.is_empty()
    {
        life.resources.get_or_insert_default().lasting = belongings;
    }
}

/// The call that was to give this child to somebody fails: what its command owns and it was given is the command's again when the answer goes. By
/// then its process must be gone as well.
#[must_use]
pub fn take_back(child: &Child) -> Undo {
    Undo(lock(&child.life).resources.as_mut().map(|resources| core::mem::take(&mut resources.lasting)))
}

/// The same without what the command gives to its child.
pub(super) fn make(command: &Command) -> Result<Child> {
    let engine = engine()?;
    let mut ingredients = Ingredients::gather(command)?;
    ingredients.contain(command, engine)?;
    let parked = ingredients.plan.park(&engine.landing, HEADROOM);
    let made = ingredients.with_request(command, |request, facts| {
        let (lease, slot) =
            Lease::take_since(facts, ingredients.begun).map_err(|errno| Error::system("registry", errno, command.cannot()))?;
        if let Some(Err(errno)) = request.contained.map(|contained| lease.contain(contained)) {
            _ = lease.retire();
            return Err(Error::system("RLIMIT_FSIZE", errno, command.cannot()));
        }
        clone(lease, slot, request).map_err(|failure| explain(failure, command))
    });
    drop(parked);
    let (lease, spawned) = made?;
    let born = Born { pid: spawned.pid, pidfd: Arc::new(spawned.pidfd), tier: spawned.tier.into(), tie: Tie::Child };
    Ok(ingredients.record(command, lease, born, clock::now))
}

/// What a spawn is made of, and what of it the child keeps.
pub(super) struct Ingredients {
    pub plan: Plan,
    /// Most children own nothing.
    pub resources: Option<Box<Resources>>,
    /// By what it restricts itself; its number in the child, once that is planned.
    ruleset: (Option<OwnedFd>, Option<i32>),
    /// What it is contained with.
    contained: Option<Box<Contained>>,
    /// The whole of its readiness: all that follows takes its time off that.
    begun: i64,
}

impl Ingredients {
    pub fn gather(command: &Command) -> Result<Self> {
        let begun = clock::now();
        if let Some(map) = command.map() {
            let plan = Plan::again(map.clone());
            debug_assert_eq!(descriptors::plan(command, None).ok().as_ref().map(Plan::map), Some(plan.map()), "changed in its place");
            return Ok(Self { plan, ..Self::again(command, begun)? });
        }
        let mut ingredients = Self::unplanned(command, begun)?;
        ingredients.plan(command)?;
        command.keep_map(ingredients.plan.share());
        Ok(ingredients)
    }

    /// All but its descriptors.
    pub fn unplanned(command: &Command, begun: i64) -> Result<Self> {
        command.check_terminal()?;
        check_lent(command)?;
        command.check_size()?;
        let ruleset = (command.ruleset()?, None);
        Ok(Self { plan: Plan::default(), resources: Resources::take(command)?.boxed(), ruleset, contained: None, begun })
    }

    /// The same of one that is made again by the same request (`command/prepared.rs`): what was checked of it is so.
    pub fn again(command: &Command, begun: i64) -> Result<Self> {
        check_lent(command)?;
        Ok(Self { plan: Plan::default(), resources: Resources::again(command)?, ruleset: (None, None), contained: None, begun })
    }

    /// Those.
    pub fn plan(&mut self, command: &Command) -> Result<()> {
        self.plan = descriptors::plan(command, self.of(|owned| owned.file.as_ref()))?;
        if let Some(ruleset) = self.ruleset.0.take() {
            self.ruleset.1 = Some(self.plan.give_for_itself(ruleset));
        }
        Ok(())
    }

    /// Something of what it owns.
    fn of<'a, T>(&'a self, which: impl FnOnce(&'a Resources) -> Option<T>) -> Option<T> {
        self.resources.as_deref().and_then(which)
    }

    /// What its namespace needs, if it is to have one.
    fn contain(&mut self, command: &Command, engine: &'static Engine) -> Result<()> {
        if command.is_contained() {
            let speaks = self.of(|owned| owned.receiver.as_ref()).is_some();
            let made = Contained::prepare(&engine.landing, HEADROOM, command.identity.die_with_host, speaks);
            let refused = |fault: Fault| {
                let unwanted = fault.step == "memfd_create" && fault.errno == Errno::EACCES;
                unwanted || fault.errno == Errno::EOPNOTSUPP || fault.step == "die_with_host"
            };
            self.contained = Some(Box::new(made.map_err(|fault| {
                let error = fault.error(command.cannot());
                if refused(fault) { error.with_status(Status::Unsupported) } else { error }
            })?));
        }
        Ok(())
    }

    /// What the registry must know of it.
    pub fn facts(&self, command: &Command) -> Facts {
        Facts {
            tie: Tie::Child,
            isolation: if command.identity.shares_group { Isolation::None } else { command.isolation() },
            sweep: command.sweeps(),
            cgroup_kill: self.of(|owned| owned.cgroup.as_ref()).map_or(-1, |cgroup| cgroup.group().kill_fd()),
        }
    }

    /// Puts them together, and has `act` use that.
    pub fn with_request<T>(&self, command: &Command, act: impl FnOnce(&Request<'_>, Facts) -> Result<T>) -> Result<T> {
        let plan = &self.plan;
        let no_memory = |errno| Error::system("memory", errno, command.cannot());
        let files = command.files().map_err(no_memory)?;
        let listening = Listening::of(command.streams.listening.iter().map(|(_, name)| &name[..]));
        let notifying =
            self.of(|owned| owned.receiver.as_ref()).map(|receiver| Notifying::at(receiver.address(), command.readiness.watchdog_ms));
        let watched = (command.lifetime.succeeds_watched && notifying.is_none()).then(Told::watched);
        let told = Told { listening, notifying, watched };
        let limits = Mark::carried(self.of(|owned| owned.mark.as_ref()), &command.identity.limits);
        let cgroup = self.of(|owned| owned.cgroup.as_ref()).map(Cgroup::group);
        let inheritance = &command.identity.inheritance;
        let request = Request {
            candidates: command.candidates(&files),
            argv: command.program.argv().map_err(no_memory)?,
            env: command.program.env.block(&told).map_err(no_memory)?,
            own_pids: told.own_pids(),
            birth: command.lifetime.birth.as_deref(),
            directory: command.program.directory.as_deref(),
            moves: &plan.map().steps,
            gaps: &plan.map().gaps,
            unshare_first: plan.map().unshare_first(),
            isolation: command.isolation(),
            group: inheritance.joins,
            terminal: self.terminal(),
            umask: command.identity.umask,
            nice: command.identity.nice,
            limits: &limits,
            credentials: command.identity.credentials.as_ref(),
            // Landlock wants it.
            no_new_privs: command.identity.no_new_privs || self.ruleset.1.is_some(),
            chdir_first: command.identity.chdir_first,
            die_with_host: command.identity.die_with_host,
            cgroup,
            realtime_ignored: engine()?.realtime_ignored.load(Ordering::Relaxed),
            keep_ignored: inheritance.ignored,
            mask: inheritance.mask.now(),
            oom_score_adj: inheritance.oom_score_adj,
            processors: command.identity.processors.allowed.as_deref().unwrap_or_else(|| processor::of_children()),
            scheduling: command.identity.processors.scheduling,
            ruleset: self.ruleset.1,
            contained: self.contained.as_deref(),
        };
        act(&request, self.facts(command))
    }

    /// Which terminal it gets.
    fn terminal(&self) -> Terminal {
        match (self.of(|owned| owned.foreground.as_ref()), self.plan.ends.controlling) {
            (Some(own), _) => Terminal::Foreground { fd: own.terminal(), group: nix::unistd::getpgrp().as_raw() },
            (None, Some(fd)) => Terminal::Controlling(fd),
            (None, None) => Terminal::None,
        }
    }

    /// When its program must have begun: it has no time left after that.
    pub fn due(&self, command: &Command) -> Deadline {
        let of_readiness = command.readiness.spec.as_ref().and_then(|spec| spec.timeout());
        // The deadline itself counts from then.
        let of_deadline = command.lifetime.deadline_ms.map(|ms| ms.max(LEAST_FOR_EXEC_MS).saturating_mul(clock::MILLI));
        let ends = [of_readiness, of_deadline].into_iter().flatten().map(|ns| Deadline::at(self.begun).plus(ns));
        ends.fold(Deadline::NEVER, Deadline::min)
    }

    /// The child's record.
    pub fn record(mut self, command: &Command, lease: Lease, born: Born, executed: impl FnOnce() -> i64) -> Child {
        let streams = &command.streams;
        let pipes = std::mem::take(&mut self.plan.ends.output);
        let output = (streams.capture.is_some() || streams.lines).then(|| Output::new(pipes, streams.keep(), streams.cut()));
        record(command, lease, born, self.plan.ends, output, self.resources, || Begun { at: self.begun, executed: executed() })
    }
}

/// The clone; it returns when the program has begun. The slot is free again if no child came of it.
fn clone(lease: Lease, slot: Slot, request: &Request<'_>) -> core::result::Result<(Lease, Spawned), Failure> {
    match slot.spawn(request) {
        Ok(spawned) => {
            slot.set_live();
            Ok((lease, spawned))
        }
        Err(failure) => {
            // The engine keeps the pidfd open if somebody hangs in this slot.
            if !lease.retire()
                && let Some(group) = request.cgroup
            {
                group.keep_kill_open();
            }
            Err(failure)
        }
    }
}

/// A process that has begun.
pub(super) struct Born {
    pub pid: i32,
    pub pidfd: Arc<OwnedFd>,
    pub tier: Tier,
    pub tie: Tie,
}

/// The child's own record, from what the spawn has left. The ends of pipes that the child has now are closed.
pub(super) fn record(
    command: &Command,
    lease: Lease,
    born: Born,
    ends: Ends,
    output: Option<Output>,
    mut resources: Option<Box<Resources>>,
    begun: impl FnOnce() -> Begun,
) -> Child {
    let Command { streams, lifetime, gifts, readiness, .. } = command;
    let ours = born.tie == Tie::Child;
    let receiver = resources.as_mut().and_then(|owned| {
        owned.leader = born.pid;
        owned.receiver.take()
    });
    let feed = ends.feed.map(|outlet| match ends.typed {
        Some(bytes) => Feed::of(outlet, bytes),
        None => Feed::new(outlet, streams.fed.unwrap_or_default()),
    });
    let told = || lease.slot().filter(|_| receiver.is_some()).and_then(|slot| slot.numbers_of_program());
    let inside = command.is_contained().then(|| told().unwrap_or_default());
    let readying = (readiness.spec.is_some() || receiver.is_some()).then(|| Readying::new(readiness, begun(), ends.ready, receiver));
    // Nothing is built up for the many who have nothing of it.
    let plain = feed.is_none() && ends.terminal.is_none() && output.is_none() && inside.is_none();
    let plain = plain && readying.is_none() && lifetime.stops_ms.is_none();
    let make = || Rare {
        feed: feed.map(|feed| Box::new(Mutex::new(feed))),
        terminal: ends.terminal.map(|end| Box::new(Mutex::new(Master::new(end, ends.held)))),
        output: output.map(|output| Box::new(Mutex::new(output))),
        inside,
        readying: readying.map(|readying| Box::new(Mutex::new(readying))),
        stops: lifetime.stops_ms.map(|ms| Box::new(Mutex::new(Stops::new(ms.saturating_mul(clock::MILLI), clock::now())))),
    };
    let life = Life {
        lease: Some(lease),
        pidfd: Some(born.pidfd),
        exit: None,
        awaiting: 0,
        elsewhere_since: None,
        ladder: Ladder::default(),
        stop_cause: Cause::Stop,
        refused: None,
        deadline: lifetime.deadline_ms.map_or(Deadline::NEVER, Deadline::of_millis),
        plan: lifetime.plan.clone(),
        core_wait_ms: lifetime.core_wait_ms,
        resources: resources.filter(|owned| !owned.is_empty()),
        complaint: None,
    };
    Child {
        pid: born.pid,
        tier: born.tier,
        tie: born.tie,
        home: Home::here(),
        sweep: ours && command.sweeps(),
        scope: lifetime.scope,
        life: Mutex::new(life),
        settled: Condvar::new(),
        streams: Mutex::new(ends.ours),
        lines: streams.lines,
        pieces: streams.tells_pieces(),
        in_cgroup: gifts.cgroup.is_some(),
        leads: ours && !matches!(command.isolation(), Isolation::None | Isolation::Contained),
        rare: if plain { None } else { Some(Box::new(make())) },
    }
}

/// Descriptors that the caller lends must be open still, and so must the stream of the host that another is merged into. Before anything is
/// opened here: it might get just their numbers.
pub fn check_lent(command: &Command) -> Result<()> {
    check_open(command)?;
    // The pidfd of this child, or of another thread's, would get the number. It is close-on-exec, as all of ours.
    if command.streams.merges_into_the_hosts() && !fds::is_inherited(1) {
        return Err(closed(command, "stream 2 is merged into 1, and the host has no 1 that its children inherit"));
    }
    Ok(())
}

/// The same of those that are named.
pub(super) fn check_open(command: &Command) -> Result<()> {
    command.streams.lent().find(|fd| !fds::is_open(*fd)).map_or(Ok(()), |fd| Err(closed(command, &format!("descriptor {fd}"))))
}

fn closed(command: &Command, what: &str) -> Error {
    Error::system("dup2", Errno::EBADF, format!("{}: {what}", command.cannot())).with_status(Status::InvalidArgument)
}

/// What is given back when it goes, for the spawn has failed.
#[derive(Debug)]
pub struct Undo(pub(super) Option<Belongings>);

impl Undo {
    /// These.
    pub fn of(belongings: Belongings) -> Self {
        Self(Some(belongings))
    }
}

impl Drop for Undo {
    fn drop(&mut self) {
        if let Some(belongings) = self.0.take() {
            belongings.give_back();
        }
    }
}

/// The error of a failed spawn, with what a reader would have to look for himself.
pub(super) fn explain(failure: Failure, command: &Command) -> Error {
    let mut error = Error::system(failure.step, failure.errno, command.cannot());
    match failure.background {
        Background::None => {}
        Background::Unsupported => {
            error.status = Status::Unsupported;
            if command.is_contained() {
                error.message += ": a pid namespace (without CAP_SYS_ADMIN, in a user namespace) is not to be had here";
            }
        }
        Background::NamespaceEnded => {
            error.status = Status::State;
            error.message +=
                ": the first process of the pid namespace that children are born into has ended, so no other can be made there";
        }
        Background::Begun => error.message += ": its init could not begin, so it was killed; by then it may have begun",
    }
    match failure.step {
        "dup2" | "fcntl"
            if matches!(failure.errno, Errno::EBADF | Errno::EINVAL | Errno::EMFILE)
                && let Some((what, to, hard)) = command.beyond_the_limit() =>
        {
            error.status = Status::Limit;
            error.message += &format!(": {what} cannot be {to} in the child, the hard limit RLIMIT_NOFILE is {hard}");
        }
        // Our own numbers were checked: what is not open any more was the caller's.
        "dup2" | "fcntl" if failure.errno == Errno::EBADF => error.status = Status::InvalidArgument,
        // One message carries so many.
        "sendmsg" if failure.errno == Errno::E2BIG => {
            error.status = Status::Limit;
            error.message += ": more descriptors than a spawner can be sent";
        }
        "open" => error.message += ": /dev/null",
        "setpgid" | "oom_score_adj" => error.message += &command.identity.inheritance.explain(failure.step, failure.errno),
        "setgroups" | "setgid" | "setuid" if failure.errno == Errno::EINVAL => {
            error.message += ": the user namespace of this process has no such id"
        }
        "setgroups" if failure.errno == Errno::EPERM => {
            error.message += ": this process may not change its supplementary groups, and has others than were asked for"
        }
        "terminal" if matches!(failure.errno, Errno::ENOTTY | Errno::EBADF) => error.status = Status::InvalidArgument,
        "terminal" if failure.errno == Errno::EPERM => error.message += ": another session has it, or it is not open for reading",
        "chdir" => error.message += &format!(": {}", command.program.directory.as_deref().unwrap_or_default().to_string_lossy()),
        "sched_setaffinity" if failure.errno == Errno::EINVAL => {
            error.message += ": of its processors none is there and allowed by its cpuset"
        }
        "sched_setscheduler" if failure.errno == Errno::EPERM => {
            error.message += ": real time needs CAP_SYS_NICE, or that much RLIMIT_RTPRIO, and a control group that may have it"
        }
        // The kernel keeps no more of them above each other.
        "landlock_restrict_self" if failure.errno == Errno::E2BIG => {
            error.status = Status::Limit;
            error.message += ": this process is restricted so often already";
        }
        "exec" if failure.errno == Errno::EACCES && command.identity.confinement.is_on() => {
            error.message += ": it, its interpreter and its loader must be allowed by ps_command_landlock (PS_ALLOW_EXECUTE)"
        }
        "exec" if failure.errno == Errno::ENOENT && is_there(command) => {
            error.message += ": the file is there, but not the interpreter that it names"
        }
        _ => {}
    }
    error
}

fn is_there(command: &Command) -> bool {
    command.program.name.to_bytes().contains(&b'/')
        && command.program.directory.is_none()
        && std::fs::exists(std::ffi::OsStr::from_bytes(command.program.name.to_bytes())).unwrap_or(false)
}

/// The tier that made a child, by the name that `PROCSUP_SPAWN_TIER` knows it by.
pub fn tier_name(tier: Tier) -> &'static str {
    tier.name()
}
