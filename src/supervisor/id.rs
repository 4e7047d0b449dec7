//! What the scheduler knows a child by.

/// A child; never used twice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Id(pub u64);

impl From<Id> for u64 {
    fn from(id: Id) -> Self {
        id.0
    }
}
