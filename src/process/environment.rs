//! The child's environment: a base taken from the host, with names set and removed.

use core::ffi::CStr;
use std::ffi::CString;
use std::sync::Arc;

use nix::errno::Errno;

use super::systemd::Told;
use crate::sys::cstr::{self, List};
use crate::sys::environ;

/// What a child's environment begins with.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, strum::FromRepr, strum::IntoStaticStr, strum::VariantNames)]
#[repr(i32)]
pub enum Base {
    /// Everything the host has (default).
    #[default]
    #[strum(serialize = "PS_ENV_INHERIT")]
    Inherit = 0,
    /// Nothing.
    #[strum(serialize = "PS_ENV_CLEAR")]
    Clear = 1,
    /// PATH, HOME, USER, LOGNAME, SHELL, LANG, LC_*, TZ, TMPDIR and TERM of the host.
    #[strum(serialize = "PS_ENV_BASELINE")]
    Baseline = 2,
}

/// The names of [`Base::Baseline`]; `LC_*` belongs to it too.
const BASELINE: [&[u8]; 9] = [b"PATH", b"HOME", b"USER", b"LOGNAME", b"SHELL", b"LANG", b"TZ", b"TMPDIR", b"TERM"];

/// Base and changes. A name is changed once: the last call wins.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// What it begins with.
    pub base: Base,
    /// Shared by the clones of a command.
    changes: Arc<Vec<Change>>,
}

/// `entry` is `NAME=value`; none removes the name.
#[derive(Clone, Debug)]
struct Change {
    name: Vec<u8>,
    entry: Option<CString>,
}

impl Environment {
    /// Sets or removes a name. `None`: the name is empty or holds `=`.
    pub fn set(&mut self, name: &CStr, value: Option<&CStr>) -> Option<()> {
        let name = name.to_bytes();
        if name.is_empty() || name.contains(&b'=') {
            return None;
        }
        let entry = match value {
            None => None,
            Some(value) => Some(CString::new([name, b"=", value.to_bytes()].concat()).ok()?),
        };
        let changes = Arc::make_mut(&mut self.changes);
        changes.retain(|change| change.name != name);
        changes.push(Change { name: name.to_vec(), entry });
        Some(())
    }

    /// The child's value of a name.
    pub fn get(&self, name: &[u8]) -> Result<Option<CString>, Errno> {
        if let Some(change) = self.changes.iter().find(|change| change.name == name) {
            let value = change.entry.as_ref().map(|entry| cstr::copy(&entry.to_bytes()[name.len() + 1..]));
            return value.transpose();
        }
        if self.keeps(name) { environ::get(name) } else { Ok(None) }
    }

    fn keeps(&self, name: &[u8]) -> bool {
        let base = match self.base {
            Base::Inherit => true,
            Base::Clear => false,
            Base::Baseline => BASELINE.contains(&name) || name.starts_with(b"LC_"),
        };
        base && !self.changes(name)
    }

    /// Whether a name is set or removed here.
    pub fn changes(&self, name: &[u8]) -> bool {
        self.changes.iter().any(|change| change.name == name)
    }

    /// All of it, as it is now: `NAME=value`. (What a child is told besides, of descriptors for example, is not in it.)
    pub fn entries(&self) -> Result<Vec<CString>, Errno> {
        let mut list = environ::entries(|name| self.keeps(name))?;
        for entry in self.changes.iter().filter_map(|change| change.entry.as_deref()) {
            list.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
            list.push(cstr::copy(entry.to_bytes())?);
        }
        Ok(list)
    }

    /// The list for one spawn; `None`: the host's own array serves as it is. What the child is `told` takes the place of whatever the host, or
    /// the command, has under the same names.
    pub fn list<'a>(&'a self, told: &'a Told) -> Result<Option<List<'a>>, Errno> {
        if told.is_empty() && self.base == Base::Inherit && self.changes.is_empty() {
            return Ok(None);
        }
        let own = self.changes.iter().filter(|change| !told.replaces(&change.name)).filter_map(|change| change.entry.as_deref());
        let pids = told.own_pids().into_iter().flatten();
        environ::merge(|name| !told.replaces(name) && self.keeps(name), own.chain(told.entries()), pids).map(Some)
    }
}
