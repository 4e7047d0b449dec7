//! Whom the signals of a stop plan reach.
//!
//! The trap: a program that stops its own workers in order (a server that lets them finish, a shell that waits for its last command) finds them gone
//! where the plan's first signal went to its whole group. So who knows such a program says so, and it alone gets it. What becomes of those that it
//! leaves behind when it ends is another question, asked of every end, not only of one that a plan has made: that is the survivor policy's
//! (`registry/slot.rs`, `sweep`), whatever stands here. And where nobody is to be left at all (a supervisor that is freed, kill-all, a start that has
//! failed), no plan is run and nobody is asked.

/// Whom the signals of a child's stop plan reach.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, strum::FromRepr, strum::IntoStaticStr, strum::VariantNames)]
#[repr(i32)]
pub enum StopScope {
    /// The child's whole group, and those in its control group that have left it (default).
    #[default]
    #[strum(serialize = "PS_SCOPE_GROUP")]
    Group = 0,
    /// The child alone, but for SIGKILL, which reaches all of them.
    #[strum(serialize = "PS_SCOPE_MIXED")]
    Mixed = 1,
    /// The child alone, SIGKILL included.
    #[strum(serialize = "PS_SCOPE_LEADER")]
    Leader = 2,
}

impl StopScope {
    /// Whether this signal is for the child's process and nobody else.
    pub fn is_alone(self, signal: i32) -> bool {
        match self {
            Self::Group => false,
            Self::Mixed => signal != libc::SIGKILL,
            Self::Leader => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kill_is_what_tells_mixed_from_leader() {
        let alone = |signal| [StopScope::Group, StopScope::Mixed, StopScope::Leader].map(|scope| scope.is_alone(signal));
        for signal in [libc::SIGTERM, libc::SIGABRT, libc::SIGCONT, libc::SIGSTOP] {
            assert_eq!(alone(signal), [false, true, true]);
        }
        assert_eq!(alone(libc::SIGKILL), [false, false, true]);
    }
}
