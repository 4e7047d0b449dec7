//! The child's descriptor map: which numbers it begins with, where they must end up, what is closed.
//!
//! Pure: numbers in, plan out. The child carries it out as a parallel assignment (`sys/child.rs`), so swaps and cycles
//! need no care here.

use crate::sys::child::{Gap, Move};

/// The plan of one spawn.
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

    /// Runs the plan on a model of the child's table, step for step as `sys/child.rs` does.
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
