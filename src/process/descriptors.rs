//! The child's descriptors: which numbers it begins with, where they must end up, what is closed.
//!
//! Three steps, each of which can be read by itself:
//!
//! | step           | what                                                                                      |
//! |----------------|-------------------------------------------------------------------------------------------|
//! | [`plan`]       | what each stream and number of the command comes from; makes the pipes                    |
//! | `map.rs`       | pure: sources and targets in, steps and gaps out, which the child carries out one by one  |
//! | [`Plan::park`] | brings every source down to a low number, so that the child's table can be cut just above |
//!
//! The trap: a number may be given twice, by two options that each were right by themselves (a pipe for stream 1, and a descriptor passed as
//! 1). Which of them wins would be chance, so it is refused, here, where all of them are seen at once.

use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::sync::Arc;

use nix::errno::Errno;

use super::command::{Command, PipeDirection, Stdio};
use super::map::{Map, NONE};
use super::output::file::OutFile;
use super::systemd;
use crate::error::{Error, Result, Status};
use crate::sys::Fault;
use crate::sys::fds;
use crate::sys::outlet::{self, Outlet};
use crate::sys::pty;
use crate::sys::spawn::Move;
use crate::sys::spawn::landing::{LOW, Landing, Parked};

/// The descriptors of one spawn.
#[derive(Default)]
pub struct Plan {
    /// What the child carries out; shared with its command, where it is the same for each child (`command/prepared.rs`).
    map: Option<Arc<Map>>,
    /// The pipes; closed when the plan goes, but for what was taken out.
    pub ends: Ends,
}

/// The caller's ends of a child's pipes, until he takes them.
#[derive(Debug, Default)]
pub struct Ours {
    /// By their numbers in the child. Most children have none, and a word for that.
    #[allow(clippy::box_collection)]
    ends: Option<Box<Vec<(RawFd, OwnedFd)>>>,
}

impl Ours {
    /// The end of what the child has as this number.
    pub fn take(&mut self, number: RawFd) -> Option<OwnedFd> {
        let ends = self.ends.as_deref_mut()?;
        let at = ends.iter().position(|(taken, _)| *taken == number)?;
        Some(ends.swap_remove(at).1)
    }

    /// Puts one there; answers what was there before.
    pub fn put(&mut self, number: RawFd, end: OwnedFd) -> Option<OwnedFd> {
        let before = self.take(number);
        self.ends.get_or_insert_default().push((number, end));
        before
    }
}

/// The pipes of one spawn: our ends, and the ends that the child gets.
#[derive(Debug, Default)]
pub struct Ends {
    /// The caller's.
    pub ours: Ours,
    /// Where its input is written to while it runs.
    pub feed: Option<Outlet>,
    /// All that its input will ever be, where that is typed.
    pub typed: Option<Vec<u8>>,
    /// Our end of its pseudo-terminal.
    pub terminal: Option<OwnedFd>,
    /// The child's end of it as well, where we read or type ourselves.
    pub held: Option<OwnedFd>,
    /// The terminal of its session, in our numbering; open as long as this is, or lent.
    pub controlling: Option<RawFd>,
    /// What we read ourselves, and as which stream. Reading never blocks.
    pub output: Vec<(i32, OwnedFd)>,
    /// By which the child says that it is ready. Reading never blocks.
    pub ready: Option<OwnedFd>,
    theirs: Vec<OwnedFd>,
}

impl Ends {
    /// The child's ends, which nothing keeps open any more but who takes them.
    pub fn take_theirs(&mut self) -> Vec<OwnedFd> {
        std::mem::take(&mut self.theirs)
    }

    /// Keeps the child's end until it has it; answers its number.
    fn give(&mut self, end: OwnedFd) -> RawFd {
        let number = end.as_raw_fd();
        self.theirs.push(end);
        number
    }
}

/// A pipe by which a child says something: our end, of which reading never blocks, and the child's.
#[derive(Debug)]
pub struct Pipe {
    ours: OwnedFd,
    theirs: OwnedFd,
}

impl Pipe {
    /// One that nobody has yet.
    pub fn new() -> core::result::Result<Self, Fault> {
        let (ours, theirs) = fds::pipe().map_err(Fault::of("pipe2"))?;
        fds::set_new_nonblocking(&ours).map_err(Fault::of("fcntl"))?;
        Ok(Self { ours, theirs })
    }
}

/// Decides the child's descriptors and makes the pipes.
pub fn plan(command: &Command, file: Option<&OutFile>) -> Result<Plan> {
    plan_with(command, file, &mut None)
}

/// The same; `made`: a pipe that is taken where one is needed for what is said.
pub fn plan_with(command: &Command, file: Option<&OutFile>, made: &mut Option<Pipe>) -> Result<Plan> {
    let Sources { moves, inherited, ends } = sources(command, file, made)?;
    // Merging into an inherited 1 reads the host's 1 as a source, so it stays inherited as well.
    Ok(Plan { map: Some(Arc::new(Map::new(moves, &inherited))), ends })
}

/// What each number of a child comes from.
pub struct Sources {
    /// Sources and targets.
    pub moves: Vec<Move>,
    /// Standard numbers that stay as they are.
    inherited: Vec<i32>,
    /// The pipes.
    pub ends: Ends,
}

/// The first half of a plan: for who puts descriptors into place by himself.
pub fn sources(command: &Command, file: Option<&OutFile>, made: &mut Option<Pipe>) -> Result<Sources> {
    let streams = &command.streams;
    let failed = |step: &'static str| move |errno: Errno| Error::system(step, errno, command.cannot());
    let pipe = || {
        let ends = fds::pipe().map_err(failed("pipe2"))?;
        // The other user opens it again as /dev/stdout: both ends are one inode.
        if let Some((uid, gid)) = command.owner() {
            fds::give(&ends.0, uid, gid);
        }
        Ok(ends)
    };
    let twice = |step: &'static str, number: i32, by: &str| {
        Error::invalid(step, format!("{}: descriptor {number} is given twice, by {by}", command.cannot()))
    };
    let given = |fd: i32| streams.passed.has(fd);
    let typed = |stream: usize| stream == 0 && streams.stdio[0] == Stdio::Pty;
    let once = [(0, "input", streams.input.is_some()), (0, "input_stream", streams.fed.is_some()), (1, "output_file", file.is_some())];
    for (stream, what, wanted) in once {
        if wanted && (streams.stdio[stream] != Stdio::Inherit && !typed(stream) || given(stream as i32)) {
            return Err(twice(what, stream as i32, &format!("{what} and otherwise")));
        }
    }
    if streams.input.is_some() && streams.fed.is_some() {
        return Err(twice("input_stream", 0, "input and input_stream"));
    }
    let mut ends = Ends { controlling: streams.terminal, ..Ends::default() };
    let mut moves: Vec<Move> = Vec::new();
    let mut inherited = Vec::new();
    let piped = streams.capture.is_some() || streams.lines;
    let mut captured: Option<RawFd> = None;
    let mut pty: Option<RawFd> = None;
    for stream in 0..3i32 {
        let how = streams.stdio[stream as usize];
        if given(stream) {
            if how != Stdio::Inherit {
                return Err(twice("pass_fd", stream, "stdio and pass_fd"));
            }
            continue;
        }
        let (input, file) = (streams.input.as_ref().filter(|_| stream == 0), file.filter(|_| stream == 1));
        let from = match (how, input, file) {
            (Stdio::Inherit, Some(input), _) => {
                let opened = input.open().map_err(|fault| fault.error(format!("{}: its input", command.cannot())))?;
                ends.give(opened)
            }
            (Stdio::Inherit, _, Some(file)) => file.fd(),
            (Stdio::Inherit, ..) if stream == 0 && streams.fed.is_some() => {
                let made = outlet::outlet(command.owner()).map_err(|fault| fault.error(format!("{}: its input", command.cannot())))?;
                ends.feed = Some(made.0);
                ends.give(made.1)
            }
            (Stdio::Inherit, ..) if stream > 0 && piped => match captured.filter(|_| streams.share_a_pipe()) {
                // Captured streams share one pipe, which keeps their order; lines, and what is kept apart, tell which stream they come from.
                Some(one) => one,
                None => {
                    let Pipe { ours, theirs } = match made.take_if(|_| command.identity.credentials.is_none()) {
                        Some(pipe) => pipe,
                        None => {
                            let (ours, theirs) = pipe()?;
                            fds::set_new_nonblocking(&ours).map_err(failed("fcntl"))?;
                            Pipe { ours, theirs }
                        }
                    };
                    ends.output.push((stream, ours));
                    *captured.insert(ends.give(theirs))
                }
            },
            (Stdio::Inherit, ..) => {
                inherited.push(stream);
                continue;
            }
            // Opened by the child: what it does to the description (O_NONBLOCK, flock) is not to be felt by another.
            (Stdio::Null, ..) => Move::NULL,
            (Stdio::Pipe, ..) => {
                let (read, write) = pipe()?;
                let (ours, theirs) = if stream == 0 { (write, read) } else { (read, write) };
                ends.ours.put(stream, ours);
                ends.give(theirs)
            }
            (Stdio::Fd(fd), ..) => fd,
            (Stdio::Pty, ..) => match pty {
                Some(slave) => slave,
                None => *pty.insert(open_terminal(command, &mut ends)?),
            },
            // Wherever 1 comes from; an inherited 1 is the host's own.
            (Stdio::Merge, ..) => {
                let one = moves.iter().map(|m| (m.from, m.to)).chain(streams.passed.iter().copied()).find(|(_, to)| *to == 1);
                one.map_or(1, |(from, _)| from)
            }
        };
        moves.push(Move { from, to: stream });
    }
    moves.extend(streams.passed.iter().map(|(from, to)| Move { from: *from, to: *to }));
    for ((fd, _), to) in streams.listening.iter().zip(systemd::FIRST..) {
        if given(to) {
            return Err(twice("listen_fd", to, "listen_fd and pass_fd"));
        }
        moves.push(Move { from: *fd, to });
    }
    for (number, direction) in &streams.pipes {
        if moves.iter().any(|m| m.to == *number) {
            return Err(twice("pipe", *number, "pipe and listen_fd"));
        }
        let (read, write) = pipe()?;
        let (ours, theirs) = if *direction == PipeDirection::ToChild { (write, read) } else { (read, write) };
        ends.ours.put(*number, ours);
        moves.push(Move { from: ends.give(theirs), to: *number });
    }
    if let Some(number) = command.readiness.number() {
        if moves.iter().any(|m| m.to == number) {
            return Err(twice("readiness", number, "readiness and otherwise"));
        }
        let (read, write) = pipe()?;
        fds::set_nonblocking(&read).map_err(failed("fcntl"))?;
        ends.ready = Some(read);
        moves.push(Move { from: ends.give(write), to: number });
    }
    Ok(Sources { moves, inherited, ends })
}

/// Makes its pseudo-terminal: answers the child's end, which is to be that of its session. What is written by any stream comes out of our one end, as
/// the first of them.
fn open_terminal(command: &Command, ends: &mut Ends) -> Result<RawFd> {
    let streams = &command.streams;
    let doing = || format!("{}: its terminal", command.cannot());
    let copy = |end: &OwnedFd| fds::duplicate(end).map_err(|errno| Error::system("fcntl", errno, doing()));
    let [rows, columns] = streams.pty_size;
    let owner = command.identity.credentials.as_ref().and_then(|user| user.uid);
    let pty::Pair { master, slave } = pty::pair(rows, columns, owner).map_err(|fault| match fault.errno {
        Errno::ENOSPC => fault.error(format!("{} (see /proc/sys/kernel/pty/max)", doing())).with_status(Status::Limit),
        Errno::ENOENT | Errno::ENODEV | Errno::ENXIO | Errno::ENOTTY => {
            fault.error(format!("{} (there is no /dev/ptmx that works here)", doing())).with_status(Status::Unsupported)
        }
        _ => fault.error(doing()),
    })?;
    let read = [1, 2].into_iter().find(|stream| streams.stdio[*stream] == Stdio::Pty);
    let read = read.filter(|_| command.reads_pty());
    let fed = command.types_pty();
    if read.is_some() || fed {
        fds::set_new_nonblocking(&master).map_err(|errno| Error::system("fcntl", errno, doing()))?;
        ends.held = Some(copy(&slave)?);
    }
    if let Some(stream) = read {
        ends.output.push((stream as RawFd, copy(&master)?));
    }
    if fed {
        let typed = streams.input.as_ref().map(|input| input.bytes()).transpose();
        ends.typed = typed.map_err(|fault| fault.error(format!("{}: its input", command.cannot())))?;
        ends.feed = Some(Outlet::terminal(copy(&master)?));
    }
    ends.terminal = Some(master);
    let slave = ends.give(slave);
    ends.controlling = Some(slave);
    Ok(slave)
}

impl Plan {
    /// Of a child that gets nothing but what others of its command got.
    pub fn again(map: Arc<Map>) -> Self {
        Self { map: Some(map), ends: Ends::default() }
    }

    /// What the child carries out.
    pub fn map(&self) -> &Map {
        self.map.as_deref().unwrap_or(&NONE)
    }

    /// A share of that.
    pub fn share(&self) -> Option<Arc<Map>> {
        self.map.clone()
    }

    /// For a child that another process of ours makes: the streams that stay as they are here are no longer its maker's. What is closed here, or
    /// closed by an exec, is so there. Answers which stay: a bit each.
    pub fn send_along(&mut self) -> u8 {
        let mut inherited = self.map().inherited.clone();
        inherited.retain(|number| fds::is_inherited(*number));
        let as_here = inherited.iter().map(|number| Move { from: *number, to: *number });
        let moves = as_here.chain(self.map().moves.iter().copied()).collect();
        self.map = Some(Arc::new(Map::new(moves, &[])));
        inherited.iter().fold(0, |bits, number| bits | 1 << number)
    }

    /// Gives the child one more that it uses and closes before its exec. Answers its number there: the lowest that is nobody else's.
    pub fn give_for_itself(&mut self, end: OwnedFd) -> i32 {
        let mut moves = self.map().moves.clone();
        let mut taken: Vec<i32> = moves.iter().flat_map(|m| [m.from, m.to]).filter(|number| *number > 2).collect();
        taken.sort_unstable();
        taken.dedup();
        let to = (3..).zip(&taken).find(|(free, taken)| free != *taken).map_or(3 + taken.len() as i32, |(free, _)| free);
        moves.push(Move { from: self.ends.give(end), to });
        self.map = Some(Arc::new(Map::new(moves, &self.map().inherited)));
        to
    }

    /// Brings every source down to a low number, so that the child's table can be cut there. Without a free place: as it was.
    /// `headroom`: descriptors that must be free for the host beside those that are reserved, if that is yet to be done.
    pub fn park<'a>(&mut self, landing: &'a Landing, headroom: usize) -> Option<Parked<'a>> {
        let mut high: Vec<RawFd> = self.map().moves.iter().map(|m| m.from).filter(|from| *from >= LOW / 4).collect();
        if high.is_empty() {
            return None;
        }
        high.sort_unstable();
        high.dedup();
        landing.reserve(headroom);
        let parked = landing.park(&high)?;
        let place = |from: RawFd| high.iter().position(|fd| *fd == from).map(|i| parked.numbers[i]);
        let sources: Vec<(usize, RawFd)> = self.map().moves.iter().enumerate().filter_map(|(i, m)| Some((i, place(m.from)?))).collect();
        self.map = Some(Arc::new(self.map().resourced(&sources)));
        Some(parked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::spawn::Gap;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    #[test]
    fn plain_inheritance_closes_from_three() {
        let map = Map::new(vec![], &[0, 1, 2]);
        assert_eq!(map.gaps, [Gap { first: 3, last: u32::MAX }]);
        assert_eq!(map.first_unneeded, 3);
    }

    #[test]
    fn what_a_child_uses_itself_gets_a_number_that_is_nobody_elses() {
        let given = |moves: &[(i32, i32)]| {
            let moves = moves.iter().map(|(from, to)| Move { from: *from, to: *to }).collect();
            let mut plan = Plan::again(Arc::new(Map::new(moves, &[0, 1, 2])));
            let (end, _other) = fds::pipe().unwrap();
            let from = end.as_raw_fd();
            let to = plan.give_for_itself(end);
            assert!(plan.map().steps.contains(&Move { from, to }));
            assert!(!plan.map().gaps.iter().any(|gap| (gap.first..=gap.last).contains(&(to as u32))));
            to
        };
        assert_eq!(given(&[]), 3);
        assert_eq!(given(&[(Move::NULL, 0), (7, 3), (5, 4), (4, 8)]), 6);
        assert_eq!(given(&[(9, 4)]), 3);
    }

    #[test]
    fn a_chain_needs_no_scratch_number_and_a_ring_one() {
        let chain: Vec<Move> = (10..20).map(|n| Move { from: n, to: n + 1 }).collect();
        assert_eq!(Map::new(chain.clone(), &[]).steps, chain.into_iter().rev().collect::<Vec<_>>());
        let rings = [(1, 2), (2, 1), (4, 5), (5, 6), (6, 4)].map(|(from, to)| Move { from, to });
        let steps = Map::new(rings.to_vec(), &[]).steps;
        assert_eq!(steps.iter().filter(|m| m.to == Move::SCRATCH).count(), 2, "one for each ring, after one another: {steps:?}");
    }

    /// The child's table under a soft and a hard limit, which is what the kernel makes of its calls.
    struct Table {
        open: BTreeMap<i32, i32>,
        soft: i32,
        hard: i32,
    }

    impl Table {
        fn within<T>(&mut self, mut call: impl FnMut(&mut Self) -> Option<T>) -> Option<T> {
            call(self).or_else(|| {
                self.soft = self.hard;
                call(self)
            })
        }

        fn duplicate(&mut self, from: i32, least: i32) -> Option<i32> {
            self.within(|table| {
                let free = (least..table.soft).find(|fd| !table.open.contains_key(fd))?;
                let source = *table.open.get(&from)?;
                table.open.insert(free, source);
                Some(free)
            })
        }

        fn open(&mut self, file: i32) -> Option<i32> {
            self.within(|table| {
                let free = (0..table.soft).find(|fd| !table.open.contains_key(fd))?;
                table.open.insert(free, file);
                Some(free)
            })
        }

        fn free_number(&mut self, map: &Map, from: i32) -> Option<i32> {
            for gap in &map.gaps {
                let found = self.duplicate(from, gap.first as i32)?;
                if found as u32 <= gap.last {
                    return Some(found);
                }
                self.open.remove(&found);
            }
            None
        }

        /// The plan, step for step as `sys/spawn/child.rs` does it. `None`: the child gives up.
        fn carry_out(&mut self, map: &Map) -> Option<()> {
            let (mut scratch, mut null) = (None, None);
            for m in &map.steps {
                if m.from == Move::NULL && null.is_none() {
                    let opened = self.open(Move::NULL)?;
                    let in_a_gap = map.gaps.iter().any(|gap| (gap.first..=gap.last).contains(&(opened as u32)));
                    if opened == m.to || in_a_gap {
                        null = Some(opened);
                    } else {
                        null = Some(self.free_number(map, opened)?);
                        self.open.remove(&opened);
                    }
                }
                let from = match m.from {
                    Move::SCRATCH => scratch?,
                    Move::NULL => null?,
                    number => number,
                };
                if m.to == Move::SCRATCH {
                    match scratch {
                        None => scratch = Some(self.free_number(map, from)?),
                        Some(number) => _ = self.open.insert(number, *self.open.get(&from)?),
                    }
                } else if from != m.to {
                    self.within(|table| {
                        let source = *table.open.get(&from)?;
                        (m.to < table.soft).then(|| table.open.insert(m.to, source)).map(|_| ())
                    })?;
                }
            }
            for gap in &map.gaps {
                self.open.retain(|fd, _| (*fd as u32) < gap.first || *fd as u32 > gap.last);
            }
            Some(())
        }
    }

    proptest! {
        #[test]
        fn every_map_ends_with_exactly_what_was_asked(
            targets in proptest::collection::btree_set(0..24i32, 0..10),
            sources in proptest::collection::vec(0..24i32, 10),
            keep in proptest::collection::btree_set(0..3i32, 0..4),
            soft in 0..30i32,
            more in 0..30i32,
        ) {
            let open = (0..24).map(|fd| (fd, fd)).collect();
            let moves: Vec<Move> = targets.iter().zip(&sources).map(|(to, from)| Move { from: *from, to: *to }).collect();
            let inherited: Vec<i32> = keep.into_iter().filter(|fd| !targets.contains(fd)).collect();
            let map = Map::new(moves.clone(), &inherited);
            prop_assert!(moves.iter().all(|m| m.from < map.first_unneeded));
            let mut wanted: Vec<(i32, i32)> = moves.iter().map(|m| (m.to, m.from)).chain(inherited.iter().map(|fd| (*fd, *fd))).collect();
            wanted.sort_unstable();
            let mut table = Table { open, soft, hard: soft + more };
            let hard = table.hard;
            let done = table.carry_out(&map);
            // All it may fail for: a number above the hard limit, or a ring and no number left below it.
            let written = moves.iter().filter(|m| m.from != m.to);
            let possible = written.clone().all(|m| m.to < hard) && (hard > 24 || map.steps.iter().all(|m| m.to != Move::SCRATCH));
            prop_assert_eq!(done.is_some(), possible, "{:?}", map.steps);
            if possible {
                prop_assert_eq!(table.open.into_iter().collect::<Vec<_>>(), wanted);
            }
        }

        #[test]
        fn null_is_opened_by_the_child_among_whatever_is_open(
            targets in proptest::collection::btree_set(0..12i32, 1..12),
            sources in proptest::collection::vec(0..12i32, 12),
            nulls in proptest::collection::vec(any::<bool>(), 12),
            closed in proptest::collection::btree_set(0..12i32, 0..6),
            soft in 0..20i32,
        ) {
            let open: BTreeMap<i32, i32> = (0..12).filter(|fd| !closed.contains(fd)).map(|fd| (fd, fd)).collect();
            let source = |i: usize| if nulls[i] || closed.contains(&sources[i]) { Move::NULL } else { sources[i] };
            let moves: Vec<Move> = targets.iter().enumerate().map(|(i, to)| Move { from: source(i), to: *to }).collect();
            // Streams that stay as they are in the host, also closed.
            let inherited: Vec<i32> = (0..3).filter(|fd| !targets.contains(fd)).collect();
            let mut wanted: BTreeMap<i32, i32> = moves.iter().map(|m| (m.to, m.from)).collect();
            wanted.extend(open.iter().filter(|(fd, _)| inherited.contains(fd)));
            let mut table = Table { open, soft, hard: 20 };
            prop_assert!(table.carry_out(&Map::new(moves, &inherited)).is_some());
            prop_assert_eq!(table.open, wanted);
        }

        #[test]
        fn a_map_of_free_and_taken_numbers_needs_one_free_number_at_the_most(
            targets in proptest::collection::btree_set(0..12i32, 0..12),
            sources in proptest::collection::vec(0..12i32, 12),
            spare in proptest::collection::btree_set(12..20i32, 0..6),
        ) {
            // Numbers below 20 are open but for those in `spare`; 20 is the limit, soft and hard.
            let open: BTreeMap<i32, i32> = (0..20).filter(|fd| !spare.contains(fd)).map(|fd| (fd, fd)).collect();
            let moves: Vec<Move> = targets.iter().zip(&sources).map(|(to, from)| Move { from: *from, to: *to }).collect();
            let map = Map::new(moves.clone(), &[]);
            let mut table = Table { open, soft: 20, hard: 20 };
            let rings = map.steps.iter().any(|m| m.to == Move::SCRATCH);
            prop_assert_eq!(table.carry_out(&map).is_some(), !rings || !spare.is_empty());
            if !rings || !spare.is_empty() {
                let wanted: Vec<(i32, i32)> = moves.iter().map(|m| (m.to, m.from)).collect();
                prop_assert_eq!(table.open.into_iter().collect::<Vec<_>>(), wanted);
            }
        }
    }
}
