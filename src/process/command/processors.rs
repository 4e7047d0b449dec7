//! On which processors the child runs, and by which policy of the scheduler.
//!
//! Traps. The kernel takes a set of processors for a wish: what the machine does not have or a cpuset does not allow is left out without a word, and only
//! a set of which nothing is left is refused. And a child of the real-time classes must not wait for a thread of ours by yielding: who yields lets only
//! its equals run (`sys/spawn/child.rs`).

use std::sync::Arc;

use super::Command;
use crate::error::{Error, Result};
use crate::sys::spawn::{Policy, Scheduling};

/// No machine has more: the kernel's own bound is 8192 (CONFIG_NR_CPUS), and this much is 8 KiB of bits.
const MOST: u32 = 65_536;

/// Processors and policy.
#[derive(Clone, Debug, Default)]
pub struct Processors {
    /// A bit each, as the kernel has them; `None`: the host's.
    pub(in crate::process) allowed: Option<Arc<[u64]>>,
    pub(in crate::process) scheduling: Scheduling,
}

impl Processors {
    /// What only its maker could give to a process.
    pub(super) fn of_a_maker(&self) -> Option<&'static str> {
        let Self { allowed, scheduling } = self;
        super::lasting::first([(allowed.is_some(), "affinity"), (scheduling.policy != Policy::Inherit, "scheduling")])
    }
}

impl Command {
    /// The processors that the child may run on, by number; none: those of the host.
    pub fn affinity(&mut self, cpus: &[u32]) -> Result<&mut Self> {
        let last = cpus.iter().copied().max();
        if let Some(beyond) = last.filter(|last| *last >= MOST) {
            return Err(Error::invalid("affinity", format!("affinity: there is no processor {beyond}, the last one is {}", MOST - 1)));
        }
        self.identity.processors.allowed = last.map(|last| {
            let mut bits = vec![0u64; last as usize / 64 + 1];
            cpus.iter().for_each(|cpu| bits[*cpu as usize / 64] |= 1 << (cpu % 64));
            bits.into()
        });
        Ok(self)
    }

    /// The policy by which it runs. `priority`: 1 to 99 for real time, else 0.
    pub fn scheduling(&mut self, policy: Policy, priority: i32) -> Result<&mut Self> {
        let allowed = if policy.is_real_time() { 1..=99 } else { 0..=0 };
        if !allowed.contains(&priority) {
            let (least, most, name) = (allowed.start(), allowed.end(), <&str>::from(policy).trim_end_matches('\0'));
            let there = if least == most { "is 0".to_owned() } else { format!("is {least} to {most}") };
            return Err(Error::invalid("scheduling", format!("scheduling: the priority of {name} {there}, not {priority}")));
        }
        self.identity.processors.scheduling = Scheduling { policy, priority: priority as u8 };
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processors_become_bits_and_none_is_the_hosts() {
        let mut command = Command::new("x").unwrap();
        command.affinity(&[0, 65, 64, 65, 4096]).unwrap();
        let bits = command.identity.processors.allowed.clone().unwrap();
        assert_eq!((bits.len(), bits[0], bits[1], bits[64]), (65, 1, 3, 1));
        assert_eq!(command.affinity(&[1, MOST]).unwrap_err().step, "affinity");
        assert_eq!(command.identity.processors.allowed.as_deref(), Some(&bits[..]), "unchanged");
        assert!(command.affinity(&[]).unwrap().identity.processors.allowed.is_none());
    }

    #[test]
    fn only_real_time_has_priorities() {
        let mut command = Command::new("x").unwrap();
        for policy in [Policy::Inherit, Policy::Other, Policy::Batch, Policy::Idle] {
            command.scheduling(policy, 0).unwrap();
            assert!(command.scheduling(policy, 1).is_err());
        }
        for policy in [Policy::Fifo, Policy::Rr] {
            assert!([0, -1, 100, 257].into_iter().all(|priority| command.scheduling(policy, priority).is_err()));
            command.scheduling(policy, 99).unwrap();
        }
    }
}
