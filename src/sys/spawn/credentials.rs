//! Who a child becomes, in parts: what a command says, and whether this process is that already.
//!
//! The trap: who becomes another user must not share memory with us, not even for a moment, so such a child is made by a fork, which costs what our
//! memory costs. But a host that names its own ids changes nobody. It is asked by /proc: there is the file system id, which setresuid(2) changes
//! as well (and the memory that is shared would not be dumpable any more), and a filter may kill for setfsuid(2), the one call that would tell it.
//! The child takes the steps all the same: what has changed since then is refused or undone by the kernel, and never left as it is.

use core::num::NonZeroUsize;

use nix::errno::Errno;
use nix::unistd::{getegid, geteuid};
use once_cell::race::OnceNonZeroUsize;

use super::orders::{Span, Step, Switch};
use super::switch;
use crate::sys::{Fault, procfs, reserve};

/// A user to become. What is not said stays as it is.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Credentials {
    /// Real, effective and saved user id.
    pub uid: Option<u32>,
    /// Real, effective and saved group id.
    pub gid: Option<u32>,
    /// The whole list of supplementary groups, in ascending order.
    pub groups: Option<Vec<u32>>,
}

impl Credentials {
    /// Whose what is made for it shall be, as fchown(2) takes it: `u32::MAX` leaves that part. `None`: nobody else's.
    pub fn owner(&self) -> Option<(u32, u32)> {
        (self.uid.is_some() || self.gid.is_some()).then(|| (self.uid.unwrap_or(u32::MAX), self.gid.unwrap_or(u32::MAX)))
    }

    /// User and group that it has in the end.
    pub fn ids(&self) -> (u32, u32) {
        (self.uid.unwrap_or_else(|| geteuid().as_raw()), self.gid.unwrap_or_else(|| getegid().as_raw()))
    }

    /// Which parts are said: the bits of a [`Switch`].
    pub(in crate::sys) fn parts(&self) -> u32 {
        let said = [(self.uid.is_some(), Switch::USER), (self.gid.is_some(), Switch::GROUP), (self.groups.is_some(), Switch::GROUPS)];
        said.into_iter().filter_map(|(said, part)| said.then_some(part)).fold(0, |parts, part| parts | part)
    }

    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        self.uid.is_none() && self.gid.is_none() && self.groups.is_none()
    }

    /// Whether this thread is all of that already. `false` also where it cannot be known.
    pub(super) fn is_hosts(&self) -> bool {
        // Most that say something say another user.
        self.uid.is_none_or(|id| id == geteuid().as_raw())
            && self.gid.is_none_or(|id| id == getegid().as_raw())
            && procfs::beginning_of_status().is_some_and(|status| self.is_in(&status))
    }

    /// The same, by the text of a status file.
    fn is_in(&self, status: &str) -> bool {
        let line = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).map(numbers);
        let all = |name: &str, id: u32| line(name).is_some_and(|ids| ids.len() == 4 && ids.iter().all(|found| *found == id));
        let same = |groups: &[u32]| {
            line("Groups:").is_some_and(|mut found| {
                found.sort_unstable();
                found.dedup();
                let mut asked = groups.to_vec();
                asked.dedup();
                found == asked
            })
        };
        self.uid.is_none_or(|id| all("Uid:", id))
            && self.gid.is_none_or(|id| all("Gid:", id))
            // More than that status could hold are not copied.
            && self.groups.as_deref().is_none_or(|groups| groups.len() < status.len() && same(groups))
    }
}

fn numbers(line: &str) -> Vec<u32> {
    line.split_ascii_whitespace().filter_map(|number| number.parse().ok()).collect()
}

/// What the child is told of it, and the memory that it needs for that: to be kept until it has begun.
///
/// `enclosed`: it will be in a user namespace of its own, where the groups can neither be changed nor seen. So they are looked at here.
pub(super) fn orders(credentials: Option<&Credentials>, enclosed: bool) -> Result<(Switch, Vec<u32>), Fault> {
    let Some(credentials) = credentials else { return Ok((Switch::NOBODY, Vec::new())) };
    let groups = credentials.groups.as_deref().unwrap_or_default();
    let mut room = reserve::room(2 * groups.len()).map_err(|_| Fault { step: "memory", errno: Errno::ENOMEM })?;
    room.resize(2 * groups.len(), 0u32);
    let mut switch =
        Switch::of(credentials.parts(), credentials.uid.unwrap_or(0), credentials.gid.unwrap_or(0), Span::of(groups), room.as_mut_ptr());
    switch.unseen = unseen(groups);
    if enclosed && credentials.groups.is_some() {
        // SAFETY: the list and the room live; the calling thread asks of itself.
        if !unsafe { switch::has_the_groups(&switch) } {
            return Err(Fault { step: Step::Setgroups.name(), errno: Errno::EPERM });
        }
        switch.keep_groups();
    }
    Ok((switch, room))
}

/// As `Switch::unseen`. Where nobody asks for that number it is no matter.
fn unseen(asked: &[u32]) -> u32 {
    static NUMBER: OnceNonZeroUsize = OnceNonZeroUsize::new();
    if asked.is_empty() {
        return u32::MAX;
    }
    let read = || procfs::number_in("/proc/sys/kernel/overflowgid").and_then(|number| NonZeroUsize::new(number as usize));
    let number = NUMBER.get_or_init(|| read().unwrap_or(const { NonZeroUsize::new(65534).unwrap() })).get() as u32;
    if asked.binary_search(&number).is_ok() && !procfs::sees_all_groups() { number } else { u32::MAX }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATUS: &str = "Name:\tx\nUid:\t7\t7\t7\t7\nGid:\t8\t8\t9\t8\nFDSize:\t64\nGroups:\t5 1 5 \nNStgid:\t1\n";

    #[test]
    fn own_ids_are_all_four_and_the_groups_a_set() {
        let of = |uid, gid, groups: Option<&[u32]>| Credentials { uid, gid, groups: groups.map(<[u32]>::to_vec) }.is_in(STATUS);
        assert!(of(Some(7), None, None) && of(None, None, None));
        assert!(!of(Some(8), None, None));
        assert!(!of(None, Some(8), None), "the saved one is another");
        assert!(of(Some(7), None, Some(&[1, 5])) && of(None, None, Some(&[1, 1, 5])));
        assert!(!of(None, None, Some(&[1])) && !of(None, None, Some(&[1, 5, 8])) && !of(None, None, Some(&[])));
        assert!(!Credentials { uid: Some(7), ..Credentials::default() }.is_in("Uid:\t7\t7\n"), "cut off");
        assert!(!Credentials { groups: Some(vec![]), ..Credentials::default() }.is_in(""));
        assert!(Credentials { groups: Some(vec![]), ..Credentials::default() }.is_in("Groups:\t \n"));
    }

    #[test]
    fn what_is_made_for_it_is_its_own_by_what_was_said() {
        assert_eq!(Credentials { groups: Some(vec![1]), ..Credentials::default() }.owner(), None);
        assert_eq!(Credentials { uid: Some(1), ..Credentials::default() }.owner(), Some((1, u32::MAX)));
        assert_eq!(Credentials { gid: Some(1), ..Credentials::default() }.owner(), Some((u32::MAX, 1)));
        assert!(Credentials::default().is_empty() && !Credentials { uid: Some(0), ..Credentials::default() }.is_empty());
    }
}
