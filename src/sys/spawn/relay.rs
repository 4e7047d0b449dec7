//! A child that dies with its host, spawned by any thread.
//!
//! The trap: `PR_SET_PDEATHSIG` (prctl(2)) fires when the *thread* that made the child ends, not the process. A worker thread's
//! children would be killed with the worker. But when a thread ends, the kernel gives its children to the oldest thread that is
//! still there, which is the main thread: so the child is made by a *relay*, a bare kernel thread that does nothing else and ends at
//! once. The child sees it gone (tgkill(2) answers ESRCH; a thread is released after its children were handed on), and only then
//! arms the signal. Source: `forget_original_parent` and `find_alive_thread` in kernel/exit.c of Linux 6.18.
//!
//! ```text
//!   caller: block signals --> clone(THREAD) --> wait: left --------------> wait: done --> error report, as ever
//!   relay:                       '--> clone the child --> exit (left = 0)
//!   child:                                 '--> steps ... relay gone? arm, exec (done = 0)
//! ```
//!
//! The relay runs with all signals blocked, on a stack of the caller's frame, and makes raw system calls only; libc never
//! hears of it.
//!
//! The other trap: the child cannot suspend the caller (CLONE_VFORK would suspend the relay), so the caller waits on a futex that
//! the kernel clears when the child leaves the shared memory (CLONE_CHILD_CLEARTID), by exec or exit. So for the kernel it is no vfork child.
//! A memory controller that must kill it in a control group of its own would kill everybody who shares its memory: there the child is a
//! fork (`clone.rs` sees to it). Without one it stands in the host's group, and what the controller does there is meant for the host, too. What such
//! a child writes into its oom_score_adj is the host's, too: so one that does is a fork as well.

use core::ffi::c_void;
use core::sync::atomic::{AtomicI32, AtomicI64, Ordering};

use nix::errno::Errno;

use super::shim;
use crate::sys::raw::{check, syscall};

/// How the relay makes the child: with these arguments, or by the old call.
pub(super) enum Call {
    Clone3(shim::CloneArgs),
    Clone { flags: usize, stack: *mut c_void, pidfd: *mut i32, done: *mut i32 },
}

/// What caller, relay and child share. Lives in the caller's frame until all are through.
pub(super) struct Relay {
    pub call: Call,
    pub entry: shim::Entry,
    pub orders: *mut c_void,
    /// The relay's thread id.
    pub id: AtomicI32,
    /// What its clone answered.
    pub answer: AtomicI64,
    /// 1 until the relay has left our memory.
    pub left: AtomicI32,
    /// 1 until the child has left our memory.
    pub done: AtomicI32,
    /// Where a child that cannot see the relay (it is in another pid namespace) is told that it has gone; or null.
    pub gone: *const AtomicI32,
}

impl Relay {
    /// To be filled in: call and orders.
    pub fn new() -> Self {
        Self {
            call: Call::Clone3(shim::CloneArgs::default()),
            entry: super::child::run,
            orders: core::ptr::null_mut(),
            id: AtomicI32::new(0),
            answer: AtomicI64::new(0),
            left: AtomicI32::new(1),
            done: AtomicI32::new(1),
            gone: core::ptr::null(),
        }
    }
}

const THREAD: i32 = libc::CLONE_VM
    | libc::CLONE_FS
    | libc::CLONE_FILES
    | libc::CLONE_SIGHAND
    | libc::CLONE_THREAD
    | libc::CLONE_SYSVSEM
    | libc::CLONE_CHILD_CLEARTID;

/// Whether a child of this thread would outlive it: only the main thread's do not.
pub(super) fn is_needed() -> bool {
    nix::unistd::gettid() != nix::unistd::getpid()
}

/// The relay's whole life.
unsafe extern "C" fn run(arg: *mut c_void) -> ! {
    // SAFETY: `start` keeps the relay in its caller's frame until `left` is 0, which is after our last access.
    unsafe {
        let relay = &*(arg as *const Relay);
        relay.id.store(syscall!(libc::SYS_gettid) as i32, Ordering::Release);
        let answer = match &relay.call {
            Call::Clone3(args) => shim::clone3(args, size_of::<shim::CloneArgs>(), relay.entry, relay.orders),
            Call::Clone { flags, stack, pidfd, done } => shim::clone(*flags, *stack, *pidfd, *done, relay.entry, relay.orders),
        };
        relay.answer.store(answer as i64, Ordering::Release);
        loop {
            syscall!(libc::SYS_exit, 0);
        }
    }
}

#[repr(C, align(16))]
struct Stack(core::mem::MaybeUninit<[u8; 8 * 1024]>);

/// Has the child made; answers its pid. All signals must be blocked. `shared`: the child shares our memory, so wait until it has left.
#[inline(never)]
pub(super) fn start(relay: &Relay, shared: bool) -> Result<i32, Errno> {
    let mut stack = Stack(core::mem::MaybeUninit::uninit());
    let top = stack.0.as_mut_ptr().cast::<u8>().wrapping_add(size_of::<Stack>());
    relay.left.store(1, Ordering::Relaxed);
    relay.done.store(1, Ordering::Relaxed);
    let arg = (&raw const *relay).cast_mut().cast();
    // SAFETY: the stack and the relay live in this frame and its caller's, and we return only after `left` is 0.
    check(unsafe { shim::clone(THREAD as usize, top.cast(), core::ptr::null_mut(), relay.left.as_ptr(), run, arg) })?;
    wait_for_zero(&relay.left);
    let pid = check(relay.answer.load(Ordering::Acquire) as isize)? as i32;
    if !relay.gone.is_null() {
        // SAFETY: takes no pointers; the word is the caller's, and lives as long as this call.
        unsafe {
            while syscall!(libc::SYS_tgkill, crate::sys::getpid(), relay.id.load(Ordering::Acquire), 0) == 0 {
                syscall!(libc::SYS_sched_yield);
            }
            (*relay.gone).store(1, Ordering::Release);
        }
    }
    if shared {
        wait_for_zero(&relay.done);
    }
    Ok(pid)
}

/// futex(2): the kernel clears the word and wakes us.
pub(super) fn wait_for_zero(word: &AtomicI32) {
    loop {
        let now = word.load(Ordering::Acquire);
        if now == 0 {
            return;
        }
        // SAFETY: the word outlives the call. Not FUTEX_PRIVATE_FLAG: the kernel's own wake-up on thread exit is a shared one.
        unsafe { syscall!(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAIT, now, 0) };
    }
}
