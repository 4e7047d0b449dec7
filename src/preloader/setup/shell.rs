//! Whether the user's login shell comes before the program, and how it is called.
//!
//! The trap: behind its start-up files that shell is anybody's: functions may stand in place of commands, `IFS` and options be changed, the
//! positional parameters gone. So it is told one thing, in which nothing is expanded: to execute a fresh `sh` with a script.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use crate::preloader::session::{Arguments, Owner};
use crate::process::quote;

/// Shells that know `-lc`, and read the files in which users set variables (PA-39). Others (nologin, fish, csh) are passed over.
const KNOWN: [&str; 4] = ["bash", "zsh", "ksh", "sh"];
/// Of one whose entry names none, by passwd(5).
const DEFAULT: &str = "/bin/sh";

/// A login shell.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shell {
    /// Where it is.
    pub path: PathBuf,
}

impl Shell {
    /// The one to be used; none: none was asked for, or the user has no such one.
    pub fn of(arguments: &Arguments, owner: &Owner) -> Option<Self> {
        if !arguments.flag("load_shell_envvars") {
            return None;
        }
        // Without an entry there is no login.
        owner.name.as_ref()?;
        let path = match &owner.shell {
            Some(path) if !path.as_os_str().is_empty() => path.clone(),
            _ => PathBuf::from(DEFAULT),
        };
        let name = path.file_name()?.to_str()?;
        KNOWN.contains(&name).then_some(Self { path })
    }

    /// Its arguments: on with this script.
    pub fn args(&self, script: &Path) -> [OsString; 2] {
        // The backslash: an alias of that name is not meant.
        let mut text = br"\exec /bin/sh ".to_vec();
        quote::word(&mut text, script.as_os_str().as_bytes());
        ["-lc".into(), OsString::from_vec(text)]
    }
}
