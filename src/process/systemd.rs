//! The conventions of systemd, by which many a server is started without it: descriptors to listen on, handed over by number.
//!
//! The trap: `LISTEN_PID` and `WATCHDOG_PID` must be the number of the very process that reads them, which nobody knows before the clone; so the
//! child writes the digits itself, into memory that was made before (`OwnPid` in `sys/cstr.rs`). And what the host inherited from *its* starter
//! under these names must not reach a child that gets some of ours: it would take descriptors for its own that are not, or tell the host's manager
//! what is meant for us. (A child that gets none of ours inherits them like any variable: a part of a service may well speak to its manager.)
//!
//! | variable         | says                                             | goes to a child                     |
//! |------------------|--------------------------------------------------|-------------------------------------|
//! | `LISTEN_FDS`     | how many descriptors there are, from 3 upwards   | with descriptors to listen on       |
//! | `LISTEN_FDNAMES` | their names, with colons between them            | as above                            |
//! | `LISTEN_PID`     | for whom they are                                | as above                            |
//! | `NOTIFY_SOCKET`  | where messages go: `@` and an abstract name      | with readiness NOTIFY or a watchdog |
//! | `WATCHDOG_USEC`  | how long it may be silent, microseconds          | with a watchdog                     |
//! | `WATCHDOG_PID`   | who must not be                                  | as above; and to a successor, where this process is watched |
//!
//! Here stands the side of the host, which gives. The side of the child, which finds them, is `coordination/service/listening.rs`; what both must
//! agree on is `coordination/service/variables.rs`.
//!
//! Source: sd_listen_fds(3), sd_notify(3), sd_watchdog_enabled(3).

use core::ffi::CStr;
use std::ffi::CString;

pub use crate::coordination::service::variables::FIRST;
use crate::coordination::service::variables::{
    LISTEN_FDNAMES, LISTEN_FDS, LISTEN_PID, LISTENING, NOTIFY_SOCKET, NOTIFYING, UNNAMED, WATCHDOG_PID, WATCHDOG_USEC,
};
use crate::error::{Error, Result};
use crate::sys::cstr::{OWN_PIDS, OwnPid};

/// The name of a descriptor, if it can be one.
pub fn name(name: Option<&CStr>) -> Result<Vec<u8>> {
    let name = name.map_or(UNNAMED, CStr::to_bytes);
    let bad = |byte: &u8| *byte == b':' || byte.is_ascii_control() || !byte.is_ascii();
    if name.is_empty() || name.len() > 255 || name.iter().any(bad) {
        return Err(Error::invalid("listen_fd", "listen_fd: a name has 1 to 255 printable ASCII characters and no ':'"));
    }
    Ok(name.to_vec())
}

/// What one child finds in its environment.
#[derive(Default)]
pub struct Told {
    /// About descriptors.
    pub listening: Option<Listening>,
    /// About messages.
    pub notifying: Option<Notifying>,
    /// It is watched in this process's place, by whoever watches that: `WATCHDOG_PID`, written by the child. Not beside `notifying`.
    pub watched: Option<OwnPid>,
}

impl Told {
    /// The entry by which it is watched in its maker's place.
    pub fn watched() -> OwnPid {
        OwnPid::of(WATCHDOG_PID)
    }

    /// Whether it is told nothing.
    pub fn is_empty(&self) -> bool {
        self.listening.is_none() && self.notifying.is_none() && self.watched.is_none()
    }

    /// The variables that are ours to say.
    pub fn names(&self) -> impl Iterator<Item = &'static [u8]> {
        let listening = LISTENING.into_iter().filter(|_| self.listening.is_some());
        let notifying = NOTIFYING.into_iter().filter(|_| self.notifying.is_some());
        let watched = [WATCHDOG_PID].into_iter().filter(|_| self.watched.is_some());
        listening.chain(notifying).chain(watched).map(str::as_bytes)
    }

    /// Whether a variable of this name is one of those.
    pub fn replaces(&self, name: &[u8]) -> bool {
        self.names().any(|ours| ours == name)
    }

    /// All but those that hold its pid.
    pub fn entries(&self) -> impl Iterator<Item = &CStr> {
        let listening = self.listening.iter().flat_map(|listening| &listening.entries);
        let notifying = self.notifying.iter().flat_map(|notifying| [&notifying.socket].into_iter().chain(&notifying.watchdog_usec));
        listening.chain(notifying).map(CString::as_c_str)
    }

    /// Those; the ones that there are come first.
    pub fn own_pids(&self) -> [Option<&OwnPid>; OWN_PIDS] {
        let listening = self.listening.as_ref().map(|listening| &listening.pid);
        let watchdog = self.notifying.as_ref().and_then(|notifying| notifying.watchdog_pid.as_ref()).or(self.watched.as_ref());
        if listening.is_some() { [listening, watchdog] } else { [watchdog, None] }
    }
}

/// Where it says that it is ready, and that it lives.
pub struct Notifying {
    socket: CString,
    watchdog_usec: Option<CString>,
    /// Written by the child.
    watchdog_pid: Option<OwnPid>,
}

impl Notifying {
    /// The entries for a socket of this address, and for a watchdog of so many milliseconds.
    pub fn at(address: &str, watchdog_ms: Option<i64>) -> Self {
        let entry = |text: String| CString::new(text).unwrap_or_default();
        Self {
            socket: entry(format!("{NOTIFY_SOCKET}={address}")),
            watchdog_usec: watchdog_ms.map(|ms| entry(format!("{WATCHDOG_USEC}={}", ms.saturating_mul(1_000)))),
            watchdog_pid: watchdog_ms.map(|_| OwnPid::of(WATCHDOG_PID)),
        }
    }
}

/// Descriptors to listen on.
pub struct Listening {
    entries: [CString; 2],
    /// Written by the child.
    pid: OwnPid,
}

impl Listening {
    /// The entries for descriptors with these names, if there are any.
    pub fn of<'a>(names: impl ExactSizeIterator<Item = &'a [u8]>) -> Option<Self> {
        let count = names.len();
        if count == 0 {
            return None;
        }
        let names = names.collect::<Vec<_>>().join(&b':');
        // Names were checked when they were given: no NUL.
        let entry = |bytes: Vec<u8>| CString::new(bytes).unwrap_or_default();
        let entries = [entry(format!("{LISTEN_FDS}={count}").into_bytes()), entry([LISTEN_FDNAMES.as_bytes(), b"=", &names].concat())];
        Some(Self { entries, pid: OwnPid::of(LISTEN_PID) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_entries_say_how_many_and_how_they_are_called() {
        assert!(Listening::of([].into_iter()).is_none());
        let listening = Listening::of([&b"http"[..], b"unknown"].into_iter()).unwrap();
        assert_eq!(listening.entries, [c"LISTEN_FDS=2".to_owned(), c"LISTEN_FDNAMES=http:unknown".to_owned()]);
    }

    #[test]
    fn messages_have_an_address_and_a_watchdog_a_period() {
        let told = Told { notifying: Some(Notifying::at("@x", Some(1_500))), ..Told::default() };
        assert_eq!(told.entries().collect::<Vec<_>>(), [c"NOTIFY_SOCKET=@x", c"WATCHDOG_USEC=1500000"]);
        assert!(told.own_pids()[0].is_some() && told.own_pids()[1].is_none());
        let told =
            Told { listening: Listening::of([&b"a"[..]].into_iter()), notifying: Some(Notifying::at("@x", None)), ..Told::default() };
        assert_eq!(told.entries().count(), 3);
        assert!(told.own_pids()[0].is_some() && told.own_pids()[1].is_none());
        assert!(told.replaces(b"WATCHDOG_PID") && told.replaces(b"LISTEN_PID") && !told.replaces(b"PATH"));
        assert!(!Told::default().replaces(b"NOTIFY_SOCKET") && Told::default().is_empty());
        let told = Told { watched: Some(Told::watched()), ..Told::default() };
        assert!(told.replaces(b"WATCHDOG_PID") && !told.replaces(b"WATCHDOG_USEC") && !told.replaces(b"NOTIFY_SOCKET"));
        assert!(told.own_pids()[0].is_some() && told.entries().count() == 0 && !told.is_empty());
    }

    #[test]
    fn a_name_that_would_break_the_list_is_refused() {
        assert_eq!(name(None).unwrap(), b"unknown");
        assert_eq!(name(Some(c"a b")).unwrap(), b"a b");
        for bad in [c"", c"a:b", c"a\nb", c"\xc3\xa4"] {
            assert!(name(Some(bad)).is_err(), "{bad:?}");
        }
    }
}
