//! Births: asked for, heard, proven, handed over, let in; or given up.

use std::sync::Arc;

use super::super::birth::{self, Birth};
use super::super::machine::{self, Event, Id, Why};
use super::super::process::Process;
use super::{Core, SOON, Watched, Work};
use crate::clock::{Deadline, MILLI};
use crate::error::{Error, Status};
use crate::preloader::failure::{Category, Failure, blame};
use crate::preloader::follow::{Arrived, Moment};
use crate::preloader::journey::step;
use crate::preloader::native::post::Post;
use crate::preloader::native::wire::Kind;
use crate::registry::Tie;

impl Work {
    pub(super) fn fork(&mut self, core: &Arc<Core>, generation: u32, number: machine::Birth, whose: Option<Id>) {
        let request = whose.and_then(|id| self.requests.get(&id)).cloned();
        let until = request.as_ref().map_or_else(|| Deadline::after(machine::BIRTH_NS), |request| request.until());
        let Some(process) = self.processes.get_mut(&generation) else {
            return self.events.push_back(Event::BirthFailed(number, Why::Lost));
        };
        match Birth::ask(number, generation, request, process, until) {
            Ok(mut birth) => {
                birth.prepare();
                if let Some(request) = &birth.request {
                    request.outcome().set_gate(birth.gate(core));
                }
                // Who waits in his call hears it himself.
                let is_alone = birth.request.as_ref().is_some_and(|request| request.is_waited_for_here());
                self.births.insert(number, Box::new(birth));
                if is_alone {
                    self.alone.push(number);
                } else {
                    self.watch(number);
                }
                self.watch_process(generation);
            }
            // Nobody hears it: what it was asked for is asked of the next one.
            Err(failure) if failure.status == Status::Exited => self.goes(generation),
            Err(failure) => {
                self.unasked = Some((number, failure));
                self.events.push_back(Event::BirthFailed(number, Why::Refused));
            }
        }
    }

    /// Births that only their callers heard: others look now, and hear them, too.
    pub(super) fn watch_those_alone(&mut self) {
        for number in std::mem::take(&mut self.alone) {
            self.watch(number);
        }
    }

    fn watch_if_alone(&mut self, number: machine::Birth) {
        if let Some(place) = self.alone.iter().position(|alone| *alone == number) {
            self.alone.swap_remove(place);
            self.watch(number);
        }
    }

    /// Its channel and its process are watched from now on.
    fn watch(&mut self, number: machine::Birth) {
        let Some(birth) = self.births.get(&number) else { return };
        let mut watched = self.reactor.add(Watched::Gate(number).token(), birth.socket());
        if let Some(pidfd) = birth.pidfd() {
            watched = watched.and_then(|()| self.reactor.add(Watched::Pidfd(number).token(), &pidfd));
        }
        if let Err(fault) = watched {
            let failure = Failure::of(birth.stage(), &fault.error("cannot watch a worker"));
            if birth.child().is_some() { self.fail_worker(number, failure) } else { self.fail_birth_by(number, failure) }
        }
    }

    /// And not any more.
    fn unwatch(&mut self, number: machine::Birth) {
        if let Some(place) = self.alone.iter().position(|alone| *alone == number) {
            self.alone.swap_remove(place);
            return;
        }
        self.reactor.remove(Watched::Gate(number).token());
        self.reactor.remove(Watched::Pidfd(number).token());
    }

    pub(super) fn listen_to_births(&mut self, generation: u32) {
        let is_asked = |birth: &Birth| birth.generation == generation && birth.is_asked();
        let asked: Vec<_> = self.births.iter().filter(|(_, birth)| is_asked(birth)).map(|(number, _)| *number).collect();
        asked.into_iter().for_each(|number| self.listen_at(number));
    }

    /// What is said at a gate.
    pub(super) fn listen_at(&mut self, number: machine::Birth) {
        let Some(birth) = self.births.get_mut(&number) else { return };
        let writing = birth.flush();
        let _ = self.reactor.set_writing(Watched::Gate(number).token(), writing);
        let heard = birth.hear(&mut self.room);
        self.follow_up(number, heard);
    }

    pub(super) fn follow_up(&mut self, number: machine::Birth, heard: birth::Heard) {
        let Some(birth) = self.births.get_mut(&number) else { return };
        match heard {
            birth::Heard::Nothing => {}
            birth::Heard::Hello => self.prove(number),
            birth::Heard::Ready => self.arrive(number),
            birth::Heard::Failed(failure) if birth.is_asked() => self.fail_birth_by(number, failure),
            birth::Heard::Failed(failure) => self.fail_worker(number, failure),
            birth::Heard::End => {
                self.reactor.remove(Watched::Gate(number).token());
                if birth.is_asked() {
                    let generation = birth.generation;
                    // Where its preloader has gone, that is the reason; a process that ends closes its descriptors in any order.
                    self.listen(generation);
                    if self.processes.get(&generation).is_some_and(Process::is_dying) {
                        return self.goes(generation);
                    }
                    if let Some(process) = self.processes.get_mut(&generation).filter(|process| !process.over) {
                        process.has_borne_a_stray();
                        self.fail_birth_by(number, Failure::ended_at(step::NATIVE_FORK, 0, None));
                    }
                } else {
                    birth.until = birth.until.min(Deadline::after(SOON));
                    self.look_at(number);
                }
            }
        }
    }

    pub(super) fn prove(&mut self, number: machine::Birth) {
        let Some(birth) = self.births.get_mut(&number) else { return };
        let Some(process) = self.processes.get_mut(&birth.generation) else { return };
        if birth.must_wait() {
            // (Else the proof says that.)
            if birth.is_asked()
                && let Some(failure) = birth.came_as_another(process)
            {
                self.fail_birth_by(number, failure);
            }
            return;
        }
        match birth.prove(process) {
            Ok(()) => {
                if let Some(pidfd) = birth.pidfd().filter(|_| !self.alone.contains(&number)) {
                    let _ = self.reactor.add(Watched::Pidfd(number).token(), &pidfd);
                }
                // Who is proven leads a group of its own, or does so behind the gate: its preloader's may be swept.
                birth.until = Deadline::NEVER;
                let generation = birth.generation;
                self.events.push_back(Event::Registered(number));
                self.weigh(generation);
            }
            // Whose maker has ended descends from nobody: that is no lie, and is asked of the next one.
            Err(failure) if failure.status == Status::PeerRejected && process.is_gone() => {
                let generation = birth.generation;
                self.goes(generation);
                self.forget(number);
            }
            // A filter has come since; it is asked for anew, once.
            Err(failure) if birth.was_to_be_named(&failure) => {
                process.must_name();
                birth.failure = Some(failure);
                self.fail_birth(number, Why::Lost);
            }
            Err(failure) => {
                if failure.status == Status::Limit {
                    process.has_turned_away(birth.pid().unwrap_or(0));
                }
                self.fail_birth_by(number, failure);
            }
        }
    }

    pub(super) fn fail_birth_by(&mut self, number: machine::Birth, failure: Failure) {
        let Some(birth) = self.births.get_mut(&number) else { return };
        let why = match failure.status {
            Status::Exited => Why::Died,
            Status::PeerRejected => Why::Unproven,
            _ => Why::Refused,
        };
        birth.failure = Some(failure);
        self.fail_birth(number, why);
    }

    /// Nobody is born there; what is known of it is told, and then forgotten.
    pub(super) fn fail_birth(&mut self, number: machine::Birth, why: Why) {
        let Some(birth) = self.births.get_mut(&number) else { return };
        birth.close();
        self.unwatch(number);
        self.events.push_back(Event::BirthFailed(number, why));
    }

    /// Nobody wants whoever was or will be born of it.
    pub(super) fn discard(&mut self, number: machine::Birth) {
        let Some(birth) = self.births.get_mut(&number) else { return };
        if !birth.is_asked() {
            return self.forget(number);
        }
        // It is heard, and ended, when it comes; or it finds an end.
        birth.until = Deadline::NEVER;
        if let Some(process) = self.processes.get_mut(&birth.generation) {
            process.say(Kind::Cancel, number);
        }
    }

    pub(super) fn forget(&mut self, number: machine::Birth) {
        self.unwatch(number);
        if let Some(birth) = self.births.remove(&number) {
            birth.let_go();
        }
    }

    /// Its process may have ended.
    pub(super) fn look_at(&mut self, number: machine::Birth) {
        let Some(birth) = self.births.get_mut(&number) else { return };
        if !birth.has_ended() {
            return;
        }
        if birth.is_at_gate() {
            self.events.push_back(Event::Died(number));
            return self.forget(number);
        }
        let exit = birth.exit();
        let known = exit.is_some() || birth.child().is_none_or(|child| child.exit().is_some());
        if known || birth.until.has_come() {
            let pid = birth.pid().unwrap_or(0);
            let failure = birth.failure.take().unwrap_or_else(|| Failure::ended_at(birth.stage(), pid, exit.as_ref()));
            self.fail_worker(number, failure);
        } else {
            birth.until = birth.until.min(Deadline::after(SOON));
            self.reactor.set_aside_for(Watched::Pidfd(number).token(), MILLI);
        }
    }

    pub(super) fn adopt(&mut self, core: &Arc<Core>, number: machine::Birth, id: Id) {
        let (Some(birth), Some(request)) = (self.births.get_mut(&number), self.requests.get(&id).cloned()) else {
            self.forget(number);
            return self.events.push_back(Event::CallOff(id));
        };
        // One that has just come was seen to run.
        if birth.was_pooled() && birth.has_ended() {
            self.forget(number);
            return self.events.push_back(Event::Died(number));
        }
        // Replaced meanwhile: what says so is in the inbox.
        if !core.may_bear(birth.generation) {
            self.forget(number);
            return self.events.push_back(Event::Died(number));
        }
        self.requests.remove(&id);
        request.outcome().set_gate(birth.gate(core));
        self.unshown += 1;
        if let Err(failure) = birth.adopt(&request) {
            self.unshown -= 1;
            let error = birth.error(failure, None, Vec::new(), &self.arguments);
            self.forget(number);
            request.fail(error);
            return self.events.push_back(Event::CallOff(id));
        }
        self.let_in(number);
        if !request.is_waited_for_here() {
            self.watch_if_alone(number);
        }
        let Some(birth) = self.births.get_mut(&number) else { return };
        if !birth.is_at_work() {
            if let Err(errno) = birth.keep_lent() {
                let error = Error::system("fcntl", errno, "cannot keep what is lent to the worker");
                self.fail_worker(number, Failure::of(step::NATIVE_GATE, &error));
            }
        } else if birth.was_pooled() && request.is_waited_for_here() {
            request.outcome().hear_at_once();
        }
    }

    /// Of those that their supervisors have by now.
    pub(super) fn open_gates(&mut self) {
        if self.unshown == 0 {
            return;
        }
        let is_shut = |birth: &Birth| !birth.is_at_work() && birth.child().is_some();
        let shut: Vec<_> = self.births.iter().filter(|(_, birth)| is_shut(birth)).map(|(number, _)| *number).collect();
        self.unshown = shut.len();
        for number in shut {
            self.let_in(number);
        }
    }

    /// Opens its gate, if its supervisor has it by now.
    fn let_in(&mut self, number: machine::Birth) {
        let Some(birth) = self.births.get_mut(&number) else { return };
        let opened = birth.open_gate();
        if opened.is_some() || birth.has_ended() {
            self.unshown = self.unshown.saturating_sub(1);
        }
        match opened {
            Some(true) if birth.flush() => {
                self.watch_if_alone(number);
                let _ = self.reactor.set_writing(Watched::Gate(number).token(), true);
            }
            Some(true) | None => {}
            Some(false) => {
                let failure = birth.failure.take().unwrap_or_else(|| {
                    let why = "the worker does not listen at its gate any more";
                    Failure::of(step::NATIVE_GATE, &Error::new(Status::Exited, "sendmsg", why))
                });
                self.fail_worker(number, failure);
            }
        }
    }

    pub(super) fn unwatch_stale(&mut self) {
        for token in std::mem::take(&mut self.stale) {
            self.reactor.remove(token);
        }
    }

    pub(super) fn arrive(&mut self, number: machine::Birth) {
        let Some(birth) = self.births.remove(&number) else { return };
        if birth.was_pooled() {
            self.stale.extend([Watched::Gate(number).token(), Watched::Pidfd(number).token()]);
        } else {
            self.unwatch(number);
        }
        let (Some(request), Some(child)) = (birth.request.clone(), birth.child().cloned()) else { return };
        let generation = birth.generation;
        let sibling = child.tie() == Tie::Child;
        if !sibling {
            self.theirs.add(number, &child, |child| child.exit().is_some());
        }
        let (journey, socket) = birth.arrive();
        request.outcome().settle(Ok(Arrived {
            sockets: Vec::new(),
            journey,
            dumps: Default::default(),
            gupid: String::new(),
            app_type: String::new(),
            ready: Moment::now(),
            generation,
            instance: None,
            post: Some(Arc::new(Post::of(number, sibling, socket, request.core().weak()))),
        }));
        if let Some(managed) = request.managed()
            && !managed.tell_ready()
        {
            // It has ended since that look: whoever asks for it finds it so.
            let pid = managed.pid();
            let message = format!("process {pid} was ready and has ended");
            managed.tell_failed(Error::new(Status::Exited, "ready", message).with_pid(pid));
        }
        request.host().rouse();
        self.events.push_back(Event::Ready(number));
    }

    /// A worker that was handed over never will be ready.
    pub(super) fn fail_worker(&mut self, number: machine::Birth, failure: Failure) {
        self.unwatch(number);
        let Some(mut birth) = self.births.remove(&number) else { return };
        self.events.push_back(Event::NotReady(number));
        let Some(request) = birth.request.clone() else { return };
        let exit = birth.exit().or_else(|| birth.child().and_then(|child| child.exit()));
        let output = request.managed().and_then(|managed| managed.output().ok()).unwrap_or_default();
        let mut error = birth.error(failure, exit, output, &self.arguments);
        blame(&mut error, exit.as_ref());
        birth.kill();
        request.outcome().settle(Err(error.clone()));
        if let Some(managed) = request.managed() {
            managed.tell_failed(error);
        }
        request.host().rouse();
    }

    /// Those whose time is over.
    pub(super) fn give_up_late(&mut self, now: i64) {
        let late: Vec<_> = self.births.iter().filter(|(_, birth)| birth.until.is_over(now)).map(|(number, _)| *number).collect();
        for number in late {
            let Some(birth) = self.births.get_mut(&number) else { continue };
            if birth.is_asked() {
                // The machine keeps that time.
                birth.until = Deadline::NEVER;
                continue;
            }
            let closed = || {
                Failure::new(
                    Status::Exited,
                    Category::default(),
                    step::NATIVE_WORK,
                    "the worker has closed its channel before it was ready",
                )
            };
            let late = || Failure::timeout(birth.stage(), "waiting for the worker to say that it is ready");
            let is_open = self.alone.contains(&number) || self.reactor.has(Watched::Gate(number).token());
            let failure = if is_open { late() } else { closed() };
            self.fail_worker(number, failure);
        }
        let unsaid: Vec<_> = self.processes.iter().filter(|(_, process)| process.end_is_over(now)).map(|(number, _)| *number).collect();
        for generation in unsaid {
            let text = "the program has closed its channel, and was not ready";
            self.fail_start(generation, Failure::new(Status::Exited, Category::default(), step::NATIVE_LOAD, text));
        }
    }
}
