//! The host's environment, read only: environ(7).
//!
//! The strings are not copied: the array passed to exec points at the host's own. A host that calls `setenv` in another
//! thread during a spawn has the same hazard with posix_spawn(3) and with every library; POSIX puts it on the host.

use core::ffi::{CStr, c_char};
use core::marker::PhantomData;
use std::ffi::CString;

use nix::errno::Errno;

use super::cstr::{self, List, OwnPid, Row};

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

/// The value of a variable of the host, as it stands there.
fn find(name: &[u8]) -> Option<&'static CStr> {
    // SAFETY: as in `each`; a byte of an entry is read only if none before it was its NUL, for no name has one.
    unsafe {
        let mut at = environ;
        while !at.is_null() && !(*at).is_null() {
            let entry = (*at).cast::<u8>();
            if name.iter().enumerate().all(|(place, byte)| *entry.wrapping_add(place) == *byte) && *entry.wrapping_add(name.len()) == b'=' {
                return Some(CStr::from_ptr(entry.wrapping_add(name.len() + 1).cast()));
            }
            at = at.add(1);
        }
    }
    None
}

/// Has `look` at it: the same without a copy. `name`: not empty, without `=` and NUL.
pub fn with<T>(name: &[u8], look: impl FnOnce(Option<&CStr>) -> T) -> T {
    look(find(name))
}

/// The value of a variable of the host.
pub fn get(name: &[u8]) -> Result<Option<CString>, Errno> {
    find(name).map(|value| cstr::copy(value.to_bytes())).transpose()
}

/// How some names begin, each by its first two characters: nearly all others are known by that not to be among them. It is asked of each variable of
/// the host at each spawn, and a host may have a thousand.
#[derive(Clone, Copy, Debug, Default)]
pub struct Beginnings([u64; 4]);

impl Beginnings {
    fn bit(first: u8, second: u8) -> (usize, u64) {
        let place = first.rotate_left(3) ^ second;
        (usize::from(place >> 6), 1 << (place & 63))
    }

    /// Of these, too. What has a name of one character goes on with `=`, or ends.
    #[must_use]
    pub fn and<'a>(mut self, names: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut add = |first, second| {
            let (word, bit) = Self::bit(first, second);
            self.0[word] |= bit;
        };
        for name in names {
            match name {
                [] => {}
                [first] => [b'=', 0].into_iter().for_each(|second| add(*first, second)),
                [first, second, ..] => add(*first, *second),
            }
        }
        self
    }

    /// Whether a string may begin with one of them.
    ///
    /// # Safety
    /// It ends with a NUL.
    unsafe fn may_be(&self, entry: *const u8) -> bool {
        // SAFETY: the second byte is there if the first one is not the NUL.
        let (first, second) = unsafe { (*entry, if *entry == 0 { 0 } else { *entry.wrapping_add(1) }) };
        let (word, bit) = Self::bit(first, second);
        self.0[word] & bit != 0
    }
}

/// Which variables of the host a child gets.
pub struct Kept<'a, K: Fn(&[u8]) -> bool> {
    /// These are looked at,
    pub looked_at: &'a Beginnings,
    /// and kept by their names;
    pub keep: K,
    /// the others are kept, or are not.
    pub others: bool,
}

/// The host's variables that are kept, followed by `added`. `ENOMEM`: there is no memory for so many.
pub fn merge<'a>(
    kept: Option<Kept<'_, impl Fn(&[u8]) -> bool>>,
    own: Option<&'a Row>,
    added: impl Iterator<Item = &'a CStr>,
    own_pids: impl Iterator<Item = &'a OwnPid>,
) -> Result<List<'a>, Errno> {
    let no_memory = |_| Errno::ENOMEM;
    // Without the NULL.
    let own = own.and_then(|own| own.pointers().split_last()).map_or(&[][..], |(_, own)| own);
    let mut pointers = Vec::new();
    let room = kept.as_ref().filter(|kept| kept.others).map_or(16, |_| count()) + own.len() + 8;
    pointers.try_reserve_exact(room).map_err(no_memory)?;
    if let Some(Kept { looked_at, keep, others }) = kept {
        // SAFETY: as in `each`.
        unsafe {
            let mut at = environ;
            while !at.is_null() && !(*at).is_null() {
                let entry = *at;
                at = at.add(1);
                let wanted = if looked_at.may_be(entry.cast()) { keep(name_of(CStr::from_ptr(entry).to_bytes())) } else { others };
                if wanted {
                    if pointers.len() == pointers.capacity() {
                        pointers.try_reserve(1).map_err(no_memory)?;
                    }
                    pointers.push(entry);
                }
            }
        }
    }
    pointers.try_reserve(own.len()).map_err(no_memory)?;
    pointers.extend_from_slice(own);
    for pointer in added.map(CStr::as_ptr).chain(own_pids.map(OwnPid::as_ptr)).chain([core::ptr::null()]) {
        pointers.try_reserve(1).map_err(no_memory)?;
        pointers.push(pointer);
    }
    Ok(List { pointers, _life: PhantomData })
}

/// How many variables the host has.
fn count() -> usize {
    let mut count = 0;
    // SAFETY: as in `each`.
    unsafe {
        let mut at = environ;
        while !at.is_null() && !(*at).is_null() {
            (count, at) = (count + 1, at.add(1));
        }
    }
    count
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
    /// A list that stands ready.
    Ready(&'a Row),
    /// One made for this spawn.
    List(List<'a>),
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
            Block::Ready(strings) => strings.pointers().as_ptr(),
            Block::List(list) => list.pointers.as_ptr(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beginning_leaves_out_no_name_and_nearly_all_others() {
        let names: [&[u8]; 4] = [b"A", b"PATH", b"_", b"LC_"];
        let beginnings = Beginnings::default().and(names).and([&b""[..]]);
        // SAFETY: C strings.
        let may_be = |entry: &CStr| unsafe { beginnings.may_be(entry.as_ptr().cast()) };
        for entry in [c"A=1", c"A", c"PATH=/bin", c"PATH", c"PA", c"_=x", c"LC_ALL=C"] {
            assert!(may_be(entry), "{entry:?}");
        }
        assert!([c"", c"B=1", c"HOME=/", c"=odd", c"AB=2"].into_iter().all(|entry| !may_be(entry)));
        let others = (b'A'..=b'Z').flat_map(|first| (b'A'..=b'Z').map(move |second| [first, second, 0]));
        let looked_at = others.filter(|entry| may_be(CStr::from_bytes_with_nul(entry).unwrap())).count();
        assert!(looked_at < 26 * 26 / 16, "{looked_at}");
    }

    #[test]
    fn a_value_is_that_of_the_whole_name() {
        assert_eq!(
            find(b"PATH").map(CStr::to_owned),
            std::env::var_os("PATH").map(|path| CString::new(path.into_encoded_bytes()).unwrap())
        );
        assert!(find(b"PAT").is_none() && find(b"PATHS_OF_NOBODY").is_none());
    }
}
