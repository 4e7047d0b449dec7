//! The spawn engine: one child process from prepared orders, by the cheapest way this kernel allows.
//!
//! | tier  | call                                                     | memory | handlers         | pid and pidfd in the slot       |
//! |-------|----------------------------------------------------------|--------|------------------|---------------------------------|
//! | 1     | clone3(VM VFORK PIDFD PARENT_SETTID CLEAR_SIGHAND)       | shared | cleared by kernel| by the kernel, before it runs   |
//! | 2     | clone(VM VFORK PIDFD CHILD_SETTID), all signals blocked  | shared | reset by child   | by the kernel, before it runs   |
//! | 3     | clone3(VFORK PIDFD PARENT_SETTID) without VM: a fork     | copied | reset by child   | by the kernel, before it runs   |
//! | 3b    | clone(PIDFD) as a fork, the child waits for a "go"       | copied | reset by child   | by us, before the "go"          |
//!
//! Tiers 1 and 2 take CLONE_FILES too when the caller parked everything low (`landing.rs`): then nothing of the cost
//! depends on the host's memory or open descriptors. The old call cannot combine PIDFD with PARENT_SETTID (they share an
//! argument), but CHILD_SETTID writes the pid from the child's side of the shared memory, still before its first
//! instruction. Tier 3 is for sanitizers, emulators and filters; for changes of credentials, as two processes of different
//! users must never share memory; and for a relay's child in a control group, or with an oom_score_adj of its own, which must not share it either
//! (`relay.rs`). It costs what fork costs: page tables of the resident memory are copied. (Who names its own ids changes nobody:
//! `credentials.rs`.)
//!
//! The verdict "not supported here" (ENOSYS, EPERM, EINVAL) is found by one probe child and kept for the life of the
//! process; EAGAIN, ENOMEM and EMFILE are never that verdict. Emulators that run a shared-memory clone as a plain fork
//! (valgrind) are found out by the same probe: its mark never arrives.
//!
//! Sources: clone(2), vfork(2), close_range(2), kernel/fork.c and fs/file.c of Linux 6.18.

use core::ffi::{CStr, c_void};
use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicBool, AtomicI32, AtomicU64, Ordering};
use std::ffi::CString;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use nix::errno::Errno;

use super::birth::{Birth, Page};
use super::contained::{self, Contained, Nest};
use super::credentials::{self, Credentials};
use super::fork;
use super::isolation::Isolation;
use super::orders::{Gap, Limit, Move, Orders, Report, Span, Standing, Step, Terminal};
use super::relay::{self, Relay};
use super::scheduling::Scheduling;
use super::shim::{self, CloneArgs};
use super::terminal;
use super::tiers::{self, is_verdict};
use crate::sys::cgroup::Group;
use crate::sys::raw::check;
use crate::sys::{cstr, environ, fds, pidfd, procfs, signal};

/// How the kernel was asked to make a child.
#[derive(Clone, Copy, PartialEq, Eq, Debug, strum::FromRepr)]
#[repr(u8)]
pub enum Tier {
    /// clone3 on shared memory.
    Clone3 = 1,
    /// clone on shared memory.
    Clone = 2,
    /// A fork.
    Fork = 3,
}

/// What the child shall be. Everything it needs is here before the clone.
pub struct Request<'a> {
    /// Files to try, in order.
    pub candidates: &'a [CString],
    /// Its arguments.
    pub argv: &'a cstr::Array,
    /// Its environment.
    pub env: environ::Block<'a>,
    /// Where the pid goes in that environment; those that there are come first.
    pub own_pids: [Option<&'a cstr::OwnPid>; cstr::OWN_PIDS],
    /// What it writes down of its birth.
    pub birth: Option<&'a Birth>,
    /// Its working directory.
    pub directory: Option<&'a CStr>,
    /// Descriptors to put in place, in this order.
    pub moves: &'a [Move],
    /// Numbers to close.
    pub gaps: &'a [Gap],
    /// All sources lie below this number: the table may be shared and cut here.
    pub unshare_first: Option<i32>,
    /// Its group or session.
    pub isolation: Isolation,
    /// The group that it joins (with `Isolation::None`); 0: it stays in the one that it is born in.
    pub group: i32,
    /// Its terminal.
    pub terminal: Terminal,
    /// Its umask.
    pub umask: Option<u32>,
    /// Its nice value.
    pub nice: Option<i32>,
    /// Its resource limits.
    pub limits: &'a [Limit],
    /// Its user.
    pub credentials: Option<&'a Credentials>,
    /// Whether the directory is entered before it becomes that.
    pub chdir_first: bool,
    /// Whether exec may raise its privileges.
    pub no_new_privs: bool,
    /// Whether it dies with this process.
    pub die_with_host: bool,
    /// The control group it is born in.
    pub cgroup: Option<&'a Group>,
    /// Real-time signals that may be ignored in the host: bit n-1 for signal n.
    pub realtime_ignored: u64,
    /// But for these, which it ignores whatever this process does with them.
    pub keep_ignored: u64,
    /// The signals that are blocked in it.
    pub mask: u64,
    /// How readily it is ended when memory is out.
    pub oom_score_adj: Option<i32>,
    /// The processors it may run on, a bit each; none: the host's.
    pub processors: &'a [u64],
    /// By which policy of the scheduler it runs.
    pub scheduling: Scheduling,
    /// By what it restricts itself (landlock(7)): its number in the child. Needs `no_new_privs`, or CAP_SYS_ADMIN.
    pub ruleset: Option<i32>,
    /// How it is contained.
    pub contained: Option<&'a Contained>,
}

/// Where the kernel writes the identity: the low halves of two registry words.
pub struct Target<'a> {
    /// 0 until the child exists.
    pub pid: &'a AtomicU64,
    /// All ones in the low half until the child exists.
    pub pidfd: &'a AtomicU64,
    /// Returns when nobody uses a number any more that was read here before. To be called between taking a pidfd's number
    /// away and closing it: a signal through a recycled number would reach a stranger. `false`: somebody may for ever, so it
    /// must never be closed.
    pub unpinned: &'a dyn Fn() -> bool,
    /// Whether another child may be made in this place after one that failed. `false`: somebody has recorded that one's end here.
    pub renew: &'a dyn Fn() -> bool,
}

impl Target<'_> {
    /// The child is gone: takes its identity away, and only then closes its pidfd.
    pub(super) fn bury(&self, pidfd: OwnedFd) {
        self.clear();
        self.close(pidfd);
    }

    /// The kernel gives a pidfd the lowest free number: in a host that runs with 0, 1 or 2 closed it must not stay there, where
    /// the host will put its own.
    fn adopt(&self, raw: i32) -> Result<OwnedFd, Errno> {
        // SAFETY: the kernel made this descriptor for us.
        let pidfd = unsafe { OwnedFd::from_raw_fd(raw) };
        if raw > 2 {
            return Ok(pidfd);
        }
        let moved = fds::duplicate(&pidfd)?;
        self.pidfd.store(u64::from(moved.as_raw_fd() as u32), Ordering::Release);
        self.close(pidfd);
        Ok(moved)
    }

    /// Closes a pidfd whose number has been taken away.
    fn close(&self, pidfd: OwnedFd) {
        if (self.unpinned)() {
            drop(pidfd);
        } else {
            core::mem::forget(pidfd);
        }
    }

    pub(super) fn clear(&self) {
        self.pid.store(0, Ordering::Release);
        self.pidfd.store(u64::from(u32::MAX), Ordering::Release);
    }
}

/// A child that has begun to execute its program.
pub struct Spawned {
    /// For display.
    pub pid: i32,
    /// Its identity.
    pub pidfd: OwnedFd,
    /// The way it was made.
    pub tier: Tier,
}

/// Reaps a child that is ending: (pidfd or -1, pid).
pub type Bury<'a> = &'a dyn Fn(i32, i32);

/// Why there is no child.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Failure {
    /// The system call or step that failed.
    pub step: &'static str,
    /// Its error.
    pub errno: Errno,
    /// What that error does not say.
    pub background: Background,
}

/// Why a failure is what it is, where the errno would mislead.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Background {
    /// Nothing: the errno says it.
    None,
    /// The tier was forced, and this kernel does not have it.
    Unsupported,
    /// Children would be born into a pid namespace whose init has ended. The kernel calls that ENOMEM (alloc_pid() in kernel/pid.c), but
    /// no other try helps.
    NamespaceEnded,
    /// The program has been started, and killed: it may have done something.
    Begun,
}

impl Failure {
    fn of_nothing_begun(&self, step: Step) -> bool {
        self.step == step.name() && self.background != Background::Begun
    }
}

pub(in crate::sys) fn failure(step: &'static str, errno: Errno) -> Failure {
    Failure { step, errno, background: Background::None }
}

pub(super) const SHARED: u64 = (libc::CLONE_VM | libc::CLONE_VFORK | libc::CLONE_PIDFD) as u64;
pub(super) const CLEAR_SIGHAND: u64 = 0x1_0000_0000;
const INTO_CGROUP: u64 = 0x2_0000_0000;
/// Set once clone3 has refused that flag (before Linux 5.7): children then join by themselves, as their first step.
static NO_INTO_CGROUP: AtomicBool = AtomicBool::new(false);

/// The child's stack: part of the caller's frame, which the kernel keeps suspended until the child has its own memory.
/// The deepest path of the child (walking /proc/self/fd) takes under 3 KiB.
#[repr(C, align(16))]
struct Stack(MaybeUninit<[u8; 16 * 1024]>);

impl Stack {
    fn bottom(&mut self) -> *mut u8 {
        self.0.as_mut_ptr().cast()
    }
}

const STACK_SIZE: usize = size_of::<Stack>();

#[inline(never)]
pub(super) fn call_clone3(flags: u64, cgroup: i32, target: &Target<'_>, entry: shim::Entry, arg: *mut c_void) -> Result<i32, Errno> {
    let mut stack = Stack(MaybeUninit::uninit());
    let args = CloneArgs {
        flags: flags | if cgroup >= 0 { INTO_CGROUP } else { 0 },
        cgroup: cgroup.max(0) as u64,
        pidfd: target.pidfd.as_ptr() as u64,
        parent_tid: target.pid.as_ptr() as u64,
        stack: stack.bottom() as u64,
        stack_size: STACK_SIZE as u64,
        ..CloneArgs::default()
    };
    // SAFETY: `args` is complete; the stack and `arg` live in frames that stay suspended until exec or exit (CLONE_VFORK).
    check(unsafe { shim::clone3(&raw const args, size_of::<CloneArgs>(), entry, arg) }).map(|pid| pid as i32)
}

#[inline(never)]
pub(super) fn call_clone(flags: u64, target: &Target<'_>, entry: shim::Entry, arg: *mut c_void) -> Result<i32, Errno> {
    let mut stack = Stack(MaybeUninit::uninit());
    let (pidfd, pid) = (target.pidfd.as_ptr().cast(), target.pid.as_ptr().cast());
    // SAFETY: as for `call_clone3`; both id pointers are aligned words of the registry.
    check(unsafe { shim::clone(flags as usize, stack.bottom().add(STACK_SIZE).cast(), pidfd, pid, entry, arg) }).map(|pid| pid as i32)
}

/// A child with shared memory, made by a relay thread; see `relay.rs`. All signals must be blocked.
#[inline(never)]
fn call_relayed(tier: Tier, (files, cgroup): (u64, i32), orders: &mut Orders, target: &Target<'_>) -> Result<i32, Errno> {
    let mut stack = Stack(MaybeUninit::uninit());
    let flags = (libc::CLONE_VM | libc::CLONE_PIDFD | libc::CLONE_CHILD_CLEARTID) as u64 | files;
    let mut relay = Relay::new();
    relay.call = match tier {
        Tier::Clone3 => relay::Call::Clone3(CloneArgs {
            flags: flags | libc::CLONE_PARENT_SETTID as u64 | CLEAR_SIGHAND | if cgroup >= 0 { INTO_CGROUP } else { 0 },
            cgroup: cgroup.max(0) as u64,
            pidfd: target.pidfd.as_ptr() as u64,
            parent_tid: target.pid.as_ptr() as u64,
            child_tid: relay.done.as_ptr() as u64,
            stack: stack.bottom() as u64,
            stack_size: STACK_SIZE as u64,
            ..CloneArgs::default()
        }),
        // This call has one place for the child's id, and CHILD_CLEARTID needs it: the child writes its pid itself.
        _ => {
            orders.own_pid = target.pid;
            relay::Call::Clone {
                flags: flags as usize,
                stack: stack.bottom().wrapping_add(STACK_SIZE).cast(),
                pidfd: target.pidfd.as_ptr().cast(),
                done: relay.done.as_ptr(),
            }
        }
    };
    orders.relay = &raw const relay.id;
    relay.orders = (&raw mut *orders).cast();
    contain(&mut relay, orders);
    relay::start(&relay, true)
}

/// The relay's child is another one, and does not see the relay, if it is contained.
pub(super) fn contain(relay: &mut Relay, orders: &Orders) {
    relay.entry = contained::entry(orders);
    let nest = orders.nest as *const Nest;
    if !nest.is_null() {
        // SAFETY: the nest of these orders lives as long as they do; only an address is taken.
        relay.gone = unsafe { &raw const (*nest).relay_gone };
    }
}

pub(super) fn call_name(tier: Tier) -> &'static str {
    match tier {
        Tier::Clone3 => "clone3",
        Tier::Clone => "clone",
        Tier::Fork => "fork",
    }
}

/// The whole time, also where handlers of the host interrupt.
fn pause_for(nanos: i64) {
    let end = crate::clock::now() + nanos;
    while let left @ 1.. = end - crate::clock::now() {
        crate::sys::poll::wait_raw(-1, left);
    }
}

/// EAGAIN from clone means "too many processes just now" and often passes: up to six attempts, at most about 32 ms of waiting
/// in all, with jitter so that many spawners do not come back in step. The caller holds no lock.
///
/// `renew`: as [`Target::renew`], for what fails when there is a process already.
pub(super) fn retrying<T>(renew: &dyn Fn() -> bool, mut attempt: impl FnMut() -> Result<T, Failure>) -> Result<T, Failure> {
    let mut pause = 500_000i64;
    for _ in 0..5 {
        match attempt() {
            Err(failure) if failure.errno == Errno::EAGAIN && matches!(failure.step, "clone3" | "clone" | "fork") => {}
            Err(failure) if failure.errno == Errno::EAGAIN && failure.of_nothing_begun(Step::Init) && renew() => {}
            other => return other,
        }
        let jitter = crate::clock::now() % pause;
        pause_for(pause + jitter);
        pause *= 2;
    }
    attempt()
}

/// ETXTBSY of an exec means "open for writing somewhere", and often passes. The race: a thread writes a program and closes it, while a child of
/// another thread (of ours, or of the host) is between its clone and its exec, with a copy of that descriptor; close-on-exec takes effect only
/// there. Whoever makes children has no way to keep such copies from them. Nine attempts, 255 ms of waiting in all: longer than a copy lives as a
/// rule, and the price of a program that is busy for good.
pub(in crate::sys) const BUSY_PAUSES: u32 = 8;

/// See [`BUSY_PAUSES`].
fn while_busy<T>(renew: &dyn Fn() -> bool, mut attempt: impl FnMut() -> Result<T, Failure>) -> Result<T, Failure> {
    for tried in 0..BUSY_PAUSES {
        match attempt() {
            Err(failure) if failure.errno == Errno::ETXTBSY && failure.step == Step::Exec.name() && renew() => {}
            other => return other,
        }
        pause_for(1_000_000 << tried);
    }
    attempt()
}

/// Makes the child. Returns when it has begun its program or has failed to; blocks no longer than its exec takes, and than [`retrying`] and
/// [`while_busy`] say.
///
/// `bury` reaps a child that failed before its exec (pidfd, pid): the caller knows who may be signalling it at this moment.
pub fn spawn(request: &Request<'_>, target: &Target<'_>, bury: Bury<'_>) -> Result<Spawned, Failure> {
    while_busy(target.renew, || settle_on_a_tier(request, target, bury)).map_err(|failed| {
        let of_the_clone = matches!(failed.step, "clone3" | "clone" | "fork");
        if of_the_clone && failed.errno == Errno::ENOMEM && procfs::namespace_of_children_has_ended() {
            return Failure { background: Background::NamespaceEnded, ..failed };
        }
        if failed.background != Background::Begun && contained::is_refused(failed.step, failed.errno) {
            return Failure { background: Background::Unsupported, ..failed };
        }
        failed
    })
}

/// Makes it on the best tier that works, going down from tier to tier.
fn settle_on_a_tier(request: &Request<'_>, target: &Target<'_>, bury: Bury<'_>) -> Result<Spawned, Failure> {
    let forced = tiers::forced();
    let mut tier = tiers::verdict()?;
    // Tier 2 knows the child's pid only as its own namespace sees it until the clone returns; where signals go by number, that
    // would be a stranger's.
    let elsewhere = || request.contained.is_some() || procfs::children_go_elsewhere();
    let foreign_number = tier == Tier::Clone && !pidfd::group_signals_are_exact() && elsewhere();
    // Who relays cannot be suspended, so its child on shared memory is no vfork child to the kernel: a memory controller that finds it guilty
    // would kill all who share that memory (in_vfork() in include/linux/sched/mm.h, __oom_kill_process() in mm/oom_kill.c), the host with it.
    let guilty_together = request.cgroup.is_some() && request.die_with_host && relay::is_needed();
    // For the same reason it would set the value of all who share that memory, the host's with its own (`child.rs`).
    let scored_together = request.oom_score_adj.is_some() && request.die_with_host && relay::is_needed();
    let becomes_another = request.credentials.is_some_and(|credentials| !credentials.is_hosts());
    if becomes_another || foreign_number || guilty_together || scored_together {
        tier = Tier::Fork;
    }
    loop {
        let born_inside = request.cgroup.is_some() && !NO_INTO_CGROUP.load(Ordering::Relaxed);
        let made = retrying(target.renew, || attempt(request, target, tier, bury));
        match made {
            Err(failed)
                if born_inside
                    && tier == Tier::Clone3
                    && failed.step == "clone3"
                    && matches!(failed.errno, Errno::EINVAL | Errno::E2BIG) =>
            {
                NO_INTO_CGROUP.store(true, Ordering::Relaxed);
            }
            // It says nothing of the tier.
            Err(failed) if request.contained.is_some() && failed.step == call_name(tier) && contained::is_refusal(failed.errno) => {
                return Err(Failure { background: Background::Unsupported, ..failed });
            }
            Err(failed) if failed.step == call_name(tier) && is_verdict(failed.errno) && tier != Tier::Fork => {
                // A filter was installed after the probe.
                if forced.is_some() {
                    return Err(Failure { background: Background::Unsupported, ..failed });
                }
                tier = if tier == Tier::Clone3 { Tier::Clone } else { Tier::Fork };
                // A relay may have been refused for being a thread: that says nothing of other spawns.
                if !(request.die_with_host && relay::is_needed()) {
                    tiers::remember(tier);
                }
            }
            Err(failed) if failed.step == Step::CloseRange.name() && is_verdict(failed.errno) && !tiers::has_no_close_range() => {
                tiers::forget_close_range();
                if !(target.renew)() {
                    return Err(failed);
                }
            }
            other => return other,
        }
    }
}

/// One clone, on one tier.
fn attempt(request: &Request<'_>, target: &Target<'_>, tier: Tier, bury: Bury<'_>) -> Result<Spawned, Failure> {
    let report = Report::default();
    // Most programs are one file.
    let (one, several);
    let candidates = match request.candidates {
        [only] => {
            one = [only.as_ptr()];
            &one[..]
        }
        more => {
            several = cstr::pointers(more).map_err(|errno| failure("memory", errno))?;
            &several[..]
        }
    };
    let no_close_range = tiers::has_no_close_range();
    let unshare = request.unshare_first.filter(|_| !no_close_range && tier != Tier::Fork);
    let unshare = unshare.and_then(|first| request.contained.map_or(Some(first), |contained| contained.first_unneeded(first)));
    // The last gap of an unshared table is empty already unless the child itself puts something there.
    let already_closed = |gap: &&Gap| unshare.is_some_and(|first| request.moves.is_empty() && gap.first >= first as u32);
    let gaps = &request.gaps[..request.gaps.len() - usize::from(request.gaps.last().is_some_and(|gap| already_closed(&gap)))];
    let born_inside = tier == Tier::Clone3 && !NO_INTO_CGROUP.load(Ordering::Relaxed);
    let cgroup = request.cgroup.filter(|_| born_inside).map_or(-1, Group::directory);
    let joining = request.cgroup.filter(|_| !born_inside).map(Group::joining).transpose().map_err(|errno| failure("cgroup", errno))?;
    let page = request.birth.map(|birth| Box::new(Page::new(birth)));
    // The room lives as long as this frame: until the child has begun.
    let enclosed = request.contained.is_some_and(Contained::has_maps);
    let (switch, _room) = credentials::orders(request.credentials, enclosed).map_err(|fault| failure(fault.step, fault.errno))?;
    let mut nest = request.contained.map(|contained| contained.nest(tier == Tier::Fork));
    let mut orders = Orders {
        join_fd: joining.as_ref().map_or(-1, AsRawFd::as_raw_fd),
        unshare_first: unshare.unwrap_or(-1),
        moves: Span::of(request.moves),
        gaps: Span::of(gaps),
        no_close_range,
        standing: if request.group == 0 { request.isolation.into() } else { Standing::Of(request.group) },
        terminal: request.terminal,
        late: AtomicI32::new(0),
        umask: request.umask.map_or(-1, |mask| mask as i32),
        nice: request.nice.unwrap_or(i32::MIN),
        limits: Span::of(request.limits),
        switch,
        chdir_first: request.chdir_first,
        no_new_privs: request.no_new_privs,
        directory: request.directory.map_or(core::ptr::null(), CStr::as_ptr),
        host: if request.die_with_host { crate::sys::getpid() } else { 0 },
        relay: core::ptr::null(),
        reset: if tier == Tier::Clone3 { signal::STANDARD | request.realtime_ignored } else { signal::ALL } & !request.keep_ignored,
        ignored: request.keep_ignored,
        mask: request.mask,
        oom_score_adj: request.oom_score_adj.unwrap_or(i32::MIN),
        candidates: Span::of(candidates),
        argv: request.argv.as_ptr(),
        envp: request.env.as_ptr(),
        busy_pauses: 0,
        own_pids: request.own_pids.map(|pid| pid.map_or(core::ptr::null_mut(), cstr::OwnPid::digits)),
        birth: page.as_ref().map_or(core::ptr::null_mut(), |page| page.as_ptr()),
        birth_asks_for_pidfd: page.is_some() && pidfd::may_open(),
        error_fd: AtomicI32::new(-1),
        gated: false,
        parent_fd: AtomicI32::new(-1),
        own_pid: core::ptr::null(),
        report: &raw const report,
        processors: Span::of(request.processors),
        scheduling: request.scheduling.as_order(),
        ruleset: request.ruleset.unwrap_or(-1),
        nest: nest.as_mut().map_or(core::ptr::null_mut(), |nest| (&raw mut **nest).cast()),
    };
    let namespaces = request.contained.map_or(0, Contained::flags);
    let relayed = request.die_with_host && relay::is_needed();
    let files = if unshare.is_some() { libc::CLONE_FILES as u64 } else { 0 } | namespaces;
    let entry = contained::entry(&orders);
    let arg = (&raw const orders).cast_mut().cast();
    target.clear();
    // The first process of a namespace would ignore them; and none of our handlers may run before the program has left the memory, too.
    let blocks = tier == Tier::Clone || tier != Tier::Fork && (relayed || nest.is_some());
    let blocked = blocks.then(signal::Blocked::all);
    let made = match tier {
        _ if relayed && tier != Tier::Fork => call_relayed(tier, (files, cgroup), &mut orders, target),
        Tier::Clone3 => call_clone3(SHARED | files | libc::CLONE_PARENT_SETTID as u64 | CLEAR_SIGHAND, cgroup, target, entry, arg),
        Tier::Clone => call_clone(SHARED | files | libc::CLONE_CHILD_SETTID as u64, target, entry, arg),
        Tier::Fork => {
            let spawned = fork::fork(&mut orders, (relayed, namespaces), request.cgroup, target, bury)?;
            send_late(&orders, spawned.pidfd.as_raw_fd());
            return Ok(spawned);
        }
    };
    if let Some(nest) = &nest {
        // The first process may have been killed under a program that is not gone yet.
        relay::wait_for_zero(&nest.done);
    }
    drop(blocked);
    let pid = made.map_err(|errno| {
        target.clear();
        // What clone3 says of the group it was to be born in.
        let of_cgroup = cgroup >= 0 && matches!(errno, Errno::ENODEV | Errno::ENOENT | Errno::EBUSY | Errno::EACCES | Errno::EOPNOTSUPP);
        failure(if of_cgroup { "cgroup" } else { call_name(tier) }, errno)
    })?;
    // Tier 2 has the number of the child's own pid namespace there, which may be another one.
    target.pid.store(pid as u64, Ordering::Release);
    let pidfd = adopt(target, pid, bury)?;
    let step = report.step.load(Ordering::Acquire);
    if step != 0 {
        return Err(gave_up(target, pid, pidfd, (step, report.errno.load(Ordering::Relaxed)), bury));
    }
    send_late(&orders, pidfd.as_raw_fd());
    Ok(Spawned { pid, pidfd, tier })
}

/// The child has begun, and gets what its terminal's keys have sent it before.
fn send_late(orders: &Orders, pidfd: i32) {
    let late = orders.late.load(Ordering::Acquire);
    for signal in terminal::KEYS {
        if late as u64 & terminal::bit(signal) != 0 {
            // It may have ended.
            let _ = pidfd::signal(pidfd, signal);
        }
    }
}

/// Takes the pidfd that the kernel wrote. Where it would have to be moved and cannot be, the child must not run.
pub(super) fn adopt(target: &Target<'_>, pid: i32, bury: Bury<'_>) -> Result<OwnedFd, Failure> {
    let raw = target.pidfd.load(Ordering::Acquire) as i32;
    target.adopt(raw).map_err(|errno| {
        let _ = pidfd::kill_number(pid, libc::SIGKILL);
        bury(-1, pid);
        target.clear();
        failure("fcntl", errno)
    })
}

/// The child reported a failure and is ending: reap it, so that nobody ever sees it.
pub(super) fn gave_up(target: &Target<'_>, pid: i32, pidfd: OwnedFd, (step, errno): (i32, i32), bury: Bury<'_>) -> Failure {
    bury(pidfd.as_raw_fd(), pid);
    target.bury(pidfd);
    let step = Step::from_raw(step);
    let background = if step == Step::InitBegun { Background::Begun } else { Background::None };
    Failure { background, ..failure(step.name(), Errno::from_raw(errno)) }
}
