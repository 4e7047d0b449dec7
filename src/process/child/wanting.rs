//! Whether a child was killed for want of memory, and by whose limit: from its control group's own counts before that group goes, else from the
//! machine's.
//!
//! Traps. **The kernel counts, it names nobody**: a kill in the group is the child's only if the child has died of a SIGKILL that nobody here has
//! sent while it lived. Then it is told as the child's, also where another member was the victim and a stranger has killed the child later. **A
//! limit of a group below** kills only there: not the child, unless it has moved down. **A limit above leaves no mark in the group but the kill**,
//! and so does a machine without memory. **Somebody may be killed while this is read**: of the child it was all counted before it died. And what
//! cannot be read is not known: it never fails the exit.
//!
//! The group is always as old as the child: one that was there is made anew (`process/cgroup.rs`), so its counts begin with 0.

use crate::process::cgroup::Cgroup;
use crate::registry::{Exit, Kind, Memory, Oom};
use crate::sys::cgroup::Wanting;
use crate::sys::oom;

/// Whose limit it was, of a child that a stranger has killed.
fn verdict(wanting: &Wanting) -> Oom {
    match (wanting.kills, wanting.local) {
        (0, _) => Oom::None,
        (_, Some((0, _))) => Oom::Probable,
        (_, Some((_, struck))) if struck > 0 => Oom::Own,
        (_, None) if wanting.struck > 0 => Oom::Own,
        _ => Oom::Above,
    }
}

/// Puts down what is known. It was dead at that time.
pub(in crate::process) fn tell(exit: &mut Exit, cgroup: Option<&Cgroup>, dead: i64) {
    let group = cgroup.map(Cgroup::group);
    let wanting = group.and_then(|group| group.wanting());
    // Without the controller there is no such file either.
    let peak = group.filter(|_| wanting.is_some()).and_then(|group| group.memory_peak());
    let by_a_stranger = exit.kind == Kind::Signaled && exit.signal == libc::SIGKILL && !exit.killed;
    let oom = match &wanting {
        _ if !by_a_stranger => Oom::None,
        Some(wanting) => verdict(wanting),
        None if oom::has_killed_since(exit.started_ns, dead) => Oom::Probable,
        None => Oom::None,
    };
    exit.memory = Memory {
        oom,
        kills: wanting.map_or(-1, |wanting| i32::try_from(wanting.kills).unwrap_or(i32::MAX)),
        peak: peak.and_then(|bytes| i64::try_from(bytes).ok()).unwrap_or(-1),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counts_tell_whose_limit_it_was() {
        let wanting = |kills, struck, local| Wanting { kills, struck, local };
        for (counts, told) in [
            (wanting(0, 0, None), Oom::None),
            // Its limit was reached, and somebody was found who ended by himself.
            (wanting(0, 3, None), Oom::None),
            (wanting(1, 1, Some((1, 1))), Oom::Own),
            (wanting(1, 1, None), Oom::Own),
            (wanting(1, 0, Some((1, 0))), Oom::Above),
            (wanting(1, 0, None), Oom::Above),
            // A group below it is full, and one above it, or the machine, has killed here.
            (wanting(2, 1, Some((1, 0))), Oom::Above),
            (wanting(2, 2, Some((1, 1))), Oom::Own),
            // Only below it: the child may be there.
            (wanting(1, 1, Some((0, 0))), Oom::Probable),
            (wanting(u64::MAX, u64::MAX, Some((u64::MAX, u64::MAX))), Oom::Own),
        ] {
            assert_eq!(verdict(&counts), told, "{counts:?}");
        }
    }
}
