//! A child's input, fed by its owner while it runs.
//!
//! The trap: what is not taken now is written later, by whoever looks after the supervisor. So each call says what it has left waiting, or the loop would
//! not know that there is something to wait for.

use super::Managed;
use crate::error::Result;
use crate::supervisor::default::poke;

impl Managed {
    /// Takes what there is room for: so many bytes. `None`: there was no room for any. Never blocks.
    pub fn feed(&self, bytes: &[u8]) -> Result<Option<usize>> {
        let child = self.process()?;
        poke();
        let fed = child.feed(bytes);
        self.supervisor.collect_input(self, &child);
        fed.map(|taken| (taken > 0 || bytes.is_empty()).then_some(taken))
    }

    /// Its input ends behind what was taken so far. Never blocks.
    pub fn end_input(&self) -> Result<()> {
        let child = self.process()?;
        child.end_input()?;
        self.supervisor.collect_input(self, &child);
        Ok(())
    }
}
