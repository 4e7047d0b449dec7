//! A request of the engine as one message: a block of bytes, and the descriptors that go with it.
//!
//! The trap: the engine's moves are steps in an order that is right for the host's numbers, and the sources have others over there. So the steps are
//! followed once, on paper, for what lies at each number in the end; the spawner orders them anew. And a stream that "stays as it is" is the
//! host's, not the spawner's: it is sent along, if an exec in the host would keep it.

use core::ffi::{CStr, c_char};
use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicU64, Ordering};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

use nix::errno::Errno;
use rustc_hash::FxHashMap;

use super::wire::{self, Head, Part};
use crate::sys::cstr::OwnPid;
use crate::sys::spawn::{BUSY_PAUSES, Birth, Failure, Gap, Isolation, Move, Request, Tier, failure};
use crate::sys::{fds, pidfd, reserve, spawn};

/// What a request becomes. Kept, so that the next one finds room.
#[derive(Default)]
pub struct Message {
    /// What the block begins with.
    head: Head,
    /// The block.
    pub bytes: Vec<u8>,
    /// The descriptors that it names, by their numbers in the host; all open as long as the request's are.
    pub rights: Vec<RawFd>,
}

/// The number of the last one that was kept.
static LAST: AtomicU64 = AtomicU64::new(0);

/// A request that was sent, and may be sent again as it is: for another slot, from another directory.
#[derive(Debug)]
pub struct Standing {
    /// No other has it.
    id: u64,
    /// Without what is another's each time.
    head: Head,
    /// What follows the head.
    rest: Box<[u8]>,
    /// The numbers of its descriptors.
    sources: Box<[RawFd]>,
}

impl Standing {
    /// The one that was written last; `None`: it is too long, brings what is made for it alone, or there is no memory to keep it.
    pub fn of(message: &Message) -> Option<Self> {
        let Message { head, bytes, rights } = message;
        if bytes.len() > wire::INLINE || bytes.len() <= size_of::<Head>() || head.flags & wire::HAS_CGROUP != 0 {
            return None;
        }
        let own = usize::from(head.flags & wire::HAS_DIRECTORY != 0);
        let (rest, sources) = (copied(bytes.get(size_of::<Head>()..)?)?, copied(rights.get(own..)?)?);
        Some(Self { id: LAST.fetch_add(1, Ordering::Relaxed) + 1, head: *head, rest, sources })
    }

    /// Whether it would be written so now.
    pub fn is_right(&self) -> bool {
        let changes_user = self.head.flags & wire::CREDENTIALS != 0;
        spawn::verdict().is_ok_and(|tier| of_the_machine(tier, changes_user) == self.head.flags & OF_THE_MACHINE)
    }

    /// Whether its child goes to a directory that does not depend on where it begins.
    pub(super) fn goes_elsewhere(&self) -> bool {
        let at = (self.head.directory as usize).checked_sub(size_of::<Head>());
        at.and_then(|at| self.rest.get(at)) == Some(&b'/')
    }

    /// By what it is known to a link.
    pub(super) fn id(&self) -> u64 {
        self.id
    }

    /// Whether it is short enough to be kept by the spawner.
    pub(super) fn may_be_kept(&self) -> bool {
        size_of::<Head>() + self.rest.len() <= wire::LONGEST_KEPT
    }

    /// Its head for this slot. (One that names a group of its own is not sent again: `process/command/prepared.rs`.)
    pub(super) fn addressed(&self, slot: (usize, u32), host: &Host<'_>) -> Head {
        let Head { flags, .. } = self.head;
        let group = if flags & (wire::GROUP | wire::SESSION) == 0 { group_for(host) } else { 0 };
        let directory = if host.directory.is_some() { wire::HAS_DIRECTORY } else { 0 };
        Head { slot: slot.0 as u32, ticket: slot.1, group, flags: flags & !wire::HAS_DIRECTORY | directory, ..self.head }
    }

    /// The descriptors that go with it, but for the directory.
    pub(super) fn sources(&self) -> &[RawFd] {
        &self.sources
    }

    /// The bytes behind the head.
    pub(super) fn rest(&self) -> &[u8] {
        &self.rest
    }
}

fn copied<T: Copy>(items: &[T]) -> Option<Box<[T]>> {
    let mut copy = reserve::room(items.len()).ok()?;
    copy.extend_from_slice(items);
    Some(copy.into())
}

/// What of the host is not in a request.
pub struct Host<'a> {
    /// Its working directory, if that is another one than the spawner's.
    pub directory: Option<&'a OwnedFd>,
    /// The process group of the spawner.
    pub group: i32,
}

/// Which descriptors the child gets: from which of the sources (-1: /dev/null) to which number; and what is closed.
#[derive(Default, PartialEq, Eq, Debug)]
struct Layout {
    sources: Vec<RawFd>,
    moves: Vec<Move>,
    gaps: Vec<Gap>,
}

/// Numbers that are kept without being a target are few: the standard ones.
const KEPT: u64 = 64;

impl Layout {
    /// By the steps and gaps of the engine. `is_inherited`: whether this number of the host is open and stays so through an exec.
    fn of(steps: &[Move], gaps: &[Gap], is_inherited: impl Fn(RawFd) -> bool) -> Result<Self, Errno> {
        // What lies at a number now; if nothing is written, what the host has there.
        let mut lies: FxHashMap<i32, RawFd> = FxHashMap::default();
        let mut targets = reserve::room(steps.len()).map_err(|_| Errno::ENOMEM)?;
        for step in steps {
            let from = if step.from == Move::NULL { Move::NULL } else { lies.get(&step.from).copied().unwrap_or(step.from) };
            lies.insert(step.to, from);
            if step.to != Move::SCRATCH {
                targets.push(step.to);
            }
        }
        let mut next = 0u64;
        for gap in gaps.iter().copied().chain([Gap { first: u32::MAX, last: u32::MAX }]) {
            if u64::from(gap.first).saturating_sub(next) > KEPT + steps.len() as u64 {
                return Err(Errno::EINVAL);
            }
            let kept = (next..u64::from(gap.first)).map(|number| number as i32);
            targets.extend(kept.filter(|number| !lies.contains_key(number) && is_inherited(*number)));
            next = next.max(u64::from(gap.last) + 1);
        }
        targets.sort_unstable();
        targets.dedup();
        let mut layout = Self::default();
        let mut first = 0u32;
        for to in targets {
            let from = lies.get(&to).copied().unwrap_or(to);
            // With more sources than a request can have it is refused: which of them are the same does not matter any more.
            let place = layout.sources.iter().take(wire::RIGHTS).position(|source| *source == from);
            let from = if from == Move::NULL { None } else { Some(place.unwrap_or(layout.sources.len())) };
            if from == Some(layout.sources.len()) {
                layout.sources.push(lies.get(&to).copied().unwrap_or(to));
            }
            layout.moves.push(Move { from: from.map_or(Move::NULL, |place| place as i32), to });
            if first < to as u32 {
                layout.gaps.push(Gap { first, last: to as u32 - 1 });
            }
            first = to as u32 + 1;
        }
        layout.gaps.push(Gap { first, last: u32::MAX });
        Ok(layout)
    }
}

/// Writes parts one after another, each at an offset that suits its kind.
struct Writer<'a>(&'a mut Vec<u8>);

impl Writer<'_> {
    fn room(&mut self, bytes: usize) -> Result<(), Errno> {
        if self.0.len() + bytes + 16 > u32::MAX as usize {
            return Err(Errno::E2BIG);
        }
        self.0.try_reserve(bytes + 16).map_err(|_| Errno::ENOMEM)
    }

    /// Starts a part: its offset.
    fn align(&mut self) -> u32 {
        let length = self.0.len().next_multiple_of(8);
        self.0.resize(length, 0);
        length as u32
    }

    fn words<const N: usize>(&mut self, items: impl ExactSizeIterator<Item = [u32; N]>) -> Result<Part, Errno> {
        let len = items.len();
        self.room(len * 4 * N)?;
        let at = self.align();
        items.flatten().for_each(|word| self.0.extend_from_slice(&word.to_ne_bytes()));
        Ok(Part { at, len: len as u32 })
    }

    /// Room for the offsets of so many strings, and a 0.
    fn table(&mut self, len: usize) -> Result<Part, Errno> {
        self.room((len + 1) * 8)?;
        let at = self.align();
        self.0.resize(at as usize + (len + 1) * 8, 0);
        Ok(Part { at, len: len as u32 })
    }

    fn string(&mut self, text: &CStr) -> Result<u32, Errno> {
        let bytes = text.to_bytes_with_nul();
        self.room(bytes.len())?;
        let at = self.0.len() as u32;
        self.0.extend_from_slice(bytes);
        Ok(at)
    }

    fn set(&mut self, table: Part, index: usize, offset: u32) {
        let at = table.at as usize + index * 8;
        self.0[at..at + 8].copy_from_slice(&u64::from(offset).to_ne_bytes());
    }
}

/// How many pointers stand before the null.
///
/// # Safety
/// `array` ends with a null.
unsafe fn count(array: *const *const c_char) -> usize {
    let mut count = 0;
    // SAFETY: by the contract above.
    while !unsafe { *array.add(count) }.is_null() {
        count += 1;
    }
    count
}

/// Strings of a null-terminated array.
///
/// # Safety
/// `array` ends with a null, and its strings with NUL, and all of it lives as long as the answer is used.
unsafe fn strings<'a>(array: *const *const c_char) -> impl ExactSizeIterator<Item = &'a CStr> {
    // SAFETY: by the contract above.
    (0..unsafe { count(array) }).map(move |index| unsafe { CStr::from_ptr(*array.add(index)) })
}

impl Message {
    /// Writes the request as this slot's. Its descriptors are named, not copied.
    pub fn write(&mut self, request: &Request<'_>, (slot, ticket): (usize, u32), host: &Host<'_>) -> Result<(), Failure> {
        let tier = spawn::verdict()?;
        let mut head = Head {
            slot: slot as u32,
            ticket,
            flags: of_the_machine(tier, request.credentials.is_some()),
            group: match request.isolation {
                Isolation::None if request.group == 0 => group_for(host),
                _ => request.group,
            },
            ignored: request.keep_ignored,
            mask: request.mask,
            oom_score_adj: i64::from(request.oom_score_adj.unwrap_or(i32::MIN)),
            umask: request.umask.map_or(-1, |mask| mask as i32),
            nice: request.nice.unwrap_or(i32::MIN),
            busy_pauses: BUSY_PAUSES,
            scheduling: request.scheduling.as_order(),
            ruleset: request.ruleset.unwrap_or(-1),
            ..Head::default()
        };
        let mut flag = |set: bool, flag: u32| head.flags |= if set { flag } else { 0 };
        flag(request.no_new_privs, wire::NO_NEW_PRIVS);
        flag(request.die_with_host, wire::DIES_WITH_HOST);
        flag(request.isolation == Isolation::Group, wire::GROUP);
        flag(request.isolation == Isolation::Session, wire::SESSION);
        flag(request.birth.is_some() && pidfd::may_open(), wire::PIDFD_IN_RECORD);
        flag(request.credentials.is_some(), wire::CREDENTIALS);
        flag(request.chdir_first, wire::CHDIR_FIRST);
        self.rights.clear();
        if let Some(directory) = host.directory {
            head.flags |= wire::HAS_DIRECTORY;
            self.rights.push(directory.as_raw_fd());
        }
        if let Some(group) = request.cgroup {
            head.flags |= wire::HAS_CGROUP;
            self.rights.push(group.directory());
        }
        let layout = Layout::of(request.moves, request.gaps, fds::is_inherited).map_err(|errno| failure("descriptors", errno))?;
        // One more for the block, should it be too long.
        if self.rights.len() + layout.sources.len() + 1 > wire::RIGHTS {
            return Err(failure("sendmsg", Errno::E2BIG));
        }
        self.rights.extend(&layout.sources);
        self.write_block(head, request, &layout).map_err(|errno| failure("memory", errno))
    }

    fn write_block(&mut self, mut head: Head, request: &Request<'_>, layout: &Layout) -> Result<(), Errno> {
        self.bytes.clear();
        let mut out = Writer(&mut self.bytes);
        out.room(size_of::<Head>())?;
        out.0.resize(size_of::<Head>(), 0);
        // Room for as many more moves as there are sources, before the moves.
        out.words(layout.sources.iter().map(|_| [0u32; 2]))?;
        head.moves = out.words(layout.moves.iter().map(|step| [step.from as u32, step.to as u32]))?;
        head.gaps = out.words(layout.gaps.iter().map(|gap| [gap.first, gap.last]))?;
        let halves = |value: u64| [value as u32, (value >> 32) as u32];
        head.limits = out.words(request.limits.iter().map(|limit| {
            let ([soft_low, soft_high], [hard_low, hard_high]) = (halves(limit.soft), halves(limit.hard));
            [limit.resource, 0, soft_low, soft_high, hard_low, hard_high]
        }))?;
        if let Some(credentials) = request.credentials {
            (head.uid, head.gid) = (credentials.uid.unwrap_or(0), credentials.gid.unwrap_or(0));
            head.flags |= credentials.parts() << wire::SWITCH;
            let groups = credentials.groups.as_deref().unwrap_or_default();
            head.groups = out.words(groups.iter().map(|group| [*group]))?;
            // Right behind them, as they are words as well.
            let room = groups.len() * 2 * size_of::<u32>();
            out.room(room)?;
            out.0.resize(out.0.len() + room, 0);
        }
        head.processors = out.words(request.processors.iter().map(|bits| halves(*bits)))?;
        let (argv, envp) = (request.argv.as_ptr(), request.env.as_ptr());
        head.candidates = out.table(request.candidates.len())?;
        // SAFETY: both arrays are whole, by what they are, and the request holds them.
        (head.argv, head.envp) = unsafe { (out.table(count(argv))?, out.table(count(envp))?) };
        if let Some(birth) = request.birth {
            out.room(size_of::<Birth>())?;
            head.record = out.align();
            out.0.extend_from_slice(bytes_of(birth));
        }
        if let Some(directory) = request.directory {
            head.directory = out.string(directory)?;
        }
        for (index, candidate) in request.candidates.iter().enumerate() {
            let at = out.string(candidate)?;
            out.set(head.candidates, index, at);
        }
        // SAFETY: as above.
        for (index, text) in unsafe { strings(argv) }.enumerate() {
            let at = out.string(text)?;
            out.set(head.argv, index, at);
        }
        // SAFETY: as above.
        for (index, text) in unsafe { strings(envp) }.enumerate() {
            let at = out.string(text)?;
            out.set(head.envp, index, at);
            let own = |pid: &&OwnPid| pid.as_ptr() == text.as_ptr();
            if let Some((place, pid)) = request.own_pids.iter().enumerate().find_map(|(place, pid)| Some((place, pid.filter(own)?))) {
                // The child writes up to ten digits there, and a NUL.
                head.own_pids[place] = at + pid.digits().addr().wrapping_sub(pid.as_ptr().addr()) as u32;
                out.room(16)?;
                out.0.extend_from_slice(&[0; 16]);
            }
        }
        head.length = out.0.len() as u32;
        self.head = head;
        self.bytes[..size_of::<Head>()].copy_from_slice(bytes_of(&head));
        Ok(())
    }
}

/// Flags that say what works here, not what is asked for.
const OF_THE_MACHINE: u32 = wire::APART | wire::NO_CLONE3 | wire::NO_CLOSE_RANGE | wire::SEND_PIDFD;

fn of_the_machine(tier: Tier, changes_user: bool) -> u32 {
    [
        (tier == Tier::Fork || changes_user, wire::APART),
        (tier != Tier::Clone3, wire::NO_CLONE3),
        (spawn::has_no_close_range(), wire::NO_CLOSE_RANGE),
        (!pidfd::may_open(), wire::SEND_PIDFD),
    ]
    .into_iter()
    .filter_map(|(is_so, flag)| is_so.then_some(flag))
    .fold(0, |flags, flag| flags | flag)
}

/// The host's group, for a child that stays in it; 0: the spawner is there.
fn group_for(host: &Host<'_>) -> i32 {
    let group = nix::unistd::getpgrp().as_raw();
    if group == host.group { 0 } else { group }
}

/// The bytes of a value without padding or pointers: a [`Head`], or a [`Birth`].
pub(super) fn bytes_of<T: Plain>(value: &T) -> &[u8] {
    // SAFETY: such a type is made of numbers alone, so all of its bytes are initialized.
    unsafe { core::slice::from_raw_parts(core::ptr::from_ref(value).cast(), size_of::<T>()) }
}

/// What consists of numbers and has no padding.
pub(super) trait Plain {}
impl Plain for Head {}
impl Plain for Birth {}
const _: () = assert!(size_of::<Head>() == 4 * 10 + 7 * 8 + 4 * 4 + 8 + 3 * 8 + 8 + 2 * 4);

#[cfg(test)]
mod tests {
    use super::*;

    const REST: Gap = Gap { first: 3, last: u32::MAX };

    #[test]
    fn steps_of_a_ring_become_what_lies_where_in_the_end() {
        let steps = [(3, Move::SCRATCH), (4, 3), (Move::SCRATCH, 4)].map(|(from, to)| Move { from, to });
        let gaps = [Gap { first: 0, last: 2 }, Gap { first: 5, last: u32::MAX }];
        let layout = Layout::of(&steps, &gaps, |_| true).unwrap();
        assert_eq!(layout.sources, [4, 3]);
        assert_eq!(layout.moves, [Move { from: 0, to: 3 }, Move { from: 1, to: 4 }]);
        assert_eq!(layout.gaps, gaps);
    }

    #[test]
    fn a_stream_that_stays_is_sent_if_an_exec_would_keep_it_and_closed_if_not() {
        let layout = Layout::of(&[Move { from: Move::NULL, to: 0 }], &[REST], |number| number == 2).unwrap();
        assert_eq!(layout.sources, [2]);
        assert_eq!(layout.moves, [Move { from: Move::NULL, to: 0 }, Move { from: 0, to: 2 }]);
        assert_eq!(layout.gaps, [Gap { first: 1, last: 1 }, REST]);
    }

    #[test]
    fn a_source_with_two_targets_travels_once() {
        let steps = [Move { from: 50, to: 1 }, Move { from: 50, to: 2 }, Move { from: 2, to: 7 }];
        let layout = Layout::of(&steps, &[REST], |_| false).unwrap();
        assert_eq!(layout.sources, [50]);
        assert_eq!(layout.moves, [1, 2, 7].map(|to| Move { from: 0, to }));
        assert_eq!(Layout::of(&[], &[], |_| true).unwrap_err(), Errno::EINVAL, "nothing is closed at all");
    }
}
