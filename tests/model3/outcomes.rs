//! How it ends: the names of L5.

use super::world::{Ending, Fault, World};

/// Who serves in the end, and what was told of the replacement.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Serves {
    /// The generation that was there.
    Old,
    /// Its successor.
    Successor,
    /// One that was started when nobody was left, with the listeners that were held.
    StartedAgain,
    /// The same, its listeners bound anew: supervisor and generations were dead at once.
    BoundAnew,
    /// Nobody: the budget is spent.
    GivenUp,
}

impl World {
    pub fn outcome(&self) -> (Vec<Fault>, Serves, Ending) {
        let mut faults: Vec<Fault> = self.faults.iter().collect();
        faults.sort();
        let serves = match () {
            () if self.s.gave_up => Serves::GivenUp,
            () if self.page > 1 && self.bound_anew => Serves::BoundAnew,
            () if self.page > 1 => Serves::StartedAgain,
            () if self.pair.owner == 0 => Serves::Old,
            () => Serves::Successor,
        };
        (faults, serves, self.s.ending)
    }
}
