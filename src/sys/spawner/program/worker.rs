//! The workers: each takes a request, makes the child, is suspended until that has executed or ended, and replies.
//!
//! What the host pays for a request is a message, and the wake-up of who waits for it. So only one worker waits for messages at a time (a host that sends
//! many wakes it once, and the workers wake each other), and none of them preempts the host when it is woken (SCHED_BATCH of sched(7)).
//!
//! The race: the spawner may be killed at any instruction, and the host, too. What the host must know of a child by then, the kernel has written into
//! the shared memory during the clone (CLONE_PARENT_SETTID); what a child must know of them, it asks at its gate.

use core::cell::UnsafeCell;
use core::ffi::c_void;
use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicBool, AtomicI32, AtomicPtr, AtomicU32, AtomicU64, Ordering};

use super::child;
use super::orders::{Orders, Report, Step};
use super::request::Request;
use super::shim::{self, CloneArgs};
use crate::sys::raw::syscall;
use crate::sys::wire::{self, Birth, Head, Memory, Said};

/// So many execs can hang before the next request waits.
const WORKERS: usize = u64::BITS as usize;

const STACK: usize = 16 * 1024;

/// What one worker and its child use.
#[repr(C, align(64))]
struct Room {
    block: [u8; wire::INLINE],
    control: [u8; 1088],
    own: [u8; STACK],
    childs: [u8; STACK],
}

/// Memory of the program: none of it is there before it is used.
#[repr(transparent)]
struct Rooms(UnsafeCell<MaybeUninit<[Room; WORKERS]>>);

// SAFETY: each worker uses its own room.
unsafe impl Sync for Rooms {}

/// What follows the head of a block that is kept. Touched by who has the turn to receive.
#[repr(C, align(64))]
struct Kept {
    rest: [u8; wire::LONGEST_KEPT],
    /// Of the whole block; 0: there is none.
    length: usize,
}

#[repr(transparent)]
struct Places(UnsafeCell<[Kept; wire::PLACES]>);

// SAFETY: one worker has the turn at a time.
unsafe impl Sync for Places {}

static PLACES: Places = Places(UnsafeCell::new([const { Kept { rest: [0; wire::LONGEST_KEPT], length: 0 } }; wire::PLACES]));
static ROOMS: Rooms = Rooms(UnsafeCell::new(MaybeUninit::uninit()));
static MEMORY: AtomicPtr<Memory> = AtomicPtr::new(core::ptr::null_mut());
/// Workers that wait for a request.
static IDLE: AtomicI32 = AtomicI32::new(0);
/// Rooms that are taken, a bit each.
static TAKEN: AtomicU64 = AtomicU64::new(0);
/// Whose turn it is to receive: 0 nobody's, 1 somebody's, 2 the same and others wait. As in futex(7).
static TURN: AtomicU32 = AtomicU32::new(0);
/// Workers that are suspended by a child, or about to be.
static RUNNING: AtomicU32 = AtomicU32::new(0);
/// So many of them are taken for hanging.
static HANGING: AtomicU32 = AtomicU32::new(0);
/// Who has the turn waits for one of them.
static WAITED_FOR: AtomicBool = AtomicBool::new(false);
/// The workers run under SCHED_BATCH; their children shall not.
static BATCH: AtomicBool = AtomicBool::new(false);
/// clone3(2) was refused.
static NO_CLONE3: AtomicBool = AtomicBool::new(false);

static ALL_SIGNALS: u64 = u64::MAX;

#[repr(C)]
struct Message {
    name: usize,
    name_length: usize,
    iov: *const [usize; 2],
    iovs: usize,
    control: *mut u8,
    control_length: usize,
    flags: i32,
}

/// The head of a control message with one descriptor.
#[repr(C)]
struct Right {
    length: usize,
    level: i32,
    kind: i32,
    fd: i32,
}

fn memory() -> &'static Memory {
    // SAFETY: set before any worker runs, mapped for good.
    unsafe { &*MEMORY.load(Ordering::Relaxed) }
}

/// Ends the process, this one or a child.
pub fn exit(code: i32) -> ! {
    loop {
        // SAFETY: takes no pointers and does not return.
        unsafe { syscall!(libc::SYS_exit_group, code) };
    }
}

/// No child passes its gate any more; those that wait there look up.
fn leave() -> ! {
    let memory = memory();
    memory.barred.store(1, Ordering::SeqCst);
    for birth in &memory.births {
        if birth.gate.load(Ordering::SeqCst) == wire::SHUT {
            // SAFETY: a word of the shared memory.
            unsafe { syscall!(libc::SYS_futex, birth.gate.as_ptr(), libc::FUTEX_WAKE, i32::MAX) };
        }
    }
    exit(0)
}

/// The main thread.
///
/// # Safety
/// Called once, by the only thread, with the descriptors of `wire.rs` in place.
pub unsafe fn begin() -> ! {
    // SAFETY: descriptors of ours, memory that the kernel chooses, constants.
    unsafe {
        syscall!(libc::SYS_rt_sigprocmask, libc::SIG_SETMASK, &raw const ALL_SIGNALS, 0, 8);
        // The host's way to make a process that is not tied to a thread of it leaves this set, and it would tie it to the first thread.
        syscall!(libc::SYS_prctl, libc::PR_SET_PDEATHSIG, 0, 0, 0, 0);
        syscall!(libc::SYS_prctl, libc::PR_SET_NAME, c"procsup-spawner".as_ptr(), 0, 0, 0);
        let access = libc::PROT_READ | libc::PROT_WRITE;
        let at = syscall!(libc::SYS_mmap, 0, size_of::<Memory>(), access, libc::MAP_SHARED, wire::BIRTHS);
        if at < 0 || !go_to_the_hosts_directory() {
            exit(71);
        }
        MEMORY.store(core::ptr::with_exposed_provenance_mut(at as usize), Ordering::Release);
        syscall!(libc::SYS_close, wire::BIRTHS);
        syscall!(libc::SYS_close, wire::PROGRAM);
        syscall!(libc::SYS_close, wire::DIRECTORY);
        say(&Said { kind: wire::HELLO, ..Said::default() }, -1);
        be_batch();
        IDLE.store(1, Ordering::Relaxed);
        if !start() {
            // A filter that lets nobody make threads: then one exec holds up the next, and the end is noticed between two of them.
            IDLE.store(1, Ordering::Relaxed);
            if let Some((_, room)) = room() {
                work(room.cast());
            }
        }
        // Of the channel only its end is waited for, which needs no asking.
        let watched = if memory().watched.load(Ordering::Relaxed) == 0 { -1 } else { wire::HOST };
        let mut waits = [wire::CHANNEL, 0, watched, 1];
        // Without a pidfd a host that has ended is not seen while a copy of it has the channel: so we look once a second.
        let second = [1i64, 0];
        let time = if watched < 0 { (&raw const second).addr() } else { 0 };
        while syscall!(libc::SYS_ppoll, waits.as_mut_ptr(), 2, time, 0, 8) <= 0 && !is_orphan() {}
    }
    leave()
}

/// Whether the host has ended.
fn is_orphan() -> bool {
    // SAFETY: no pointers.
    unsafe { syscall!(libc::SYS_getppid) as i32 != memory().host.load(Ordering::Relaxed) }
}

/// That is where we are, unless the host has changed it since it opened it. It may be one that nobody may go to any more: one stays there.
unsafe fn go_to_the_hosts_directory() -> bool {
    // SAFETY: a descriptor that we were started with, and memory of this frame.
    unsafe {
        if syscall!(libc::SYS_fchdir, wire::DIRECTORY) == 0 {
            return true;
        }
        let (mut there, mut here) = (MaybeUninit::<libc::stat>::uninit(), MaybeUninit::<libc::stat>::uninit());
        syscall!(libc::SYS_fstat, wire::DIRECTORY, there.as_mut_ptr()) == 0
            && syscall!(libc::SYS_newfstatat, libc::AT_FDCWD, c"".as_ptr(), here.as_mut_ptr(), libc::AT_EMPTY_PATH) == 0
            && (there.assume_init_ref().st_dev, there.assume_init_ref().st_ino)
                == (here.assume_init_ref().st_dev, here.assume_init_ref().st_ino)
    }
}

const THREAD: i32 = libc::CLONE_VM | libc::CLONE_FS | libc::CLONE_FILES | libc::CLONE_SIGHAND | libc::CLONE_THREAD | libc::CLONE_SYSVSEM;

/// A room that nobody has.
fn room() -> Option<(u32, *mut Room)> {
    let free = |taken: u64| (taken != u64::MAX).then(|| taken | taken.wrapping_add(1));
    let index = TAKEN.fetch_update(Ordering::Relaxed, Ordering::Relaxed, free).ok()?.trailing_ones();
    Some((index, ROOMS.0.get().cast::<Room>().wrapping_add(index as usize)))
}

/// One more worker, which is counted as idle already. `false`: there are enough, or no thread is to be had.
fn start() -> bool {
    if let Some((index, room)) = room() {
        // SAFETY: this room is nobody else's until its bit is cleared.
        let made = unsafe {
            let top = (&raw mut (*room).own).cast::<u8>().wrapping_add(STACK);
            shim::clone(THREAD as usize, top.cast(), core::ptr::null_mut(), core::ptr::null_mut(), work, room.cast())
        };
        if made >= 0 {
            return true;
        }
        TAKEN.fetch_and(!(1u64.wrapping_shl(index)), Ordering::Relaxed);
    }
    IDLE.fetch_sub(1, Ordering::Relaxed);
    false
}

/// All threads that this one makes have it, too. Only where it is the usual policy that would be given up, and where no filter might kill for the call.
fn be_batch() {
    if memory().filtered.load(Ordering::Relaxed) != 0 {
        return;
    }
    let priority = 0i32;
    // SAFETY: one word of our own.
    unsafe {
        if syscall!(libc::SYS_sched_getscheduler, 0) == libc::SCHED_OTHER as isize
            && syscall!(libc::SYS_sched_setscheduler, 0, libc::SCHED_BATCH, &raw const priority) == 0
        {
            BATCH.store(true, Ordering::Relaxed);
        }
    }
}

/// Waits for the turn to receive.
fn take_turn() {
    if TURN.compare_exchange(0, 1, Ordering::Acquire, Ordering::Relaxed).is_ok() {
        return;
    }
    while TURN.swap(2, Ordering::Acquire) != 0 {
        // SAFETY: a word of our own.
        unsafe { syscall!(libc::SYS_futex, TURN.as_ptr(), libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG, 2, 0) };
    }
}

/// Lets no more children be between their clone and their exec at once than there are processors: they would only take them from the host and from
/// each other. An exec that takes longer than a millisecond is taken for one that hangs, and does not count until it is through.
fn wait_for_processor() {
    let most = memory().processors.load(Ordering::Relaxed);
    loop {
        let running = RUNNING.load(Ordering::SeqCst);
        if running < HANGING.load(Ordering::Relaxed).wrapping_add(most) {
            return;
        }
        let millisecond = [0i64, 1_000_000];
        WAITED_FOR.store(true, Ordering::SeqCst);
        let how = libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG;
        // SAFETY: words of our own.
        let answer = unsafe { syscall!(libc::SYS_futex, RUNNING.as_ptr(), how, running, millisecond.as_ptr()) };
        WAITED_FOR.store(false, Ordering::Relaxed);
        if answer == -(libc::ETIMEDOUT as isize) {
            HANGING.store(running, Ordering::Relaxed);
        }
    }
}

/// A child has executed or ended.
fn has_run() {
    let running = RUNNING.fetch_sub(1, Ordering::SeqCst).wrapping_sub(1);
    HANGING.fetch_min(running, Ordering::Relaxed);
    if WAITED_FOR.load(Ordering::SeqCst) {
        // SAFETY: a word of our own.
        unsafe { syscall!(libc::SYS_futex, RUNNING.as_ptr(), libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG, 1) };
    }
}

/// And lets the next one have it.
fn give_turn() {
    if TURN.swap(0, Ordering::Release) == 2 {
        // SAFETY: a word of our own.
        unsafe { syscall!(libc::SYS_futex, TURN.as_ptr(), libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG, 1) };
    }
}

/// A worker's whole life.
unsafe extern "C" fn work(room: *mut c_void) -> ! {
    let room = room.cast::<Room>();
    loop {
        // SAFETY: the room is this worker's alone.
        unsafe { take(room) };
        IDLE.fetch_add(1, Ordering::Relaxed);
    }
}

/// One request, from its receipt to its reply.
unsafe fn take(room: *mut Room) {
    // SAFETY: the room is the caller's; what is received lies within it, and is read no further than it is long.
    unsafe {
        let block = (&raw mut (*room).block).cast::<u8>();
        let control = (&raw mut (*room).control).cast::<u8>();
        let iov = [block as usize, wire::INLINE];
        let mut message = Message { name: 0, name_length: 0, iov: &raw const iov, iovs: 1, control, control_length: 1088, flags: 0 };
        take_turn();
        wait_for_processor();
        let length = loop {
            match syscall!(libc::SYS_recvmsg, wire::CHANNEL, &raw mut message, libc::MSG_CMSG_CLOEXEC) {
                answer if answer == -(libc::EINTR as isize) => {}
                answer if answer <= 0 => leave(),
                answer => break answer as usize,
            }
        };
        let length = keep(block, length);
        RUNNING.fetch_add(1, Ordering::SeqCst);
        give_turn();
        if IDLE.fetch_sub(1, Ordering::Relaxed) == 1 {
            IDLE.fetch_add(1, Ordering::Relaxed);
            start();
        }
        let came = if message.control_length >= size_of::<Right>() - 4 {
            let count = (*control.cast::<Right>()).length.wrapping_sub(16) / 4;
            core::slice::from_raw_parts(control.wrapping_add(16).cast::<i32>(), count.min(wire::RIGHTS))
        } else {
            &[]
        };
        let mut said = Said { kind: wire::FAILED, ..Said::default() };
        let mut pidfd = -1;
        if length >= size_of::<Head>() {
            let head = *block.cast::<Head>();
            (said.slot, said.ticket) = (head.slot, head.ticket);
            let whole = message.flags & (libc::MSG_CTRUNC | libc::MSG_TRUNC) == 0;
            pidfd = match memory().births.get(head.slot as usize) {
                Some(birth) if whole => obey(room, block, length, head, came, birth, &mut said),
                _ => lost(&mut said),
            };
        }
        has_run();
        say(&said, pidfd);
        if pidfd >= 0 {
            syscall!(libc::SYS_close, pidfd);
        }
        for fd in came {
            syscall!(libc::SYS_close, *fd);
        }
    }
}

/// Keeps a block, or puts what is kept behind its head, as the head says. Answers how long it is. By who has the turn.
unsafe fn keep(block: *mut u8, length: usize) -> usize {
    const HEAD: usize = size_of::<Head>();
    if length < HEAD {
        return length;
    }
    // SAFETY: a block of a room has a head, and room for what is kept behind it; nobody else has the turn.
    unsafe {
        let head = &*block.cast::<Head>();
        let place = (head.place as usize).wrapping_sub(1);
        if place >= wire::PLACES {
            return length;
        }
        let kept = &mut *PLACES.0.get().cast::<Kept>().wrapping_add(place);
        let rest = block.wrapping_add(HEAD);
        if head.flags & wire::AS_KEPT == 0 {
            kept.length = if length <= wire::LONGEST_KEPT { length } else { 0 };
            copy(rest, kept.rest.as_mut_ptr(), kept.length.saturating_sub(HEAD));
            return length;
        }
        copy(kept.rest.as_ptr(), rest, kept.length.saturating_sub(HEAD));
        kept.length.max(HEAD)
    }
}

/// Word by word; both are aligned to one, and have room for a whole last one.
unsafe fn copy(from: *const u8, to: *mut u8, count: usize) {
    let (from, to) = (from.cast::<u64>(), to.cast::<u64>());
    let mut i = 0;
    while i < count.div_ceil(8) {
        // SAFETY: by the contract above. Volatile: or the loop would be compiled to a call of memcpy, which goes byte by byte here.
        unsafe { to.wrapping_add(i).write_volatile(from.wrapping_add(i).read_volatile()) };
        i = i.wrapping_add(1);
    }
}

const _: () = assert!(size_of::<Head>() % 8 == 0);

/// Some of its descriptors found no place here.
fn lost(said: &mut Said) -> i32 {
    (said.step, said.errno) = (wire::RECEIVE, libc::EMFILE);
    -1
}

/// The block of the request, and the descriptors by what they are for. Answers the pidfd that the host has not got yet, or -1.
#[allow(clippy::too_many_arguments)]
unsafe fn obey(room: *mut Room, block: *mut u8, length: usize, head: Head, came: &[i32], birth: &Birth, said: &mut Said) -> i32 {
    let mut next = 0usize;
    let mut taken = |flag: u32| {
        if head.flags & flag == 0 {
            return -1;
        }
        let fd = came.get(next).copied().unwrap_or(-1);
        next = next.wrapping_add(1);
        fd
    };
    let (file, directory, group) = (taken(wire::LONG), taken(wire::HAS_DIRECTORY), taken(wire::HAS_CGROUP));
    let sources = came.get(next..).unwrap_or(&[]);
    // SAFETY: the room is the caller's; a block in a file is sealed, so it is as long as it says, and mapped for this worker alone.
    unsafe {
        let (mut at, mut have) = (block, length);
        if file >= 0 {
            have = head.length as usize;
            let access = libc::PROT_READ | libc::PROT_WRITE;
            let mapped = syscall!(libc::SYS_mmap, 0, have, access, libc::MAP_PRIVATE, file);
            if mapped < 0 {
                (said.step, said.errno) = (wire::MAP, -mapped as i32);
                return -1;
            }
            at = core::ptr::with_exposed_provenance_mut(mapped as usize);
        }
        let request = Request { block: at, length: have, head, sources };
        let host = memory().host.load(Ordering::Relaxed);
        let report = (&raw const birth.step).cast::<Report>();
        let mut job = Job {
            orders: request.orders(report, host),
            birth,
            directory,
            born: Said { kind: wire::BORN, ..*said },
            pidfd: AtomicI32::new(-1),
            told: AtomicBool::new(false),
        };
        let made = bear(room, &mut job, head.flags, group);
        if file >= 0 {
            syscall!(libc::SYS_munmap, at, have);
        }
        match made {
            Err((step, answer)) => {
                (said.step, said.errno) = (step, -answer as i32);
                -1
            }
            Ok(pid) => {
                said.pid = pid;
                said.step = birth.step.load(Ordering::Acquire);
                said.errno = birth.errno.load(Ordering::Relaxed);
                if said.step == 0 {
                    said.kind = wire::BEGAN;
                }
                let pidfd = job.pidfd.load(Ordering::Relaxed);
                if pidfd >= 0 && job.told.load(Ordering::Relaxed) {
                    syscall!(libc::SYS_close, pidfd);
                    return -1;
                }
                pidfd
            }
        }
    }
}

/// What a child is given.
struct Job<'a> {
    orders: Orders,
    birth: &'a Birth,
    /// Where it begins, or -1.
    directory: i32,
    born: Said,
    /// Its pidfd, written by the kernel: a number of the spawner's, in the table that the child shares at first.
    pidfd: AtomicI32,
    /// The child has sent it.
    told: AtomicBool,
}

const SHARED: u64 = (libc::CLONE_VFORK | libc::CLONE_PARENT | libc::CLONE_PARENT_SETTID) as u64;
const INTO_CGROUP: u64 = 0x2_0000_0000;

/// Makes the child, and returns when it has executed or ended. EAGAIN often passes: six attempts, as in the engine.
unsafe fn bear(room: *mut Room, job: &mut Job<'_>, flags: u32, group: i32) -> Result<i32, (i32, isize)> {
    let mut pause = [0i64, 500_000];
    let mut joined = -1isize;
    let mut by_itself = false;
    let mut tries = 0;
    let made = loop {
        let old = flags & wire::NO_CLONE3 != 0 || NO_CLONE3.load(Ordering::Relaxed);
        if group >= 0 && (old || by_itself) && joined < 0 {
            // SAFETY: a descriptor that came with the request, and a constant.
            joined = unsafe { syscall!(libc::SYS_openat, group, c"cgroup.procs".as_ptr(), libc::O_WRONLY | libc::O_CLOEXEC, 0) };
            if joined < 0 {
                break Err((wire::CGROUP, joined));
            }
            job.orders.join_fd = joined as i32;
            if job.orders.unshare_first >= 0 {
                job.orders.unshare_first = job.orders.unshare_first.max(joined.wrapping_add(1) as i32);
            }
        }
        // SAFETY: the room is the caller's, who is suspended until the child needs it no more.
        let answer = unsafe { clone(room, job, flags, old, if joined < 0 { group } else { -1 }) };
        match -answer as i32 {
            _ if answer >= 0 => break Ok(answer as i32),
            libc::EAGAIN if tries < 5 => {
                // SAFETY: two words of our own.
                unsafe { syscall!(libc::SYS_nanosleep, pause.as_ptr(), 0) };
                pause[1] = pause[1].wrapping_mul(2);
                tries += 1;
            }
            libc::EINVAL | libc::E2BIG if !old && group >= 0 && !by_itself => by_itself = true,
            libc::ENOSYS | libc::EPERM if !old => NO_CLONE3.store(true, Ordering::Relaxed),
            libc::ENODEV | libc::ENOENT | libc::EBUSY | libc::EACCES | libc::EOPNOTSUPP if group >= 0 && joined < 0 => {
                break Err((wire::CGROUP, answer));
            }
            _ => break Err((if old { wire::CLONE } else { wire::CLONE3 }, answer)),
        }
    };
    if joined >= 0 {
        // SAFETY: our own descriptor.
        unsafe { syscall!(libc::SYS_close, joined) };
    }
    made
}

/// One clone. By the old call the host gets no pidfd from us: that call has one place for it and for the number, and the number must be known first. (A
/// host that cannot open one itself gets it, and bars the gate of a child whose number it does not know.)
#[inline(never)]
unsafe fn clone(room: *mut Room, job: &Job<'_>, flags: u32, old: bool, group: i32) -> isize {
    let shares = flags & wire::APART == 0;
    let table = if job.orders.unshare_first >= 0 { libc::CLONE_FILES as u64 } else { 0 };
    let how = SHARED | if shares { libc::CLONE_VM as u64 | table } else { 0 };
    // SAFETY: the room is the caller's.
    let stack = unsafe { (&raw mut (*room).childs).cast::<u8>() };
    let arg = (&raw const *job).cast_mut().cast();
    // SAFETY: the stack is this room's, and the job lives in a frame that stays suspended until exec or exit (CLONE_VFORK). A copy keeps its stack.
    unsafe {
        if old {
            let top = if shares { stack.wrapping_add(STACK).cast() } else { core::ptr::null_mut() };
            let (pid, pidfd, nowhere) = (job.birth.pid.as_ptr(), job.pidfd.as_ptr(), core::ptr::null_mut());
            if flags & wire::SEND_PIDFD == 0 {
                return shim::clone(how as usize, top, pid, nowhere, newborn, arg);
            }
            let how = how & !(libc::CLONE_PARENT_SETTID as u64) | (libc::CLONE_PIDFD | libc::CLONE_CHILD_SETTID) as u64;
            // If we are killed in there the host is to know that one may come.
            job.birth.pid.store(wire::UNNUMBERED, Ordering::SeqCst);
            let answer = shim::clone(how as usize, top, pidfd, pid, newborn, arg);
            if answer < 0 {
                job.birth.pid.store(0, Ordering::SeqCst);
            }
            return answer;
        }
        let args = CloneArgs {
            flags: how | libc::CLONE_PIDFD as u64 | if group >= 0 { INTO_CGROUP } else { 0 },
            cgroup: group.max(0) as u64,
            pidfd: job.pidfd.as_ptr() as u64,
            parent_tid: job.birth.pid.as_ptr() as u64,
            stack: if shares { stack as u64 } else { 0 },
            stack_size: if shares { STACK as u64 } else { 0 },
            ..CloneArgs::default()
        };
        shim::clone3(&raw const args, size_of::<CloneArgs>(), newborn, arg)
    }
}

/// What a child does first. The rules of `spawn/child.rs` hold.
unsafe extern "C" fn newborn(arg: *mut c_void) -> ! {
    // SAFETY: the job and all that it leads to stay until we have executed or ended.
    unsafe {
        let job = &*arg.cast::<Job<'_>>();
        if BATCH.load(Ordering::Relaxed) {
            let priority = 0i32;
            syscall!(libc::SYS_sched_setscheduler, 0, libc::SCHED_OTHER, &raw const priority);
        }
        wait_at_gate(job);
        if job.directory >= 0 {
            let answer = syscall!(libc::SYS_fchdir, job.directory);
            if answer < 0 {
                give_up(job.birth, Step::Chdir as i32, -answer as i32);
            }
        }
        child::run((&raw const job.orders).cast_mut().cast())
    }
}

fn give_up(birth: &Birth, step: i32, errno: i32) -> ! {
    birth.errno.store(errno, Ordering::Relaxed);
    birth.step.store(step, Ordering::Release);
    exit(127)
}

/// Returns when the gate is open.
unsafe fn wait_at_gate(job: &Job<'_>) {
    let memory = memory();
    let mut told = false;
    loop {
        let gate = job.birth.gate.load(Ordering::SeqCst);
        if gate == wire::BARRED || memory.barred.load(Ordering::SeqCst) != 0 || is_orphan() {
            give_up(job.birth, wire::GATE, libc::ECANCELED);
        }
        if gate == wire::OPEN {
            return;
        }
        if !told {
            told = true;
            let pidfd = job.pidfd.load(Ordering::Relaxed);
            let pid = job.birth.pid.load(Ordering::Relaxed);
            if say(&Said { pid, ..job.born }, pidfd) && pidfd >= 0 {
                job.told.store(true, Ordering::Relaxed);
            }
        }
        // If host and spawner die at once nobody is left who wakes us: so we look once a second.
        let second = [1i64, 0];
        // SAFETY: a word of the shared memory, and two of our own.
        unsafe { syscall!(libc::SYS_futex, job.birth.gate.as_ptr(), libc::FUTEX_WAIT, wire::SHUT, second.as_ptr()) };
    }
}

/// Sends a reply, with a pidfd or without: if it cannot travel (too many of this user's are under way) the host opens one itself. Waits while the
/// host does not read. `false`: the pidfd stayed here.
fn say(said: &Said, pidfd: i32) -> bool {
    let iov = [core::ptr::from_ref(said) as usize, size_of::<Said>()];
    let mut right = Right { length: 20, level: libc::SOL_SOCKET, kind: libc::SCM_RIGHTS, fd: pidfd };
    let mut with = pidfd >= 0;
    loop {
        let control_length = if with { size_of::<Right>() } else { 0 };
        let control = if with { (&raw mut right).cast() } else { core::ptr::null_mut() };
        let message = Message { name: 0, name_length: 0, iov: &raw const iov, iovs: 1, control, control_length, flags: 0 };
        // SAFETY: the message describes memory of this frame.
        match unsafe { syscall!(libc::SYS_sendmsg, wire::CHANNEL, &raw const message, libc::MSG_NOSIGNAL) } {
            answer if answer == -(libc::EINTR as isize) => {}
            answer if answer >= 0 => return with,
            _ if with => with = false,
            _ => return false,
        }
    }
}
