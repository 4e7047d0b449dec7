//! How a child ended, as the end of a sentence.

use crate::registry::{Cause, Exit, Kind};

fn name_of(signal: i32) -> String {
    nix::sys::signal::Signal::try_from(signal).map(|signal| format!(" ({signal})")).unwrap_or_default()
}

/// That, to stand behind what it had to do.
pub fn described(exit: &Exit) -> String {
    let how = match exit.kind {
        Kind::Exited => format!(": exit code {}", exit.code),
        Kind::Signaled => format!(": signal {}{}", exit.signal, name_of(exit.signal)),
        Kind::Lost => String::new(),
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
    format!("{how}{why}")
}
