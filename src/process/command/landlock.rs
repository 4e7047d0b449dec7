//! What the child may do to files, by path: all else of that is forbidden to it, and to whatever it starts.
//!
//! The trap: it holds for the start of the program as well. So it comes last of all steps before the exec, and what the exec itself needs (the program,
//! its interpreter, its libraries) must be allowed like everything else. Paths are looked up at each spawn, before anything is made: one that is missing,
//! or a kernel that has no Landlock, is told by then.

use core::ffi::CStr;
use std::ffi::CString;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;

use nix::errno::Errno;

use super::{Command, c_string};
use crate::error::{Error, Result, Status};
use crate::sys::landlock::{Allow, Ruleset};

/// So many paths: each is looked up at each spawn.
const MOST: usize = 1024;

/// One path, and what it is opened to.
#[derive(Debug)]
struct Rule {
    path: CString,
    /// Bits of [`Allow`].
    access: i32,
}

/// The paths that are opened; with the first of them everything else is closed.
#[derive(Clone, Debug, Default)]
pub struct Confinement(Option<Arc<Vec<Arc<Rule>>>>);

impl Confinement {
    /// Whether there are any.
    pub fn is_on(&self) -> bool {
        self.0.is_some()
    }

    fn add(&mut self, rule: Rule) {
        Arc::make_mut(self.0.get_or_insert_default()).push(Arc::new(rule));
    }
}

/// The kernel has none. (EPERM: a seccomp filter that knows no better word; the kernel itself never says that here.)
fn is_missing(errno: Errno) -> bool {
    matches!(errno, Errno::ENOSYS | Errno::EOPNOTSUPP | Errno::EPERM)
}

impl Command {
    /// Opens a path, and what is below it, to the child: bits of [`Allow`].
    pub fn landlock(&mut self, path: impl AsRef<Path>, access: i32) -> Result<&mut Self> {
        let path = c_string("landlock", path.as_ref())?;
        let known = Allow::ALL.into_iter().fold(0, |bits, one| bits | one as i32);
        if access == 0 || access & !known != 0 {
            return Err(Error::invalid("landlock", format!("landlock: {access} is no sum of PS_ALLOW_*")));
        }
        if path.is_empty() || path.as_bytes_with_nul().len() > libc::PATH_MAX as usize {
            return Err(Error::invalid("landlock", "landlock: the path is empty, or longer than the kernel takes (PATH_MAX)"));
        }
        if self.identity.confinement.0.as_ref().is_some_and(|rules| rules.len() == MOST) {
            return Err(Error::new(Status::Limit, "landlock", format!("landlock: the command has {MOST} paths already")));
        }
        self.identity.confinement.add(Rule { path, access });
        Ok(self)
    }

    /// By what the child of one spawn restricts itself.
    pub(in crate::process) fn ruleset(&self) -> Result<Option<OwnedFd>> {
        let Some(rules) = &self.identity.confinement.0 else { return Ok(None) };
        let ruleset = Ruleset::new().map_err(|errno| {
            let error = Error::system("landlock_create_ruleset", errno, self.cannot());
            if !is_missing(errno) {
                return error;
            }
            error.with_status(Status::Unsupported).with(|it| it.message += ": this kernel has no Landlock, or it is off or forbidden here")
        })?;
        for Rule { path, access } in rules.iter().map(|rule| &**rule) {
            ruleset.allow(path, *access).map_err(|fault| fault.error(self.cannot()).with(|it| it.message += &named(path)))?;
        }
        Ok(Some(ruleset.into_fd()))
    }
}

fn named(path: &CStr) -> String {
    format!(": {}", String::from_utf8_lossy(path.to_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sums_of_what_there_is_are_taken() {
        let mut command = Command::new("x").unwrap();
        for access in [0, 8, -1, 9] {
            assert_eq!(command.landlock("/", access).unwrap_err().step, "landlock");
        }
        assert!(command.landlock("", 1).is_err() && command.landlock("x".repeat(4096), 1).is_err());
        assert!(!command.identity.confinement.is_on());
        let before = command.clone();
        command.landlock("/", 7).unwrap();
        assert!(command.identity.confinement.is_on() && !before.identity.confinement.is_on());
        assert!((1..MOST).all(|_| command.landlock("/", 1).is_ok()));
        assert_eq!(command.landlock("/", 1).unwrap_err().status, Status::Limit);
    }
}
