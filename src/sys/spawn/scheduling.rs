//! By which policy of the scheduler a child runs, as a command says it. sched(7).

/// A policy of the scheduler.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, strum::FromRepr, strum::IntoStaticStr, strum::VariantNames)]
#[repr(i32)]
pub enum Policy {
    /// The host's (default).
    #[default]
    #[strum(serialize = "PS_SCHED_INHERIT")]
    Inherit = 0,
    /// The usual one: processors are shared, by the nice value.
    #[strum(serialize = "PS_SCHED_OTHER")]
    Other = 1,
    /// The same for work that nobody waits for: it does not preempt who runs when it wakes up.
    #[strum(serialize = "PS_SCHED_BATCH")]
    Batch = 2,
    /// Runs where hardly anybody else wants to.
    #[strum(serialize = "PS_SCHED_IDLE")]
    Idle = 3,
    /// Real time: before all of the above and all of lower priority, until it waits by itself.
    #[strum(serialize = "PS_SCHED_FIFO")]
    Fifo = 4,
    /// The same, but those of one priority take turns.
    #[strum(serialize = "PS_SCHED_RR")]
    Rr = 5,
}

impl Policy {
    /// Whether it has priorities: 1 to 99. (Else there is 0 alone.)
    pub fn is_real_time(self) -> bool {
        matches!(self, Policy::Fifo | Policy::Rr)
    }

    fn of_the_kernel(self) -> i32 {
        match self {
            Policy::Inherit => -1,
            Policy::Other => libc::SCHED_OTHER,
            Policy::Batch => libc::SCHED_BATCH,
            Policy::Idle => libc::SCHED_IDLE,
            Policy::Fifo => libc::SCHED_FIFO,
            Policy::Rr => libc::SCHED_RR,
        }
    }
}

/// A policy and a priority that it has.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Scheduling {
    /// The policy.
    pub policy: Policy,
    /// 1 to 99, or 0.
    pub priority: u8,
}

impl Scheduling {
    /// As one number for the child: the kernel's policy above, the priority in the low byte; -1: the host's.
    pub(in crate::sys) fn as_order(self) -> i32 {
        match self.policy {
            Policy::Inherit => -1,
            policy => policy.of_the_kernel() << 8 | i32::from(self.priority),
        }
    }
}
