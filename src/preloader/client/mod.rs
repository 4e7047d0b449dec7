//! A preloader, as its client has it: started when it is needed, asked for workers, one command at a time, and stopped.

#[allow(dead_code)] // Until what drives them is there.
pub mod answer;
#[allow(dead_code)]
pub mod machine;

#[cfg(test)]
mod explorer;

use std::sync::Arc;

use super::session::Arguments;
use super::worker::Worker;
use crate::error::{Error, Result, Status};
use crate::process::command::Command;
use crate::supervisor::{Host, Managed};

/// What a preloader speaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, strum::FromRepr, strum::IntoStaticStr, strum::VariantNames)]
#[repr(i32)]
pub enum Protocol {
    /// That of Phusion Passenger: a line of JSON, an answer of JSON.
    #[default]
    #[strum(serialize = "PS_PRELOADER_PASSENGER")]
    Passenger = 0,
    /// procsup's own.
    #[strum(serialize = "PS_PRELOADER_NATIVE")]
    Native = 1,
}

/// A preloader.
#[derive(Debug)]
pub struct Preloader {}

fn not_yet<T>() -> Result<T> {
    Err(Error::new(Status::Unsupported, "preloader", "not yet"))
}

impl Preloader {
    /// One that will run this command, with these arguments of its session, when the first worker is asked for.
    pub fn new(command: &Command, arguments: &Arguments) -> Result<Self> {
        let _ = (command, arguments);
        not_yet()
    }

    /// Sets an argument of its session, and of those of its workers; none takes it away. For the next process.
    pub fn set(&self, name: &str, value: Option<&str>) -> Result<()> {
        let _ = (name, value);
        not_yet()
    }

    /// What it speaks.
    pub fn set_protocol(&self, protocol: Protocol) -> Result<()> {
        let _ = protocol;
        not_yet()
    }

    /// How long it may be of no use before it is stopped; -1: for ever.
    pub fn set_idle_stop(&self, ms: i64) -> Result<()> {
        let _ = ms;
        not_yet()
    }

    /// Begins a worker: READY, or what says that it failed, follows. `timeout_ms` counts from its turn.
    pub fn begin(
        &self,
        host: Host,
        worker: Option<(&Command, &Arguments)>,
        timeout_ms: i64,
        register: &mut dyn FnMut(&Arc<Managed>) -> u64,
    ) -> Result<Worker> {
        let _ = (host, worker, timeout_ms, register);
        not_yet()
    }

    /// Starts one, and waits until it is ready; `timeout_ms` is that of the whole. After an error nothing is left of it.
    pub fn spawn(
        &self,
        host: Host,
        worker: Option<(&Command, &Arguments)>,
        timeout_ms: i64,
        register: &mut dyn FnMut(&Arc<Managed>) -> u64,
    ) -> Result<Worker> {
        self.begin(host, worker, timeout_ms, register)
    }

    /// The application has changed: the next worker comes from a new process.
    pub fn reload(&self) -> Result<()> {
        not_yet()
    }

    /// How many processes it has had; the generation of the last one.
    pub fn generation(&self) -> Result<u32> {
        not_yet()
    }

    /// The process id of the last one; 0: there is none.
    pub fn pid(&self) -> Result<i32> {
        not_yet()
    }

    /// When it was used last.
    pub fn last_used(&self) -> Result<i64> {
        not_yet()
    }

    /// Its process goes: asked by the end of its standard input, and killed when it has not gone in this time (-1: 5 s).
    pub fn stop(&self, grace_ms: i64) -> Result<()> {
        let _ = grace_ms;
        not_yet()
    }

    /// The same for good; its workers live on.
    pub fn close(&self) {}
}
