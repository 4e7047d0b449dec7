//! A program between two others: what it reads and writes are pipes that only those two have.
//!
//! The trap: a command may say itself what that stream is, and which of the two wins would be chance. So everything that speaks of its number is asked,
//! before anything is started.

use std::os::fd::{AsRawFd, OwnedFd};

use super::{Command, RestartWhen, Stdio};
use crate::error::{Error, Result};

impl Command {
    /// Refuses a command that is no part of a pipeline: its input (`reads`) or its output (`writes`) is to be a pipe, and it says otherwise; or its
    /// program is to be made again, when the others are gone.
    pub(in crate::process) fn check_piped(&self, reads: bool, writes: bool) -> Result<()> {
        let refused = |option, why: &str| Err(Error::invalid(option, format!("{}: {why}", self.cannot())));
        if self.get_restart().when != RestartWhen::Never {
            return refused("restart", "a program of a pipeline is not started again: it would find the others gone");
        }
        if self.get_budget().is_some() {
            return refused("budget", "a permit is for one start, and a pipeline is several");
        }
        for (stream, other) in [(0, reads.then_some("from the program before")), (1, writes.then_some("to the next program"))] {
            if let (Some(other), Some(option)) = (other, self.streams.claimed(stream)) {
                return refused(option, &format!("stream {stream} is a pipe {other}, and {option} says otherwise"));
            }
        }
        Ok(())
    }

    /// The same command with these as its input and output. It names them by number: they stay open until it is spawned.
    pub(in crate::process) fn piped(&self, input: Option<&OwnedFd>, output: Option<&OwnedFd>) -> Result<Self> {
        self.check_size()?;
        let mut piped = self.clone();
        for (stream, end) in [input, output].into_iter().enumerate() {
            if let Some(end) = end {
                piped.streams.stdio[stream] = Stdio::Fd(end.as_raw_fd());
            }
        }
        Ok(piped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_speaks_of_a_stream_is_named() {
        type Claim = (i32, &'static str, fn(&mut Command));
        let claims: [Claim; 7] = [
            (0, "stdio", |command| _ = command.stdio(0, Stdio::Null).unwrap()),
            (0, "input", |command| _ = command.input(b"x").unwrap()),
            (0, "pass_fd", |command| _ = command.pass_fd(2, 0).unwrap()),
            (0, "input_stream", |command| _ = command.input_stream(10).unwrap()),
            (1, "stdio", |command| _ = command.stdio(1, Stdio::Pipe).unwrap()),
            (1, "output_file", |command| _ = command.output_file("/tmp/x", false).unwrap()),
            (1, "pass_fd", |command| _ = command.pass_fd(2, 1).unwrap()),
        ];
        for (stream, option, claim) in claims {
            let mut command = Command::new("x").unwrap();
            claim(&mut command);
            assert_eq!(command.check_piped(stream == 0, stream == 1).unwrap_err().step, option);
            command.check_piped(stream == 1, stream == 0).unwrap();
        }
        let mut command = Command::new("x").unwrap();
        command.stdio(2, Stdio::Merge).unwrap().capture(10).unwrap().output_lines(true).pass_fd(2, 5).unwrap();
        command.check_piped(true, true).unwrap();
        command.restart(RestartWhen::Always, 1, 1).unwrap();
        assert_eq!(command.check_piped(false, false).unwrap_err().step, "restart");
    }
}
