//! By what its child is known to be ready.
//!
//! The trap: the number of a descriptor may be given by another option as well, before or after this one. So here only the number itself is
//! checked, and whether it is given twice where all of them are seen at once (`descriptors.rs`).

use std::sync::Arc;

use super::Command;
use crate::clock::MILLI;
use crate::coordination::notify::Access;
use crate::coordination::readiness::{Kind, Sign, Spec};
use crate::error::{Error, Result};

/// What it is asked to say of itself.
#[derive(Clone, Debug, Default)]
pub struct Readiness {
    /// When it counts as ready; `None`: nobody has asked.
    pub(in crate::process) spec: Option<Arc<Spec>>,
    access: Access,
    /// How long it may be silent.
    pub(in crate::process) watchdog_ms: Option<i64>,
}

impl Readiness {
    /// What would tie a child to this process. Names every field (see `lasting.rs`); none lends a descriptor.
    pub(super) fn tie(&self) -> Option<&'static str> {
        let Self { spec, access: _, watchdog_ms } = self;
        super::lasting::first([
            (spec.as_ref().is_some_and(|spec| spec.sign != Sign::Exec), "readiness"),
            (watchdog_ms.is_some(), "a watchdog"),
        ])
    }

    /// What only its maker could give to a process: a descriptor, a socket in its environment.
    pub(super) fn of_a_maker(&self) -> Option<&'static str> {
        let Self { spec, access: _, watchdog_ms } = self;
        let given = spec.as_ref().is_some_and(|spec| matches!(spec.sign, Sign::Fd(_) | Sign::Notify));
        super::lasting::first([(given, "readiness"), (watchdog_ms.is_some(), "watchdog")])
    }

    /// Whether each child gets another descriptor or socket. Names every field (see `prepared.rs`).
    pub(super) fn differs(&self) -> bool {
        let Self { spec: _, access: _, watchdog_ms: _ } = self;
        self.number().is_some() || self.access().is_some()
    }

    /// Who may speak through its NOTIFY_SOCKET, if it has one.
    pub(in crate::process) fn access(&self) -> Option<Access> {
        let notifies = self.spec.as_ref().is_some_and(|spec| spec.sign == Sign::Notify);
        (notifies || self.watchdog_ms.is_some()).then_some(self.access)
    }

    /// The number in the child of the descriptor by which it says so.
    pub(in crate::process) fn number(&self) -> Option<i32> {
        match self.spec.as_deref()?.sign {
            Sign::Fd(number) => Some(number),
            _ => None,
        }
    }
}

impl Command {
    /// Whether somebody has said when its child counts as ready.
    pub fn has_readiness(&self) -> bool {
        self.readiness.spec.is_some()
    }

    /// Whether its child counts as ready when its program has begun.
    pub fn is_ready_at_exec(&self) -> bool {
        self.readiness.spec.as_ref().is_none_or(|spec| spec.sign == Sign::Exec)
    }

    /// When its child counts as ready: `detail` is the number of a descriptor (FD) or an address (SOCKET). `timeout_ms`: from the begin of
    /// the spawn; -1 for ever, 0 a minute.
    pub fn readiness(&mut self, kind: Kind, detail: Option<&str>, timeout_ms: i64) -> Result<&mut Self> {
        self.readiness.spec = Some(Arc::new(Spec::new(kind, detail, timeout_ms)?));
        Ok(self)
    }

    /// Its child counts as ready when a room above says so, who has its own time for it (`Managed::tell_ready`).
    pub fn ready_when_told(&mut self) -> &mut Self {
        self.readiness.spec = Some(Arc::new(Spec::told()));
        self
    }

    /// Whose messages count.
    pub fn notify_access(&mut self, access: Access) -> &mut Self {
        self.readiness.access = access;
        self
    }

    /// How long its child may be silent once it is ready; 0: as long as it likes.
    pub fn watchdog(&mut self, ms: i64) -> Result<&mut Self> {
        if !(0..=i64::MAX / MILLI).contains(&ms) {
            return Err(Error::invalid("ms", format!("ms: a silence of {ms} ms")));
        }
        self.readiness.watchdog_ms = Some(ms).filter(|ms| *ms > 0);
        Ok(self)
    }
}
