//! Where the descriptors of a child come from and go to, as steps that it carries out one by one (`sys/spawn/child.rs`). Pure.
//!
//! The trap: a parallel assignment. A step must not overwrite what a later one still reads, and the child has no room beside its numbers.

use std::os::fd::RawFd;

use rustc_hash::FxHashMap;

use crate::sys::spawn::landing::LOW;
use crate::sys::spawn::{Gap, Move};

/// Where the child's descriptors come from and go to.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Map {
    /// Sources and targets.
    pub moves: Vec<Move>,
    /// Standard numbers that stay as they are.
    pub inherited: Vec<i32>,
    /// The moves in an order in which no source is overwritten that is still needed.
    pub steps: Vec<Move>,
    /// What to close: all numbers that are not kept.
    pub gaps: Vec<Gap>,
    /// Above every number that the child needs from the shared table.
    pub first_unneeded: i32,
}

/// Of who has no descriptors yet.
pub static NONE: Map = Map { moves: Vec::new(), inherited: Vec::new(), steps: Vec::new(), gaps: Vec::new(), first_unneeded: 0 };

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
        Self { steps: in_order(&moves), moves, inherited: inherited.to_vec(), gaps, first_unneeded: highest_source + 1 }
    }

    /// The same map with some sources lying elsewhere.
    pub fn resourced(&self, sources: &[(usize, i32)]) -> Self {
        let mut moves = self.moves.clone();
        for (index, from) in sources {
            moves[*index].from = *from;
        }
        Self::new(moves, &self.inherited)
    }

    /// Where the child may cut the shared table; `None`: too high for that to be cheap.
    pub fn unshare_first(&self) -> Option<i32> {
        (self.first_unneeded <= LOW).then_some(self.first_unneeded)
    }
}

/// A parallel assignment as steps: each target is written when nobody needs what lies there any more, and a ring of them is opened with the
/// one scratch number. So a child needs no number above its targets, which its limit might forbid.
fn in_order(moves: &[Move]) -> Vec<Move> {
    let (kept, mut moves): (Vec<Move>, Vec<Move>) = moves.iter().partition(|m| m.from == m.to);
    let mut steps = kept;
    let mut sources: Vec<RawFd> = moves.iter().map(|m| m.from).collect();
    sources.sort_unstable();
    if moves.iter().all(|m| sources.binary_search(&m.to).is_err()) {
        steps.append(&mut moves);
        return steps;
    }
    // How many moves are still to read a number, and which one is to write it.
    let mut readers: FxHashMap<RawFd, usize> = FxHashMap::default();
    for m in &moves {
        *readers.entry(m.from).or_default() += 1;
    }
    let writer: FxHashMap<i32, usize> = moves.iter().enumerate().map(|(i, m)| (m.to, i)).collect();
    let mut ready: Vec<usize> = (0..moves.len()).filter(|i| !readers.contains_key(&moves[*i].to)).collect();
    let mut done = vec![false; moves.len()];
    let mut next = 0;
    while next < moves.len() {
        while let Some(i) = ready.pop() {
            let from = moves[i].from;
            steps.push(moves[i]);
            done[i] = true;
            let left = readers.get_mut(&from).map_or(1, |left| {
                *left -= 1;
                *left
            });
            ready.extend(writer.get(&from).filter(|_| left == 0));
        }
        if done[next] {
            next += 1;
            continue;
        }
        // Only rings are left: each number in them is read once and written once.
        let from = std::mem::replace(&mut moves[next].from, Move::SCRATCH);
        steps.push(Move { from, to: Move::SCRATCH });
        ready.extend(writer.get(&from));
    }
    steps
}
