//! Which descriptors a value keeps open, by number, written down where a forked copy of the host can read it: so that the copy can close what it
//! has inherited, and only that.
//!
//! Traps.
//! - **In the copy the value itself is out of reach.** A thread that was not copied may have been half through with it, and holds its lock for
//!   ever. So there is no lock here and nothing to be half changed: one row of atomics for each descriptor number. A fork between an open and
//!   its note, or between a removal and its close, leaves that one number open in the copy.
//! - **The number may be another's by now** (closefrom(3), then open). So what is closed is known again, by its inode. Where many share
//!   one (epoll sets, timers, pidfds before Linux 6.9) the open file description is marked.
//! - **A row may outlive its descriptor** where the inode is nobody else's: no other file has it. A descriptor that the application has as well
//!   ([`Custody::note_shared`]) must be taken out before it is closed ([`Custody::leave`]).
//! - **Closing is all that a copy may do**: the open file descriptions are shared with the original. LOCK_UN, epoll_ctl or shutdown would be felt there.
//! - A copy that shares the table of descriptors (CLONE_FILES) has inherited none.

use core::sync::atomic::{AtomicPtr, AtomicU64, AtomicUsize, Ordering};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use nix::sys::stat::fstat;

use super::fds::{self, Mark};
use super::memory;

/// One row: four words, the first of them 0 while it says nothing.
type Row = [AtomicU64; 4];

/// Rows in the first segment; every further one doubles the table.
const FIRST: usize = 64;
/// Enough for 8 million: more descriptors than the kernel lets a process have (fs.nr_open), unless somebody has raised that.
const SEGMENTS: usize = 17;

/// A grow-only table at fixed addresses, copied by a fork like any memory.
struct Table {
    segments: [AtomicPtr<Row>; SEGMENTS],
}

impl Table {
    const fn new() -> Self {
        Self { segments: [const { AtomicPtr::new(core::ptr::null_mut()) }; SEGMENTS] }
    }

    /// Segment and offset of a row.
    fn place(index: usize) -> (usize, usize) {
        let segment = (index / FIRST + 1).ilog2() as usize;
        (segment, index - FIRST * ((1 << segment) - 1))
    }

    fn get(&self, index: usize) -> Option<&'static Row> {
        let (segment, offset) = Self::place(index);
        let at = self.segments.get(segment)?.load(Ordering::Acquire);
        // SAFETY: a published segment holds FIRST << segment rows, `place` keeps the offset below that, and it is never unmapped.
        (!at.is_null()).then(|| unsafe { &*at.add(offset) })
    }

    /// The same, and its segment is made if it is the first of it. `None`: there is no memory, or no such row.
    fn grow(&self, index: usize) -> Option<&'static Row> {
        let (segment, _) = Self::place(index);
        let cell = self.segments.get(segment)?;
        if cell.load(Ordering::Acquire).is_null() {
            let fresh: *mut Row = memory::map_zeroed(FIRST << segment).ok()?;
            let before = core::ptr::null_mut();
            if cell.compare_exchange(before, fresh, Ordering::AcqRel, Ordering::Acquire).is_err() {
                // SAFETY: another thread was first; ours was never seen by anyone.
                unsafe { memory::unmap(fresh, FIRST << segment) };
            }
        }
        self.get(index)
    }
}

/// By number: whose it is, device and inode, and a `Kind`.
static NUMBERS: Table = Table::new();
/// The highest number that was ever written down.
static HIGHEST: AtomicUsize = AtomicUsize::new(0);
/// The name that a copy asks by, and whose it is; in the first row that was free. What is inherited stays until it is given back.
static NAMES: Table = Table::new();
/// A row that is being written.
const BUSY: u64 = u64::MAX;
/// Never used twice, not even by a copy: it counts on from where the original was.
static LAST: AtomicU64 = AtomicU64::new(0);

/// By what a descriptor is known again.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u64)]
enum Kind {
    /// Its inode.
    File = 1,
    /// Its inode, which no other socket ever has.
    Socket = 2,
    /// The mark.
    Marked = 3,
}

/// What one value keeps.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Custody(u64);

impl Custody {
    /// Of nothing yet.
    pub fn new() -> Self {
        Self(LAST.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// Takes note of a descriptor that only this value has. Where memory is out it is not noted, and a copy keeps it.
    pub fn note(self, fd: &OwnedFd) {
        self.write_down(fd, true);
    }

    /// The same for a duplicate of what the application has as well: its open file description is left alone, and it has to be taken out.
    pub fn note_shared(self, fd: &OwnedFd) {
        self.write_down(fd, false);
    }

    fn write_down(self, fd: &OwnedFd, own: bool) {
        let Ok(found) = fstat(fd) else { return };
        let number = fd.as_raw_fd() as usize;
        let Some([owner, device, inode, kind]) = NUMBERS.grow(number) else { return };
        let how = match found.st_mode & libc::S_IFMT {
            libc::S_IFSOCK if own => Kind::Socket,
            0 if own => Kind::Marked,
            _ => Kind::File,
        };
        if how == Kind::Marked {
            fds::mark(fd, Mark::Custody);
        }
        owner.store(0, Ordering::Release);
        device.store(found.st_dev, Ordering::Relaxed);
        inode.store(found.st_ino, Ordering::Relaxed);
        kind.store(how as u64, Ordering::Relaxed);
        owner.store(self.0, Ordering::Release);
        HIGHEST.fetch_max(number, Ordering::Relaxed);
    }

    /// It is about to be closed, or is the application's from here on.
    pub fn leave(self, fd: &OwnedFd) {
        if let Some(row) = self.row(fd) {
            row[0].store(0, Ordering::Release);
        }
    }

    /// It is watched no more. It may stay open; then it stays noted, if it is one that nobody else can be taken for.
    pub fn unwatch(self, fd: &OwnedFd) {
        if let Some(row) = self.row(fd).filter(|row| row[3].load(Ordering::Relaxed) == Kind::Marked as u64) {
            row[0].store(0, Ordering::Release);
        }
    }

    fn row(self, fd: &OwnedFd) -> Option<&'static Row> {
        NUMBERS.get(fd.as_raw_fd() as usize).filter(|row| row[0].load(Ordering::Acquire) == self.0)
    }

    /// Gives it a name by which a copy finds it; no other has it, in no process that this one was forked from either.
    pub fn set_name(self, name: u64) {
        for index in 0.. {
            let Some([known, whose, ..]) = NAMES.grow(index) else { return };
            if known.compare_exchange(0, BUSY, Ordering::AcqRel, Ordering::Acquire).is_ok() {
                whose.store(self.0, Ordering::Relaxed);
                return known.store(name, Ordering::Release);
            }
        }
    }
}

/// Takes a name away.
pub fn forget_name(name: u64) {
    let _ = named(name);
}

/// What has this name, which it loses.
fn named(name: u64) -> Option<u64> {
    let [known, whose, ..] = (0..).map_while(|index| NAMES.get(index)).find(|row| row[0].load(Ordering::Acquire) == name)?;
    let whose = whose.load(Ordering::Relaxed);
    known.compare_exchange(name, 0, Ordering::AcqRel, Ordering::Acquire).is_ok().then_some(whose)
}

/// In a forked copy: closes what it has inherited of that value, once. Takes no lock and no memory.
pub fn give_back(name: u64) {
    if fds::are_the_parents() {
        return;
    }
    let Some(whose) = named(name) else { return };
    for number in 0..=HIGHEST.load(Ordering::Relaxed) {
        let Some(row) = NUMBERS.get(number).filter(|row| row[0].load(Ordering::Acquire) == whose) else { continue };
        row[0].store(0, Ordering::Release);
        if is_that(number as RawFd, row) {
            fds::close(number as RawFd);
        }
    }
}

/// Whether what has this number now is what was written down.
fn is_that(number: RawFd, row: &Row) -> bool {
    if row[3].load(Ordering::Relaxed) == Kind::Marked as u64 {
        return fds::is_marked(number, Mark::Custody);
    }
    let [_, device, inode, _] = row;
    let here = (device.load(Ordering::Relaxed), inode.load(Ordering::Relaxed));
    fstat(fds::borrow(&number)).is_ok_and(|found| (found.st_dev, found.st_ino) == here)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::{memfd, pidfd, reactor::WakeUp, socket};

    /// As a copy does it; here are no copies, so what is closed must not be closed again.
    fn given_back(name: u64, kept: Vec<OwnedFd>) {
        let rows: Vec<_> = kept.iter().map(|fd| (fd.as_raw_fd(), NUMBERS.get(fd.as_raw_fd() as usize).unwrap())).collect();
        kept.into_iter().for_each(std::mem::forget);
        assert!(rows.iter().all(|(number, row)| is_that(*number, row)));
        give_back(name);
        // Another test may have the number by now.
        assert!(!rows.iter().any(|(number, row)| is_that(*number, row)));
    }

    #[test]
    fn f35_what_was_noted_is_closed_once_and_by_its_name_only() {
        let (custody, other) = (Custody::new(), Custody::new());
        let (one, two) = socket::pair().unwrap();
        let file = memfd::create(c"custody").unwrap();
        let process = pidfd::open(std::process::id() as i32).unwrap();
        let (mine, others) = (memfd::create(c"mine").unwrap(), memfd::create(c"others").unwrap());
        [&one, &two, &file, &process].into_iter().for_each(|fd| custody.note(fd));
        other.note(&others);
        custody.note_shared(&mine);
        custody.leave(&mine);
        custody.set_name(77);
        give_back(78);
        assert!(fds::is_open(one.as_raw_fd()));
        given_back(77, vec![one, two, file, process]);
        assert!(fds::is_open(mine.as_raw_fd()) && fds::is_open(others.as_raw_fd()));
        give_back(77);
    }

    #[test]
    fn f35_a_number_that_is_another_s_by_now_is_left_alone() {
        let custody = Custody::new();
        let (file, process) = (memfd::create(c"custody").unwrap(), pidfd::open(std::process::id() as i32).unwrap());
        let (by_inode, by_mark) = (file.as_raw_fd(), process.as_raw_fd());
        custody.note(&file);
        custody.note(&process);
        let again = |number: RawFd, from: &dyn AsRawFd| fds::put(from.as_raw_fd(), number).unwrap();
        let (other, own) = (memfd::create(c"other").unwrap(), WakeUp::new().unwrap());
        again(by_inode, &other);
        again(by_mark, &std::os::fd::AsFd::as_fd(&own));
        custody.set_name(79);
        give_back(79);
        assert!(fds::is_open(by_inode) && fds::is_open(by_mark));
    }

    #[test]
    fn rows_lie_beside_each_other() {
        let mut before = None;
        for index in 0..100_000 {
            let (segment, offset) = Table::place(index);
            assert!(offset < FIRST << segment);
            assert!(before.is_none_or(|(s, o)| (s == segment && o + 1 == offset) || (s + 1 == segment && offset == 0)));
            before = Some((segment, offset));
        }
    }
}
