//! The host's environment, read only: environ(7).
//!
//! The strings are not copied: the array passed to exec points at the host's own. A host that calls `setenv` in another
//! thread during a spawn has the same hazard with posix_spawn(3) and with every library; POSIX puts it on the host.

use core::ffi::{CStr, c_char};
use core::marker::PhantomData;
use std::ffi::CString;

use nix::errno::Errno;

use super::cstr::{self, List, OwnPid};

unsafe extern "C" {
    static mut environ: *const *const c_char;
}

/// Visits the `NAME=value` strings of the host.
fn each(mut visit: impl FnMut(&'static CStr, *const c_char)) {
    // SAFETY: libc keeps `environ` null or a NULL-terminated array of NUL-terminated strings; see above for threads.
    unsafe {
        let mut at = environ;
        while !at.is_null() && !(*at).is_null() {
            visit(CStr::from_ptr(*at), *at);
            at = at.add(1);
        }
    }
}

/// The environment as it was, to be compared with what it is: byte by byte, for a host may write into its strings as well as exchange them.
#[derive(Debug)]
pub struct Snapshot {
    /// One behind the other, each with its NUL.
    bytes: Vec<u8>,
    /// Where each of them ends.
    ends: Vec<u32>,
}

/// Two that begin less than a page apart have no page between them that is not there.
const PAGE: usize = 4096;

impl Snapshot {
    /// `None`: it has more than so many bytes, or there is no memory for it.
    pub fn take(most: u32) -> Option<Self> {
        let (mut bytes, mut ends, mut fits) = (Vec::new(), Vec::new(), true);
        each(|entry, _| {
            let entry = entry.to_bytes_with_nul();
            fits = fits && bytes.len() + entry.len() <= most as usize;
            fits = fits && bytes.try_reserve(entry.len()).is_ok() && ends.try_reserve(1).is_ok();
            if fits {
                bytes.extend_from_slice(entry);
                ends.push(bytes.len() as u32);
            }
        });
        fits.then_some(Self { bytes, ends })
    }

    /// Whether the host has the same strings now, in the same order. What a process is started with lies one behind the other, and most hosts leave it
    /// there: of such a row all but the last are compared at once.
    pub fn is_now(&self) -> bool {
        let (mut begin, mut row) = (0, 0);
        // SAFETY: as in `each`. A row begins with a string of the host's and goes up to the beginning of another, with one wherever ours has one: all of it is
        // there (`PAGE`). Of the last only what stands before its NUL, or ours, is looked at.
        unsafe {
            let mut at = environ;
            for end in &self.ends {
                if at.is_null() || (*at).is_null() {
                    return false;
                }
                let (here, length) = (*at, *end as usize - begin - row);
                at = at.add(1);
                if length < PAGE && (*at).addr() == here.addr() + length {
                    row += length;
                    continue;
                }
                let ours = self.bytes.as_ptr().wrapping_add(begin);
                let same = row == 0 || libc::memcmp(here.wrapping_sub(row).cast(), ours.cast(), row) == 0;
                if !same || libc::strcmp(here, ours.wrapping_add(row).cast()) != 0 {
                    return false;
                }
                (begin, row) = (*end as usize, 0);
            }
            at.is_null() || (*at).is_null()
        }
    }
}

/// The name part of `NAME=value`.
fn name_of(entry: &[u8]) -> &[u8] {
    let end = entry.iter().skip(1).position(|b| *b == b'=').map_or(entry.len(), |at| at + 1);
    &entry[..end]
}

/// Whether the environment is another user's: the program is set-user-id, or has capabilities from its file. getauxval(3).
pub fn is_untrusted() -> bool {
    // SAFETY: no pointers.
    unsafe { libc::getauxval(libc::AT_SECURE) != 0 }
}

/// The value of a variable of the host.
pub fn get(name: &[u8]) -> Result<Option<CString>, Errno> {
    let mut found = None;
    each(|entry, _| {
        let bytes = entry.to_bytes();
        if found.is_none() && bytes.len() > name.len() && name_of(bytes) == name {
            found = Some(cstr::copy(&bytes[name.len() + 1..]));
        }
    });
    found.transpose()
}

/// The host's variables whose names pass `keep`, followed by `added`. `ENOMEM`: there is no memory for so many.
pub fn merge<'a>(
    keep: impl Fn(&[u8]) -> bool,
    added: impl Iterator<Item = &'a CStr>,
    own_pids: impl Iterator<Item = &'a OwnPid>,
) -> Result<List<'a>, Errno> {
    let no_memory = |_| Errno::ENOMEM;
    let (mut pointers, mut room) = (Vec::new(), Ok(()));
    pointers.try_reserve(64).map_err(no_memory)?;
    each(|entry, pointer| {
        if room.is_ok() && keep(name_of(entry.to_bytes())) {
            room = pointers.try_reserve(1).map(|()| pointers.push(pointer));
        }
    });
    room.map_err(no_memory)?;
    for pointer in added.map(CStr::as_ptr).chain(own_pids.map(OwnPid::as_ptr)).chain([core::ptr::null()]) {
        pointers.try_reserve(1).map_err(no_memory)?;
        pointers.push(pointer);
    }
    Ok(List { pointers, _life: PhantomData })
}

/// Copies of the host's variables whose names pass `keep`, as `NAME=value`.
pub fn entries(keep: impl Fn(&[u8]) -> bool) -> Result<Vec<CString>, Errno> {
    let (mut list, mut made) = (Vec::new(), Ok(()));
    each(|entry, _| {
        if made.is_ok() && keep(name_of(entry.to_bytes())) {
            made = list.try_reserve(1).map_err(|_| Errno::ENOMEM).and_then(|()| cstr::copy(entry.to_bytes())).map(|copy| list.push(copy));
        }
    });
    made.map(|()| list)
}

/// What the child's environment is made of.
pub enum Block<'a> {
    /// The host's own array, as it stands.
    Inherit,
    /// A list made for this spawn.
    List(&'a List<'a>),
}

impl Block<'_> {
    pub(super) fn as_ptr(&self) -> *const *const c_char {
        static EMPTY: [usize; 1] = [0];
        match self {
            // SAFETY: reading the pointer; see the head of this file for threads.
            Block::Inherit => match unsafe { environ } {
                at if at.is_null() => (&raw const EMPTY).cast(),
                at => at,
            },
            Block::List(list) => list.pointers.as_ptr(),
        }
    }
}
