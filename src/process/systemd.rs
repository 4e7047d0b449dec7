//! The conventions of systemd, by which many a server is started without it: descriptors to listen on, handed over by number.
//!
//! The trap: `LISTEN_PID` must be the number of the very process that reads it, which nobody knows before the clone; so the child writes
//! the digits itself, into memory that was made before (`ListenPid` in `sys/cstr.rs`). And what the host inherited from *its* starter
//! under these names must not reach the child: it would take descriptors for its own that are not.
//!
//! | variable         | says                                           |
//! |------------------|------------------------------------------------|
//! | `LISTEN_FDS`     | how many descriptors there are, from 3 upwards |
//! | `LISTEN_FDNAMES` | their names, with colons between them          |
//! | `LISTEN_PID`     | for whom they are                              |
//!
//! Here stands the side of the host, which gives. The side of the child, which finds them, is `coordination/service/listening.rs`; what both must
//! agree on is `coordination/service/variables.rs`.
//!
//! Source: sd_listen_fds(3).

use core::ffi::CStr;
use std::ffi::CString;

pub use crate::coordination::service::variables::FIRST;
use crate::coordination::service::variables::{LISTEN_FDNAMES, LISTEN_FDS, LISTENING, UNNAMED};
use crate::error::{Error, Result};
use crate::sys::cstr::ListenPid;

/// Whether the host's own variable of this name stays with the host.
pub fn replaces(name: &[u8]) -> bool {
    LISTENING.iter().any(|variable| variable.as_bytes() == name)
}

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
pub struct Listening {
    /// All but the pid.
    pub entries: [CString; 2],
    /// Written by the child.
    pub pid: ListenPid,
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
        Some(Self { entries, pid: ListenPid::default() })
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
    fn a_name_that_would_break_the_list_is_refused() {
        assert_eq!(name(None).unwrap(), b"unknown");
        assert_eq!(name(Some(c"a b")).unwrap(), b"a b");
        for bad in [c"", c"a:b", c"a\nb", c"\xc3\xa4"] {
            assert!(name(Some(bad)).is_err(), "{bad:?}");
        }
    }
}
