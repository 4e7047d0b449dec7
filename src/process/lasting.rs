//! Commands whose process is to outlive this one: what would tie it to its maker is refused.

use std::os::fd::RawFd;

use super::command::{Command, RestartWhen, Stdio};
use crate::error::{Error, Result};

impl Command {
    /// Refuses a command whose child would be stopped, cut off or cleaned up by us.
    pub fn check_outlives_host(&self) -> Result<()> {
        let piped = self.stdio.contains(&Stdio::Pipe);
        let ties = [
            (self.die_with_host, "die_with_host"),
            (self.cgroup.is_some(), "cgroup"),
            (self.sandbox.is_some(), "sandbox_dir"),
            (self.capture.is_some() || self.lines, "captured output"),
            (self.output_file.is_some(), "output_file"),
            (self.deadline_ms.is_some(), "a deadline"),
            (self.get_restart().when != RestartWhen::Never, "a restart policy"),
            (piped, "a pipe as a standard stream"),
        ];
        match ties.iter().find(|(set, _)| *set) {
            None => Ok(()),
            Some((_, tie)) => Err(Error::invalid(
                "successor",
                format!("successor: {tie} would tie the successor to this process, which is to end before it"),
            )),
        }
    }

    /// What it starts is not taken for a descendant of ours: a subreaper would end it as an orphan.
    pub fn outlive_host(&mut self) {
        self.outlives = true;
    }

    /// A number in the child, above the standard streams and the listening descriptors, that nothing is given to.
    pub fn free_number(&self) -> RawFd {
        let mut number = 3 + self.listening.len() as RawFd;
        while self.passed.iter().any(|(_, taken)| *taken == number) {
            number += 1;
        }
        number
    }
}
