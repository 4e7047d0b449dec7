//! What rooms above may read of a command, and another program in its place.
//!
//! It is read to be shown, or to be said to somebody else; what it means for a process only the recipe knows (`process/spawn.rs`).

use core::ffi::CStr;
use std::ffi::{CString, OsStr};
use std::sync::Arc;

use super::{Command, Credentials, Program};
use crate::coordination::readiness::Spec;
use crate::error::{Error, Result};
use crate::process::stop::Step;

impl Command {
    /// The program, as it was named.
    pub fn program(&self) -> &CStr {
        &self.program.name
    }

    /// The same, for a sentence. No program that can be run has a longer name.
    pub fn shown(&self) -> String {
        let name = self.program.name.to_bytes();
        let more = if name.len() > libc::PATH_MAX as usize { "..." } else { "" };
        format!("{}{more}", String::from_utf8_lossy(&name[..name.len().min(libc::PATH_MAX as usize)]))
    }

    /// The arguments behind `argv[0]`.
    pub fn args(&self) -> &[CString] {
        self.program.args()
    }

    /// `argv[0]`, if it is not the program as it was named.
    pub fn own_arg0(&self) -> Option<&CStr> {
        self.program.own_arg0()
    }

    /// The soft limit that was set for a resource.
    pub fn soft_limit(&self, resource: i32) -> Option<u64> {
        self.identity.limits.iter().find(|limit| limit.resource == resource as u32).map(|limit| limit.soft)
    }

    /// The working directory, if one was named.
    pub fn directory(&self) -> Option<&CStr> {
        self.program.directory.as_deref()
    }

    /// Whom the child becomes, if that was said.
    pub fn becomes(&self) -> Option<&Credentials> {
        self.identity.credentials.as_ref()
    }

    /// By what its child is known to be ready, if somebody has said so.
    pub fn sign(&self) -> Option<&Spec> {
        self.readiness.spec.as_deref()
    }

    /// Whether what is left of its group may go on when its leader has ended.
    pub fn leaves_survivors(&self) -> bool {
        !self.sweeps()
    }

    /// How its child is stopped.
    pub fn plan(&self) -> Arc<Vec<Step>> {
        self.lifetime.plan.clone()
    }

    /// The child's value of a variable, as the host stands now.
    pub fn variable(&self, name: &str) -> Result<Option<CString>> {
        self.program.env.get(name.as_bytes()).map_err(|errno| Error::system("memory", errno, self.cannot()))
    }

    /// Whether the command itself sets this variable, or removes it.
    pub fn changes_variable(&self, name: &str) -> bool {
        self.program.env.changes(name.as_bytes())
    }

    /// The child's environment, as the host stands now: `NAME=value`.
    pub fn environment(&self) -> Result<Vec<CString>> {
        self.program.env.entries().map_err(|errno| Error::system("memory", errno, self.cannot()))
    }

    /// Another program with other arguments: all else stays.
    pub fn run_instead(&mut self, program: impl AsRef<OsStr>, args: impl IntoIterator<Item: AsRef<OsStr>>) -> Result<&mut Self> {
        let mut other = Program::new(program)?;
        other.env = self.program.env.clone();
        other.directory = self.program.directory.clone();
        let before = core::mem::replace(&mut self.program, other);
        for arg in args {
            if let Err(error) = self.arg(arg) {
                self.program = before;
                return Err(error);
            }
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::command::EnvBase;

    #[test]
    fn another_program_keeps_what_surrounds_it() {
        let mut command = Command::new("a").unwrap();
        command.arg("1").unwrap().env_base(EnvBase::Clear).env("X", Some(OsStr::new("y"))).unwrap().cwd("/").unwrap();
        command.arg0("zero").unwrap();
        let shared = command.clone();
        command.run_instead("b", ["2", "3"]).unwrap();
        assert_eq!((command.program(), command.args().len(), command.own_arg0()), (c"b", 2, None));
        assert_eq!((command.directory(), command.variable("X").unwrap().as_deref()), (Some(c"/"), Some(c"y")));
        assert!(command.changes_variable("X") && !command.changes_variable("PATH"));
        assert_eq!(command.environment().unwrap(), [c"X=y".to_owned()]);
        assert!(command.run_instead("c", ["a\0b"]).is_err());
        assert_eq!(command.program(), c"b", "unchanged");
        assert_eq!((shared.program(), shared.own_arg0()), (c"a", Some(c"zero")));
    }
}
