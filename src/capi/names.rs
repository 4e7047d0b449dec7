//! The names of numbers, for logs and for languages that have no header.

use core::ffi::{CStr, c_char};

use super::child::{ps_child_state_code, ps_exit_cause, ps_exit_kind, ps_exit_oom, ps_spawn_tier};
use super::supervisor::{ps_event_kind, ps_reason};

/// The constant of a number, or what stands for one that is none.
fn named(constant: Option<&'static str>, unknown: &'static CStr) -> *const c_char {
    constant.map_or(unknown.as_ptr(), |name| name.as_ptr().cast())
}

/// "PS_EVENT_STARTED" for what stands in ps_event.kind.
#[unsafe(no_mangle)]
pub extern "C" fn ps_event_kind_name(kind: i32) -> *const c_char {
    named(ps_event_kind::from_repr(kind).map(Into::into), c"PS_EVENT_UNKNOWN")
}

/// "PS_REASON_FAILED" for what stands in ps_event.reason.
#[unsafe(no_mangle)]
pub extern "C" fn ps_reason_name(reason: i32) -> *const c_char {
    named(ps_reason::from_repr(reason).map(Into::into), c"PS_REASON_UNKNOWN")
}

/// "PS_EXIT_SIGNALED" for what stands in ps_exit.kind.
#[unsafe(no_mangle)]
pub extern "C" fn ps_exit_kind_name(kind: i32) -> *const c_char {
    named(u8::try_from(kind).ok().and_then(ps_exit_kind::from_repr).map(Into::into), c"PS_EXIT_UNKNOWN")
}

/// "PS_CAUSE_DEADLINE" for what stands in ps_exit.cause.
#[unsafe(no_mangle)]
pub extern "C" fn ps_cause_name(cause: i32) -> *const c_char {
    named(u8::try_from(cause).ok().and_then(ps_exit_cause::from_repr).map(Into::into), c"PS_CAUSE_UNKNOWN")
}

/// "PS_OOM_OWN" for what stands in ps_exit.oom.
#[unsafe(no_mangle)]
pub extern "C" fn ps_oom_name(oom: i32) -> *const c_char {
    named(u8::try_from(oom).ok().and_then(ps_exit_oom::from_repr).map(Into::into), c"PS_OOM_UNKNOWN")
}

/// "PS_STATE_RUNNING" for what ps_child_state gives.
#[unsafe(no_mangle)]
pub extern "C" fn ps_state_name(state: i32) -> *const c_char {
    named(ps_child_state_code::from_repr(state).map(Into::into), c"PS_STATE_UNKNOWN")
}

/// "PS_TIER_CLONE3" for what ps_child_spawn_tier gives.
#[unsafe(no_mangle)]
pub extern "C" fn ps_tier_name(tier: i32) -> *const c_char {
    named(u8::try_from(tier).ok().and_then(ps_spawn_tier::from_repr).map(Into::into), c"PS_TIER_UNKNOWN")
}

/// "SIGTERM" for the number of a signal on this machine; "SIGRTMIN+3" for one of the real-time signals as
/// glibc counts them (from 34 on; 32 and 33 are its own); "SIGUNKNOWN" for a number that is none.
#[unsafe(no_mangle)]
pub extern "C" fn ps_signal_name(signal: i32) -> *const c_char {
    let known = SIGNALS.iter().find(|(number, _)| *number == signal).map(|(_, name)| *name);
    let real_time = || usize::try_from(signal.saturating_sub(FIRST_REAL_TIME)).ok().and_then(|at| REAL_TIME.get(at)).copied();
    known.or_else(real_time).unwrap_or(c"SIGUNKNOWN").as_ptr()
}

const FIRST_REAL_TIME: i32 = 34;

macro_rules! signals {
    ($($name:ident)*) => {
        [$((libc::$name, match CStr::from_bytes_with_nul(concat!(stringify!($name), "\0").as_bytes()) { Ok(name) => name, Err(_) => c"" })),*]
    };
}

/// signal(7), the standard ones.
static SIGNALS: [(i32, &CStr); 31] = signals!(
    SIGHUP SIGINT SIGQUIT SIGILL SIGTRAP SIGABRT SIGBUS SIGFPE SIGKILL SIGUSR1 SIGSEGV SIGUSR2 SIGPIPE SIGALRM SIGTERM SIGSTKFLT SIGCHLD
    SIGCONT SIGSTOP SIGTSTP SIGTTIN SIGTTOU SIGURG SIGXCPU SIGXFSZ SIGVTALRM SIGPROF SIGWINCH SIGIO SIGPWR SIGSYS
);

macro_rules! real_time {
    ($($offset:literal)*) => {
        [c"SIGRTMIN", $(match CStr::from_bytes_with_nul(concat!("SIGRTMIN+", $offset, "\0").as_bytes()) { Ok(name) => name, Err(_) => c"" }),*]
    };
}

static REAL_TIME: [&CStr; 31] = real_time!(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30);
