//! Memory for when malloc has none: the allocator of the library, with a fixed reserve behind the system's.
//!
//! The trap: on stable Rust a small allocation that fails ends the process (`Box`, `Arc`, `format!`, the nodes of a tree), and a library that ends
//! its host because one malloc returned NULL is no guest. No error can be returned from there, so there must be something to give. What the
//! system refuses is served from blocks of a static arena: zero pages that nobody has touched, which cost address space and nothing else.
//!
//! ```text
//!   malloc --NULL--> up to 64 KiB: the smallest block that is free      64 B x 16384 | 128 B x 8192 | 512 B x 2048
//!                    more: NULL                                         2 KiB x 512  | 8 KiB x 128  | 64 KiB x 16
//! ```
//!
//! Three rules make of this "a typed error, or it works":
//!
//! - **What a caller, a child or a count can make large is reserved fallibly** (`try_reserve`, [`list`]) and before the point of no return: a spawn makes
//!   the room that the events and the end of its child will need. So whoever asks infallibly asks for little.
//! - **Who takes is refused before who gives back.** A call that acquires ([`may_acquire`]: spawn, a new object, a setter) is answered ENOMEM while
//!   malloc fails, so that what is left is there for those that observe, stop and reap ([`may_observe`]: until three quarters are used); what frees is never refused.
//! - **Nothing waits for it.** A block is one bit, taken and given back by one atomic operation: no lock, so a forked copy of the host finds it in
//!   order, whatever the threads that were not copied were doing.
//!
//! What one call takes: docs/internals/memory.md. A block goes back when its owner frees it, also if malloc works again since; growth moves on to malloc.

#[cfg(feature = "reserve")]
use core::alloc::GlobalAlloc;
use core::alloc::Layout;
use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::alloc::System;

use nix::errno::Errno;

use crate::error::{Error, Result, Status};

/// The sizes of blocks. Each size has a mebibyte.
const SIZES: [usize; 6] = [64, 128, 512, 2048, 8192, LARGEST];
/// The largest block.
pub const LARGEST: usize = 64 * 1024;
const SHARE: usize = 1 << 20;
/// A block is aligned to its size, or to this if that is less.
const PAGE: usize = 4096;
const WORDS: usize = SHARE / SIZES[0] / 64;

#[repr(C, align(4096))]
struct Memory(UnsafeCell<[u8; SIZES.len() * SHARE]>);

// SAFETY: whoever has taken a block's bit has that block to itself.
unsafe impl Sync for Memory {}

/// Blocks, one bit for each that is taken.
struct Arena {
    memory: Memory,
    taken: [[AtomicU64; WORDS]; SIZES.len()],
    /// How many of each size are taken.
    used: [AtomicU32; SIZES.len()],
    /// All of them together: what every call asks.
    total: AtomicU32,
}

static ARENA: Arena = Arena::new();

impl Arena {
    const fn new() -> Self {
        Self {
            memory: Memory(UnsafeCell::new([0; SIZES.len() * SHARE])),
            taken: [const { [const { AtomicU64::new(0) }; WORDS] }; SIZES.len()],
            used: [const { AtomicU32::new(0) }; SIZES.len()],
            total: AtomicU32::new(0),
        }
    }

    const fn count(class: usize) -> usize {
        SHARE / SIZES[class]
    }

    /// A block that is large enough, or null. What it holds is anything.
    #[cold]
    #[inline(never)]
    fn take(&self, layout: Layout) -> *mut u8 {
        if layout.align() > PAGE {
            return core::ptr::null_mut();
        }
        let wanted = layout.size().max(layout.align());
        let classes = (0..SIZES.len()).filter(|class| SIZES[*class] >= wanted);
        classes.into_iter().find_map(|class| self.take_of(class)).unwrap_or(core::ptr::null_mut())
    }

    fn take_of(&self, class: usize) -> Option<*mut u8> {
        let count = Self::count(class);
        for (index, word) in self.taken[class][..count.div_ceil(64)].iter().enumerate() {
            let there = if count < 64 { (1 << count) - 1 } else { u64::MAX };
            loop {
                let free = !word.load(Ordering::Relaxed) & there;
                if free == 0 {
                    break;
                }
                let bit = free.trailing_zeros() as usize;
                // Acquire: what its last owner wrote there is over.
                if word.fetch_or(1 << bit, Ordering::Acquire) & 1 << bit == 0 {
                    self.used[class].fetch_add(1, Ordering::Relaxed);
                    self.total.fetch_add(1, Ordering::Relaxed);
                    return Some(self.memory.0.get().cast::<u8>().wrapping_add(class * SHARE + (index * 64 + bit) * SIZES[class]));
                }
            }
        }
        None
    }

    fn has(&self, at: *const u8) -> bool {
        at.addr().wrapping_sub(self.memory.0.get().addr()) < SIZES.len() * SHARE
    }

    /// The size and the number of the block at an address of ours.
    fn place(&self, at: *const u8) -> (usize, usize) {
        let offset = at.addr() - self.memory.0.get().addr();
        (offset / SHARE, offset % SHARE / SIZES[offset / SHARE])
    }

    #[cold]
    #[inline(never)]
    fn give_back(&self, at: *mut u8) {
        let (class, block) = self.place(at);
        self.used[class].fetch_sub(1, Ordering::Relaxed);
        self.total.fetch_sub(1, Ordering::Relaxed);
        self.taken[class][block / 64].fetch_and(!(1 << (block % 64)), Ordering::Release);
    }

    /// Whether more than so many quarters of some size are taken.
    #[cold]
    #[inline(never)]
    fn is_above(&self, quarters: usize) -> bool {
        self.used.iter().enumerate().any(|(class, used)| used.load(Ordering::Relaxed) as usize * 4 > Self::count(class) * quarters)
    }

    fn is_touched(&self) -> bool {
        self.total.load(Ordering::Relaxed) != 0
    }
}

/// Whether the system has memory at this moment.
#[cold]
#[inline(never)]
fn system_has() -> bool {
    let Ok(layout) = Layout::from_size_align(LARGEST, 16) else { return false };
    // SAFETY: the size is not zero.
    let at = unsafe { std::alloc::GlobalAlloc::alloc(&System, layout) };
    // The compiler may leave out a malloc whose memory nobody sees, and take it for one that has succeeded.
    if core::hint::black_box(at).is_null() {
        return false;
    }
    // SAFETY: made just now, with this layout.
    unsafe { std::alloc::GlobalAlloc::dealloc(&System, at, layout) };
    true
}

#[cold]
#[inline(never)]
fn refusal() -> Error {
    Error::new(Status::Limit, "memory", "the host is out of memory").with_errno(Errno::ENOMEM)
}

/// What has no memory for it is answered with this.
pub fn out_of_memory<E>(_: E) -> Error {
    refusal()
}

/// Whether a call that takes something for longer may go on. Costs one load while malloc has never failed.
pub fn may_acquire() -> bool {
    !ARENA.is_touched() || system_has()
}

/// Whether a call that looks, waits, stops or reaps may go on.
pub fn may_observe() -> bool {
    !ARENA.is_touched() || !ARENA.is_above(3) || system_has()
}

/// Whether memory is so short that nothing should be kept which can wait, or can be told later.
pub fn is_short() -> bool {
    ARENA.is_touched() && ARENA.is_above(1) && !system_has()
}

/// A list of what comes, made fallibly: for what may be long.
pub fn list<T>(items: impl IntoIterator<Item = T>) -> core::result::Result<Vec<T>, Errno> {
    let items = items.into_iter();
    let mut list = Vec::new();
    list.try_reserve(items.size_hint().0).map_err(|_| Errno::ENOMEM)?;
    for item in items {
        list.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
        list.push(item);
    }
    Ok(list)
}

/// An empty list with room for so many, made fallibly.
pub fn room<T>(count: usize) -> Result<Vec<T>> {
    let mut list = Vec::new();
    list.try_reserve_exact(count).map_err(out_of_memory)?;
    Ok(list)
}

/// Whether so many bytes are to be had in one piece. For what no command that can be run has: its copies are not fallible one by one.
pub fn check(bytes: usize) -> Result<()> {
    if bytes <= LARGEST {
        return Ok(());
    }
    let mut asked = Vec::<u8>::new();
    let result = asked.try_reserve_exact(bytes).map_err(out_of_memory);
    core::hint::black_box(&asked); // as in `system_has`
    result
}

/// To this every malloc aligns (as std's `System` has it; asked here, it is no call of its own).
#[cfg(feature = "reserve")]
const ALIGNED: usize = 16;

#[cfg(feature = "reserve")]
struct WithReserve;

#[cfg(feature = "reserve")]
#[global_allocator]
static ALLOCATOR: WithReserve = WithReserve;

// SAFETY: what the system gave goes back to it, what the arena gave to the arena: the address tells. Nothing here unwinds.
#[cfg(feature = "reserve")]
unsafe impl GlobalAlloc for WithReserve {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let at = if layout.align() <= ALIGNED && layout.align() <= layout.size() {
            // SAFETY: asks for nothing.
            unsafe { libc::malloc(layout.size()) }.cast()
        } else {
            // SAFETY: the caller's contract is ours.
            unsafe { System.alloc(layout) }
        };
        if at.is_null() { ARENA.take(layout) } else { at }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's contract is ours.
        let at = unsafe { System.alloc_zeroed(layout) };
        if !at.is_null() {
            return at;
        }
        let at = ARENA.take(layout);
        if !at.is_null() {
            // SAFETY: a block of ours, at least so long.
            unsafe { at.write_bytes(0, layout.size()) };
        }
        at
    }

    // Never part of its callers: two thousand places free something, most of them on the way of a panic.
    #[inline(never)]
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        if ARENA.has(at) {
            ARENA.give_back(at);
        } else {
            // SAFETY: not the arena's, so the system gave it.
            unsafe { System.dealloc(at, layout) };
        }
    }

    #[inline]
    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if !ARENA.has(at) {
            // SAFETY: the system gave it, with this layout.
            let moved = unsafe { System.realloc(at, layout, size) };
            if !moved.is_null() {
                return moved;
            }
        }
        // SAFETY: as the caller's.
        unsafe { move_to(self, at, layout, size) }
    }
}

/// What cannot grow or shrink where it is.
#[cfg(feature = "reserve")]
#[cold]
unsafe fn move_to(allocator: &WithReserve, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
    let room = if ARENA.has(at) { SIZES[ARENA.place(at).0] } else { layout.size() };
    if size <= room && layout.align() <= 16 {
        // Free and give back ask for no size: it may stay where it is.
        return at;
    }
    // SAFETY: the alignment is that of a layout, and the size that of a realloc, which is none too large.
    let wanted = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
    // SAFETY: as the caller's.
    let moved = unsafe { allocator.alloc(wanted) };
    if !moved.is_null() {
        // SAFETY: two different blocks, each at least so long.
        unsafe { core::ptr::copy_nonoverlapping(at, moved, layout.size().min(size)) };
        // SAFETY: at was made with this layout.
        unsafe { allocator.dealloc(at, layout) };
    }
    moved
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(size: usize, align: usize) -> Layout {
        Layout::from_size_align(size, align).unwrap()
    }

    fn arena() -> Box<Arena> {
        // As the static one begins: all zero. On the heap by pieces, it is too large for a stack.
        // SAFETY: all of it may be zero.
        unsafe { Box::<Arena>::new_zeroed().assume_init() }
    }

    #[test]
    fn a_block_is_large_enough_and_aligned_and_nobody_elses() {
        let arena = arena();
        let mut taken: Vec<(usize, usize)> = Vec::new();
        for (size, align) in [(1, 1), (64, 8), (65, 16), (256, 256), (10, 512), (1000, 4096), (4097, 16), (65_536, 4096)] {
            let at = arena.take(layout(size, align));
            assert!(!at.is_null() && at.addr().is_multiple_of(align) && arena.has(at));
            assert!(taken.iter().all(|(other, length)| at.addr() >= other + length || at.addr() + size <= *other));
            // SAFETY: the block is ours.
            unsafe { at.write_bytes(0xA5, size) };
            taken.push((at.addr(), size));
        }
        assert!(arena.is_touched());
    }

    #[test]
    fn what_is_too_large_or_aligned_too_far_is_refused() {
        let arena = arena();
        assert!(arena.take(layout(LARGEST + 1, 1)).is_null());
        assert!(arena.take(layout(8, 8192)).is_null());
        assert!(!arena.is_touched());
    }

    #[test]
    fn it_ends_and_is_whole_again() {
        let arena = arena();
        let mut blocks = Vec::new();
        loop {
            let at = arena.take(layout(40, 8));
            if at.is_null() {
                break;
            }
            blocks.push(at);
        }
        assert_eq!(blocks.len(), (0..SIZES.len()).map(Arena::count).sum::<usize>(), "small ones take the large blocks in the end");
        assert!(arena.is_above(3));
        blocks.sort_unstable();
        blocks.dedup();
        assert_eq!(blocks.len(), (0..SIZES.len()).map(Arena::count).sum::<usize>());
        blocks.into_iter().for_each(|at| arena.give_back(at));
        assert!(!arena.is_touched() && arena.taken.as_flattened().iter().all(|word| word.load(Ordering::Relaxed) == 0));
    }

    #[test]
    fn threads_never_have_the_same_block() {
        let arena = arena();
        std::thread::scope(|scope| {
            for mark in 1..=4u8 {
                let arena = &arena;
                scope.spawn(move || {
                    for round in 0..2_000usize {
                        let size = 16 << (round % 9);
                        let at = arena.take(layout(size, 8));
                        // SAFETY: the block is this thread's.
                        unsafe { at.write_bytes(mark, size) };
                        std::thread::yield_now();
                        // SAFETY: as above.
                        assert!(unsafe { core::slice::from_raw_parts(at, size) }.iter().all(|byte| *byte == mark));
                        arena.give_back(at);
                    }
                });
            }
        });
        assert!(!arena.is_touched());
    }

    #[cfg(feature = "reserve")]
    #[test]
    fn memory_of_the_reserve_grows_and_shrinks_and_goes_to_the_system() {
        let small = layout(50, 8);
        let at = ARENA.take(small);
        // SAFETY: the block is ours, and used by its layouts.
        unsafe {
            at.write_bytes(7, 50);
            let same = ALLOCATOR.realloc(at, small, 60);
            assert_eq!(same, at, "it fits");
            let moved = ALLOCATOR.realloc(same, layout(60, 8), 70_000);
            assert!(!ARENA.has(moved), "growth moves on to malloc");
            assert!(core::slice::from_raw_parts(moved, 50).iter().all(|byte| *byte == 7));
            ALLOCATOR.dealloc(moved, layout(70_000, 8));
        }
    }

    #[test]
    fn a_list_is_what_came() {
        assert_eq!(list((0..1000).filter(|n| n % 3 == 0)).unwrap().len(), 334);
        assert_eq!(check(usize::MAX / 4).unwrap_err().errno, Some(Errno::ENOMEM));
    }
}
