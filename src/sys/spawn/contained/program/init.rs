//! The init of a contained child: the first process of a pid namespace, which reaps, passes signals on, and ends as its program does.
//!
//! The trap: the kernel lets the first process of a namespace ignore every signal that it has no handler for, and whoever is inside can send it some. So
//! all are blocked, which keeps them (a blocked signal is never ignored), and they are taken one by one; those from inside are thrown away: the kernel
//! shows a sender that is outside as 0. But only where the kernel has written that: who queues a signal (rt_sigqueueinfo(2), a code below 0) writes it
//! himself, and might have this process send something that he may not. Of those nothing counts but the host's orders, by their secret. SIGKILL from outside needs nobody's help: the kernel ends the namespace.
//!
//! ```text
//!   reap whoever has ended --> the program? write its fate down, exit (and the kernel kills all who are left)
//!   take a signal --> CHLD: reap     an order, or any signal from outside: to the program's group, or to the program
//! ```
//!
//! It holds one descriptor, the file of fates; no libc, no allocation.

use crate::sys::raw::syscall;
use crate::sys::wire;

/// `siginfo_t` as far as it is read: signo, errno, code, a gap, pid, uid, value.
#[repr(C)]
struct Info {
    words: [i32; 6],
    value: u64,
    rest: [u64; 12],
}

pub fn exit(code: i32) -> ! {
    loop {
        // SAFETY: takes no pointers and does not return.
        unsafe { syscall!(libc::SYS_exit_group, code) };
    }
}

/// Hexadecimal digits.
unsafe fn number(at: *const u8, count: usize) -> u64 {
    let (mut value, mut i) = (0u64, 0);
    while i < count {
        // SAFETY: the caller has so many bytes there.
        let digit = unsafe { *at.wrapping_add(i) };
        value = value.wrapping_shl(4) | u64::from(if digit >= b'a' { digit.wrapping_sub(b'a' - 10) } else { digit.wrapping_sub(b'0') });
        i = i.wrapping_add(1);
    }
    value
}

/// Its whole life, on the stack that the kernel gave, which begins with argc and argv.
pub unsafe fn live(stack: *const *const u8) -> ! {
    // SAFETY: argv[1] has the digits of `wire::DIGITS`, as `inside.rs` writes them; all calls get memory of this frame.
    unsafe {
        let text = *stack.wrapping_add(2);
        match *stack as usize {
            2 => {}
            4 => write_maps(stack.wrapping_add(2)),
            _ => exit(70),
        }
        let [a, b, c] = wire::DIGITS;
        let (entry, ticket) = (number(text, a), number(text.wrapping_add(a), b) as u32);
        let program = number(text.wrapping_add(a).wrapping_add(b), c) as i32;
        // Behind the arguments and a NULL.
        let secret = number(*stack.wrapping_add(4), wire::SECRET);
        // Who has the same user could look into it else, and write another fate.
        syscall!(libc::SYS_prctl, libc::PR_SET_DUMPABLE, 0, 0, 0, 0);
        syscall!(libc::SYS_prctl, libc::PR_SET_NAME, c"procsup-init".as_ptr());
        // It must not keep a file system busy.
        syscall!(libc::SYS_chdir, c"/".as_ptr());
        // All are blocked since before it was made (`inside.rs`): a program that has ended by now has left its SIGCHLD.
        let all = u64::MAX;
        loop {
            let mut info = Info { words: [0; 6], value: 0, rest: [0; 12] };
            let signal = syscall!(libc::SYS_rt_sigtimedwait, &raw const all, &raw mut info, 0, 8) as i32;
            let [_, _, code, _, sender, _] = info.words;
            match signal {
                libc::SIGCHLD => reap(program, (entry, ticket), libc::WNOHANG | libc::__WALL),
                1.. => {}
                _ if signal == -libc::EINTR || signal == -libc::EAGAIN => {}
                // A filter forbids that: it can wait still, and passes nothing on.
                _ => reap(program, (entry, ticket), libc::__WALL),
            }
            if signal <= 0 || signal == libc::SIGCHLD && code > 0 || sender != 0 {
                continue;
            }
            if code >= 0 || code == libc::SI_TKILL {
                pass_on(program, signal, false);
            } else if code == libc::SI_QUEUE
                && let Some((signal, alone)) = wire::ordered(secret, info.value)
            {
                pass_on(program, signal, alone);
            }
        }
    }
}

/// Not as an init, but for one that may not do it itself: writes these three texts to the maps of the namespace that both are in, and exits with what
/// has failed.
unsafe fn write_maps(texts: *const *const u8) -> ! {
    let mut i = 0usize;
    while i < 3 {
        // SAFETY: three strings that end with NUL, by whoever executes this.
        unsafe {
            let (text, mut length) = (*texts.wrapping_add(i), 0usize);
            // Volatile: or the loop would be compiled to a call of strlen.
            while text.wrapping_add(length).read_volatile() != 0 {
                length = length.wrapping_add(1);
            }
            let path = (*(&raw const wire::MAPS).cast::<&core::ffi::CStr>().wrapping_add(i)).as_ptr();
            let file = syscall!(libc::SYS_openat, libc::AT_FDCWD, path, libc::O_WRONLY | libc::O_CLOEXEC);
            let wrote = if file < 0 { file } else { syscall!(libc::SYS_write, file, text, length) };
            if wrote < 0 {
                exit(wrote.wrapping_neg() as i32);
            }
            syscall!(libc::SYS_close, file);
        }
        i = i.wrapping_add(1);
    }
    exit(0)
}

/// To the program's group, and to the program where it has left that.
unsafe fn pass_on(program: i32, signal: i32, alone: bool) {
    // SAFETY: no pointers.
    unsafe {
        if !alone {
            let taken = syscall!(libc::SYS_kill, program.wrapping_neg(), signal);
            if taken >= 0 && syscall!(libc::SYS_getpgid, program) as i32 == program {
                return;
            }
        }
        syscall!(libc::SYS_kill, program, signal);
    }
}

/// Reaps all who have ended; does not return once the program is among them.
unsafe fn reap(program: i32, (entry, ticket): (u64, u32), options: i32) {
    loop {
        let mut status = 0u32;
        // SAFETY: four bytes of this frame; no usage is asked for.
        let ended = unsafe { syscall!(libc::SYS_wait4, -1i32, &raw mut status, options, 0) } as i32;
        if ended == program {
            let word = wire::word(ticket, status);
            // SAFETY: eight bytes of this frame.
            unsafe { syscall!(libc::SYS_pwrite64, wire::FATES, &raw const word, 8, entry) };
            let signal = status & 0x7F;
            // What a shell would say, for who reads nothing but this.
            exit(if signal == 0 { (status >> 8 & 0xFF) as i32 } else { 128i32.wrapping_add(signal as i32) });
        }
        if ended <= 0 {
            return;
        }
    }
}
