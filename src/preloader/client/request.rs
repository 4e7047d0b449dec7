//! One try of a worker that was asked for: its command, its proof; then it is followed as any worker is.
//!
//! Traps. **Law 7**: the worker waits at its gate (its standard input) until it is proven, adopted and shown to its supervisor; only then is the
//! gate opened. **An attempt that is given up may have a worker on its way**: its gate is opened and let go, so that it finds an end there, and
//! its directory removed, so that it finds nothing else. So it ends by itself, and is never adopted by a later attempt, which has a directory of
//! its own.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use super::machine::Phase;
use super::process::Process;
use super::proof::{self, Claim};
use super::talk::Talk;
use super::work::Work;
use crate::clock::{self, Deadline};
use crate::error::{Error, Status};
use crate::journey::Journey;
use crate::preloader::failure::{self, Evidence, Failure};
use crate::preloader::follow::{Attempt as Followed, Follow, Then};
use crate::preloader::journey::{journey, step};
use crate::preloader::keep::Keep;
use crate::preloader::request::Request as Asked;
use crate::preloader::session::{Arguments, Behind, Dumps, Instance, Purpose, Session, uses_wrapper};
use crate::process::adopt::{Adoption, adopt};
use crate::process::child::Child;
use crate::registry::{Cause, Exit};
use crate::supervisor::Managed;
use crate::sys::procfs;

/// One that was asked for.
pub type Request = Asked<Work>;

/// One try of it.
#[derive(Debug)]
pub struct Attempt {
    pub request: Arc<Request>,
    pub generation: u32,
    session: Option<Session>,
    way: Journey,
    began: i64,
    asked: u64,
    talk: Option<Talk>,
    preloader: i32,
    dumps: Arc<Dumps>,
    /// What it was told of a preloader that has died.
    pub broken: Option<String>,
    pub failure: Option<Failure>,
    child: Option<Arc<Child>>,
    instance: Option<Arc<Instance>>,
}

impl Attempt {
    /// A fresh work directory, and the way to the preloader's socket.
    pub fn begin(request: &Arc<Request>, generation: u32, process: &Process) -> Self {
        let arguments = request.arguments().over(process.arguments());
        let mut attempt = Self {
            request: request.clone(),
            generation,
            session: None,
            way: journey(Purpose::Worker, uses_wrapper(&arguments)),
            began: clock::now(),
            asked: procfs::ticks_now(),
            talk: None,
            preloader: process.pid(),
            dumps: process.dumps().clone(),
            broken: None,
            failure: None,
            child: None,
            instance: None,
        };
        match (super::process::check_socket_dir(&arguments), process.instance()) {
            (Ok(()), _) => attempt.failure = attempt.prepare(&arguments, process).err(),
            // Ours, and taken away by others: the next process gets another one.
            (Err(failure), Some(_)) => attempt.broken = Some(failure.message),
            (Err(failure), None) => attempt.failure = Some(failure),
        }
        attempt
    }

    fn prepare(&mut self, arguments: &Arguments, process: &Process) -> core::result::Result<(), Failure> {
        let failed = |error: Error| Failure::of(step::SPAWNING_KIT_PREPARATION, &error);
        let until = self.request.until();
        let session = Session::prepare(arguments, Purpose::Worker, process.owner(), until, &mut self.way).map_err(failed)?;
        session.finalize().map_err(failed)?;
        let no_text = || Error::invalid("spawn_dir", "spawn_dir: its path is no UTF-8, and JSON is");
        let work_dir = session.path().to_str().ok_or_else(no_text).map_err(failed)?;
        let none = || Error::new(Status::Internal, "preloader", "a preloader that is ready has no socket");
        let path = process.socket().ok_or_else(none).map_err(failed)?;
        self.talk = Some(Talk::new(path, process.pid(), process.owner().uid, work_dir));
        self.session = Some(session);
        self.way.begin(step::SPAWNING_KIT_CONNECT_TO_PRELOADER, clock::now());
        Ok(())
    }

    /// What the connection waits for.
    pub fn wants(&self) -> (Option<(Arc<OwnedFd>, bool)>, Deadline) {
        self.talk.as_ref().map_or((None, Deadline::NEVER), Talk::wants)
    }

    /// The connection.
    pub fn talk(&mut self) -> Option<&mut Talk> {
        self.talk.as_mut()
    }

    /// One step of the way is done, the next one begins.
    pub fn advance(&mut self, phase: Phase) {
        use step::*;
        let now = clock::now();
        let (done, next): (&[&str], &str) = match phase {
            Phase::Connecting => (&[], SPAWNING_KIT_CONNECT_TO_PRELOADER),
            Phase::Sending => (&[SPAWNING_KIT_CONNECT_TO_PRELOADER], SPAWNING_KIT_SEND_COMMAND_TO_PRELOADER),
            Phase::Reading => (&[SPAWNING_KIT_SEND_COMMAND_TO_PRELOADER], SPAWNING_KIT_READ_RESPONSE_FROM_PRELOADER),
            Phase::Proving => {
                self.way.end(SPAWNING_KIT_READ_RESPONSE_FROM_PRELOADER, now);
                self.way.begin(SPAWNING_KIT_PARSE_RESPONSE_FROM_PRELOADER, now);
                (&[SPAWNING_KIT_PARSE_RESPONSE_FROM_PRELOADER], SPAWNING_KIT_PROCESS_RESPONSE_FROM_PRELOADER)
            }
        };
        for step in done {
            self.way.end(step, now);
        }
        self.way.begin(next, now);
    }

    /// The answer was read, and is no good: the step at which that was found.
    pub fn was_read(&mut self) {
        let now = clock::now();
        self.way.end(step::SPAWNING_KIT_READ_RESPONSE_FROM_PRELOADER, now);
        self.way.begin(step::SPAWNING_KIT_PARSE_RESPONSE_FROM_PRELOADER, now);
    }

    /// Proves, and adopts: then it is in the registry, and waits at its gate.
    pub fn take_in(&mut self, named: i64, process: &Process) -> core::result::Result<(), Failure> {
        let writer = self.talk.as_mut().map(Talk::take_writer).unwrap_or_default();
        let uid = process.owner().uid;
        let proven = proof::prove(Claim { named, writer, preloader: self.preloader, uid, asked: self.asked })?;
        let failed = |error: Error| Failure::of(step::SPAWNING_KIT_PROCESS_RESPONSE_FROM_PRELOADER, &error);
        let lost = || Error::new(Status::Internal, "session", "an attempt without a session");
        let session = self.session.as_ref().ok_or_else(lost).map_err(failed)?;
        let managed = self.request.managed().ok_or_else(lost).map_err(failed)?.clone();
        let (pid, output) = (proven.pid, session.take_output());
        let adoption = Adoption { pid, pidfd: proven.pidfd, output, command: self.request.command(), started_ns: self.began };
        let child = match adopt(adoption) {
            Ok(child) => Arc::new(child),
            Err(error) if error.status == Status::Exited => return Err(Failure::exited(pid, None)),
            Err(error) => return Err(failed(error)),
        };
        self.instance = process.instance().cloned();
        self.child = Some(child.clone());
        managed.made(Ok(child));
        Ok(())
    }

    /// Whether it was adopted, and its supervisor has it. It may not have it yet: this look may be within that of its `make`. If it does not want it
    /// any more, it says so (`called_off`).
    pub fn is_shown(&self) -> bool {
        let shown = |managed: &Arc<Managed>| Some(managed.process().ok()?.pid() == self.child.as_ref()?.pid());
        self.request.managed().and_then(shown).unwrap_or(false)
    }

    /// Opens the gate, and follows it from there on.
    pub fn hand_over(mut self) {
        let request = self.request.clone();
        let (Some(session), Some(managed)) = (self.session.take(), request.managed()) else { return };
        self.talk = None;
        self.way.end(step::SPAWNING_KIT_PROCESS_RESPONSE_FROM_PRELOADER, clock::now());
        if let Some(instance) = self.instance.take() {
            Keep::begin(request.host(), managed, instance);
        }
        match session.open_stdin() {
            Ok(stdin) => {
                if let Ok(child) = managed.process() {
                    child.give_stream(0, stdin);
                    if managed.is_let_go() {
                        child.close_streams();
                    }
                }
            }
            Err(error) => {
                let failure = Failure::of(step::SPAWNING_KIT_PROCESS_RESPONSE_FROM_PRELOADER, &error);
                self.session = Some(session);
                let error = self.error(failure, None, managed.output().unwrap_or_default(), Some(managed.pid()));
                request.outcome().settle(Err(error.clone()));
                return managed.tell_failed(error);
            }
        }
        let (outcome, generation) = (request.outcome().clone(), self.generation);
        let then: Then = Box::new(move |came| {
            outcome.settle(came.map(|mut arrived| {
                arrived.generation = generation;
                arrived
            }));
        });
        let attempt = Followed { session, journey: self.way.clone(), deadline: request.until(), preloader: Some(self.dumps.clone()) };
        Follow::begin(request.host(), managed, attempt, then);
    }

    /// The error of it, with all that is known.
    pub fn error(&self, failure: Failure, exit: Option<Exit>, output: Vec<u8>, pid: Option<i32>) -> Error {
        let evidence = Evidence {
            journey: self.way.clone(),
            response: self.session.as_ref().map(Session::response),
            arguments: self.session.as_ref().map_or(self.request.arguments(), Session::arguments),
            output,
            pid,
            exit,
            preloader: Some(&self.dumps),
            purpose: Purpose::Worker,
        };
        failure::error(failure, evidence)
    }

    /// Whatever was on its way for it finds an end; also who has not come to the gate yet, when what is answered is dropped.
    pub fn abandon(mut self) -> Option<Behind> {
        self.talk = None;
        if let Some(child) = self.child.take() {
            child.kill(Cause::NotReady);
        }
        let session = self.session.take()?;
        // In this order: who waits at the gate goes on, finds somebody who reads (else it would wait for that), then no other name, and the end of
        // its input.
        let (writer, behind) = session.give_up()?;
        drop(session);
        drop(writer);
        Some(behind)
    }
}

/// The error of a request that has had no attempt.
pub fn without_attempt(request: &Request, failure: Failure, output: Vec<u8>, dumps: Option<&Dumps>) -> Error {
    let evidence = Evidence {
        journey: journey(Purpose::Worker, uses_wrapper(request.arguments())),
        response: None,
        arguments: request.arguments(),
        output,
        pid: None,
        exit: None,
        preloader: dumps,
        purpose: Purpose::Worker,
    };
    failure::error(failure, evidence)
}
