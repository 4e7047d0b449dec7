//! The epoch record: which generation owns, in memory that both parties map.
//!
//! One page of a sealed memfd, handed from generation to generation; its word is changed by compare-and-swap only. After a power
//! loss no party survives, so it needs atomicity against the crash of a process and no fsync (D1.6). A copy in words lies in the lock
//! file, for the count of generations after a cold start and for whoever looks at it at night; nothing is decided by it.
//!
//! ```text
//!   word  0 magic   1 the word (machine/word.rs)   2 revision sealed   3 -
//!         4, 5  pid and start time of the owner of even generations    6, 7  of odd ones
//!         8, 9  device and number of the socket file that was bound last; 0, 0: not known
//! ```

use core::sync::atomic::{AtomicU64, Ordering};
use std::fmt::Write as _;
use std::os::fd::OwnedFd;

use nix::errno::Errno;

use super::machine::word::{Ask, Stage, Ticket, View, Word};
use crate::sys::directory::Inode;
use crate::sys::identity::Place;
use crate::sys::shared::{Page, View as Mapped};
use crate::sys::{Fault, getpid, lockfile, procfs};

const MAGIC: u64 = u64::from_le_bytes(*b"PSEPOCH1");

/// The record, mapped.
#[derive(Debug)]
pub struct Record {
    page: Page,
    /// When this process began.
    start: u64,
}

impl Record {
    /// A new one, settled in this generation, which is ours.
    pub fn create(generation: u32) -> Result<Self, Fault> {
        let record = Self::around(Page::create(c"procsup-epoch")?);
        record.cell(0).store(MAGIC, Ordering::Relaxed);
        record.sign(generation);
        record.cell(1).store(Word { generation, handoff: 0, stage: Stage::Settled }.raw(), Ordering::Release);
        Ok(record)
    }

    /// The one that the owner has sent. `EINVAL` if it is none.
    pub fn adopt(fd: OwnedFd) -> Result<Self, Fault> {
        let record = Self::around(Page::adopt(fd)?);
        let known = record.cell(0).load(Ordering::Relaxed) == MAGIC && Word::from_raw(record.cell(1).load(Ordering::Acquire)).is_some();
        if known { Ok(record) } else { Err(Fault { step: "mmap", errno: Errno::EINVAL }) }
    }

    fn around(page: Page) -> Self {
        Self { page, start: procfs::start_time(getpid()).unwrap_or_default() }
    }

    fn cell(&self, index: usize) -> &AtomicU64 {
        &self.page.words()[index]
    }

    /// The descriptor, to be handed on.
    pub fn fd(&self) -> &OwnedFd {
        self.page.fd()
    }

    /// The word now. One that makes no sense fits no ticket.
    pub fn word(&self) -> Word {
        let broken = Word { generation: 0, handoff: 0, stage: Stage::Condemned };
        Word::from_raw(self.cell(1).load(Ordering::Acquire)).unwrap_or(broken)
    }

    /// Makes the change if it is allowed now; answers whether it was made, and what is there.
    pub fn ask(&self, ask: Ask, ticket: Ticket) -> (bool, View) {
        let mut now = self.word();
        loop {
            let Some(next) = now.after(ask, ticket) else { return (false, now.view(ticket)) };
            // Whoever owns after this: before the word says so.
            if matches!(ask, Ask::Promote | Ask::TakeBack | Ask::Reclaim | Ask::Confirm | Ask::Settle) {
                self.sign(next.generation);
            }
            match self.cell(1).compare_exchange(now.raw(), next.raw(), Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return (true, next.view(ticket)),
                Err(_) => now = self.word(),
            }
        }
    }

    /// Notes this process as the owner of a generation; for display.
    fn sign(&self, generation: u32) {
        let place = 4 + 2 * (generation as usize & 1);
        self.cell(place).store(getpid() as u64, Ordering::Relaxed);
        self.cell(place + 1).store(self.start, Ordering::Relaxed);
    }

    /// Notes what was sealed; before the commit.
    pub fn set_revision(&self, revision: u64) {
        self.cell(2).store(revision, Ordering::Release);
    }

    /// Notes what was bound at the control path; before anybody else has the page, or while nobody else looks at it (no handoff is under way).
    pub fn set_bound(&self, file: Inode) {
        self.cell(8).store(file.device, Ordering::Relaxed);
        self.cell(9).store(file.number, Ordering::Relaxed);
    }

    /// What was bound at the control path, if who did it has noted it.
    pub fn bound(&self) -> Option<Inode> {
        let file = Inode { device: self.cell(8).load(Ordering::Relaxed), number: self.cell(9).load(Ordering::Relaxed) };
        (file.number != 0).then_some(file)
    }

    /// What the last owner sealed.
    pub fn revision(&self) -> u64 {
        self.cell(2).load(Ordering::Acquire)
    }
}

/// The record as an observer has it: it looks, and can change nothing.
#[allow(dead_code)] // for the supervisor of a handoff
#[derive(Debug)]
pub struct Glance(Mapped);

#[allow(dead_code)]
impl Glance {
    /// The one that the owner has sent. `EINVAL` if it is none.
    pub fn adopt(fd: OwnedFd) -> Result<Self, Fault> {
        let glance = Self(Mapped::adopt(fd)?);
        let known = glance.0.word(0) == MAGIC && Word::from_raw(glance.0.word(1)).is_some();
        if known { Ok(glance) } else { Err(Fault { step: "mmap", errno: Errno::EINVAL }) }
    }

    /// The word now; `None`: it makes no sense.
    pub fn word(&self) -> Option<Word> {
        Word::from_raw(self.0.word(1))
    }

    /// Who owns this generation, by number and start time, for display.
    pub fn owner(&self, generation: u32) -> (i32, u64) {
        let place = 4 + 2 * (generation as usize & 1);
        (self.0.word(place) as i32, self.0.word(place + 1))
    }
}

/// The copy in words has this length always, so that a shorter one leaves nothing of a longer one.
const TEXT: usize = 256;

/// How each copy begins, whatever its version.
const HEAD: &str = "procsup handoff ";

/// FNV-1a: tells a torn copy, and makes names; nothing is decided by it.
pub fn checksum(text: &str) -> u64 {
    text.bytes().fold(0xCBF2_9CE4_8422_2325, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3))
}

/// Writes the copy: who owns which generation, and the last number that is given away.
pub fn publish(lock: &OwnedFd, generation: u32, last: u32) {
    let (pid, start) = (getpid(), procfs::start_time(getpid()).unwrap_or_default());
    let mut text = format!("procsup handoff 1\ngeneration {generation}\nlast {last}\nowner {pid}\nboot {}\n", procfs::boot_id());
    let _ = write!(text, "start {start}\npidns {}\n", procfs::pid_namespace());
    let sum = checksum(&text);
    let _ = writeln!(text, "sum {sum:016x}");
    let padded = format!("{text:<width$}\n", width = TEXT - 1);
    // A full disk: the count may begin anew after a cold start, and nothing else.
    let _ = lockfile::write(lock, padded.as_bytes());
}

/// Whether the copy may be written there: over another one, into an empty file, or where a crash of the machine has left nothing but zeros.
pub fn may_publish(lock: &OwnedFd) -> Result<bool, Errno> {
    let mut bytes = [0; TEXT + 1];
    let count = lockfile::read(lock, &mut bytes)?;
    let bytes = &bytes[..count];
    Ok(bytes.starts_with(HEAD.as_bytes()) || (count <= TEXT && bytes.iter().all(|byte| *byte == 0)))
}

/// The last generation that was given away, 0 if there is none.
pub fn last_generation(lock: &OwnedFd) -> u32 {
    field(lock, "last ").unwrap_or(0)
}

/// The process that has written the copy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LastOwner {
    /// Its number, as it sees itself.
    pub pid: i32,
    /// When it began, if it says so.
    pub start: Option<u64>,
    /// That number means something here: it was written on this machine, since it was started, in this pid namespace.
    pub is_here: bool,
    /// A successor may have had an offer of it, and be another owner by now.
    pub has_offered: bool,
}

/// The process that was the last owner.
pub fn last_owner(lock: &OwnedFd) -> Option<LastOwner> {
    let text = read(lock)?;
    let (boot, namespace): (Option<String>, Option<u64>) = (parse(&text, "boot "), parse(&text, "pidns "));
    let is_here = Place { boot: boot.unwrap_or_default(), namespace: namespace.unwrap_or_default() }.is(&Place::here());
    let generation: u32 = parse(&text, "generation ")?;
    let start = parse(&text, "start ").filter(|start| *start != 0);
    Some(LastOwner { pid: parse(&text, "owner ")?, start, is_here, has_offered: parse(&text, "last ") != Some(generation) })
}

fn read(lock: &OwnedFd) -> Option<String> {
    let mut bytes = [0; TEXT];
    let count = lockfile::read(lock, &mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes[..count]).into_owned())
}

fn field<T: std::str::FromStr>(lock: &OwnedFd, name: &str) -> Option<T> {
    parse(&read(lock)?, name)
}

fn parse<T: std::str::FromStr>(text: &str, name: &str) -> Option<T> {
    let (body, rest) = text.split_at(text.find("sum ")?);
    let sum = u64::from_str_radix(rest.get(4..20)?, 16).ok()?;
    let known = sum == checksum(body) && body.starts_with("procsup handoff 1\n");
    known.then(|| body.lines().find_map(|line| line.strip_prefix(name))?.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s4_the_copy_carries_the_generation_over_a_cold_start() {
        let file: OwnedFd = tempfile::tempfile().unwrap().into();
        assert_eq!(last_generation(&file), 0);
        publish(&file, 41, 43);
        publish(&file, 7, 9);
        assert_eq!(last_generation(&file), 9);
        lockfile::write(&file, b"torn").unwrap();
        assert_eq!(last_generation(&file), 0);
    }

    #[test]
    fn f35_the_copy_says_who_wrote_it_and_whether_he_had_a_successor() {
        let file: OwnedFd = tempfile::tempfile().unwrap().into();
        assert_eq!(last_owner(&file), None);
        publish(&file, u32::MAX, u32::MAX);
        let own = LastOwner { pid: getpid(), start: procfs::start_time(getpid()), is_here: true, has_offered: false };
        assert_eq!(last_owner(&file), Some(own));
        publish(&file, 3, 5);
        assert_eq!(last_owner(&file), Some(LastOwner { has_offered: true, ..own }));
        // As releases before have written it: its number may be anybody's.
        let mut text = "procsup handoff 1\ngeneration 1\nlast 1\nowner 4711\nboot x\n".to_owned();
        let sum = checksum(&text);
        let _ = writeln!(text, "sum {sum:016x}");
        lockfile::write(&file, format!("{text:<width$}\n", width = TEXT - 1).as_bytes()).unwrap();
        assert_eq!(last_owner(&file), Some(LastOwner { pid: 4711, start: None, is_here: false, has_offered: false }));
    }

    #[test]
    fn f24_the_copy_is_written_over_nothing_of_anybody_else() {
        let file: OwnedFd = tempfile::tempfile().unwrap().into();
        assert!(may_publish(&file).unwrap());
        lockfile::write(&file, &[0; TEXT]).unwrap();
        assert!(may_publish(&file).unwrap(), "as a crash of the machine may leave it");
        publish(&file, 1, 1);
        assert!(may_publish(&file).unwrap());
        lockfile::write(&file, b"4711\n").unwrap();
        assert!(!may_publish(&file).unwrap());
        let long: OwnedFd = tempfile::tempfile().unwrap().into();
        lockfile::write(&long, &[0; TEXT + 1]).unwrap();
        assert!(!may_publish(&long).unwrap());
    }

    #[test]
    fn a_change_that_is_not_allowed_changes_nothing() {
        let record = Record::create(3).unwrap();
        let ticket = record.word().next_ticket();
        assert!(!record.ask(Ask::Commit, ticket).0);
        assert_eq!(record.ask(Ask::Offer, ticket), (true, View::Offered));
        assert_eq!(record.ask(Ask::Commit, ticket), (true, View::Committed));
        assert_eq!(record.ask(Ask::Renounce, ticket), (false, View::Committed));
        assert_eq!(record.word().generation, 4);
    }

    #[test]
    fn what_is_no_record_is_refused() {
        let page = Page::create(c"x").unwrap();
        assert_eq!(Record::adopt(page.fd().try_clone().unwrap()).unwrap_err().errno, Errno::EINVAL);
    }
}
