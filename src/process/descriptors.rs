//! The child's descriptors: which numbers it begins with, where they must end up, what is closed.
//!
//! Three steps, each of which can be read by itself:
//!
//! | step           | what                                                                                      |
//! |----------------|-------------------------------------------------------------------------------------------|
//! | [`plan`]       | what each stream and number of the command comes from; makes the pipes                    |
//! | [`Map`]        | pure: sources and targets in, moves and gaps out. The child carries it out as a parallel assignment (`sys/spawn/child.rs`), so swaps and cycles need no care here |
//! | [`Plan::park`] | brings every source down to a low number, so that the child's table can be cut just above |
//!
//! The trap: a number may be given twice, by two options that each were right by themselves (a pipe for stream 1, and a descriptor passed as
//! 1). Which of them wins would be chance, so it is refused, here, where all of them are seen at once.

use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;

use super::command::{Command, Stdio};
use super::output::file::OutFile;
use super::systemd;
use crate::error::{Error, Result};
use crate::sys::fds;
use crate::sys::spawn::landing::{LOW, Landing, Parked};
use crate::sys::spawn::{Gap, Move};

/// Where the child's descriptors come from and go to.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Map {
    /// Sources and targets.
    pub moves: Vec<Move>,
    /// What to close: all numbers that are not kept.
    pub gaps: Vec<Gap>,
    /// Above every source, target and standard number.
    pub above: i32,
    /// Above every number that the child needs from the shared table.
    pub first_unneeded: i32,
}

impl Map {
    /// `moves`: targets must differ. `inherited`: standard numbers that stay as they are.
    pub fn new(moves: Vec<Move>, inherited: &[i32]) -> Self {
        let mut kept: Vec<i32> = inherited.iter().copied().chain(moves.iter().map(|m| m.to)).collect();
        kept.sort_unstable();
        kept.dedup();
        let mut gaps = Vec::new();
        let mut next = 0u32;
        for number in &kept {
            let number = *number as u32;
            if next < number {
                gaps.push(Gap { first: next, last: number - 1 });
            }
            next = number + 1;
        }
        gaps.push(Gap { first: next, last: u32::MAX });
        let highest_source = moves.iter().map(|m| m.from).max().unwrap_or(2).max(2);
        let highest = kept.last().copied().unwrap_or(2).max(highest_source);
        Self { moves, gaps, above: highest + 1, first_unneeded: highest_source + 1 }
    }

    /// The same map with some sources lying elsewhere.
    pub fn resourced(&self, sources: &[(usize, i32)], inherited: &[i32]) -> Self {
        let mut moves = self.moves.clone();
        for (index, from) in sources {
            moves[*index].from = *from;
        }
        Self::new(moves, inherited)
    }

    /// Where the child may cut the shared table; `None`: too high for that to be cheap.
    pub fn unshare_first(&self) -> Option<i32> {
        (self.first_unneeded <= LOW).then_some(self.first_unneeded)
    }
}

/// The descriptors of one spawn.
#[derive(Default)]
pub struct Plan {
    /// What the child carries out.
    pub map: Map,
    /// Standard numbers that stay as they are.
    inherited: Vec<i32>,
    /// The pipes; closed when the plan goes, but for what was taken out.
    pub ends: Ends,
}

/// The pipes of one spawn: our ends, and the ends that the child gets.
#[derive(Default)]
pub struct Ends {
    /// The caller's, by stream.
    pub ours: [Option<OwnedFd>; 3],
    /// What we read ourselves, and as which stream. Reading never blocks.
    pub output: Vec<(i32, OwnedFd)>,
    theirs: Vec<OwnedFd>,
}

impl Ends {
    /// Keeps the child's end until it has it; answers its number.
    fn give(&mut self, end: OwnedFd) -> RawFd {
        let number = end.as_raw_fd();
        self.theirs.push(end);
        number
    }
}

fn open_null() -> core::result::Result<OwnedFd, Errno> {
    open("/dev/null", OFlag::O_RDWR | OFlag::O_CLOEXEC, Mode::empty()).and_then(fds::above_standard)
}

/// Decides the child's descriptors and makes the pipes.
pub fn plan(command: &Command, file: Option<&OutFile>) -> Result<Plan> {
    let streams = &command.streams;
    let failed = |step: &'static str| move |errno: Errno| Error::system(step, errno, command.cannot());
    let twice = |step: &'static str, number: i32, by: &str| {
        Error::invalid(step, format!("{}: descriptor {number} is given twice, by {by}", command.cannot()))
    };
    let given = |fd: i32| streams.passed.iter().any(|(_, to)| *to == fd);
    for (stream, what, wanted) in [(0, "input", streams.input.is_some()), (1, "output_file", file.is_some())] {
        if wanted && (streams.stdio[stream] != Stdio::Inherit || given(stream as i32)) {
            return Err(twice(what, stream as i32, &format!("{what} and otherwise")));
        }
    }
    let mut ends = Ends::default();
    let mut moves: Vec<Move> = Vec::new();
    let mut inherited = Vec::new();
    let piped = streams.capture.is_some() || streams.lines;
    let (mut captured, mut null): (Option<RawFd>, Option<RawFd>) = (None, None);
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
                let opened = input.open().map_err(|errno| Error::system("open", errno, format!("{}: its input", command.cannot())))?;
                ends.give(opened)
            }
            (Stdio::Inherit, _, Some(file)) => file.fd(),
            (Stdio::Inherit, ..) if stream > 0 && piped => match captured.filter(|_| !streams.lines) {
                // Captured streams share one pipe, which keeps their order; lines tell which stream they come from.
                Some(one) => one,
                None => {
                    let (read, write) = fds::pipe().map_err(failed("pipe2"))?;
                    fds::set_nonblocking(&read).map_err(failed("fcntl"))?;
                    ends.output.push((stream, read));
                    *captured.insert(ends.give(write))
                }
            },
            (Stdio::Inherit, ..) => {
                inherited.push(stream);
                continue;
            }
            // A description of its own for each child: what one does to it (O_NONBLOCK, flock) is not to be felt by another.
            (Stdio::Null, ..) => match null {
                Some(null) => null,
                None => {
                    let opened = open_null().map_err(|errno| Error::system("open", errno, format!("{}: /dev/null", command.cannot())))?;
                    *null.insert(ends.give(opened))
                }
            },
            (Stdio::Pipe, ..) => {
                let (read, write) = fds::pipe().map_err(failed("pipe2"))?;
                let (ours, theirs) = if stream == 0 { (write, read) } else { (read, write) };
                ends.ours[stream as usize] = Some(ours);
                ends.give(theirs)
            }
            (Stdio::Fd(fd), ..) => fd,
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
    // Merging into an inherited 1 reads the host's 1 as a source, so it stays inherited as well.
    Ok(Plan { map: Map::new(moves, &inherited), inherited, ends })
}

impl Plan {
    /// Brings every source down to a low number, so that the child's table can be cut there. Without a free place: as it was.
    /// `headroom`: descriptors that must be free for the host beside those that are reserved, if that is yet to be done.
    pub fn park<'a>(&mut self, landing: &'a Landing, headroom: usize) -> Option<Parked<'a>> {
        let mut high: Vec<RawFd> = self.map.moves.iter().map(|m| m.from).filter(|from| *from >= LOW / 4).collect();
        if high.is_empty() {
            return None;
        }
        high.sort_unstable();
        high.dedup();
        landing.reserve(headroom);
        let parked = landing.park(&high)?;
        let place = |from: RawFd| high.iter().position(|fd| *fd == from).map(|i| parked.numbers[i]);
        let sources: Vec<(usize, RawFd)> = self.map.moves.iter().enumerate().filter_map(|(i, m)| Some((i, place(m.from)?))).collect();
        self.map = self.map.resourced(&sources, &self.inherited);
        Some(parked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn plain_inheritance_closes_from_three() {
        let map = Map::new(vec![], &[0, 1, 2]);
        assert_eq!(map.gaps, [Gap { first: 3, last: u32::MAX }]);
        assert_eq!((map.first_unneeded, map.above), (3, 3));
    }

    /// Runs the plan on a model of the child's table, step for step as `sys/spawn/child.rs` does.
    fn carry_out(map: &Map, open: &[i32]) -> Vec<(i32, i32)> {
        let mut table: std::collections::BTreeMap<i32, i32> = open.iter().map(|fd| (*fd, *fd)).collect();
        let mut moves = map.moves.clone();
        let mut lifted = map.above;
        for i in 0..moves.len() {
            let this = moves[i];
            if this.from != this.to && moves.iter().enumerate().any(|(j, other)| i != j && other.to == this.from) {
                table.insert(lifted, table[&this.from]);
                moves[i].from = lifted;
                lifted += 1;
            }
        }
        for m in &moves {
            table.insert(m.to, table[&m.from]);
        }
        for gap in &map.gaps {
            table.retain(|fd, _| (*fd as u32) < gap.first || *fd as u32 > gap.last);
        }
        table.into_iter().collect()
    }

    proptest! {
        #[test]
        fn every_map_ends_with_exactly_what_was_asked(
            targets in proptest::collection::btree_set(0..24i32, 0..10),
            sources in proptest::collection::vec(0..24i32, 10),
            keep in proptest::collection::btree_set(0..3i32, 0..4),
        ) {
            let open: Vec<i32> = (0..24).collect();
            let moves: Vec<Move> = targets.iter().zip(&sources).map(|(to, from)| Move { from: *from, to: *to }).collect();
            let inherited: Vec<i32> = keep.into_iter().filter(|fd| !targets.contains(fd)).collect();
            let map = Map::new(moves.clone(), &inherited);
            let mut wanted: Vec<(i32, i32)> = moves.iter().map(|m| (m.to, m.from)).chain(inherited.iter().map(|fd| (*fd, *fd))).collect();
            wanted.sort_unstable();
            prop_assert_eq!(carry_out(&map, &open), wanted);
            prop_assert!(moves.iter().all(|m| m.from < map.first_unneeded));
        }
    }
}
