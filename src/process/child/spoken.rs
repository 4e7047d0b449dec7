//! What a child has said through pipes.
//!
//! The trap: a child blocks once its pipe is full, so whoever waits for it drains it; and one that never stops talking must not keep
//! anybody, so every look has a limit.

use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex};

use super::Child;
use crate::clock::{self, Deadline};
use crate::error::{Error, Result, Status};
use crate::lock::lock;
use crate::process::output::{Drained, Kept, Lines, Output};

impl Child {
    /// How much a look reads: an empty line costs more than it says.
    pub(super) fn look_size(&self) -> usize {
        if self.lines { 1 << 14 } else { 1 << 18 }
    }

    /// Shows the captured output so far, of both streams or of one of them, in pieces; and how many bytes of it are missing.
    pub fn with_output<T>(&self, stream: Option<i32>, read: bool, show: impl FnOnce(&[&[u8]], u64) -> T) -> Result<T> {
        self.check()?;
        if let Some(stream) = stream.filter(|stream| !matches!(stream, 1 | 2)) {
            return Err(Error::invalid("stream", format!("stream {stream} is not 1 or 2")));
        }
        let none = |why: &str| Error::new(Status::State, "output", format!("the command did not ask for its output to be captured{why}"));
        let mut output = lock(self.rare().output.as_ref().ok_or_else(|| none(""))?);
        if read {
            output.drain(self.look_size());
        }
        let (pieces, lost) = output.kept(stream).ok_or_else(|| none(if stream.is_some() { " by stream" } else { "" }))?;
        Ok(show(&pieces, lost))
    }

    /// Takes out what was captured; what it says from now on is read, and not kept.
    pub fn take_output(&self) -> Vec<Kept> {
        self.rare().output.as_ref().map_or_else(Vec::new, |output| lock(output).take_kept())
    }

    /// The reading ends of its output, while more may come.
    pub fn pipes(&self) -> [Option<Arc<OwnedFd>>; 2] {
        self.rare().output.as_ref().map_or_else(Default::default, |output| lock(output).pipes())
    }

    /// Drains one of them, at most so many bytes; `true` while more may come.
    pub fn drain(&self, place: usize, allowance: usize) -> bool {
        self.rare().output.as_ref().is_some_and(|output| lock(output).drain_stream(place, allowance) == Drained::Open)
    }

    /// Whether its output comes through pipes that are read here.
    pub fn has_output(&self) -> bool {
        self.rare().output.is_some()
    }

    /// Whether its output is cut into lines.
    pub fn has_output_lines(&self) -> bool {
        self.lines
    }

    /// The lines it has said since they were last taken.
    pub fn take_lines(&self) -> Lines {
        self.rare().output.as_ref().map_or_else(Lines::default, |output| lock(output).take_lines())
    }

    /// Whether pieces of lines are told.
    pub fn tells_pieces(&self) -> bool {
        self.pieces
    }

    /// The output of one whose pieces are told.
    fn in_pieces(&self) -> Option<&Mutex<Output>> {
        self.rare().output.as_deref().filter(|_| self.pieces)
    }

    /// What has lain there long enough is told as it is.
    pub(super) fn tell_pieces(&self) {
        if let Some(output) = self.in_pieces() {
            lock(output).tell_pieces(clock::now());
        }
    }

    pub(super) fn pieces_due(&self) -> Deadline {
        self.in_pieces().map_or(Deadline::NEVER, |output| lock(output).pieces_due())
    }

    /// Whether a piece may be among the lines that wait to be taken.
    pub(super) fn has_pieces(&self) -> bool {
        self.in_pieces().is_some_and(|output| lock(output).has_lines())
    }
}
