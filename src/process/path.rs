//! Where a program may lie: the search of execvp(3), as a list of files for the child to try in turn.
//!
//! The child tries them itself, after its change of user and directory, so the answer is the kernel's own (also about
//! permissions) and cannot be out of date; it needs no memory for that, the strings are made here, before the clone, and kept with the command until
//! its PATH is another one (`command/prepared.rs`). Nothing is left out here:
//! what is too long, missing or forbidden the kernel says (the table is in docs/reference/spawn.md).

use core::ffi::CStr;
use std::ffi::CString;

use nix::errno::Errno;

use crate::sys::{cstr, reserve};

/// What execvp searches when there is no PATH, less the current directory (confstr(3), `_CS_PATH`).
const DEFAULT: &[u8] = b"/bin:/usr/bin";

/// The files that a name without a slash may mean, in order, and by which PATH that is so.
#[derive(Debug)]
pub struct Searched {
    path: Option<CString>,
    files: Vec<CString>,
}

impl Searched {
    /// For that program; `path`: what is searched.
    pub fn of(program: &CStr, path: Option<&CStr>) -> Result<Self, Errno> {
        let files = search(program.to_bytes(), path)?;
        Ok(Self { path: path.map(|path| cstr::copy(path.to_bytes())).transpose()?, files })
    }

    /// Whether it is the same with this one.
    pub fn is_by(&self, path: Option<&CStr>) -> bool {
        self.path.as_deref() == path
    }

    pub fn files(&self) -> &[CString] {
        &self.files
    }
}

/// Whether a program is one file, by its name.
pub fn is_file(program: &CStr) -> bool {
    program.to_bytes().contains(&b'/')
}

/// An empty element of PATH means the current directory.
fn search(name: &[u8], path: Option<&CStr>) -> Result<Vec<CString>, Errno> {
    reserve::list(path.map_or(DEFAULT, CStr::to_bytes).split(|byte| *byte == b':').map(|directory| {
        let mut file = directory.to_vec();
        if !file.is_empty() && !file.ends_with(b"/") {
            file.push(b'/');
        }
        file.extend_from_slice(name);
        // No part holds a NUL: all come from C strings.
        CString::new(file).unwrap_or_default()
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(program: &CStr, path: Option<&CStr>) -> Vec<String> {
        let searched = Searched::of(program, path).unwrap();
        assert!(searched.is_by(path) && !searched.is_by(Some(c"/other")));
        searched.files().iter().map(|file| file.to_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn a_slash_means_no_search() {
        assert!(is_file(c"./x") && !is_file(c"x"));
    }

    #[test]
    fn elements_in_order_and_empty_ones_are_the_current_directory() {
        assert_eq!(found(c"x", Some(c"/a::b/")), ["/a/x", "x", "b/x"]);
        assert_eq!(found(c"x", None), ["/bin/x", "/usr/bin/x"]);
    }
}
