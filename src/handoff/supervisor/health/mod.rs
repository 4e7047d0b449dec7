//! Whether a generation that says nothing of procsup is fit to serve: what is asked for it. A request of HTTP is `http.rs`; one
//! look is taken in `notify/look.rs`.

pub mod http;

use std::sync::Arc;

use crate::clock::MILLI;
use crate::coordination::probe::Address;
use crate::error::{Error, Result};
use crate::process::command::Command;

/// How it is asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug, strum::FromRepr, strum::IntoStaticStr, strum::VariantNames)]
#[repr(i32)]
pub enum HealthKind {
    /// Not at all: who is ready is healthy. Default.
    #[strum(serialize = "PS_HEALTH_NONE")]
    None = 0,
    /// Somebody accepts at an address: unix:/path, tcp:host:port.
    #[strum(serialize = "PS_HEALTH_SOCKET")]
    Socket = 1,
    /// An answer of 2xx to a GET of http://host:port/path.
    #[strum(serialize = "PS_HEALTH_HTTP")]
    Http = 2,
}

/// What is asked, and how long an answer may take (nanoseconds).
#[derive(Clone, Debug)]
pub enum Health {
    None,
    Socket { address: String, timeout: i64 },
    Http { url: String, timeout: i64 },
    Command { command: Arc<Command>, timeout: i64 },
}

/// How long an answer may take, unless it is said.
const USUAL_MS: i64 = 5_000;

fn nanos(timeout_ms: i64) -> Result<i64> {
    match timeout_ms {
        0 => Ok(USUAL_MS * MILLI),
        ms if ms < 0 => Err(Error::invalid("timeout_ms", format!("timeout_ms: {ms}; an answer is not waited for for ever"))),
        ms => Ok(ms.saturating_mul(MILLI)),
    }
}

impl Health {
    /// Checks what the caller gives.
    pub fn new(kind: HealthKind, detail: Option<&str>, timeout_ms: i64) -> Result<Self> {
        let timeout = nanos(timeout_ms)?;
        let bad = |why: &str| Error::invalid("detail", format!("detail: {why}"));
        match (kind, detail) {
            (HealthKind::None, None) => Ok(Health::None),
            (HealthKind::None, Some(_)) => Err(bad("no health has none: NULL")),
            (_, None) => Err(bad("it is NULL, and this kind of health needs it")),
            (HealthKind::Socket, Some(address)) => {
                Address::parse("detail", &address.replace("%p", "1"))?;
                Ok(Health::Socket { address: address.to_owned(), timeout })
            }
            (HealthKind::Http, Some(url)) => {
                let rest = url.strip_prefix("http://").ok_or_else(|| bad("http://host:port/path is what is understood"))?;
                let plain = rest.bytes().all(|byte| byte.is_ascii_graphic());
                if !plain || rest.len() > 2000 {
                    return Err(bad("http://host:port/path, printable and at most 2000 bytes, is what is understood"));
                }
                http::asked(&url.replace("%p", "1"))?;
                Ok(Health::Http { url: url.to_owned(), timeout })
            }
        }
    }

    /// How long it may take until it is healthy; `None`: nothing is asked.
    pub fn timeout(&self) -> Option<i64> {
        match self {
            Health::None => None,
            Health::Socket { timeout, .. } | Health::Http { timeout, .. } | Health::Command { timeout, .. } => Some(*timeout),
        }
    }

    /// By a command that ends with 0.
    pub fn by_command(command: Arc<Command>, timeout_ms: i64) -> Result<Self> {
        Ok(Health::Command { command, timeout: nanos(timeout_ms)? })
    }
}
