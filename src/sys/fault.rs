//! A system call that failed, by name.
//!
//! The trap: what takes several calls fails by any of them, and an errno alone does not say which. So whatever takes more than one answers this.

use nix::errno::Errno;

use crate::error::Error;

/// Which system call failed (or which limit stood in the way), and how.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fault {
    /// The call, as the manual names it.
    pub step: &'static str,
    /// How.
    pub errno: Errno,
}

impl Fault {
    /// For `map_err`.
    pub fn of(step: &'static str) -> impl Fn(Errno) -> Self {
        move |errno| Self { step, errno }
    }

    /// For a caller, who was `doing` something.
    pub fn error(self, doing: impl AsRef<str>) -> Error {
        Error::system(self.step, self.errno, doing)
    }
}
