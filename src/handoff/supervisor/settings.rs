//! What the application may set of a supervisor, checked where it is given.

use std::path::PathBuf;
use std::sync::Arc;

use crate::clock::MILLI;
use crate::coordination::budget::Budget;
use crate::error::{Error, Result};

use super::health::Health;

/// How generations are replaced.
#[derive(Clone, Copy, PartialEq, Eq, Debug, strum::FromRepr, strum::IntoStaticStr, strum::VariantNames)]
#[repr(i32)]
pub enum Protocol {
    /// Both generations use ps_handoff: they hand over to each other, and the supervisor looks on. Default.
    #[strum(serialize = "PS_HANDOFF_PROTOCOL_NATIVE")]
    Native = 0,
    /// Daemons that know LISTEN_FDS and sd_notify, and nothing of procsup: both serve for a while. The new one
    /// must say READY=1 (or what its command's readiness is), be found healthy and pass a probation; only then
    /// the old one's stop plan runs, with the drain as its first wait. If it fails before, it is ended, and
    /// the old one was never touched. Commands may have readiness and a watchdog. See
    /// docs/guide/handoff-daemons.md.
    #[strum(serialize = "PS_HANDOFF_PROTOCOL_NOTIFY")]
    Notify = 1,
    /// Daemons that speak the three-party protocol, version 1, of the crate beyond-handoff.
    #[strum(serialize = "PS_HANDOFF_PROTOCOL_V1")]
    V1 = 2,
}

/// So many starts of who has ended by itself, in such a time.
pub const ATTEMPTS: u32 = 3;
const WINDOW_MS: i64 = 30_000;
/// How long a replacement may take, and the end of the old one's work in it.
pub const WHOLE: i64 = 300_000 * MILLI;
pub const DRAIN: i64 = 60_000 * MILLI;

/// All of it.
#[derive(Debug)]
pub struct Settings {
    /// Where generations meet.
    pub path: Option<PathBuf>,
    pub protocol: Protocol,
    pub journal: Option<PathBuf>,
    /// Of generations that do not say their own.
    pub build_id: Option<String>,
    pub health: Health,
    /// How long the new one is to be healthy before the old one is stopped, nanoseconds.
    pub probation: i64,
    /// `None`: nobody is started in the place of one that has ended.
    pub restart: Option<Arc<Budget>>,
    /// Is told of each step of protocol v1: for tests.
    pub tracer: Option<fn(&'static str)>,
}

impl Settings {
    pub fn new(path: Option<PathBuf>) -> Result<Self> {
        Ok(Self {
            path,
            protocol: Protocol::Native,
            journal: None,
            build_id: None,
            health: Health::None,
            probation: 0,
            restart: Some(Arc::new(Budget::new(ATTEMPTS, WINDOW_MS)?)),
            tracer: None,
        })
    }

    /// 0 attempts: never.
    pub fn set_restart(&mut self, attempts: u32, window_ms: i64) -> Result<()> {
        let budget = Budget::new(attempts.max(1), window_ms)?;
        self.restart = (attempts > 0).then(|| Arc::new(budget));
        Ok(())
    }
}

/// Milliseconds of the caller's, 0: what is usual; as nanoseconds.
pub fn span(name: &'static str, ms: i64, usual: i64) -> Result<i64> {
    match ms {
        0 => Ok(usual),
        ms if ms < 0 => Err(Error::invalid(name, format!("{name}: {ms}; every wait of a handoff has an end"))),
        ms => Ok(ms.saturating_mul(MILLI)),
    }
}
