//! Who the process of a session will be: user, group and supplementary groups, from names or numbers.

use std::path::PathBuf;

use super::Arguments;
use crate::error::Result;

/// A user with its groups.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Owner {
    /// The user.
    pub uid: u32,
    /// The group.
    pub gid: u32,
    /// All groups, as the kernel wants them.
    pub groups: Vec<u32>,
    /// What it is called, if it has a name.
    pub name: Option<String>,
    /// Its home, if it is known.
    pub home: Option<PathBuf>,
    /// Its shell, if it is known.
    pub shell: Option<PathBuf>,
    /// What was strange about it, each a sentence.
    pub warnings: Vec<String>,
    /// Whether it is another one than the host.
    pub switch: bool,
}

impl Owner {
    /// Whom the arguments name by `user` and `group`; without these the host's own.
    pub fn of(arguments: &Arguments) -> Result<Self> {
        let _ = arguments;
        unimplemented!()
    }
}
