//! What the first process of a contained child's namespace does before it becomes init: it makes the program.
//!
//! The traps, beside those of `child.rs`, whose rules hold here:
//!
//! - **Three share one memory**: host, this process and the program until its exec. If this one is killed meanwhile (kill-all in another thread), the
//!   kernel lets the host go on at once, and kills the program only a moment later, when it takes the namespace down. That moment is spent on the
//!   host's stack. So the program's clone leaves a word in the host's memory (`done`: written by CLONE_PARENT_SETTID before the program can run,
//!   cleared by CLONE_CHILD_CLEARTID when it has left the memory), and the host waits for that, too, with all signals blocked: a handler would run
//!   where the stack of the first process was. What the program reads until then lies in the [`Nest`], or in a frame that waits for the word.
//! - **In that moment the program is nobody's vfork child**: what it writes into its oom_score_adj would be the host's (`relay.rs`). So the first process
//!   writes it, whom the host is suspended for, and the program inherits it.
//! - **A signal that nobody has blocked is lost**: the first process of a namespace ignores what it has no handler for, also from outside. The host blocks
//!   all before the clone (in each tier), and nobody unblocks them but the program, as its last step.
//! - **A host that ignores SIGCHLD** makes children that reap theirs unseen: default again before the program is made.
//! - **A host that has given up root is not dumpable**: its files in /proc are root's, and so are this process's as long as it shares that memory. So
//!   the maps of its user namespace are written by a process that has executed a program (init's, which can do that, too), with the few rights that
//!   it needs.
//! - **The program has begun before init has**: until its exec it is suspended for, so that the memory controller sees a vfork child (`relay.rs`). Who cannot
//!   become init by then has a program that ran, and must say that (`Step::InitBegun`): it is not to be tried again. So what can be known is looked at
//!   before: a filter, and a file that may not be executed.
//! - **No number of the host's is known here**: `getppid` says 0, and `tgkill` would find the relay gone while it lives. The host itself waits for the
//!   relay's end and says so; whether the host still lives is read from /proc, which is the host's own.

use core::ffi::{c_char, c_void};
use core::sync::atomic::{AtomicI32, Ordering};

use super::wire;
use crate::sys::raw::syscall;
use crate::sys::spawn::birth::put_digits;
use crate::sys::spawn::child::{self, close_the_rest, fail, quit};
use crate::sys::spawn::orders::{Gap, Orders, Span, Step};
use crate::sys::spawn::shim;

/// The program's stack until its exec; beside that of the first process, in the host's memory. (`clone.rs` says how much is needed.)
pub(super) type Stack = core::mem::MaybeUninit<[u8; STACK]>;
const STACK: usize = 8 * 1024;

/// What is written to a map: NUL behind it.
pub(super) struct Line {
    pub text: *const c_char,
    pub length: usize,
}

/// What the first process goes by, beside the orders (which are its own as far as the gate, the control group, the table and the host are concerned, and
/// the program's for all the rest). Lives in the memory of the host's caller until all are through.
pub(in crate::sys::spawn) struct Nest {
    /// As `wire::MAPS`; not in a user namespace that was there before.
    pub(super) maps: [Line; 3],
    pub(super) mapped: bool,
    /// The program of init, and the file of fates, in the parent's numbering.
    pub(super) init: i32,
    pub(super) fates: i32,
    pub(super) entry: u64,
    pub(super) ticket: u32,
    /// The number of the host as its /proc has it; 0: it need not be known.
    pub(super) host: i32,
    /// The program is to say which number it has outside.
    pub(super) tells_number: bool,
    /// Memory is not shared.
    pub apart: bool,
    /// The relay has gone, whose children are the host's by now.
    pub relay_gone: AtomicI32,
    /// Not 0 while the program shares this memory.
    pub done: AtomicI32,
    pub(super) argument: [u8; wire::ARGUMENT],
    pub(super) secret: u64,
    pub(super) environment: [u8; wire::SECRET + 1],
    /// What the program goes by: the orders, but for what the first process has done.
    pub(super) inner: core::mem::MaybeUninit<Orders>,
    /// By itself, so that nobody copies it.
    pub(super) stack: Box<Stack>,
}

/// Runs a step that must not fail.
macro_rules! must {
    ($orders:expr, $step:expr, $call:expr) => {{
        let answer: isize = $call;
        if answer < 0 {
            fail($orders, $step, answer);
        }
        answer
    }};
}

/// What a child of these orders runs.
pub(in crate::sys::spawn) fn entry(orders: &Orders) -> shim::Entry {
    if orders.nest.is_null() { child::run } else { run }
}

/// The first process's whole life before it is init.
///
/// # Safety
/// As for [`child::run`]; and `nest` of the orders is a [`Nest`] that lives until this process and the program have left the memory.
unsafe extern "C" fn run(arg: *mut c_void) -> ! {
    // SAFETY: by the contract above; no other thread of this process is there.
    unsafe {
        let orders = &*(arg as *const Orders);
        let nest = orders.nest as *mut Nest;
        if !orders.own_pid.is_null() {
            (*orders.own_pid).store(syscall!(libc::SYS_getpid) as u64, Ordering::Release);
        }
        if orders.gated {
            child::pass_gate(orders);
        }
        if orders.join_fd >= 0 {
            must!(orders, Step::Cgroup, syscall!(libc::SYS_write, orders.join_fd, c"0".as_ptr(), 1));
        }
        if orders.unshare_first >= 0 {
            must!(orders, Step::CloseRange, syscall!(libc::SYS_close_range, orders.unshare_first, u32::MAX, libc::CLOSE_RANGE_UNSHARE));
        }
        if (*nest).mapped {
            write_maps(orders, nest);
        }
        // Nothing that the host's group is sent reaches it. (A session would make a group of the scheduler's as well, and that takes as long as a clone.)
        must!(orders, Step::Setpgid, syscall!(libc::SYS_setpgid, 0, 0));
        if orders.host != 0 {
            die_with_host(orders, nest);
        }
        // Also where the program is to ignore it, or another thread of the host has just begun to.
        let default = [0u64; 4];
        must!(orders, Step::Init, syscall!(libc::SYS_rt_sigaction, libc::SIGCHLD, default.as_ptr(), 0, 8));
        if orders.oom_score_adj != i32::MIN {
            child::inherit_oom_score_adj(orders);
        }

        let inner = (*nest).inner.as_mut_ptr();
        core::ptr::copy_nonoverlapping(orders, inner, 1);
        ((*inner).join_fd, (*inner).unshare_first, (*inner).gated) = (-1, -1, false);
        ((*inner).host, (*inner).relay, (*inner).own_pid) = (0, core::ptr::null(), core::ptr::null());
        (*inner).oom_score_adj = i32::MIN;
        must!(orders, Step::Init, may_execute((*nest).init));
        let pid = must!(orders, Step::Init, make(orders, nest, program, inner.cast()));
        // It has said itself what has failed. (Apart, the host hears it by another way, and init finds a dead program.)
        if (*orders.report).step.load(Ordering::Acquire) != 0 {
            quit(127);
        }
        become_init(orders, nest, pid as u32)
    }
}

/// A process inside; returns when that has left this memory, if it shares that. (A gated host is told of its exec by the end of a stream, any other by
/// ours, which so must come later.)
unsafe fn make(orders: &Orders, nest: *mut Nest, entry: shim::Entry, arg: *mut c_void) -> isize {
    // SAFETY: the nest has a stack that nobody else uses meanwhile (CLONE_VFORK), and the word that tells the host when it is free.
    unsafe {
        if (*nest).apart {
            let flags = if orders.gated { libc::SIGCHLD } else { libc::CLONE_VFORK | libc::SIGCHLD };
            return shim::clone(flags as usize, core::ptr::null_mut(), core::ptr::null_mut(), core::ptr::null_mut(), entry, arg);
        }
        let shared = libc::CLONE_VM | libc::CLONE_VFORK | libc::CLONE_PARENT_SETTID | libc::CLONE_CHILD_CLEARTID | libc::SIGCHLD;
        let top = (*nest).stack.as_mut_ptr().cast::<u8>().wrapping_add(STACK);
        let done = (*nest).done.as_ptr();
        shim::clone(shared as usize, top.cast(), done, done, entry, arg)
    }
}

/// The program's first moment: says which number it has outside, if somebody wants to know, then goes on as any child.
unsafe extern "C" fn program(arg: *mut c_void) -> ! {
    // SAFETY: the orders are those of `run`, which is suspended, or whose memory this is a copy of.
    unsafe {
        let nest = (*(arg as *const Orders)).nest as *const Nest;
        let number = if (*nest).tells_number { own_number() } else { 0 };
        if number > 0 {
            let word = wire::word((*nest).ticket, wire::numbers(number, syscall!(libc::SYS_getpid) as i32));
            syscall!(libc::SYS_pwrite64, (*nest).fates, &raw const word, 8, (*nest).entry.wrapping_add(wire::NUMBER));
        }
        child::run(arg)
    }
}

/// The caller's number as the host's /proc has it; 0: there is none.
#[inline(never)]
unsafe fn own_number() -> i32 {
    let mut text = [0u8; 16];
    // SAFETY: sixteen bytes of this frame.
    let length = unsafe { syscall!(libc::SYS_readlinkat, libc::AT_FDCWD, c"/proc/self".as_ptr(), text.as_mut_ptr(), 16usize) };
    let (mut number, mut i) = (0i32, 0isize);
    while i < length && i < 16 {
        // SAFETY: within the sixteen.
        let byte = unsafe { *text.as_ptr().wrapping_offset(i) };
        number = number.wrapping_mul(10).wrapping_add(i32::from(byte.wrapping_sub(b'0')));
        i = i.wrapping_add(1);
    }
    number
}

/// The maps of its user namespace.
unsafe fn write_maps(orders: &Orders, nest: *mut Nest) {
    // SAFETY: called from `run`, whose table is its own by now.
    unsafe {
        let mut i = 0usize;
        while i < 3 {
            let path = (*(&raw const wire::MAPS).cast::<&core::ffi::CStr>().wrapping_add(i)).as_ptr();
            let line = (&raw const (*nest).maps).cast::<Line>().wrapping_add(i);
            let file = syscall!(libc::SYS_openat, libc::AT_FDCWD, path, libc::O_WRONLY | libc::O_CLOEXEC);
            if file == -(libc::EACCES as isize) && i == 0 {
                return have_maps_written(orders, nest);
            }
            must!(orders, Step::UidMap, file);
            must!(orders, Step::UidMap, syscall!(libc::SYS_write, file, (*line).text, (*line).length));
            syscall!(libc::SYS_close, file);
            i = i.wrapping_add(1);
        }
    }
}

/// The same by a process whose files in /proc are its own.
#[inline(never)]
unsafe fn have_maps_written(orders: &Orders, nest: *mut Nest) {
    // SAFETY: as for `write_maps`; four bytes of this frame.
    unsafe {
        let mut status = 0i32;
        let pid = must!(orders, Step::Init, make(orders, nest, mapper, nest.cast()));
        must!(orders, Step::UidMap, syscall!(libc::SYS_wait4, pid, &raw mut status, libc::__WALL, 0));
        if status != 0 {
            let errno = if status & 0x7F != 0 { libc::EPERM } else { status >> 8 & 0xFF };
            // Its exec says that, too, and it passes.
            let step = if errno == libc::EAGAIN { Step::Init } else { Step::UidMap };
            fail(orders, step, -(errno as isize));
        }
    }
}

/// Executes the program of init as one that writes maps, with the rights for that: they outlast the exec as ambient ones (capabilities(7)).
unsafe extern "C" fn mapper(arg: *mut c_void) -> ! {
    const VERSION_3: u32 = 0x2008_0522;
    const CAP_SETGID: u32 = 6;
    const CAP_SETUID: u32 = 7;
    const CAP_SYS_ADMIN: u32 = 21;
    const NEEDED: u32 = 1 << CAP_SETGID | 1 << CAP_SETUID | 1 << CAP_SYS_ADMIN;
    // SAFETY: the nest is that of `run`, which waits; two words and two sets of three, as this version has them.
    unsafe {
        let nest = arg as *const Nest;
        let header = [VERSION_3, 0];
        let sets = [[NEEDED, NEEDED, NEEDED], [0, 0, 0]];
        syscall!(libc::SYS_capset, header.as_ptr(), sets.as_ptr());
        for right in [CAP_SETGID, CAP_SETUID, CAP_SYS_ADMIN] {
            syscall!(libc::SYS_prctl, libc::PR_CAP_AMBIENT, libc::PR_CAP_AMBIENT_RAISE, right, 0, 0);
        }
        let [user, groups, group] = &(*nest).maps;
        let argv = [c"procsup-init".as_ptr(), user.text, groups.text, group.text, core::ptr::null()];
        quit(execute_init((*nest).init, argv.as_ptr(), argv.as_ptr().wrapping_add(4)).wrapping_neg() as i32)
    }
}

/// Arms the death signal, and looks whether the host has died before.
#[inline(never)]
unsafe fn die_with_host(orders: &Orders, nest: *const Nest) {
    // SAFETY: as for `run`.
    unsafe {
        if !orders.relay.is_null() && !orders.gated {
            while (*nest).relay_gone.load(Ordering::Acquire) == 0 {
                syscall!(libc::SYS_sched_yield);
            }
        }
        must!(orders, Step::DieWithHost, syscall!(libc::SYS_prctl, libc::PR_SET_PDEATHSIG, libc::SIGKILL));
        let file = must!(
            orders,
            Step::DieWithHost,
            syscall!(libc::SYS_openat, libc::AT_FDCWD, c"/proc/self/stat".as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC)
        );
        let mut text = [0u8; 128];
        let length = must!(orders, Step::DieWithHost, syscall!(libc::SYS_read, file, text.as_mut_ptr(), 128usize));
        syscall!(libc::SYS_close, file);
        // "PID (NAME) STATE PARENT ...": a name may hold anything, and no more than fifteen bytes.
        let byte = |i: isize| if i >= 0 && i < length && i < 128 { *text.as_ptr().wrapping_offset(i) } else { 0 };
        let mut i = length.wrapping_sub(1);
        while i > 0 && byte(i) != b')' {
            i = i.wrapping_sub(1);
        }
        let (mut parent, mut i) = (0i32, i.wrapping_add(4));
        while byte(i).is_ascii_digit() {
            parent = parent.wrapping_mul(10).wrapping_add(i32::from(byte(i).wrapping_sub(b'0')));
            i = i.wrapping_add(1);
        }
        if parent != (*nest).host {
            fail(orders, Step::DieWithHost, -(libc::ESRCH as isize));
        }
    }
}

/// Lets go of all that was the host's or is the program's, and executes init.
unsafe fn become_init(orders: &Orders, nest: *mut Nest, program: u32) -> ! {
    // SAFETY: as for `run`; the numbers are above 2 (`fds::above_standard`), so none is overwritten that is needed.
    unsafe {
        let argument = (&raw mut (*nest).argument).cast::<u8>();
        let [entry, ticket, pid] = wire::DIGITS;
        put_digits(argument, entry, 16, (*nest).entry);
        put_digits(argument.wrapping_add(entry), ticket, 16, u64::from((*nest).ticket));
        put_digits(argument.wrapping_add(entry).wrapping_add(ticket), pid, 16, u64::from(program));
        let environment = (&raw mut (*nest).environment).cast::<u8>();
        put_digits(environment, wire::SECRET, 16, (*nest).secret);
        must!(orders, Step::InitBegun, syscall!(libc::SYS_dup3, (*nest).fates, wire::FATES, 0));
        let error_fd = orders.error_fd.load(Ordering::Relaxed);
        if error_fd >= 0 {
            must!(orders, Step::InitBegun, syscall!(libc::SYS_dup3, error_fd, 2, libc::O_CLOEXEC));
            orders.error_fd.store(2, Ordering::Relaxed);
        }
        let first = if error_fd >= 0 { 3u32 } else { 1 };
        let mut init = (*nest).init;
        let gap = if orders.unshare_first == init.wrapping_add(1) && init as u32 > first {
            // The last number of a table that was cut behind it.
            Gap { first, last: (init as u32).wrapping_sub(1) }
        } else {
            must!(orders, Step::InitBegun, syscall!(libc::SYS_dup3, init, 1, libc::O_CLOEXEC));
            init = 1;
            Gap { first: first.wrapping_add(u32::from(first == 1)), last: u32::MAX }
        };
        close_the_rest(orders, &Span { at: &raw const gap, len: 1 });
        let argv = [c"procsup-init".as_ptr(), argument.cast_const().cast(), core::ptr::null()];
        let envp = [environment.cast_const().cast(), core::ptr::null()];
        fail(orders, Step::InitBegun, execute_init(init, argv.as_ptr(), envp.as_ptr()))
    }
}

/// Whether that can succeed, as far as it costs nothing to know.
unsafe fn may_execute(init: i32) -> isize {
    // SAFETY: no such number, so nothing is executed; text of our own.
    unsafe {
        let nobody: *const *const c_char = core::ptr::null();
        let answer = syscall!(libc::SYS_execveat, -1i32, c"".as_ptr(), nobody, nobody, libc::AT_EMPTY_PATH);
        if answer == -(libc::EBADF as isize) { 0 } else { may_execute_by_path(init) }
    }
}

/// By the other way.
#[inline(never)]
unsafe fn may_execute_by_path(init: i32) -> isize {
    let mut path = *b"/proc/self/fd/..........\0";
    // SAFETY: a descriptor's number has at most ten digits, which are there.
    unsafe {
        put_digits(path.as_mut_ptr().wrapping_add(14), 10, 10, init as u64);
        // Without the leading zeros, of which /proc knows nothing.
        let mut from = 14usize;
        while from < 23 && *path.as_ptr().wrapping_add(from) == b'0' {
            from = from.wrapping_add(1);
        }
        let mut i = 0usize;
        while from.wrapping_add(i) < 25 {
            *path.as_mut_ptr().wrapping_add(14).wrapping_add(i) = *path.as_ptr().wrapping_add(from).wrapping_add(i);
            i = i.wrapping_add(1);
        }
        syscall!(libc::SYS_faccessat, libc::AT_FDCWD, path.as_ptr(), libc::X_OK)
    }
}

/// Answers why it could not. The number may become 1.
unsafe fn execute_init(init: i32, argv: *const *const c_char, envp: *const *const c_char) -> isize {
    // SAFETY: argv and envp are NULL-terminated, by the caller; the table is this process's own.
    unsafe {
        let answer = syscall!(libc::SYS_execveat, init, c"".as_ptr(), argv, envp, libc::AT_EMPTY_PATH);
        // A filter, or an emulator, that does not know that call, or does not allow it.
        if matches!(-answer as i32, libc::ENOSYS | libc::ENOENT | libc::EPERM | libc::EACCES) {
            syscall!(libc::SYS_dup3, init, 1, libc::O_CLOEXEC);
            syscall!(libc::SYS_execve, c"/proc/self/fd/1".as_ptr(), argv, envp);
        }
        answer
    }
}
