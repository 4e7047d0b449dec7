//! Which descriptors a child is given by number: each number once.
//!
//! The trap is how many there may be. Who gives thousands must not have all of them looked through at each; and who gives three, as nearly everybody
//! does, must not pay for a table, which every clone of the command would copy. So there is one only above a few.

use std::os::fd::RawFd;

use rustc_hash::FxHashSet;

use crate::error::Result;
use crate::sys::reserve::out_of_memory;

/// So many are looked through.
const FEW: usize = 16;

/// (descriptor of the host, number in the child), in the order in which they were given.
#[derive(Clone, Debug, Default)]
pub struct Passed {
    list: Vec<(RawFd, RawFd)>,
    /// The numbers in the child, if there are more than a few.
    taken: FxHashSet<RawFd>,
}

impl Passed {
    /// Whether this number of the child is given.
    pub fn has(&self, child_fd: RawFd) -> bool {
        if self.list.len() > FEW { self.taken.contains(&child_fd) } else { self.list.iter().any(|(_, taken)| *taken == child_fd) }
    }

    /// Room for so many more.
    pub fn make_room(&mut self, more: usize) -> Result<()> {
        self.list.try_reserve(more).map_err(out_of_memory)?;
        let after = self.list.len() + more;
        if after > FEW { self.taken.try_reserve(after - self.taken.len()).map_err(out_of_memory) } else { Ok(()) }
    }

    /// One more, for which there is room, of a number that is not given.
    pub fn push(&mut self, fd: RawFd, child_fd: RawFd) {
        self.list.push((fd, child_fd));
        match self.list.len() {
            few if few <= FEW => {}
            few if few == FEW + 1 => self.taken.extend(self.list.iter().map(|(_, taken)| *taken)),
            _ => drop(self.taken.insert(child_fd)),
        }
    }

    /// Takes back all but the first so many.
    pub fn truncate(&mut self, count: usize) {
        for (_, child_fd) in self.list.drain(count.min(self.list.len())..) {
            self.taken.remove(&child_fd);
        }
        if count <= FEW {
            self.taken.clear();
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// All of them.
    pub fn iter(&self) -> core::slice::Iter<'_, (RawFd, RawFd)> {
        self.list.iter()
    }

    /// The same, to exchange descriptors of the host for others; the child's numbers stay.
    pub fn iter_mut(&mut self) -> core::slice::IterMut<'_, (RawFd, RawFd)> {
        self.list.iter_mut()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_has_what_a_plain_list_has(calls in proptest::collection::vec((0..60i32, proptest::option::weighted(0.1, 0..40usize)), 0..120)) {
            let (mut passed, mut naive) = (Passed::default(), Vec::<RawFd>::new());
            for (number, truncate) in calls {
                match truncate {
                    Some(count) => {
                        passed.truncate(count);
                        naive.truncate(count);
                    }
                    None if !passed.has(number) => {
                        passed.make_room(1).unwrap();
                        passed.push(7, number);
                        naive.push(number);
                    }
                    None => {}
                }
                prop_assert_eq!(passed.len(), naive.len());
                for number in 0..60 {
                    prop_assert_eq!(passed.has(number), naive.contains(&number));
                }
            }
        }
    }
}
