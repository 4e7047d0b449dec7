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
//! instruction. Tier 3 is for sanitizers, emulators and filters, and for changes of credentials: two processes of
//! different users must never share memory. It costs what fork costs: page tables of the resident memory are copied.
//!
//! The verdict "not supported here" (ENOSYS, EPERM, EINVAL) is found by one probe child and kept for the life of the
//! process; EAGAIN, ENOMEM and EMFILE are never that verdict. Emulators that run a shared-memory clone as a plain fork
//! (valgrind) are found out by the same probe: its mark never arrives.
//!
//! Sources: clone(2), vfork(2), close_range(2), kernel/fork.c and fs/file.c of Linux 6.18.

use core::ffi::{CStr, c_void};
use core::mem::MaybeUninit;
use core::num::NonZeroUsize;
use core::sync::atomic::{AtomicI32, AtomicU8, AtomicU64, Ordering};
use std::ffi::CString;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

use nix::errno::Errno;
use nix::sys::socket::{AddressFamily, SockFlag, SockType};
use once_cell::race::OnceNonZeroUsize;

use super::child::{self, Gap, Isolation, Limit, Move, Orders, Report, Span, Step};
use super::procfs::Ignored;
use super::raw::{self, check, syscall};
use super::relay::{self, Relay};
use super::shim::{self, CloneArgs};
use super::{cstr, environ, fds, pidfd, procfs, signal, wait};

/// Which tier made a child.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Path {
    /// `clone3` with shared memory.
    Clone3 = 1,
    /// `clone` with shared memory.
    Clone = 2,
    /// A fork.
    Fork = 3,
}

/// A user to become.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Credentials {
    /// Real, effective and saved user id.
    pub uid: u32,
    /// Real, effective and saved group id.
    pub gid: u32,
    /// The whole list of supplementary groups.
    pub groups: Vec<u32>,
}

/// What the child shall be. Everything it needs is here before the clone.
pub struct Request<'a> {
    /// Files to try, in order.
    pub candidates: &'a [CString],
    /// Its arguments.
    pub argv: &'a cstr::Array,
    /// Its environment.
    pub env: environ::Block<'a>,
    /// Where the pid goes in that environment.
    pub listen_pid: Option<&'a cstr::ListenPid>,
    /// Its working directory.
    pub directory: Option<&'a CStr>,
    /// Descriptors to put in place.
    pub moves: &'a [Move],
    /// Numbers to close.
    pub gaps: &'a [Gap],
    /// Above every source and target of `moves`.
    pub above: i32,
    /// All sources lie below this number: the table may be shared and cut here.
    pub unshare_first: Option<i32>,
    /// Its group or session.
    pub isolation: Isolation,
    /// Its umask.
    pub umask: Option<u32>,
    /// Its nice value.
    pub nice: Option<i32>,
    /// Its resource limits.
    pub limits: &'a [Limit],
    /// Its user.
    pub credentials: Option<&'a Credentials>,
    /// Whether exec may raise its privileges.
    pub no_new_privs: bool,
    /// Whether it dies with this process.
    pub die_with_host: bool,
    /// Signals to reset if the kernel clears handlers by itself.
    pub ignored: &'a Ignored,
}

/// Where the kernel writes the identity: the low halves of two registry words.
pub struct Target<'a> {
    /// 0 until the child exists.
    pub pid: &'a AtomicU64,
    /// All ones in the low half until the child exists.
    pub pidfd: &'a AtomicU64,
    /// Returns when nobody uses a number any more that was read here before. To be called between taking a pidfd's number
    /// away and closing it: a signal through a recycled number would reach a stranger.
    pub unpinned: &'a dyn Fn(),
}

impl Target<'_> {
    /// The child is gone: takes its identity away, and only then closes its pidfd.
    fn bury(&self, pidfd: OwnedFd) {
        self.clear();
        (self.unpinned)();
        drop(pidfd);
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
        (self.unpinned)();
        Ok(moved)
    }

    fn clear(&self) {
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
    pub path: Path,
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
    /// The tier was forced, and this kernel does not have it.
    pub unsupported: bool,
}

fn failure(step: &'static str, errno: Errno) -> Failure {
    Failure { step, errno, unsupported: false }
}

/// The tier found by the probe, or 0.
static VERDICT: AtomicU8 = AtomicU8::new(0);
/// 0 unknown, 1 works, 2 missing.
static CLOSE_RANGE: AtomicU8 = AtomicU8::new(0);
/// What a plain fork can be asked for: 0 a pidfd, 1 nothing (the pidfd is opened afterwards), 2 not even the lack of an exit
/// signal (qemu-user; the host can then see the child before its exec).
static FORK_FLAGS: AtomicU8 = AtomicU8::new(0);

const SHARED: u64 = (libc::CLONE_VM | libc::CLONE_VFORK | libc::CLONE_PIDFD) as u64;
const CLEAR_SIGHAND: u64 = 0x1_0000_0000;

/// "This kernel, emulator or filter does not have that."
fn is_verdict(errno: Errno) -> bool {
    matches!(errno, Errno::ENOSYS | Errno::EPERM | Errno::EINVAL)
}

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
fn call_clone3(flags: u64, target: &Target<'_>, entry: shim::Entry, arg: *mut c_void) -> Result<i32, Errno> {
    let mut stack = Stack(MaybeUninit::uninit());
    let args = CloneArgs {
        flags,
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
fn call_clone(flags: u64, target: &Target<'_>, entry: shim::Entry, arg: *mut c_void) -> Result<i32, Errno> {
    let mut stack = Stack(MaybeUninit::uninit());
    let (pidfd, pid) = (target.pidfd.as_ptr().cast(), target.pid.as_ptr().cast());
    // SAFETY: as for `call_clone3`; both id pointers are aligned words of the registry.
    check(unsafe { shim::clone(flags as usize, stack.bottom().add(STACK_SIZE).cast(), pidfd, pid, entry, arg) }).map(|pid| pid as i32)
}

/// A fork that suspends us until the exec.
#[inline(never)]
fn call_clone3_fork(target: &Target<'_>, arg: *mut c_void) -> Result<i32, Errno> {
    let args = CloneArgs {
        flags: (libc::CLONE_VFORK | libc::CLONE_PIDFD | libc::CLONE_PARENT_SETTID) as u64 | CLEAR_SIGHAND,
        pidfd: target.pidfd.as_ptr() as u64,
        parent_tid: target.pid.as_ptr() as u64,
        ..CloneArgs::default()
    };
    // SAFETY: `args` is complete. Without CLONE_VM the child has a copy of this memory, stack included.
    check(unsafe { shim::clone3(&raw const args, size_of::<CloneArgs>(), child::run, arg) }).map(|pid| pid as i32)
}

/// A child with shared memory, made by a relay thread; see `relay.rs`.
#[inline(never)]
fn call_relayed(path: Path, files: u64, orders: &mut Orders, target: &Target<'_>) -> Result<i32, Errno> {
    let mut stack = Stack(MaybeUninit::uninit());
    let flags = (libc::CLONE_VM | libc::CLONE_PIDFD | libc::CLONE_CHILD_CLEARTID) as u64 | files;
    let mut relay = Relay::new();
    relay.call = match path {
        Path::Clone3 => relay::Call::Clone3(CloneArgs {
            flags: flags | libc::CLONE_PARENT_SETTID as u64 | CLEAR_SIGHAND,
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
    let _blocked = signal::Blocked::all();
    relay::start(&relay, true)
}

#[inline(never)]
fn call_fork(flags: u64, pidfd: &AtomicU64, entry: shim::Entry, arg: *mut c_void) -> Result<i32, Errno> {
    let pidfd = pidfd.as_ptr().cast();
    // SAFETY: without CLONE_VM the child has a copy of this memory, stack included: a null stack keeps the old pointer.
    check(unsafe { shim::clone(flags as usize, core::ptr::null_mut(), pidfd, core::ptr::null_mut(), entry, arg) }).map(|pid| pid as i32)
}

unsafe extern "C" {
    /// getenv(3) that answers null in set-user-id programs.
    fn secure_getenv(name: *const core::ffi::c_char) -> *const core::ffi::c_char;
}

/// `PROCSUP_SPAWN_PATH=clone3|clone|fork`, for tests. Ignored in set-user-id programs. Read once.
fn forced() -> Option<Path> {
    static FORCED: OnceNonZeroUsize = OnceNonZeroUsize::new();
    let read = || NonZeroUsize::new(4 + read_forced().map_or(0, |path| path as usize)).unwrap_or(NonZeroUsize::MIN);
    match FORCED.get_or_init(read).get() - 4 {
        1 => Some(Path::Clone3),
        2 => Some(Path::Clone),
        3 => Some(Path::Fork),
        _ => None,
    }
}

fn read_forced() -> Option<Path> {
    // SAFETY: the name is NUL-terminated; the answer is used at once.
    let value = unsafe {
        let at = secure_getenv(c"PROCSUP_SPAWN_PATH".as_ptr());
        if at.is_null() {
            return None;
        }
        CStr::from_ptr(at)
    };
    match value.to_bytes() {
        b"clone3" => Some(Path::Clone3),
        b"clone" => Some(Path::Clone),
        b"fork" => Some(Path::Fork),
        _ => None,
    }
}

/// Makes a child that leaves a mark and ends. `Ok(true)`: the mark arrived, memory is shared.
fn probe_tier(path: Path) -> Result<bool, Errno> {
    let report = Report::default();
    let (pid, pidfd) = (AtomicU64::new(0), AtomicU64::new(u64::from(u32::MAX)));
    let target = Target { pid: &pid, pidfd: &pidfd, unpinned: &|| () };
    let arg = (&raw const report).cast_mut().cast();
    let made = match path {
        Path::Clone3 => call_clone3(SHARED | libc::CLONE_PARENT_SETTID as u64 | CLEAR_SIGHAND, &target, child::probe, arg),
        _ => {
            let _blocked = signal::Blocked::all();
            call_clone(SHARED | libc::CLONE_CHILD_SETTID as u64, &target, child::probe, arg)
        }
    }?;
    // SAFETY: the kernel made this descriptor for us.
    let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd.load(Ordering::Acquire) as i32) };
    let ended = wait::reap_ending(pidfd.as_raw_fd(), made);
    if report.step.load(Ordering::Acquire) != -1 {
        // Killed by a signal that was meant for the whole group (an interrupt from the terminal): nothing was found out.
        let killed = matches!(ended, wait::Seen::Ended(ending) if ending.signal != 0);
        return if killed { Err(Errno::EAGAIN) } else { Ok(false) };
    }
    let works = report.errno.load(Ordering::Relaxed) == 0;
    CLOSE_RANGE.store(if works { 1 } else { 2 }, Ordering::Relaxed);
    Ok(true)
}

/// The best tier that works here, probing on the first call.
fn verdict() -> Result<Path, Failure> {
    let known = |raw| match raw {
        1 => Some(Path::Clone3),
        2 => Some(Path::Clone),
        3 => Some(Path::Fork),
        _ => None,
    };
    let wanted = forced();
    if let Some(path) = wanted.filter(|path| *path == Path::Fork).or(known(VERDICT.load(Ordering::Relaxed)))
        && wanted.is_none_or(|forced| forced == path)
    {
        return Ok(path);
    }
    // A probe would be the init of a new pid namespace, and take it along when it ends: trust the kernel instead.
    if wanted.is_none() && procfs::children_go_elsewhere() {
        VERDICT.store(Path::Clone3 as u8, Ordering::Relaxed);
        return Ok(Path::Clone3);
    }
    let found = retrying(|| {
        for path in [Path::Clone3, Path::Clone] {
            if wanted.is_some_and(|forced| forced != path) {
                continue;
            }
            match probe_tier(path) {
                Ok(true) => return Ok(path),
                // The call works but copies memory: an emulator. The older call would do the same.
                Ok(false) => break,
                Err(errno) if is_verdict(errno) => {}
                Err(errno) => return Err(failure(call_name(path), errno)),
            }
        }
        Ok(Path::Fork)
    })?;
    if wanted.is_some_and(|forced| forced != found) {
        return Err(Failure { unsupported: true, ..failure(call_name(wanted.unwrap_or(found)), Errno::ENOSYS) });
    }
    VERDICT.store(found as u8, Ordering::Relaxed);
    Ok(found)
}

fn call_name(path: Path) -> &'static str {
    match path {
        Path::Clone3 => "clone3",
        Path::Clone => "clone",
        Path::Fork => "fork",
    }
}

/// EAGAIN from clone means "too many processes just now" and often passes: up to six attempts, at most about 32 ms of waiting
/// in all, with jitter so that many spawners do not come back in step. The caller holds no lock.
fn retrying<T>(mut attempt: impl FnMut() -> Result<T, Failure>) -> Result<T, Failure> {
    let mut pause = 500_000i64;
    for _ in 0..5 {
        match attempt() {
            Err(failure) if failure.errno == Errno::EAGAIN && matches!(failure.step, "clone3" | "clone" | "fork") => {}
            other => return other,
        }
        let jitter = crate::clock::now() % pause;
        super::poll::wait_raw(-1, pause + jitter);
        pause *= 2;
    }
    attempt()
}

/// Makes the child. Returns when it has begun its program or has failed to; blocks no longer than its exec takes.
///
/// `bury` reaps a child that failed before its exec (pidfd, pid): the caller knows who may be signalling it at this moment.
pub fn spawn(request: &Request<'_>, target: &Target<'_>, bury: Bury<'_>) -> Result<Spawned, Failure> {
    let forced = forced();
    let mut path = verdict()?;
    // Tier 2 knows the child's pid only as its own namespace sees it until the clone returns; where signals go by number, that
    // would be a stranger's.
    let foreign_number = path == Path::Clone && !pidfd::group_signals_are_exact() && procfs::children_go_elsewhere();
    if request.credentials.is_some() || foreign_number {
        path = Path::Fork;
    }
    loop {
        let made = retrying(|| attempt(request, target, path, bury));
        match made {
            Err(failed) if failed.step == call_name(path) && is_verdict(failed.errno) && path != Path::Fork => {
                // A filter was installed after the probe.
                if forced.is_some() {
                    return Err(Failure { unsupported: true, ..failed });
                }
                path = if path == Path::Clone3 { Path::Clone } else { Path::Fork };
                // A relay may have been refused for being a thread: that says nothing of other spawns.
                if !(request.die_with_host && relay::is_needed()) {
                    VERDICT.store(path as u8, Ordering::Relaxed);
                }
            }
            Err(failed)
                if failed.step == Step::CloseRange.name() && is_verdict(failed.errno) && CLOSE_RANGE.load(Ordering::Relaxed) != 2 =>
            {
                CLOSE_RANGE.store(2, Ordering::Relaxed);
            }
            other => return other,
        }
    }
}

/// One clone, on one tier.
fn attempt(request: &Request<'_>, target: &Target<'_>, path: Path, bury: Bury<'_>) -> Result<Spawned, Failure> {
    let report = Report::default();
    let mut moves = request.moves.to_vec();
    let candidates = cstr::pointers(request.candidates);
    let no_close_range = CLOSE_RANGE.load(Ordering::Relaxed) == 2;
    let unshare = request.unshare_first.filter(|_| !no_close_range && path != Path::Fork);
    // The last gap of an unshared table is empty already unless the child itself puts something there.
    let already_closed = |gap: &&Gap| unshare.is_some_and(|first| request.moves.is_empty() && gap.first >= first as u32);
    let gaps = &request.gaps[..request.gaps.len() - usize::from(request.gaps.last().is_some_and(|gap| already_closed(&gap)))];
    let mut orders = Orders {
        unshare_first: unshare.unwrap_or(-1),
        moves: Span { at: moves.as_mut_ptr(), len: moves.len() },
        above: request.above,
        gaps: Span::of(gaps),
        no_close_range,
        isolation: request.isolation,
        umask: request.umask.map_or(-1, |mask| mask as i32),
        nice: request.nice.unwrap_or(i32::MIN),
        limits: Span::of(request.limits),
        set_credentials: request.credentials.is_some(),
        uid: request.credentials.map_or(0, |c| c.uid),
        gid: request.credentials.map_or(0, |c| c.gid),
        groups: Span::of(request.credentials.map_or(&[][..], |c| &c.groups)),
        no_new_privs: request.no_new_privs,
        directory: request.directory.map_or(core::ptr::null(), CStr::as_ptr),
        host: if request.die_with_host { super::getpid() } else { 0 },
        relay: core::ptr::null(),
        reset: if path == Path::Clone3 { request.ignored.mask() } else { signal::ALL },
        candidates: Span::of(&candidates),
        argv: request.argv.as_ptr(),
        envp: request.env.as_ptr(),
        listen_pid: request.listen_pid.map_or(core::ptr::null_mut(), cstr::ListenPid::digits),
        error_fd: AtomicI32::new(-1),
        gated: false,
        parent_fd: AtomicI32::new(-1),
        own_pid: core::ptr::null(),
        report: &raw const report,
    };
    let relayed = request.die_with_host && relay::is_needed();
    let files = if unshare.is_some() { libc::CLONE_FILES as u64 } else { 0 };
    let arg = (&raw const orders).cast_mut().cast();
    target.clear();
    let made = match path {
        _ if relayed && path != Path::Fork => call_relayed(path, files, &mut orders, target),
        Path::Clone3 => call_clone3(SHARED | files | libc::CLONE_PARENT_SETTID as u64 | CLEAR_SIGHAND, target, child::run, arg),
        Path::Clone => {
            let _blocked = signal::Blocked::all();
            call_clone(SHARED | files | libc::CLONE_CHILD_SETTID as u64, target, child::run, arg)
        }
        Path::Fork => return fork(&mut orders, relayed, target, bury),
    };
    let pid = made.map_err(|errno| {
        target.clear();
        failure(call_name(path), errno)
    })?;
    // Tier 2 has the number of the child's own pid namespace there, which may be another one.
    target.pid.store(pid as u64, Ordering::Release);
    let pidfd = adopt(target, pid, bury)?;
    let step = report.step.load(Ordering::Acquire);
    if step != 0 {
        return Err(gave_up(target, pid, pidfd, (step, report.errno.load(Ordering::Relaxed)), bury));
    }
    Ok(Spawned { pid, pidfd, path })
}

/// Takes the pidfd that the kernel wrote. Where it would have to be moved and cannot be, the child must not run.
fn adopt(target: &Target<'_>, pid: i32, bury: Bury<'_>) -> Result<OwnedFd, Failure> {
    let raw = target.pidfd.load(Ordering::Acquire) as i32;
    target.adopt(raw).map_err(|errno| {
        let _ = pidfd::kill_number(pid, libc::SIGKILL);
        bury(-1, pid);
        target.clear();
        failure("fcntl", errno)
    })
}

/// The child reported a failure and is ending: reap it, so that nobody ever sees it.
fn gave_up(target: &Target<'_>, pid: i32, pidfd: OwnedFd, (step, errno): (i32, i32), bury: Bury<'_>) -> Failure {
    bury(pidfd.as_raw_fd(), pid);
    target.bury(pidfd);
    failure(Step::from_raw(step).name(), Errno::from_raw(errno))
}

/// One fork, by the calling thread or by a relay.
fn fork_once(flags: i32, relayed: bool, orders: &mut Orders, target: &Target<'_>) -> Result<i32, Errno> {
    if !relayed {
        return call_fork(flags as u64, target.pidfd, child::run, (&raw mut *orders).cast());
    }
    let mut relay = Relay::new();
    let (stack, done) = (core::ptr::null_mut(), core::ptr::null_mut());
    relay.call = relay::Call::Clone { flags: flags as usize, stack, pidfd: target.pidfd.as_ptr().cast(), done };
    orders.relay = &raw const relay.id;
    relay.orders = (&raw mut *orders).cast();
    relay::start(&relay, false)
}

/// Tier 3. One socket pair carries the child's failure back.
///
/// The trap: "end of file means exec" is not true while a host that forks at this moment has a copy of the child's end, for the
/// whole life of that copy. So where clone3 is known to work, CLONE_VFORK tells: without CLONE_VM it still suspends us until the exec.
/// The old way, with a "go" to the child and end of file from it, is left for emulators, filters, and relays (which cannot be suspended:
/// the child waits for their end).
fn fork(orders: &mut Orders, relayed: bool, target: &Target<'_>, bury: Bury<'_>) -> Result<Spawned, Failure> {
    let suspended = !relayed && VERDICT.load(Ordering::Relaxed) == Path::Clone3 as u8;
    let pair = nix::sys::socket::socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC);
    let (ours, theirs) = pair.map_err(|errno| failure("socketpair", errno))?;
    let ours = fds::above_standard(ours).map_err(|errno| failure("fcntl", errno))?;
    let theirs = fds::above_standard(theirs).map_err(|errno| failure("fcntl", errno))?;
    orders.error_fd.store(theirs.as_raw_fd(), Ordering::Relaxed);
    orders.parent_fd.store(ours.as_raw_fd(), Ordering::Relaxed);
    let blocked = signal::Blocked::all();
    if suspended {
        let made = call_clone3_fork(target, (&raw mut *orders).cast());
        if !made.is_err_and(is_verdict) {
            drop(blocked);
            drop(theirs);
            let pid = made.map_err(|errno| {
                target.clear();
                failure("fork", errno)
            })?;
            let pidfd = adopt(target, pid, bury)?;
            return match hear(&ours, libc::MSG_DONTWAIT) {
                None => Ok(Spawned { pid, pidfd, path: Path::Fork }),
                Some(report) => Err(gave_up(target, pid, pidfd, report, bury)),
            };
        }
    }
    orders.gated = true;
    let first = usize::from(FORK_FLAGS.load(Ordering::Relaxed));
    let mut made = Err(Errno::EINVAL);
    for (choice, flags) in [libc::CLONE_PIDFD, 0, libc::SIGCHLD].into_iter().enumerate().skip(first) {
        target.clear();
        made = fork_once(flags, relayed, orders, target);
        if !made.is_err_and(is_verdict) {
            FORK_FLAGS.store(choice as u8, Ordering::Relaxed);
            break;
        }
    }
    drop(blocked);
    drop(theirs);
    let pid = made.map_err(|errno| {
        target.clear();
        failure("fork", errno)
    })?;
    // Until the "go" it does nothing but wait; if we return before, it sees end of file and ends.
    let raw = target.pidfd.load(Ordering::Acquire) as i32;
    let pidfd = if raw >= 0 {
        adopt(target, pid, bury)?
    } else {
        match pidfd::open(pid).and_then(fds::above_standard) {
            Ok(fd) => fd,
            Err(errno) => {
                // Ours and unreaped for certain: without an exit signal no wait of the host finds it.
                let _ = pidfd::kill_number(pid, libc::SIGKILL);
                bury(-1, pid);
                target.clear();
                return Err(failure("pidfd_open", errno));
            }
        }
    };
    target.pidfd.store(u64::from(pidfd.as_raw_fd() as u32), Ordering::Release);
    target.pid.store(pid as u64, Ordering::Release);
    match converse(&ours) {
        Ok(None) => Ok(Spawned { pid, pidfd, path: Path::Fork }),
        Ok(Some(report)) => Err(gave_up(target, pid, pidfd, report, bury)),
        Err(errno) => {
            // It waits for a word that cannot be sent: it must not wait for ever. Unreaped for certain, so its number is its own.
            let _ = pidfd::kill_number(pid, libc::SIGKILL);
            bury(pidfd.as_raw_fd(), pid);
            target.bury(pidfd);
            Err(failure("sendto", errno))
        }
    }
}

/// Says "go" and listens for a failure until end of file.
fn converse(ours: &OwnedFd) -> Result<Option<(i32, i32)>, Errno> {
    let fd: RawFd = ours.as_raw_fd();
    loop {
        // SAFETY: one byte from a constant.
        match check(unsafe { syscall!(libc::SYS_sendto, fd, c"g".as_ptr(), 1, libc::MSG_NOSIGNAL, 0) }) {
            Err(Errno::EINTR) => continue,
            // It was killed already: end of file follows.
            Ok(_) | Err(Errno::EPIPE | Errno::ECONNRESET) => break,
            Err(errno) => return Err(errno),
        }
    }
    Ok(hear(ours, 0))
}

/// The child's report, if there is one. End of file: exec, or killed before it. (ECONNRESET: killed before it read our word.)
fn hear(ours: &OwnedFd, flags: i32) -> Option<(i32, i32)> {
    let mut message = [0i32; 2];
    loop {
        // SAFETY: eight bytes on our own stack; no address is asked for.
        match check(unsafe {
            raw::syscall6(libc::SYS_recvfrom, ours.as_raw_fd() as usize, message.as_mut_ptr() as usize, 8, flags as usize, 0, 0)
        }) {
            Err(Errno::EINTR) => continue,
            Ok(8) => return Some((message[0], message[1])),
            _ => return None,
        }
    }
}
