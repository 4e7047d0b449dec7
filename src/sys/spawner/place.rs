//! Where the number of a child comes to stand that a spawner makes, as one word that a slot of the registry can keep.
//!
//! The trap: memory that is shared with a spawner goes when nobody has a share of it any more, and who reads a word of it may be a signal handler. So
//! whoever has put the word into a slot keeps a share of the memory until nobody looks there any more (`Slot::set_born` says so).

use core::num::NonZeroU64;
use core::sync::atomic::Ordering;

use super::births::{Births, Gate, owes_number, set};
use super::wire::Birth;

/// See the head of this file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place(NonZeroU64);

impl Place {
    /// That of the child with this index.
    pub fn of(births: &Births, index: usize) -> Option<Self> {
        NonZeroU64::new(births.address(index) as u64).map(Self)
    }

    /// The word that says where.
    pub fn as_word(self) -> u64 {
        self.0.get()
    }

    /// What stands there; 0 for the word 0, and before there is a number.
    pub fn read(word: u64) -> i32 {
        Self::birth(word).map_or(0, |birth| birth.pid.load(Ordering::Acquire)).max(0)
    }

    /// Whether a child may be there that has no number yet; asked only after its spawner has ended. For signal handlers, too.
    pub fn owes_number(word: u64) -> bool {
        Self::birth(word).is_some_and(owes_number)
    }

    /// Nobody passes the gate there any more. For signal handlers, too.
    pub fn bar(word: u64) {
        if let Some(birth) = Self::birth(word) {
            set(birth, Gate::Barred);
        }
    }

    fn birth<'a>(word: u64) -> Option<&'a Birth> {
        // SAFETY: the word is 0 or a `Place`'s, and who has written it keeps the memory until no reader has it any more (the head of this file).
        unsafe { (word as *const Birth).as_ref() }
    }
}
