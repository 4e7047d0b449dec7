//! Who it is: user, limits, group or session, and what the kernel holds it to.
//!
//! The trap: all of this happens between clone and exec, in an order that matters (`sys/spawn/child.rs` has it): limits that need privilege
//! before the user changes, the death signal after it, since a change of user clears it.

use super::inheritance::Inheritance;
use super::landlock::Confinement;
use super::processors::Processors;
use super::{Command, Credentials};
use crate::error::{Error, Result};
use crate::sys::spawn::{Isolation, Limit};

/// User, limits, isolation.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Its setters: `credentials.rs`.
    pub(in crate::process) credentials: Option<Credentials>,
    /// Its directory is entered before that.
    pub(in crate::process) chdir_first: bool,
    pub(in crate::process) umask: Option<u32>,
    pub(in crate::process) nice: Option<i32>,
    pub(in crate::process) limits: Vec<Limit>,
    pub(in crate::process) no_new_privs: bool,
    pub(in crate::process) die_with_host: bool,
    pub(in crate::process) isolation: Isolation,
    /// Somebody has said so.
    pub(in crate::process) isolation_said: bool,
    /// Its group is the foreground of the host's terminal while it is there.
    pub(in crate::process) foreground: bool,
    /// Others of ours are in the group that it leads.
    pub(in crate::process) shares_group: bool,
    pub(in crate::process) inheritance: Inheritance,
    pub(in crate::process) processors: Processors,
    pub(in crate::process) confinement: Confinement,
}

impl Default for Identity {
    fn default() -> Self {
        Self {
            credentials: None,
            chdir_first: false,
            umask: None,
            nice: None,
            limits: Vec::new(),
            no_new_privs: false,
            die_with_host: false,
            isolation: Isolation::Group,
            isolation_said: false,
            foreground: false,
            shares_group: false,
            inheritance: Inheritance::default(),
            processors: Processors::default(),
            confinement: Confinement::default(),
        }
    }
}

impl Identity {
    /// What would tie a child to this process. Names every field (see `lasting.rs`); none lends a descriptor.
    pub(super) fn tie(&self) -> Option<&'static str> {
        let Self {
            credentials: _,
            chdir_first: _,
            umask: _,
            nice: _,
            limits: _,
            no_new_privs: _,
            die_with_host,
            isolation,
            isolation_said: _,
            foreground,
            shares_group: _,
            inheritance: _,
            processors: _,
            confinement: _,
        } = self;
        // Those who are to know it by its number would know its init.
        let contained = *isolation == Isolation::Contained;
        super::lasting::first([(*die_with_host, "die_with_host"), (*foreground, "foreground"), (contained, "PS_ISOLATE_CONTAINED")])
    }

    /// Whether something of it is another's each time. Names every field (see `prepared.rs`).
    pub(super) fn differs(&self) -> bool {
        let Self {
            credentials: _,
            chdir_first: _,
            umask: _,
            nice: _,
            limits: _,
            no_new_privs: _,
            die_with_host: _,
            isolation: _,
            isolation_said: _,
            foreground: _,
            shares_group: _,
            inheritance,
            processors: _,
            confinement,
        } = self;
        inheritance.differs() || confinement.is_on()
    }

    /// What only its maker could give to a process.
    pub(super) fn of_a_maker(&self) -> Option<&'static str> {
        let Self {
            credentials,
            // The directory itself is not looked at, so neither is when it is entered.
            chdir_first: _,
            umask,
            nice,
            limits,
            no_new_privs,
            die_with_host,
            isolation,
            isolation_said: _,
            foreground,
            shares_group: _,
            inheritance,
            processors,
            confinement,
        } = self;
        let first = super::lasting::first([
            (credentials.is_some(), "credentials"),
            (umask.is_some(), "umask"),
            (nice.is_some(), "nice"),
            (!limits.is_empty(), "rlimit"),
            (*no_new_privs, "no_new_privs"),
            (*die_with_host, "die_with_host"),
            (matches!(isolation, Isolation::Session | Isolation::Contained), "isolate"),
            (confinement.is_on(), "landlock"),
            (*foreground, "foreground"),
        ]);
        first.or_else(|| inheritance.of_a_maker()).or_else(|| processors.of_a_maker())
    }
}

impl Command {
    /// The umask.
    pub fn umask(&mut self, mask: u32) -> Result<&mut Self> {
        if mask > 0o777 {
            return Err(Error::invalid("umask", format!("umask: {mask:#o} is above 0777")));
        }
        self.identity.umask = Some(mask);
        Ok(self)
    }

    /// The nice value, -20 to 19.
    pub fn nice(&mut self, nice: i32) -> Result<&mut Self> {
        if !(-20..=19).contains(&nice) {
            return Err(Error::invalid("nice", format!("nice: {nice} is not between -20 and 19")));
        }
        self.identity.nice = Some(nice);
        Ok(self)
    }

    /// A resource limit (getrlimit(2)); `u64::MAX` is "no limit".
    pub fn rlimit(&mut self, resource: i32, soft: u64, hard: u64) -> Result<&mut Self> {
        if !(0..16).contains(&resource) {
            return Err(Error::invalid("rlimit", format!("rlimit: there is no resource {resource}")));
        }
        if soft > hard {
            return Err(Error::invalid("rlimit", format!("rlimit: the soft limit {soft} is above the hard limit {hard}")));
        }
        self.identity.limits.retain(|limit| limit.resource != resource as u32);
        self.identity.limits.push(Limit { resource: resource as u32, soft, hard });
        Ok(self)
    }

    /// Whether exec may no longer raise privileges (prctl(2), `PR_SET_NO_NEW_PRIVS`).
    pub fn no_new_privs(&mut self, on: bool) -> &mut Self {
        self.identity.no_new_privs = on;
        self
    }

    /// Whether the child is killed when this process ends, however it ends.
    pub fn die_with_host(&mut self, on: bool) -> &mut Self {
        self.identity.die_with_host = on;
        self
    }

    /// Whether others of ours live in the group that the child leads: then signals go to it alone, and nobody is swept when it ends.
    #[allow(dead_code)]
    pub(crate) fn shares_group(&mut self, on: bool) -> &mut Self {
        self.identity.shares_group = on;
        self
    }

    /// Whether the child leads a group, a session, or nothing, or is contained.
    pub fn isolate(&mut self, isolation: Isolation) -> Result<&mut Self> {
        self.check_containment(isolation, self.sweeps())?;
        self.identity.isolation = isolation;
        self.identity.inheritance.joins = 0;
        self.identity.isolation_said = true;
        Ok(self)
    }
}
