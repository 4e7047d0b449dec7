//! The processes of a preloader: started, heard, left, forgotten; and a worker that becomes one.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use nix::errno::Errno;

use super::super::birth::Birth;
use super::super::machine::{self, Event, Unpromoted, Why};
use super::super::process::{Heard, Process};
use super::super::promote::{self};
use super::{Core, SOON, Watched, Work};
use crate::clock::Deadline;
use crate::preloader::failure::Failure;
use crate::preloader::journey::step;
use crate::preloader::native::wire::{Kind, Message};
use crate::supervisor::What;

impl Work {
    pub(super) fn start(&mut self, core: &Arc<Core>, generation: u32) {
        core.count(generation);
        match Process::start(&core.recipe(), &core.private, generation) {
            Ok(process) => {
                self.processes.insert(generation, process);
                self.watch_process(generation);
            }
            Err(error) => {
                self.start_error = Some(error);
                self.events.push_back(Event::StartFailed(generation));
            }
        }
    }

    pub(super) fn watch_process(&mut self, generation: u32) {
        let token = Watched::Process(generation).token();
        match self.processes.get(&generation).and_then(Process::socket) {
            Some((socket, writing)) => _ = self.reactor.put(token, &socket, writing),
            None => _ = self.reactor.remove(token),
        }
    }

    /// What a preloader says, as far as one look takes it.
    pub(super) fn listen(&mut self, generation: u32) {
        for nth in 0.. {
            let Some(process) = self.processes.get_mut(&generation) else { return };
            match process.hear(nth) {
                Heard::Nothing => return self.watch_process(generation),
                Heard::Said(message, fds) => self.hear_of(generation, message, fds),
                Heard::Wrong(failure) => return self.fail_start(generation, failure),
                Heard::End => {
                    self.reactor.remove(Watched::Process(generation).token());
                    return self.goes(generation);
                }
            }
        }
    }

    pub(super) fn hear_of(&mut self, generation: u32, message: Message, mut fds: Vec<OwnedFd>) {
        let Some(process) = self.processes.get_mut(&generation) else { return };
        let body = message.body;
        let number = body.birth.unwrap_or(0);
        let is_its = |birth: &&mut Box<Birth>| birth.generation == generation;
        match message.kind {
            Kind::Hello => process.has_opened(),
            Kind::Ready if !process.settled => {
                process.arrive();
                self.events.push_back(Event::Started(generation));
            }
            Kind::Failed if !process.settled => {
                let text = body.text.as_deref().unwrap_or_default();
                let failure = match process.promoted() {
                    Some(_) => promote::refused(body.refusal(), text),
                    None => Failure::said(step::NATIVE_LOAD, "the application could not be loaded", text),
                };
                self.fail_start(generation, failure);
            }
            Kind::Born => {
                if let Some(birth) = self.births.get_mut(&number).filter(is_its) {
                    birth.was_named(fds.pop());
                    let has_come = birth.is_asked() && !birth.must_wait();
                    self.events.push_back(Event::Born(number));
                    if has_come {
                        self.prove(number);
                    }
                }
            }
            Kind::Refused => {
                if let Some(birth) = self.births.get_mut(&number).filter(is_its).filter(|birth| birth.is_asked()) {
                    let text = body.text.as_deref().unwrap_or("without a reason");
                    let errno = body.errno.map(Errno::from_raw);
                    birth.failure = Some(Failure { errno, ..Failure::declined(body.refusal(), text) });
                    self.fail_birth(number, Why::Refused);
                }
            }
            Kind::Ended => self.hear_of_end(generation, number),
            Kind::Leaving => self.goes(generation),
            _ => {}
        }
    }

    /// A worker that is its child has ended, and is a zombie until we have seen how it ended.
    pub(super) fn hear_of_end(&mut self, generation: u32, number: machine::Birth) {
        self.look_at(number);
        if let Some(child) = self.theirs.take(number) {
            let _ = child.try_reap(false);
        }
        if let Some(process) = self.processes.get_mut(&generation) {
            process.say(Kind::Release, number);
        }
    }

    /// It says no more, or that it goes: what it was asked for comes to nothing.
    pub(super) fn goes(&mut self, generation: u32) {
        let Some(process) = self.processes.get_mut(&generation).filter(|process| !process.over) else { return };
        process.over = true;
        if process.settled {
            self.listen_to_births(generation);
            // Nobody is made again after kill-all: as nobody is started again.
            if self.processes.get(&generation).and_then(Process::child).is_some_and(|child| child.was_killed_with_all()) {
                self.events.push_back(Event::Stop);
            }
            self.crashed = Some(generation);
            self.events.push_back(Event::Ended(generation));
        } else {
            // How it has ended is known in a moment.
            process.end_by(Deadline::after(SOON));
        }
    }

    pub(super) fn fail_start(&mut self, generation: u32, failure: Failure) {
        let Some(process) = self.processes.get_mut(&generation) else { return };
        if process.settled {
            return self.goes(generation);
        }
        let error = process.fail(failure);
        match process.promoted() {
            Some(birth) => self.promotions.blame(birth, error),
            None => self.start_error = Some(error),
        }
        self.events.push_back(Event::StartFailed(generation));
    }

    pub(super) fn look_at_processes(&mut self, core: &Arc<Core>) {
        if self.processes.is_empty() {
            return;
        }
        while let Ok(Some(event)) = core.private.take_event(0) {
            let generation = event.token() as u32;
            if let What::Exited { .. } = &event.what {
                self.has_ended(generation);
            }
        }
    }

    pub(super) fn has_ended(&mut self, generation: u32) {
        // What it said in its last moment.
        self.listen(generation);
        let Some(process) = self.processes.get_mut(&generation) else { return };
        process.ended = true;
        self.reactor.remove(Watched::Process(generation).token());
        self.reactor.remove(Watched::Promoted(generation).token());
        if !process.settled {
            let failure = Failure::ended_at(process.stage(), process.pid(), process.exit().as_ref());
            self.fail_start(generation, failure);
        }
        self.goes(generation);
    }

    /// Those that have ended go with all that they have borne.
    pub(super) fn forget_ended(&mut self) {
        let ended: Vec<u32> = self.processes.iter().filter(|(_, process)| process.ended).map(|(generation, _)| *generation).collect();
        for generation in ended {
            // Their gates are shut: whoever comes finds the end. Who has come before that is heard, for nobody else would ever know him.
            self.births.values().filter(|birth| birth.generation == generation && birth.is_asked()).for_each(|birth| birth.shut());
            self.listen_to_births(generation);
            self.births.retain(|number, birth| {
                let gone = birth.generation == generation && birth.is_asked();
                if gone {
                    self.reactor.remove(Watched::Gate(*number).token());
                }
                !gone
            });
            if self.processes.get_mut(&generation).is_some_and(Process::is_settled_with) {
                self.processes.remove(&generation);
            }
        }
    }

    pub(super) fn promote(&mut self, core: &Arc<Core>, birth: machine::Birth, generation: u32) {
        core.count(generation);
        let Some(promotion) = self.promotions.get(birth) else { return self.events.push_back(Event::StartFailed(generation)) };
        match Process::promote(promotion, generation, self.arguments.clone()) {
            Ok(process) => {
                let pidfd = process.child().and_then(|child| child.pidfd());
                self.processes.insert(generation, process);
                self.watch_process(generation);
                match pidfd.map(|pidfd| self.reactor.add(Watched::Promoted(generation).token(), &pidfd)) {
                    Some(Ok(())) => {}
                    // Its end would not be heard of.
                    Some(Err(fault)) => {
                        let failure = Failure::of(step::NATIVE_PROMOTION, &fault.error("cannot watch the worker"));
                        self.fail_start(generation, failure);
                    }
                    None => self.has_ended(generation),
                }
            }
            Err(error) => {
                self.promotions.blame(birth, error);
                self.events.push_back(Event::StartFailed(generation));
            }
        }
    }

    /// It stays what it is: its channel is closed, and so it knows.
    pub(super) fn unpromote(&mut self, birth: machine::Birth, why: Unpromoted) {
        let candidate = self.processes.iter().find(|(_, process)| process.promoted() == Some(birth)).map(|(generation, _)| *generation);
        let process = candidate.and_then(|generation| self.processes.remove(&generation));
        if let Some(generation) = candidate {
            self.reactor.remove(Watched::Process(generation).token());
            self.reactor.remove(Watched::Promoted(generation).token());
        }
        self.promotions.fail(birth, why, process.as_ref());
    }
}
