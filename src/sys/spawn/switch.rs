//! The change of user, between clone and exec: groups, group, user, each only if it was asked for.
//!
//! The trap: setgroups(2) needs CAP_SETGID even for the list that is there already, and an ordinary host may ask for just that ("my own user, with my
//! own groups"). To leave it out unasked, or to swallow its error, would keep a group that was to be dropped. So it is called; and only where the
//! kernel says EPERM the lists are compared, here, in the one thread whose list nobody else can change: every group that is there must have been
//! asked for, and every one that was asked for must be there, or be the group id that the child will have, which gives the same. As a set: order
//! and repetitions are no matter. All else is that EPERM.
//!
//! The other trap: a group that has no number in this user namespace shows as "overflowgid" (user_namespaces(7)), so that number says nothing of who
//! is meant. It is never taken for one that was asked for. And a child in a namespace of its own, where only its own group has a number, would see
//! nothing else: of it the host asks here, before it is made.
//!
//! The rules of `child.rs` hold; the program of a spawner has this file, too.

use super::orders::{Span, Step, Switch};
use crate::sys::raw::syscall;

/// Does it. Groups while we still may, group before user: each step would take away the right to the next. `Err`: the step, and the kernel's answer.
///
/// # Safety
/// What the orders name is alive, and this is the only thread of its process.
#[inline(never)]
pub(super) unsafe fn switch(to: &Switch) -> Result<(), (Step, isize)> {
    // SAFETY: by the contract above; the calls get numbers, and memory within the list.
    unsafe {
        if to.has(Switch::GROUPS) {
            let answer = syscall!(libc::SYS_setgroups, to.groups.len, to.groups.at);
            if answer < 0 && !(answer == -(libc::EPERM as isize) && has_the_groups(to)) {
                return Err((Step::Setgroups, answer));
            }
        }
        if to.has(Switch::GROUP) {
            let answer = syscall!(libc::SYS_setresgid, to.gid, to.gid, to.gid);
            if answer < 0 {
                return Err((Step::Setgid, answer));
            }
        }
        if to.has(Switch::USER) {
            let answer = syscall!(libc::SYS_setresuid, to.uid, to.uid, to.uid);
            if answer < 0 {
                return Err((Step::Setuid, answer));
            }
        }
    }
    Ok(())
}

/// Whether this thread's groups are those that were asked for; see the head of this file. A list that is longer than the one that was asked for is not
/// looked at.
///
/// # Safety
/// As for [`switch`]; the thread may be one of many.
pub(super) unsafe fn has_the_groups(to: &Switch) -> bool {
    let asked = to.groups.len;
    // SAFETY: the room has place for `asked` numbers, and as many marks; all indexes are below that.
    unsafe {
        let there = syscall!(libc::SYS_getgroups, 0, 0);
        if there < 0 || there as usize > asked {
            return false;
        }
        if asked == 0 {
            return true;
        }
        let there = syscall!(libc::SYS_getgroups, asked, to.room);
        if there < 0 || there as usize > asked {
            return false;
        }
        let gid = if to.has(Switch::GROUP) { to.gid } else { syscall!(libc::SYS_getegid) as u32 };
        is_the_same(to, there as usize, gid)
    }
}

/// The same, of those in the room.
unsafe fn is_the_same(to: &Switch, there: usize, gid: u32) -> bool {
    let (asked, marks) = (to.groups.len, to.room.wrapping_add(to.groups.len));
    // SAFETY: as above.
    unsafe {
        let mut i = 0usize;
        while i < asked {
            *marks.wrapping_add(i) = 0;
            i = i.wrapping_add(1);
        }
        i = 0;
        while i < there {
            let group = *to.room.wrapping_add(i);
            let place = first_not_below(&to.groups, group);
            if place >= asked || *to.groups.get(place) != group || group == to.unseen {
                return false;
            }
            *marks.wrapping_add(place) = 1;
            i = i.wrapping_add(1);
        }
        i = 0;
        while i < asked {
            let group = *to.groups.get(i);
            let again = i > 0 && *to.groups.get(i.wrapping_sub(1)) == group;
            if *marks.wrapping_add(i) == 0 && !again && group != gid {
                return false;
            }
            i = i.wrapping_add(1);
        }
    }
    true
}

/// By halving.
unsafe fn first_not_below(sorted: &Span<u32>, number: u32) -> usize {
    let (mut from, mut to) = (0usize, sorted.len);
    while from < to {
        let middle = from.wrapping_add(to.wrapping_sub(from) / 2);
        // SAFETY: it lies within the list.
        if unsafe { *sorted.get(middle) } < number {
            from = middle.wrapping_add(1);
        } else {
            to = middle;
        }
    }
    from
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether `there` passes for `asked`, of a child with this group.
    fn passes(asked: &[u32], there: &[u32], gid: u32) -> bool {
        let mut room = vec![7; 2 * asked.len()];
        room[..there.len()].copy_from_slice(there);
        let to = Switch::of(Switch::GROUPS, 0, 0, Span::of(asked), room.as_mut_ptr());
        // SAFETY: the room has place for twice as many as are asked for, and `there` is no longer.
        unsafe { is_the_same(&to, there.len(), gid) }
    }

    #[test]
    fn lists_are_compared_as_sets() {
        assert!(passes(&[1, 2, 3], &[3, 1, 2], 99));
        assert!(passes(&[1, 1, 2], &[2, 1], 99) && passes(&[1, 1, 2], &[2, 1, 1], 99) && passes(&[1, 1], &[1], 99));
        assert!(passes(&[0, u32::MAX - 1], &[u32::MAX - 1, 0], 99));
    }

    #[test]
    fn none_is_kept_that_was_to_be_dropped_and_none_is_missing() {
        assert!(!passes(&[1, 2], &[1, 3], 99) && !passes(&[1, 2], &[0, 1], 99));
        assert!(!passes(&[1, 2], &[1], 99) && !passes(&[1], &[], 99));
        assert!(!passes(&[1, 1], &[1, 2], 2), "its own group, too: exec of a set-group-id program would keep it");
    }

    #[test]
    fn a_group_that_cannot_be_seen_is_no_ones() {
        let (asked, mut room) = ([5, 65534], [5, 65534, 0, 0]);
        let mut to = Switch::of(Switch::GROUPS, 0, 0, Span::of(&asked), room.as_mut_ptr());
        // SAFETY: as above.
        assert!(unsafe { is_the_same(&to, 2, 99) });
        to.unseen = 65534;
        // SAFETY: as above.
        assert!(unsafe { !is_the_same(&to, 2, 99) && is_the_same(&to, 1, 65534) });
    }

    #[test]
    fn its_own_group_need_not_be_in_the_list() {
        assert!(passes(&[1, 2], &[1], 2) && passes(&[5], &[], 5) && passes(&[5, 5, 6], &[6], 5));
        assert!(!passes(&[1, 2, 3], &[1], 2));
    }
}
