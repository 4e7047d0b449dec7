//! A way of replacing a generation: one protocol, behind one trait. The object (`mod.rs`), its loop, processes, listeners, events and records are
//! the same for all; a way is a pure machine (`machine/`) and a file that carries out what it decides.
//!
//! Two rules for who writes one:
//! - **A spawn is an order** ([`Core::order`]). It is carried out without the lock of the handle, since an exec may take its time, and comes back as
//!   [`Way::born`]. An order that a call of the application has given is carried out within that call, which answers what `born` answers.
//! - **A way never waits.** What it waits for is an entry or a time of the core's reactor, by a token of [`Core::number`].

use std::sync::Arc;

use super::core::Core;
pub use super::order::Purpose;
use crate::error::Result;
use crate::process::child::Child;
use crate::process::command::Command;
use crate::sys::reactor::Token;

/// See the head of this file.
pub trait Way: Send {
    // ---- what the application asks for ----

    /// A first generation. Called only while there is none, and none is being started.
    fn start(&mut self, core: &mut Core, command: Arc<Command>) -> Result<()>;

    /// Another one in its place; `whole` and `drain` in nanoseconds.
    fn replace(&mut self, core: &mut Core, command: Arc<Command>, whole: i64, drain: i64) -> Result<()>;

    /// The replacement shall not be.
    fn cancel(&mut self, core: &mut Core) -> Result<()>;

    /// The generation shall end, and no other begin.
    fn stop(&mut self, core: &mut Core, grace_ms: i64) -> Result<()>;

    /// After a restart of ours: begins to look for what runs. Nothing is waited for; [`Way::is_recovered`] is asked until it answers.
    fn recover(&mut self, core: &mut Core) -> Result<()>;

    /// What has come of that; `None`: nothing yet.
    fn is_recovered(&mut self, core: &mut Core) -> Option<Result<()>>;

    /// Nobody has answered in time: it is as if it had not been asked for.
    fn forget_recovery(&mut self, core: &mut Core);

    // ---- what comes in ----

    /// An order was carried out, or could not be.
    fn born(&mut self, core: &mut Core, purpose: Purpose, number: u64, child: Result<Child>) -> Result<()>;

    /// An entry of its own is ready.
    fn ready(&mut self, core: &mut Core, token: Token);

    /// A time of its own has come.
    fn due(&mut self, core: &mut Core, token: Token);

    /// Before the lock is given back.
    fn rest(&mut self, _core: &mut Core) {}

    // ---- what it is ----

    /// Who owns, as far as is known: pid and generation.
    fn owner(&self) -> Option<(i32, u64)>;

    /// Whether one is being replaced.
    fn is_replacing(&self) -> bool;

    /// The handle is freed: the generation goes on, a successor under way is ended (left to [`Core::end`]).
    fn close(&mut self, core: &mut Core);
}

// Not asked of each: the library would hold, for every field of every one of them, how it is shown.
impl core::fmt::Debug for dyn Way {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Way")
    }
}
