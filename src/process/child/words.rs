//! How a child ended, as the end of a sentence.

use crate::registry::{Cause, Exit, Kind, Oom};

fn name_of(signal: i32) -> String {
    nix::sys::signal::Signal::try_from(signal).map(|signal| format!(" ({signal})")).unwrap_or_default()
}

/// That it was killed for want of memory; empty if nothing says so.
pub fn for_want_of_memory(oom: Oom) -> &'static str {
    match oom {
        Oom::None => "",
        Oom::Own => "killed by the kernel for want of memory (the limit of its own control group)",
        Oom::Above => "killed by the kernel for want of memory (no limit of its own control group)",
        Oom::Probable => "probably killed by the kernel for want of memory",
    }
}

/// That, to stand behind what it had to do.
pub fn described(exit: &Exit) -> String {
    let how = match exit.kind {
        Kind::Exited => format!(": exit code {}", exit.code),
        Kind::Signaled => format!(": signal {}{}", exit.signal, name_of(exit.signal)),
        Kind::Lost => String::new(),
    };
    let starved = match for_want_of_memory(exit.memory.oom) {
        "" => String::new(),
        words => format!(", {words}"),
    };
    let why = match exit.cause {
        Cause::Itself => "",
        Cause::NotReady => ", killed for not being ready",
        Cause::Stop => ", it was stopped",
        Cause::Deadline => ", its deadline had passed",
        Cause::Shutdown => ", its supervisor was shut down",
        Cause::KillAll => ", all were killed",
        Cause::Owner => ", the signal was its owner's",
        Cause::Watchdog => ", its watchdog had run out",
    };
    format!("{how}{starved}{why}")
}
