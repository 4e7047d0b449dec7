//! What is run: the program with its arguments, its environment and its directory.
//!
//! The trap: nothing may be allocated between clone and exec, so the strings that exec takes are made here. Arguments stay the same from
//! spawn to spawn and are made into an array once; a clone of the command shares it until either is changed.

use core::ffi::CStr;
use std::ffi::{CString, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use nix::errno::Errno;

use super::{Command, EnvBase, c_string, holds_nul};
use crate::error::{Error, Result};
use crate::process::environment::{Change, Environment};
use crate::sys::{cstr, reserve};

/// Program, arguments, environment, directory.
#[derive(Clone, Debug)]
pub struct Program {
    pub(in crate::process) name: CString,
    /// Shared by the clones of a command.
    args: Arc<Vec<CString>>,
    arg0: Option<CString>,
    argv: Arc<OnceLock<Argv>>,
    pub(in crate::process) env: Environment,
    pub(in crate::process) directory: Option<CString>,
}

struct Argv(cstr::Array);

impl core::fmt::Debug for Argv {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Argv")
    }
}

impl Program {
    pub(super) fn new(name: impl AsRef<OsStr>) -> Result<Self> {
        let name = c_string("program", name)?;
        if name.is_empty() {
            return Err(Error::invalid("program", "program: the string is empty"));
        }
        Ok(Self { name, args: Arc::default(), arg0: None, argv: Arc::default(), env: Environment::default(), directory: None })
    }

    /// The arguments behind the first one.
    pub(super) fn args(&self) -> &[CString] {
        &self.args
    }

    /// The first one, if it is not the name.
    pub(super) fn own_arg0(&self) -> Option<&CStr> {
        self.arg0.as_deref()
    }

    /// The argument vector, made once. `ENOMEM`: there is no memory for so many.
    pub(in crate::process) fn argv(&self) -> core::result::Result<&cstr::Array, Errno> {
        if let Some(made) = self.argv.get() {
            return Ok(&made.0);
        }
        let first = self.arg0.as_ref().unwrap_or(&self.name).clone();
        let made = Argv(cstr::Array::new(first, self.args.clone())?);
        Ok(&self.argv.get_or_init(|| made).0)
    }

    /// The bytes that every clone copies.
    pub(super) fn bytes(&self) -> usize {
        [Some(&self.name), self.arg0.as_ref(), self.directory.as_ref()].into_iter().flatten().map(|text| text.as_bytes().len()).sum()
    }
}

impl Command {
    /// Appends one argument.
    pub fn arg(&mut self, arg: impl AsRef<OsStr>) -> Result<&mut Self> {
        Arc::make_mut(&mut self.program.args).push(c_string("arg", arg)?);
        self.program.argv = Arc::default();
        Ok(self)
    }

    /// What the child sees as `argv[0]`; the program as it was named, unless this says otherwise.
    pub fn arg0(&mut self, arg0: impl AsRef<OsStr>) -> Result<&mut Self> {
        self.program.arg0 = Some(c_string("arg0", arg0)?);
        self.program.argv = Arc::default();
        Ok(self)
    }

    /// Sets a variable; `None` removes it.
    pub fn env(&mut self, name: impl AsRef<OsStr>, value: Option<&OsStr>) -> Result<&mut Self> {
        let (name, value) = (name.as_ref().as_bytes(), value.map(OsStr::as_bytes));
        for text in [Some(name), value].into_iter().flatten() {
            no_nul("env", text)?;
        }
        let no_name = || format!("env: \"{}\" is no name of a variable: it is empty or holds '='", name.escape_ascii());
        let change = Change::of(name, value).ok_or_else(|| Error::invalid("env", no_name()))?.map_err(reserve::out_of_memory)?;
        self.program.env.change([change].into_iter()).map_err(reserve::out_of_memory)?;
        Ok(self)
    }

    /// Sets the variables of a block of `NAME=value`, as by [`Command::env`] one after the other: all, or none.
    pub fn env_block(&mut self, block: impl IntoIterator<Item: AsRef<[u8]>>) -> Result<&mut Self> {
        let mut changes = Vec::new();
        for (index, entry) in block.into_iter().enumerate() {
            let entry = entry.as_ref();
            let refuse = |why: &str| Error::invalid("env_block", format!("env_block: entry {index} of the block {why}"));
            // What it says is not shown: values are secrets as often as not.
            let at = memchr::memchr(b'=', entry).ok_or_else(|| refuse("has no '=', and must be NAME=VALUE"))?;
            if let Some(nul) = memchr::memchr(0, entry) {
                return Err(refuse(&format!("holds a NUL byte, at offset {nul}")));
            }
            let change = Change::of(&entry[..at], Some(&entry[at + 1..])).ok_or_else(|| refuse("has no name before its '='"))?;
            changes.try_reserve(1).map_err(reserve::out_of_memory)?;
            changes.push(change.map_err(reserve::out_of_memory)?);
        }
        self.program.env.change(changes.into_iter()).map_err(reserve::out_of_memory)?;
        Ok(self)
    }

    /// What the environment begins with.
    pub fn env_base(&mut self, base: EnvBase) -> &mut Self {
        self.program.env.base = base;
        self
    }

    /// The working directory. A relative one counts from the host's at the time of the spawn.
    pub fn cwd(&mut self, directory: impl AsRef<Path>) -> Result<&mut Self> {
        let directory = c_string("cwd", directory.as_ref())?;
        if directory.is_empty() {
            return Err(Error::invalid("cwd", "cwd: the string is empty"));
        }
        self.program.directory = Some(directory);
        Ok(self)
    }
}

fn no_nul(step: &'static str, text: &[u8]) -> Result<()> {
    memchr::memchr(0, text).map_or(Ok(()), |at| Err(holds_nul(step, at)))
}
