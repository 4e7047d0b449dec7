//! A request as it came becomes the orders of a child, in place.
//!
//! The trap: a descriptor that came has whatever number was free here, and may lie where another one must go. Such a source first gets a number
//! above all others, in the child's own table, where its gaps close it again.

use core::ffi::c_char;
use core::sync::atomic::AtomicI32;

use super::birth::Birth;
use super::orders::{Gap, Limit, Move, OWN_PIDS, Orders, Report, Span, Standing, Switch, Terminal};
use crate::sys::wire::{self, Head, Part};

/// A request, and what came with it.
pub struct Request<'a> {
    /// Its block: writable, this worker's alone.
    pub block: *mut u8,
    pub length: usize,
    pub head: Head,
    /// The sources.
    pub sources: &'a [i32],
}

impl Request<'_> {
    /// An array within the block, or an empty one if it does not lie there.
    fn part<T>(&self, part: Part) -> Span<T> {
        let end = (part.at as usize).wrapping_add((part.len as usize).wrapping_mul(size_of::<T>()));
        let inside = end <= self.length && part.at as usize % align_of::<T>() == 0;
        Span { at: self.block.wrapping_add(part.at as usize).cast(), len: if inside { part.len as usize } else { 0 } }
    }

    /// The same, of strings: its offsets become pointers.
    unsafe fn strings(&self, part: Part) -> Span<*const c_char> {
        let strings = self.part::<*const c_char>(part);
        let mut i = 0;
        while i < strings.len {
            let at = strings.at.wrapping_add(i).cast_mut();
            // SAFETY: within the block, which the caller lets us write.
            unsafe { *at = self.block.wrapping_add(at.cast::<usize>().read()).cast() };
            i = i.wrapping_add(1);
        }
        strings
    }

    fn at(&self, offset: u32) -> *mut u8 {
        if offset == 0 { core::ptr::null_mut() } else { self.block.wrapping_add(offset as usize) }
    }

    /// The moves, by the numbers that the sources have here; and the first number above all that they need.
    unsafe fn moves(&self) -> (Span<Move>, i32) {
        let given = self.part::<Move>(self.head.moves);
        let moves = given.at.cast_mut();
        let (mut above, mut need) = (0, 3);
        let mut i = 0;
        while i < given.len {
            // SAFETY: within the block, which is ours to write; here and below.
            let step = unsafe { &mut *moves.wrapping_add(i) };
            if step.from >= 0 {
                step.from = self.sources.get(step.from as usize).copied().unwrap_or(i32::MAX);
                need = need.max(step.from.wrapping_add(1));
            }
            above = above.max(need).max(step.to.wrapping_add(1));
            i = i.wrapping_add(1);
        }
        // Sources that are another's target: nothing is a target below the first of them but 0 to 2 as a rule.
        let mut lifted = 0usize;
        let mut i = 0;
        while i < self.sources.len() {
            let source = self.sources.get(i).copied().unwrap_or(-1);
            // SAFETY: as above.
            if (0..given.len).any(|k| unsafe { (*moves.wrapping_add(k)).to } == source) {
                lifted = lifted.wrapping_add(1);
                for k in 0..given.len {
                    // SAFETY: as above.
                    let step = unsafe { &mut *moves.wrapping_add(k) };
                    if step.from == source {
                        step.from = above;
                    }
                }
                // SAFETY: there is room for as many before the moves.
                unsafe { *moves.wrapping_sub(lifted) = Move { from: source, to: above } };
                above = above.wrapping_add(1);
            }
            i = i.wrapping_add(1);
        }
        (Span { at: moves.wrapping_sub(lifted), len: given.len.wrapping_add(lifted) }, need)
    }

    /// Who it becomes.
    fn switch(&self) -> Switch {
        let (head, groups) = (&self.head, self.part::<u32>(self.head.groups));
        let room = groups.at.wrapping_add(groups.len).cast_mut();
        Switch::of(head.flags >> wire::SWITCH & Switch::ALL, head.uid, head.gid, groups, room)
    }

    /// The orders. `join`: the file of the control group that it joins by itself, or -1.
    ///
    /// # Safety
    /// The block is this worker's to write, and stays until the child has executed or ended.
    pub unsafe fn orders(&self, report: *const Report, host: i32) -> Orders {
        let head = &self.head;
        let has = |flag: u32| head.flags & flag != 0;
        // SAFETY: by the contract above.
        unsafe {
            let (moves, need) = self.moves();
            let gaps = self.part::<Gap>(head.gaps);
            let standing = match head.group {
                _ if has(wire::SESSION) => Standing::Session,
                _ if has(wire::GROUP) => Standing::Group,
                0 => Standing::Same,
                group => Standing::Of(group),
            };
            let shares_table = !has(wire::APART) && !has(wire::NO_CLOSE_RANGE);
            Orders {
                join_fd: -1,
                unshare_first: if shares_table { need } else { -1 },
                moves,
                gaps,
                no_close_range: has(wire::NO_CLOSE_RANGE),
                standing,
                // Such a child the host makes itself (`Command::is_made_here`).
                terminal: Terminal::None,
                late: AtomicI32::new(0),
                umask: head.umask,
                nice: head.nice,
                limits: self.part::<Limit>(head.limits),
                switch: self.switch(),
                chdir_first: has(wire::CHDIR_FIRST),
                no_new_privs: has(wire::NO_NEW_PRIVS),
                directory: self.at(head.directory).cast(),
                host: if has(wire::DIES_WITH_HOST) { host } else { 0 },
                relay: core::ptr::null(),
                // The spawner itself was executed with all of them at their defaults.
                reset: 0,
                ignored: head.ignored,
                mask: head.mask,
                oom_score_adj: head.oom_score_adj as i32,
                candidates: self.strings(head.candidates),
                argv: self.strings(head.argv).at,
                envp: self.strings(head.envp).at,
                busy_pauses: head.busy_pauses,
                own_pids: [self.at(head.own_pids[0]), self.at(head.own_pids[1])],
                birth: self.at(head.record).cast::<Birth>(),
                birth_asks_for_pidfd: has(wire::PIDFD_IN_RECORD),
                error_fd: AtomicI32::new(-1),
                gated: false,
                parent_fd: AtomicI32::new(-1),
                own_pid: core::ptr::null(),
                report,
                processors: self.part::<u64>(head.processors),
                scheduling: head.scheduling,
                ruleset: head.ruleset,
                nest: core::ptr::null_mut(),
            }
        }
    }
}

const _: () = assert!(OWN_PIDS == 2);
