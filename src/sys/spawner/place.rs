//! Where the number of a child comes to stand that a spawner makes, as one word that a slot of the registry can keep.
//!
//! The trap: memory that is shared with a spawner goes when nobody has a share of it any more, and who reads a word of it may be a signal handler. So
//! whoever has put the word into a slot keeps a share of the memory until nobody looks there any more (`Slot::set_born` says so).

use core::num::NonZeroU64;
use core::sync::atomic::{AtomicI32, Ordering};

use super::births::Births;

/// See the head of this file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place(NonZeroU64);

impl Place {
    /// That of the child with this index.
    pub fn of(births: &Births, index: usize) -> Option<Self> {
        NonZeroU64::new(births.pid_address(index) as u64).map(Self)
    }

    /// The word that says where.
    pub fn as_word(self) -> u64 {
        self.0.get()
    }

    /// What stands there; 0 for the word 0.
    pub fn read(word: u64) -> i32 {
        if word == 0 {
            return 0;
        }
        // SAFETY: the word is a `Place`'s, and who has written it keeps the memory until no reader has it any more (the head of this file).
        unsafe { (*(word as *const AtomicI32)).load(Ordering::Acquire) }
    }
}
