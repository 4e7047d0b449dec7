//! Memory that a forked copy of the host finds wiped.
//!
//! The trap: after the host forks, its child holds a byte-for-byte copy of our tables, and would signal or reap
//! its siblings. `MADV_WIPEONFORK` (Linux 4.14, madvise(2)) makes the kernel hand the child zero pages instead,
//! without an atfork hook and also when the fork was a raw system call.

use core::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering};

use nix::errno::Errno;
use once_cell::race::OnceRef;

use super::fds;
use crate::error::{Error, Result as Checked, Status};

/// One record of a [`WipedTable`]: sixteen words, two cache lines, so that neighbours do not share one.
pub type Row = [AtomicU64; 16];

/// Rows in the first segment; every further segment doubles the table.
const FIRST: usize = 64;
/// Segments enough for 2^22 rows, the largest `pid_max` there is.
pub const SEGMENTS: usize = 17;

/// Maps room for so many zeroed values, which a forked child finds as they are.
pub(super) fn map_zeroed<T>(count: usize) -> Result<*mut T, Errno> {
    let bytes = count * size_of::<T>();
    // SAFETY: an anonymous private mapping at an address of the kernel's choice touches no existing memory.
    let at = unsafe {
        libc::mmap(core::ptr::null_mut(), bytes, libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1, 0)
    };
    if at == libc::MAP_FAILED { Err(Errno::last()) } else { Ok(at.cast()) }
}

/// Takes such room away.
///
/// # Safety
/// It is as large as that, and nobody else has seen it.
pub(super) unsafe fn unmap<T>(at: *mut T, count: usize) {
    // SAFETY: by the contract of this function.
    unsafe { libc::munmap(at.cast(), count * size_of::<T>()) };
}

/// Maps `rows` zeroed rows that read as zero again in a forked child.
fn map_wiped(rows: usize) -> Result<*mut Row, Errno> {
    let at: *mut Row = map_zeroed(rows)?;
    // SAFETY: the range is the mapping made above.
    if unsafe { libc::madvise(at.cast(), rows * size_of::<Row>(), libc::MADV_WIPEONFORK) } != 0 {
        let error = Errno::last();
        // SAFETY: nobody has seen the mapping yet.
        unsafe { unmap(at, rows) };
        return Err(error);
    }
    Ok(at)
}

/// Rows of the one page from which [`wiped_rows`] hands out.
const SHARED: usize = 4096 / size_of::<Row>();

/// Some words that are zero in a forked child; they live as long as the process. All come from one page as long as that
/// lasts: every page more that a spawn touches is a TLB miss more after the context switches it makes.
fn wiped_rows(count: usize) -> Result<&'static [Row], Errno> {
    static PAGE: OnceRef<'static, Row> = OnceRef::new();
    static USED: AtomicUsize = AtomicUsize::new(0);
    // SAFETY: the mapping is zeroed, aligned to a page, only reached through atomics, and unmapped only if nobody else has seen it.
    let map = |rows| map_wiped(rows).map(|at| unsafe { &*at });
    let page: *const Row = match PAGE.get() {
        Some(page) => page,
        None => {
            let fresh: &Row = map(SHARED)?;
            // Of two threads that map it at once, one's goes again.
            if PAGE.set(fresh).is_err() {
                // SAFETY: another thread was first; ours was never seen by anyone.
                unsafe { libc::munmap(core::ptr::from_ref(fresh).cast_mut().cast(), SHARED * size_of::<Row>()) };
            }
            PAGE.get().ok_or(Errno::ENOMEM)?
        }
    };
    let first = USED.fetch_add(count, Ordering::Relaxed);
    // A page that is full: another mapping of its own.
    let at = if first + count <= SHARED { page.wrapping_add(first) } else { map(count)? };
    // SAFETY: `count` rows of a mapping as above, handed out once.
    Ok(unsafe { core::slice::from_raw_parts(at, count) })
}

/// One row of such words.
pub fn wiped_row() -> Result<&'static Row, Errno> {
    wiped_rows(1).map(|rows| &rows[0])
}

/// A grow-only table of [`Row`]s at fixed addresses, wiped in a forked child, readable from a signal handler.
///
/// The segment pointers lie in wiped memory themselves, so a forked child starts with an empty table and maps its own.
pub struct WipedTable {
    /// [`SEGMENTS`] pointers, as words.
    segments: &'static [Row],
}

impl WipedTable {
    /// An empty table; no segment is mapped before [`WipedTable::grow`].
    pub fn new() -> Result<Self, Errno> {
        Ok(Self { segments: wiped_rows(SEGMENTS.div_ceil(16))? })
    }

    /// Segment and offset of a row.
    fn place(index: usize) -> (usize, usize) {
        let shifted = index / FIRST + 1;
        let segment = shifted.ilog2() as usize;
        (segment, index - FIRST * ((1 << segment) - 1))
    }

    fn pointer(&self, segment: usize) -> Option<&'static AtomicU64> {
        self.segments.as_flattened().get(..SEGMENTS)?.get(segment)
    }

    /// The row at `index`, if its segment has been mapped. Safe in a signal handler.
    pub fn get(&self, index: usize) -> Option<&'static Row> {
        let (segment, offset) = Self::place(index);
        let at = self.pointer(segment)?.load(Ordering::Acquire) as *const Row;
        if at.is_null() {
            return None;
        }
        // SAFETY: a published segment holds FIRST << segment rows, `place` keeps the offset below that, and it is never unmapped.
        Some(unsafe { &*at.add(offset) })
    }

    /// The row at `index`, mapping its segment if it is the first one of it. `EAGAIN` when the table is full.
    pub fn grow(&self, index: usize) -> Result<&'static Row, Errno> {
        if let Some(row) = self.get(index) {
            return Ok(row);
        }
        let (segment, _) = Self::place(index);
        let cell = self.pointer(segment).ok_or(Errno::EAGAIN)?;
        let rows = FIRST << segment;
        let fresh = map_wiped(rows)?;
        if cell.compare_exchange(0, fresh as u64, Ordering::AcqRel, Ordering::Acquire).is_err() {
            // SAFETY: another thread published its segment first; ours was never seen by anyone.
            unsafe { libc::munmap(fresh.cast(), rows * size_of::<Row>()) };
        }
        self.get(index).ok_or(Errno::EAGAIN)
    }
}

/// A value that belongs to this process: made on first use, and made anew in a forked copy of the host.
///
/// The trap: threads whose first use it is all make one, and all but one are dropped again. So a value owns no descriptors when it is made:
/// a storm of first uses would take them many times over, in a host that may have few. It gets them afterwards, by one thread.
///
/// The copy's old value is left alone for ever: its locks may be held by threads that were not copied.
pub struct PerProcess<T: 'static> {
    cell: OnceRef<'static, Row>,
    /// The value, or in a copy that has none yet that of the process it was forked from. Also for leak checkers, which look for pointers
    /// in statics, not in mappings.
    root: AtomicPtr<T>,
}

impl<T: Send + Sync + 'static> PerProcess<T> {
    /// For a `static`.
    pub const fn new() -> Self {
        Self { cell: OnceRef::new(), root: AtomicPtr::new(core::ptr::null_mut()) }
    }

    /// The value, if it was made in this process.
    pub fn get(&self) -> Option<&'static T> {
        let at = self.cell.get()?[0].load(Ordering::Acquire) as *const T;
        // SAFETY: not null means `get_or_try_init` leaked a box there, in this very process.
        (!at.is_null()).then(|| unsafe { &*at })
    }

    /// The value, made now if need be. Of two threads that make it at once, one's is dropped again.
    pub fn get_or_try_init(&self, make: impl FnOnce() -> Result<T, Errno>) -> Result<&'static T, Errno> {
        self.get_or_succeed(make, |_| ())
    }

    /// The same. In a forked copy `succeed` is shown the value of the process that it was forked from, once, by the thread whose value
    /// stays: to give back what the copy has of it. It may look at plain memory and atomics there, and take no lock. A copy that shares the
    /// original's table of descriptors has nothing of its own to give back.
    pub fn get_or_succeed(&self, make: impl FnOnce() -> Result<T, Errno>, succeed: impl FnOnce(&'static T)) -> Result<&'static T, Errno> {
        if let Some(value) = self.get() {
            return Ok(value);
        }
        let row = self.cell.get_or_try_init(wiped_row)?;
        let fresh = Box::into_raw(Box::new(make()?));
        if row[0].compare_exchange(0, fresh as u64, Ordering::AcqRel, Ordering::Acquire).is_err() {
            // SAFETY: another thread was first; ours was never seen by anyone.
            drop(unsafe { Box::from_raw(fresh) });
        } else {
            let before = self.root.swap(fresh, Ordering::Relaxed);
            // SAFETY: not null means a value of the process this one was forked from: leaked there, so here as well.
            if let Some(before) = unsafe { before.as_ref() }.filter(|_| !fds::are_the_parents()) {
                succeed(before);
            }
        }
        self.get().ok_or(Errno::ENOMEM)
    }
}

/// A number that differs between this process and the one it was forked from.
pub fn instance() -> u32 {
    static LAST: AtomicU32 = AtomicU32::new(0);
    static HERE: PerProcess<u32> = PerProcess::new();
    // Where memory cannot be had, nothing else works either, and every caller sees the same 0.
    HERE.get_or_try_init(|| Ok(LAST.fetch_add(1, Ordering::Relaxed) + 1)).copied().unwrap_or(0)
}

/// The process that something was made in: this one, or the one that this one was forked from.
///
/// The trap: a forked copy of the host holds every value of its parent, locks included that a thread held which was not copied, and shares
/// the open file descriptions (an epoll set among them). Nothing of that is to be touched, so whatever holds any of it carries its home.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Home(u32);

impl Home {
    /// This process.
    pub fn here() -> Self {
        Self(instance())
    }

    /// This process, for what is made without any other part of the library: where the first use finds no memory for knowing it, it would be taken for
    /// another one by the next.
    pub fn known() -> Checked<Self> {
        let here = Self::here();
        if here.0 != 0 { Ok(here) } else { Err(Error::system("mmap", Errno::ENOMEM, "cannot know this process again")) }
    }

    /// Whether it was made in this very process.
    pub fn is_here(self) -> bool {
        self.0 == instance()
    }

    /// Refuses what belongs to the process that this one was forked from.
    #[inline]
    pub fn check(self, what: &str) -> Checked<()> {
        if self.is_here() { Ok(()) } else { Err(forked(what)) }
    }
}

#[cold]
#[inline(never)]
fn forked(what: &str) -> Error {
    Error::new(Status::Forked, "fork", format!("this {what} belongs to the process that this one was forked from"))
}
