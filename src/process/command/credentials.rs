//! Who the child becomes: user, group and supplementary groups, together or each alone.
//!
//! The trap: a part that is not said stays the host's. Somebody else with root's groups is half root, so what is kept is a decision: the setters
//! below say it, part by part, and the last one to speak of a part counts.

use super::{Command, Credentials};
use crate::error::{Error, Result};
use crate::sys::reserve;

/// NGROUPS_MAX of Linux.
const MOST_GROUPS: usize = 65_536;

/// What is wrong with them.
fn check(ids: &[u32]) -> core::result::Result<(), &'static str> {
    if ids.len() > MOST_GROUPS {
        return Err("more than 65536 groups (NGROUPS_MAX)");
    }
    if ids.contains(&u32::MAX) {
        return Err("the id 4294967295 means \"no change\" to the kernel");
    }
    Ok(())
}

/// In ascending order: so the child compares them (`sys/spawn/switch.rs`), and the kernel shows them.
fn sorted(groups: &[u32]) -> Result<Vec<u32>> {
    let mut sorted = reserve::room(groups.len())?;
    sorted.extend_from_slice(groups);
    sorted.sort_unstable();
    Ok(sorted)
}

impl Command {
    /// All three.
    pub fn credentials(&mut self, uid: u32, gid: u32, groups: &[u32]) -> Result<&mut Self> {
        check(&[uid, gid]).and_then(|()| check(groups)).map_err(|why| Error::invalid("credentials", format!("credentials: {why}")))?;
        self.identity.credentials = Some(Credentials { uid: Some(uid), gid: Some(gid), groups: Some(sorted(groups)?) });
        Ok(self)
    }

    /// Its user alone.
    pub fn user(&mut self, uid: u32) -> Result<&mut Self> {
        check(&[uid]).map_err(|why| Error::invalid("user", format!("user: {why}")))?;
        self.identity.credentials.get_or_insert_default().uid = Some(uid);
        Ok(self)
    }

    /// Its group alone.
    pub fn group(&mut self, gid: u32) -> Result<&mut Self> {
        check(&[gid]).map_err(|why| Error::invalid("group", format!("group: {why}")))?;
        self.identity.credentials.get_or_insert_default().gid = Some(gid);
        Ok(self)
    }

    /// Its supplementary groups: these and no other.
    pub fn groups(&mut self, groups: &[u32]) -> Result<&mut Self> {
        check(groups).map_err(|why| Error::invalid("groups", format!("groups: {why}")))?;
        let groups = sorted(groups)?;
        self.identity.credentials.get_or_insert_default().groups = Some(groups);
        Ok(self)
    }

    /// Its supplementary groups are the host's, whatever was said of them; or they are not: without a word about them there are none.
    pub fn keep_groups(&mut self, on: bool) -> &mut Self {
        let credentials = self.identity.credentials.get_or_insert_default();
        if on {
            credentials.groups = None;
        } else {
            credentials.groups.get_or_insert_default();
        }
        if credentials.is_empty() {
            self.identity.credentials = None;
        }
        self
    }

    /// Whether its directory is entered before it becomes that, with the host's rights.
    pub fn chdir_first(&mut self, on: bool) -> &mut Self {
        self.identity.chdir_first = on;
        self
    }

    /// The number of supplementary groups that are named.
    pub(super) fn named_groups(&self) -> &[u32] {
        self.identity.credentials.as_ref().and_then(|credentials| credentials.groups.as_deref()).unwrap_or_default()
    }

    /// Whose what is made for it shall be: user and group, as fchown(2) takes them.
    pub(in crate::process) fn owner(&self) -> Option<(u32, u32)> {
        self.identity.credentials.as_ref().and_then(Credentials::owner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(command: &Command) -> (Option<u32>, Option<u32>, Option<&[u32]>) {
        let said = command.becomes();
        (said.and_then(|said| said.uid), said.and_then(|said| said.gid), said.and_then(|said| said.groups.as_deref()))
    }

    #[test]
    fn the_last_word_about_a_part_counts() {
        let mut command = Command::new("x").unwrap();
        assert!(command.keep_groups(true).becomes().is_none(), "nothing was said");
        command.user(1).unwrap();
        assert_eq!(said(&command), (Some(1), None, None));
        command.groups(&[9, 3, 9]).unwrap().group(2).unwrap();
        assert_eq!(said(&command), (Some(1), Some(2), Some(&[3, 9, 9][..])));
        command.credentials(5, 6, &[7]).unwrap().user(8).unwrap().keep_groups(false);
        assert_eq!(said(&command), (Some(8), Some(6), Some(&[7][..])), "those named stay named");
        command.keep_groups(true);
        assert_eq!(said(&command), (Some(8), Some(6), None));
        command.keep_groups(false);
        assert_eq!(said(&command), (Some(8), Some(6), Some(&[][..])));
    }

    #[test]
    fn what_is_refused_changes_nothing() {
        let mut command = Command::new("x").unwrap();
        command.credentials(1, 2, &[3]).unwrap();
        assert_eq!(command.user(u32::MAX).unwrap_err().step, "user");
        assert_eq!(command.group(u32::MAX).unwrap_err().step, "group");
        assert_eq!(command.groups(&[4, u32::MAX]).unwrap_err().step, "groups");
        assert_eq!(command.groups(&vec![0; 65_537]).unwrap_err().step, "groups");
        assert_eq!(command.credentials(4, 4, &[u32::MAX]).unwrap_err().step, "credentials");
        assert_eq!(said(&command), (Some(1), Some(2), Some(&[3][..])));
    }
}
