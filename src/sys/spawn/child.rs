//! What runs between clone and exec.
//!
//! In the fast tiers this code shares all memory with the host, whose calling thread is suspended meanwhile. The rules:
//! only raw system calls; no allocation, lock, thread-local storage (so no `errno`), panic path or unwinding; nothing of
//! the host's memory is written but the report, the digits of LISTEN_PID and the like, the page of `birth.rs`, the room of `switch.rs` and the word
//! of `terminal.rs`; the shared table is not touched before `close_range(CLOSE_RANGE_UNSHARE)` made it our own. After a failure: report step and
//! errno, `_exit`.
//!
//! The order of steps: terminal (`terminal.rs`), descriptors' table, group, descriptors, limits that need privilege, processors, credentials,
//! directory (as the new user, unless it is to be before), death signal (a change of credentials clears it), Landlock (which would shut out this very
//! code), signals last, exec.

use core::ffi::c_void;
use core::sync::atomic::Ordering;

use super::birth;
use super::orders::{Found, Gap, Move, Orders, Report, Span, Standing, Step, Terminal};
use super::switch;
use super::terminal;
use crate::sys::raw::syscall;

/// Ends the child. `_exit` of the whole (one-thread) process.
#[inline(always)]
pub(super) fn quit(code: i32) -> ! {
    loop {
        // SAFETY: takes no pointers and does not return.
        unsafe { syscall!(libc::SYS_exit_group, code) };
    }
}

/// Tells the parent and ends.
#[inline(never)]
pub(super) unsafe fn fail(orders: &Orders, step: Step, answer: isize) -> ! {
    let errno = -answer as i32;
    // SAFETY: the report lives in the parent's frame, which waits for us.
    let report = unsafe { &*orders.report };
    report.errno.store(errno, Ordering::Relaxed);
    report.step.store(step as i32, Ordering::Release);
    let error_fd = orders.error_fd.load(Ordering::Relaxed);
    if error_fd >= 0 {
        let message = [step as i32, errno];
        // SAFETY: eight bytes on our own stack; a pipe takes so few at once or not at all.
        unsafe { syscall!(libc::SYS_write, error_fd, message.as_ptr(), 8usize) };
    }
    // SAFETY: nothing is done after it.
    unsafe { terminal::give_back(orders.terminal, step) };
    quit(127)
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

/// Waits for the parent's word.
#[inline(never)]
pub(super) unsafe fn pass_gate(orders: &Orders) {
    let mut go = 0u8;
    // SAFETY: called from `run`, or in its place, under its contract; one byte on our own stack.
    unsafe {
        // Our copy of the parent's end would keep us from seeing that the parent has gone.
        syscall!(libc::SYS_close, orders.parent_fd.load(Ordering::Relaxed));
        let answer = loop {
            let answer = syscall!(libc::SYS_read, orders.error_fd.load(Ordering::Relaxed), &raw mut go, 1);
            if answer != -(libc::EINTR as isize) {
                break answer;
            }
        };
        if answer == 0 {
            quit(127);
        }
        must!(orders, Step::Go, answer);
    }
}

/// The child's whole life before exec.
///
/// # Safety
/// `arg` must be an [`Orders`] whose spans and strings stay alive until the exec.
pub(super) unsafe extern "C" fn run(arg: *mut c_void) -> ! {
    // SAFETY: by the contract above everything the orders point to is alive, and we are the only thread of this process.
    unsafe {
        let orders = &*(arg as *const Orders);
        if !orders.own_pid.is_null() {
            (*orders.own_pid).store(syscall!(libc::SYS_getpid) as u64, Ordering::Release);
        }
        let error_fd = orders.error_fd.load(Ordering::Relaxed);
        if orders.gated {
            pass_gate(orders);
        }
        if orders.join_fd >= 0 {
            // 0 is "myself". Only reads the shared table, and comes before anything that could fork or fail for long.
            must!(orders, Step::Cgroup, syscall!(libc::SYS_write, orders.join_fd, c"0".as_ptr(), 1));
        }
        let stands = match terminal::take(orders.terminal) {
            Ok(stands) => stands,
            Err((step, answer)) => fail(orders, step, answer),
        };
        if orders.unshare_first >= 0 {
            must!(orders, Step::CloseRange, syscall!(libc::SYS_close_range, orders.unshare_first, u32::MAX, libc::CLOSE_RANGE_UNSHARE));
        }
        match orders.standing {
            _ if stands => {}
            Standing::Same => {}
            Standing::Group => {
                must!(orders, Step::Setpgid, syscall!(libc::SYS_setpgid, 0, 0));
            }
            Standing::Session => {
                must!(orders, Step::Setsid, syscall!(libc::SYS_setsid));
            }
            Standing::Of(group) => {
                must!(orders, Step::Setpgid, syscall!(libc::SYS_setpgid, 0, group));
            }
        }
        if orders.umask >= 0 {
            syscall!(libc::SYS_umask, orders.umask);
        }
        if orders.nice != i32::MIN {
            must!(orders, Step::Nice, syscall!(libc::SYS_setpriority, libc::PRIO_PROCESS, 0, orders.nice));
        }
        let mut limit = SoftLimit { before: None };
        if error_fd >= 0 && is_target(orders, error_fd) {
            let lifted = must!(orders, Step::Lift, free_number(orders, &mut limit, error_fd));
            orders.error_fd.store(lifted as i32, Ordering::Relaxed);
        }
        move_descriptors(orders, &mut limit);
        close_the_rest(orders, &orders.gaps);
        // As soon as the record is in its place: until it is written, the lock that guards it is held.
        if !orders.birth.is_null() {
            must!(orders, Step::Record, birth::write_down(orders.birth, orders.birth_asks_for_pidfd));
        }
        if orders.oom_score_adj != i32::MIN {
            write_oom_score_adj(orders, &mut limit);
        }
        if let Some(before) = limit.before {
            must!(orders, Step::Rlimit, syscall!(libc::SYS_prlimit64, 0, libc::RLIMIT_NOFILE, before.as_ptr(), 0));
        }
        // After the descriptors, which a low RLIMIT_NOFILE would keep from their places; before the privilege goes.
        for i in 0..orders.limits.len {
            let limit = orders.limits.get(i);
            must!(orders, Step::Rlimit, syscall!(libc::SYS_prlimit64, 0, (*limit).resource, &raw const (*limit).soft, 0));
        }
        // After the limits, of which one says what priority a child may have; before the privilege goes.
        if orders.processors.len != 0 {
            let bytes = orders.processors.len.wrapping_mul(8);
            must!(orders, Step::SchedSetaffinity, syscall!(libc::SYS_sched_setaffinity, 0, bytes, orders.processors.at));
        }
        if orders.scheduling >= 0 {
            let priority = orders.scheduling & 0xff;
            must!(
                orders,
                Step::SchedSetscheduler,
                syscall!(libc::SYS_sched_setscheduler, 0, orders.scheduling.wrapping_shr(8), &raw const priority)
            );
        }
        if orders.chdir_first && !orders.directory.is_null() {
            must!(orders, Step::Chdir, syscall!(libc::SYS_chdir, orders.directory));
        }
        if orders.switch.is_needed()
            && let Err((step, answer)) = switch::switch(&orders.switch)
        {
            fail(orders, step, answer);
        }
        if orders.no_new_privs {
            must!(orders, Step::NoNewPrivs, syscall!(libc::SYS_prctl, libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
        }
        if !orders.chdir_first && !orders.directory.is_null() {
            must!(orders, Step::Chdir, syscall!(libc::SYS_chdir, orders.directory));
        }
        if orders.host != 0 {
            // Armed while that thread lives, its end would kill us: the kernel ties the signal to a thread, not to a process.
            if !orders.relay.is_null() {
                let relay = (*orders.relay).load(Ordering::Acquire);
                while syscall!(libc::SYS_tgkill, orders.host, relay, 0) == 0 {
                    if orders.scheduling < 0 {
                        syscall!(libc::SYS_sched_yield);
                    } else {
                        // In real time: who yields lets only its equals run, and might keep that thread from its end.
                        let moment = [0i64, 50_000i64];
                        syscall!(libc::SYS_nanosleep, moment.as_ptr(), 0);
                    }
                }
            }
            must!(orders, Step::DieWithHost, syscall!(libc::SYS_prctl, libc::PR_SET_PDEATHSIG, libc::SIGKILL));
            // The host may have died before the prctl: then nobody would tell us any more.
            // (In a pid namespace of its own the child sees no parent: 0.)
            let parent = syscall!(libc::SYS_getppid) as i32;
            if parent != 0 && parent != orders.host {
                fail(orders, Step::DieWithHost, -(libc::ESRCH as isize));
            }
        }
        if !orders.own_pids[0].is_null() {
            let pid = syscall!(libc::SYS_getpid) as u32;
            for at in &orders.own_pids {
                if !at.is_null() {
                    write_digits(*at, pid);
                }
            }
        }
        // Last of all but the signals: from here on it may open only what its program may.
        if orders.ruleset >= 0 {
            must!(orders, Step::LandlockRestrictSelf, syscall!(libc::SYS_landlock_restrict_self, orders.ruleset, 0));
            syscall!(libc::SYS_close, orders.ruleset);
        }
        ignore_signals(orders.ignored);
        reset_signals(orders.reset);
        if orders.terminal != Terminal::None {
            terminal::outlast_keys(orders);
        }
        syscall!(libc::SYS_rt_sigprocmask, libc::SIG_SETMASK, &raw const orders.mask, 0, 8);
        execute(orders)
    }
}

/// The soft limit of descriptors, and what it was before it was raised. It is this child's own: it shares memory, but no signal struct,
/// in which the kernel keeps the limits (copy_signal() in kernel/fork.c).
struct SoftLimit {
    before: Option<[u64; 2]>,
}

impl SoftLimit {
    /// After a call that found no number below the limit, or was given one above it: raises the soft limit to the hard one. `false`: it stood
    /// there already.
    #[inline(never)]
    unsafe fn raise_after(&mut self, answer: isize) -> bool {
        if !matches!(-answer as i32, libc::EBADF | libc::EINVAL | libc::EMFILE) || self.before.is_some() {
            return false;
        }
        let mut before = [0u64; 2];
        // SAFETY: two words each, as struct rlimit64 has, on our own stack; the limits are those of this process alone.
        unsafe {
            if syscall!(libc::SYS_prlimit64, 0, libc::RLIMIT_NOFILE, 0, before.as_mut_ptr()) < 0 || before[0] >= before[1] {
                return false;
            }
            let raised = [before[1]; 2];
            if syscall!(libc::SYS_prlimit64, 0, libc::RLIMIT_NOFILE, raised.as_ptr(), 0) < 0 {
                return false;
            }
        }
        self.before = Some(before);
        true
    }
}

/// Runs a call that makes a descriptor, and once more with a higher soft limit if that was in its way.
macro_rules! within {
    ($limit:expr, $call:expr) => {{
        let mut answer: isize = $call;
        if answer < 0 && $limit.raise_after(answer) {
            answer = $call;
        }
        answer
    }};
}

unsafe fn is_target(orders: &Orders, number: i32) -> bool {
    // SAFETY: called from `run` under its contract.
    (0..orders.moves.len).any(|i| unsafe { (*orders.moves.get(i)).to == number })
}

/// Whether a number is in a gap: no target, nor a stream that stays as it is in the host, open or closed. By halving: the gaps ascend.
unsafe fn is_dropped(gaps: &Span<Gap>, number: i32) -> bool {
    let (mut from, mut to) = (0usize, gaps.len);
    while from < to {
        let middle = from.wrapping_add(to.wrapping_sub(from) / 2);
        // SAFETY: called from `run` under its contract; it is one of them.
        let gap = unsafe { *gaps.get(middle) };
        if number as u32 <= gap.last {
            if gap.first <= number as u32 {
                return true;
            }
            to = middle;
        } else {
            from = middle.wrapping_add(1);
        }
    }
    false
}

/// A duplicate that no move overwrites: the lowest free number in a gap between the targets. Answers it, or the error.
#[inline(never)]
unsafe fn free_number(orders: &Orders, limit: &mut SoftLimit, fd: i32) -> isize {
    let mut answer = -(libc::EMFILE as isize);
    for i in 0..orders.gaps.len {
        // SAFETY: called from `run` under its contract; the descriptor table is ours alone by now.
        unsafe {
            let gap = *orders.gaps.get(i);
            if answer >= 0 {
                if gap.last < answer as u32 {
                    continue;
                }
                syscall!(libc::SYS_close, answer);
            }
            answer = within!(limit, syscall!(libc::SYS_fcntl, fd, libc::F_DUPFD_CLOEXEC, gap.first));
            if answer < 0 || answer as u32 <= gap.last {
                break;
            }
        }
    }
    answer
}

/// /dev/null at a number in a gap, or at `to` itself. Without close-on-exec: what is not kept is closed by number.
#[inline(never)]
unsafe fn open_null(orders: &Orders, limit: &mut SoftLimit, to: i32) -> i32 {
    // SAFETY: called from `run` under its contract; the descriptor table is ours alone by now.
    unsafe {
        let null =
            must!(orders, Step::Null, within!(limit, syscall!(libc::SYS_openat, libc::AT_FDCWD, c"/dev/null".as_ptr(), libc::O_RDWR)))
                as i32;
        if null == to || is_dropped(&orders.gaps, null) {
            return null;
        }
        let lifted = must!(orders, Step::Lift, free_number(orders, limit, null));
        syscall!(libc::SYS_close, null);
        lifted as i32
    }
}

/// The descriptors one by one, in an order in which none is overwritten that is still needed.
unsafe fn move_descriptors(orders: &Orders, limit: &mut SoftLimit) {
    let (mut scratch, mut null) = (-1i32, -1i32);
    for i in 0..orders.moves.len {
        // SAFETY: called from `run` under its contract; the descriptor table is ours alone by now.
        unsafe {
            let Move { from, to } = *orders.moves.get(i);
            if from == Move::NULL && null < 0 {
                null = open_null(orders, limit, to);
            }
            let from = match from {
                Move::SCRATCH => scratch,
                Move::NULL => null,
                number => number,
            };
            if to == Move::SCRATCH {
                scratch = if scratch < 0 {
                    must!(orders, Step::Lift, free_number(orders, limit, from)) as i32
                } else {
                    must!(orders, Step::Lift, syscall!(libc::SYS_dup3, from, scratch, libc::O_CLOEXEC)) as i32
                };
            } else if from == to {
                // In place already: only close-on-exec may stand in the way.
                let flags = must!(orders, Step::Dup2, syscall!(libc::SYS_fcntl, from, libc::F_GETFD));
                if flags as i32 & libc::FD_CLOEXEC != 0 {
                    must!(orders, Step::Dup2, syscall!(libc::SYS_fcntl, from, libc::F_SETFD, flags as i32 & !libc::FD_CLOEXEC));
                }
            } else {
                must!(orders, Step::Dup2, within!(limit, syscall!(libc::SYS_dup3, from, to, 0)));
            }
        }
    }
}

/// Closes every number in these gaps: those between the descriptors that the child keeps. (Not the one by which it reports.)
pub(super) unsafe fn close_the_rest(orders: &Orders, gaps: &Span<Gap>) {
    // SAFETY: called from `run` under its contract; the descriptor table is ours alone by now.
    unsafe {
        for i in 0..gaps.len {
            let gap = *gaps.get(i);
            let keep = orders.error_fd.load(Ordering::Relaxed) as u32;
            let closed = if keep <= i32::MAX as u32 && gap.first <= keep && keep <= gap.last {
                (gap.first == keep || close_gap(orders, gap.first, keep.wrapping_sub(1)))
                    && (keep == gap.last || close_gap(orders, keep.wrapping_add(1), gap.last))
            } else {
                close_gap(orders, gap.first, gap.last)
            };
            if !closed {
                return close_by_listing(orders, gaps, keep);
            }
        }
    }
}

/// `false`: there is no close_range, or it is refused.
unsafe fn close_gap(orders: &Orders, first: u32, last: u32) -> bool {
    // SAFETY: as for `close_the_rest`.
    !orders.no_close_range && unsafe { syscall!(libc::SYS_close_range, first, last, 0) == 0 }
}

/// For kernels before 5.9 and filters that forbid close_range: one walk through /proc/self/fd for all gaps (there can be as many of them as
/// descriptors), which costs the open descriptors, not the limit; without /proc, the numbers below the hard limit.
#[inline(never)]
unsafe fn close_by_listing(orders: &Orders, gaps: &Span<Gap>, keep: u32) {
    // SAFETY: system calls on our own table; the buffer is on our own stack and parsed within the length returned.
    unsafe {
        let directory =
            syscall!(libc::SYS_openat, libc::AT_FDCWD, c"/proc/self/fd".as_ptr(), libc::O_RDONLY | libc::O_DIRECTORY | libc::O_CLOEXEC);
        if directory < 0 {
            let mut limit = [0u64; 2];
            syscall!(libc::SYS_prlimit64, 0, libc::RLIMIT_NOFILE, 0, limit.as_mut_ptr());
            // The hard limit: a host may have opened high numbers before it lowered the soft one.
            let end = if limit[1] > 1 << 20 { 1 << 20 } else { limit[1] as u32 };
            for i in 0..gaps.len {
                let gap = *gaps.get(i);
                let mut fd = gap.first;
                while fd <= gap.last && fd < end {
                    if fd != keep {
                        syscall!(libc::SYS_close, fd);
                    }
                    fd = fd.wrapping_add(1);
                }
            }
            return;
        }
        #[repr(align(8))]
        struct Buffer([u8; 2048]);
        let mut buffer = Buffer([0; 2048]);
        loop {
            let got = syscall!(libc::SYS_getdents64, directory, buffer.0.as_mut_ptr(), 2048);
            if got < 0 {
                fail(orders, Step::Close, got);
            }
            if got == 0 {
                break;
            }
            let mut at = 0usize;
            while at < got as usize {
                let record = buffer.0.as_ptr().wrapping_add(at);
                let length = core::ptr::read_unaligned(record.wrapping_add(16) as *const u16) as usize;
                let mut name = record.wrapping_add(19);
                let (mut number, mut digits) = (0u32, false);
                while (*name).is_ascii_digit() {
                    number = number.wrapping_mul(10).wrapping_add((*name - b'0') as u32);
                    digits = true;
                    name = name.wrapping_add(1);
                }
                if digits && number != keep && number != directory as u32 && is_dropped(gaps, number as i32) {
                    syscall!(libc::SYS_close, number);
                }
                at = at.wrapping_add(length);
            }
        }
        syscall!(libc::SYS_close, directory);
    }
}

/// Decimal digits and a NUL, in place. Answers how many digits.
unsafe fn write_digits(at: *mut u8, value: u32) -> usize {
    let mut digits = [0u8; 10];
    let mut left = value;
    let mut count = 0usize;
    loop {
        // SAFETY: a u32 has at most ten digits.
        unsafe { *digits.as_mut_ptr().wrapping_add(count) = b'0' + (left % 10) as u8 };
        count = count.wrapping_add(1);
        left /= 10;
        if left == 0 {
            break;
        }
    }
    let mut i = 0usize;
    while i < count {
        // SAFETY: the caller reserved eleven bytes at `at`.
        unsafe { *at.wrapping_add(i) = *digits.as_ptr().wrapping_add(count.wrapping_sub(1).wrapping_sub(i)) };
        i = i.wrapping_add(1);
    }
    // SAFETY: as above; the eleventh byte at most.
    unsafe { *at.wrapping_add(count) = 0 };
    count
}

/// The same by one whose children are to inherit it, and its own limit not.
pub(super) unsafe fn inherit_oom_score_adj(orders: &Orders) {
    let mut limit = SoftLimit { before: None };
    // SAFETY: as for `write_oom_score_adj`; two words of our own stack.
    unsafe {
        write_oom_score_adj(orders, &mut limit);
        if let Some(before) = limit.before {
            must!(orders, Step::Rlimit, syscall!(libc::SYS_prlimit64, 0, libc::RLIMIT_NOFILE, before.as_ptr(), 0));
        }
    }
}

/// How readily the kernel ends the child when memory is out: proc_pid_oom_score_adj(5). Before the privilege goes that a lower value needs.
///
/// The trap: the kernel gives the value to all who share the writer's memory, the host with them, unless the writer is a vfork child
/// (`__set_oom_adj` in fs/proc/base.c, Linux 4.8 to 6.18: `vfork_done`). `clone.rs` sees to it that this one is, or shares nothing.
#[inline(never)]
unsafe fn write_oom_score_adj(orders: &Orders, limit: &mut SoftLimit) {
    let mut text = [0u8; 12];
    let sign = usize::from(orders.oom_score_adj < 0);
    // SAFETY: a sign and eleven bytes of our own stack; the descriptor table is ours alone by now. (There is no handler that would interrupt us.)
    unsafe {
        *text.as_mut_ptr() = b'-';
        let digits = write_digits(text.as_mut_ptr().wrapping_add(sign), orders.oom_score_adj.unsigned_abs());
        let (path, how) = (c"/proc/self/oom_score_adj".as_ptr(), libc::O_WRONLY | libc::O_CLOEXEC);
        let file = must!(orders, Step::OomScoreAdj, within!(limit, syscall!(libc::SYS_openat, libc::AT_FDCWD, path, how)));
        must!(orders, Step::OomScoreAdj, syscall!(libc::SYS_write, file, text.as_ptr(), sign.wrapping_add(digits)));
        syscall!(libc::SYS_close, file);
    }
}

/// The kernel's `struct sigaction` in its default state: no handler, no flags, empty mask.
const KERNEL_SIGACTION_DEFAULT: [u64; 4] = [0; 4];
/// The same with SIG_IGN in the place of the handler.
const KERNEL_SIGACTION_IGNORE: [u64; 4] = [1, 0, 0, 0];

/// Those that the host ignores are ignored from the beginning, for nobody has reset them.
unsafe fn ignore_signals(mask: u64) {
    let mut left = mask;
    while left != 0 {
        let signal = left.trailing_zeros().wrapping_add(1);
        // SAFETY: as in `reset_signals`.
        unsafe { syscall!(libc::SYS_rt_sigaction, signal, KERNEL_SIGACTION_IGNORE.as_ptr(), 0, 8) };
        left &= left.wrapping_sub(1);
    }
}

/// Default dispositions for the signals in `mask`: before any is let in, or a pending signal that the host ignored or handled would run host code in
/// shared memory.
unsafe fn reset_signals(mask: u64) {
    let mut left = mask & !(1 << (libc::SIGKILL - 1)) & !(1 << (libc::SIGSTOP - 1));
    while left != 0 {
        let signal = left.trailing_zeros().wrapping_add(1);
        // SAFETY: a zeroed sigaction is SIG_DFL; our table of handlers is not shared (no CLONE_SIGHAND).
        unsafe { syscall!(libc::SYS_rt_sigaction, signal, KERNEL_SIGACTION_DEFAULT.as_ptr(), 0, 8) };
        left &= left.wrapping_sub(1);
    }
}

/// Tries the candidates in turn until one is a program; what each errno means for that, [`Found`] says.
unsafe fn execute(orders: &Orders) -> ! {
    let (mut nothing, mut denied, mut no_name) = (0, 0, 0);
    for i in 0..orders.candidates.len {
        let mut paused = 0;
        let answer = loop {
            // SAFETY: candidates, argv and envp are NUL-terminated and alive by the contract of `run`.
            let answer = unsafe { syscall!(libc::SYS_execve, *orders.candidates.get(i), orders.argv, orders.envp) };
            // A handler does that, and `outlast_keys` alone sets one.
            if answer == -(libc::EINTR as isize) && orders.terminal != Terminal::None {
                continue;
            }
            if answer != -(libc::ETXTBSY as isize) || paused == orders.busy_pauses {
                break answer;
            }
            let pause = [0i64, 1_000_000i64.wrapping_shl(paused)];
            // SAFETY: two words of our own.
            unsafe { syscall!(libc::SYS_nanosleep, pause.as_ptr(), 0) };
            paused = paused.wrapping_add(1);
        };
        match Found::of(-answer as i32) {
            Found::Nothing => nothing = answer,
            Found::Denied => denied = answer,
            Found::NoName => no_name = answer,
            // SAFETY: the orders are alive.
            Found::Program => unsafe { fail(orders, Step::Exec, answer) },
        }
    }
    // The first of these that there was.
    let answer = match (denied, nothing, no_name) {
        (0, 0, 0) => -(libc::ENOENT as isize),
        (0, 0, no_name) => no_name,
        (0, nothing, _) => nothing,
        (denied, ..) => denied,
    };
    // SAFETY: the orders are alive.
    unsafe { fail(orders, Step::Exec, answer) }
}

/// The probe's child: finds out in one go whether close_range works here and whether memory is shared.
///
/// # Safety
/// `arg` must be a [`Report`] in the parent's frame.
pub(super) unsafe extern "C" fn probe(arg: *mut c_void) -> ! {
    // SAFETY: the parent waits, or holds a copy that nobody else reads; the descriptor table is not shared with it.
    unsafe {
        let report = &*(arg as *const Report);
        report.step.store(-1, Ordering::Release);
        let answer = syscall!(libc::SYS_close_range, 3, u32::MAX, libc::CLOSE_RANGE_UNSHARE);
        report.errno.store(-answer as i32, Ordering::Release);
    }
    quit(0)
}
