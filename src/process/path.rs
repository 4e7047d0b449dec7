//! Where a program may lie: the search of execvp(3), as a list of files for the child to try in turn.
//!
//! The child tries them itself, after its change of user and directory, so the answer is the kernel's own (also about
//! permissions) and cannot be out of date; it needs no memory for that, the strings are made here, before the clone. Nothing is left out here:
//! what is too long, missing or forbidden the kernel says (the table is in docs/reference/spawn.md).

use core::ffi::CStr;
use core::slice;
use std::borrow::Cow;
use std::ffi::CString;

use nix::errno::Errno;

use crate::sys::reserve;

/// What execvp searches when there is no PATH, less the current directory (confstr(3), `_CS_PATH`).
const DEFAULT: &[u8] = b"/bin:/usr/bin";

/// The files that `program` may mean, in order. `path`: asked only if there is something to search.
pub fn candidates(program: &CString, path: impl FnOnce() -> Result<Option<CString>, Errno>) -> Result<Cow<'_, [CString]>, Errno> {
    if program.as_bytes().contains(&b'/') {
        return Ok(slice::from_ref(program).into());
    }
    search(program.as_bytes(), path()?.as_deref()).map(Cow::from)
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
        candidates(&program.to_owned(), || Ok(path.map(CStr::to_owned))).unwrap().iter().map(|c| c.to_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn a_slash_means_no_search() {
        assert_eq!(found(c"./x", Some(c"/a:/b")), ["./x"]);
    }

    #[test]
    fn elements_in_order_and_empty_ones_are_the_current_directory() {
        assert_eq!(found(c"x", Some(c"/a::b/")), ["/a/x", "x", "b/x"]);
        assert_eq!(found(c"x", None), ["/bin/x", "/usr/bin/x"]);
    }
}
