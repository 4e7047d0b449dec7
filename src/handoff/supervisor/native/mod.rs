//! The native way: both generations use ps_handoff, and hand over to each other.

#[allow(dead_code)]
mod channel;

use std::sync::Arc;

use crate::error::{Error, Result, Status};
use crate::handoff::supervisor::core::{Core, no_generation};
use crate::handoff::supervisor::events::{EventKind, Happened};
use crate::handoff::supervisor::process::Process;
use crate::handoff::supervisor::settings::Settings;
use crate::handoff::supervisor::way::{Purpose, Way};
use crate::process::child::Child;
use crate::process::command::Command;
use crate::sys::reactor::Token;

/// The owner.
const OWNER: Token = Token(1);

/// See the head of this file.
#[derive(Debug)]
pub struct Native {
    owner: Option<Process>,
    stopping: bool,
}

impl Native {
    pub fn new(settings: &Settings) -> Result<Self> {
        if settings.path.is_none() {
            return Err(Error::invalid("control_path", "control_path is NULL: generations that use ps_handoff meet there"));
        }
        Ok(Self { owner: None, stopping: false })
    }
}

impl Way for Native {
    fn start(&mut self, core: &mut Core, command: Arc<Command>) -> Result<()> {
        if self.owner.is_some() {
            return Err(Error::new(Status::State, "start", "a generation runs already"));
        }
        core.order(Purpose::Start, &command).map(drop)
    }

    fn replace(&mut self, _core: &mut Core, _command: Arc<Command>, _whole: i64, _drain: i64) -> Result<()> {
        Err(no_generation())
    }

    fn cancel(&mut self, _core: &mut Core) -> Result<()> {
        Err(no_generation())
    }

    fn stop(&mut self, _core: &mut Core, grace_ms: i64) -> Result<()> {
        let owner = self.owner.as_mut().ok_or_else(no_generation)?;
        owner.stop(grace_ms);
        self.stopping = true;
        Ok(())
    }

    fn recover(&mut self, _core: &mut Core) -> Result<()> {
        Ok(())
    }

    fn is_recovered(&mut self, _core: &mut Core) -> Option<Result<()>> {
        Some(Err(Error::new(Status::NotFound, "recover", "nothing runs, and nothing is held")))
    }

    fn forget_recovery(&mut self, _core: &mut Core) {}

    fn born(&mut self, core: &mut Core, _purpose: Purpose, _number: u64, child: Result<Child>) -> Result<()> {
        let gone = || Error::new(Status::Exited, "spawn", "the generation has ended already");
        let process = Process::spawned(child?).ok_or_else(gone)?;
        core.reactor.add(OWNER, process.pidfd()).map_err(|fault| fault.error("cannot watch the generation"))?;
        core.tell(Happened { pid: process.pid, ..Happened::now(EventKind::Started) });
        self.owner = Some(process);
        Ok(())
    }

    fn ready(&mut self, core: &mut Core, token: Token) {
        if token != OWNER {
            return;
        }
        let Some(ended) = self.owner.as_mut().and_then(Process::tick) else { return core.reactor.set_aside(token) };
        let pid = self.owner.take().map_or(0, |process| process.pid);
        core.reactor.forget(OWNER);
        let kind = if self.stopping { EventKind::Stopped } else { EventKind::OwnerEnded };
        core.tell(Happened { pid, exit_code: ended.code, exit_signal: ended.signal, ..Happened::now(kind) });
        self.stopping = false;
    }

    fn due(&mut self, core: &mut Core, token: Token) {
        self.ready(core, token);
    }

    fn rest(&mut self, core: &mut Core) {
        if let Some(owner) = &self.owner {
            let _ = core.reactor.set_due(OWNER, owner.due());
        }
    }

    fn owner(&self) -> Option<(i32, u64)> {
        self.owner.as_ref().map(|owner| (owner.pid, 0))
    }

    fn is_replacing(&self) -> bool {
        false
    }

    fn close(&mut self, core: &mut Core) {
        if let Some(mut owner) = self.owner.take() {
            core.reactor.forget(OWNER);
            owner.disown();
        }
    }
}
