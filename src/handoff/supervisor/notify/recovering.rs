//! What is written down for a supervisor that comes after this one, and what that one does with it.
//!
//! The race is with the daemons themselves: any of them may have ended since, and its number may be another's. So all that are told of are held, and
//! proven, before anything is done; a journal that is not to be believed, a process that cannot be held now, and one that may serve and cannot be
//! proven, end the recovery with nothing changed.
//!
//! | told of    | proven, lives                         | a zombie              | gone                  | cannot be proven |
//! |------------|---------------------------------------|-----------------------|-----------------------|------------------|
//! | serving    | serves on, and is watched             | OWNER_ENDED           | -                     | UNSUPPORTED      |
//! | next       | serves, if nobody else does and it was ready; else it is ended | reaped if ours | -   | left alone       |
//! | leaving    | stopped again when its time is over   | reaped if ours        | -                     | left alone       |
//!
//! And with this supervisor's own end, at any instant: what is to be believed after a commit is written before the old one hears of it. Else one that
//! comes after it could take him who leaves for the one that serves, and end the other.

use std::path::Path;

use super::journal::{self, LEAVERS, Left, Seated};
use super::*;
use crate::handoff::machine::overlap::STOPPING;
use crate::handoff::supervisor::events::{EventKind, Happened};
use crate::handoff::supervisor::listeners::Given;
use crate::process::lasting::{Lasting, Refusal, Reopened};

/// Until a journal that could not be written is tried again.
const AGAIN: i64 = 1_000 * clock::MILLI;
/// How long what the daemon has open is looked through for its listeners.
const LOOKING: i64 = 1_000 * clock::MILLI;

impl Notify {
    /// Writes down what has changed.
    pub(super) fn write_down(&mut self, core: &mut Core) {
        let Some(path) = core.settings.journal.clone() else { return };
        let left = self.left(core);
        let nobody = left.is_of_nobody() && self.diary.written.is_of_nobody();
        if nobody || left == self.diary.written || !self.diary.again.is_never() && !self.diary.again.has_come() {
            return;
        }
        self.put_down(core, &path, left);
    }

    /// The next one takes the seat: see the head of this file.
    pub(super) fn write_ahead(&mut self, core: &mut Core) {
        let (Some(path), Some(next)) = (core.settings.journal.clone(), &self.next) else { return };
        let build = next.build;
        let mut left = self.left(core);
        let Some((_, seated)) = left.next.take() else { return };
        (left.serving, left.build, left.generation) = (Some(seated), build, left.generation + 1);
        // One that has not served stands among those who leave.
        if let Some(lasting) = self.current.as_ref().filter(|old| old.generation != 0).and_then(|old| old.lasting.clone()) {
            let drain = self.drain_ms.saturating_mul(clock::MILLI);
            left.leaving.insert(0, (clock::now().saturating_add(drain), lasting));
            left.leaving.truncate(LEAVERS);
        }
        self.put_down(core, &path, left);
    }

    fn put_down(&mut self, core: &mut Core, path: &Path, left: Left) {
        self.diary.again = Deadline::NEVER;
        let (Ok(mut file), text) = (journal::file(path), left.text()) else { return };
        if left.is_of_nobody() {
            file.clear();
        } else if let Some(text) = &text {
            file.write(text.as_bytes());
        }
        if file.trouble.is_some() || text.is_none() {
            core.metrics.journal_failures += 1;
            self.diary.again = Deadline::after(AGAIN);
        } else {
            self.diary.written = left;
        }
        let _ = core.reactor.set_due(JOURNAL, self.diary.again);
    }

    fn left(&self, core: &Core) -> Left {
        let seated = |daemon: &Daemon| Some(Seated { plan: daemon.process.plan().to_vec(), process: daemon.lasting.clone()? });
        let serving = self.current.as_ref().filter(|daemon| daemon.generation != 0);
        let first = self.current.as_ref().filter(|daemon| daemon.generation == 0).map(|daemon| (false, daemon));
        let is_up = self.machine.next.is_some_and(|seat| seat.is_up());
        let next = self.next.as_ref().map(|daemon| (is_up, daemon));
        // The first one, whom another is to follow before it has served: nobody would go back to it.
        let idle = first.filter(|_| next.is_some()).and_then(|(_, daemon)| Some((0, daemon.lasting.clone()?)));
        let next = next.or(first);
        let leaving = self.leaving.iter().filter_map(|leaver| Some((leaver.until, leaver.lasting.clone()?)));
        let leaving = idle.into_iter().chain(leaving);
        let mut left = Left {
            generation: self.generation,
            build: serving.map(|daemon| daemon.build).unwrap_or_default(),
            serving: serving.and_then(seated),
            next: next.and_then(|(up, daemon)| Some((up, seated(daemon)?))),
            leaving: leaving.take(LEAVERS).collect(),
            listeners: Vec::new(),
        };
        if !left.is_of_nobody() {
            left.listeners = core.listeners.given().collect();
            left.listeners.extend(self.diary.given.iter().filter(|given| !core.listeners.is_held(&given.name)).cloned());
        }
        left
    }

    /// What the supervisor before this one has left.
    pub(super) fn take_up(&mut self, core: &mut Core) -> Result<()> {
        let file = core.settings.journal.as_deref().map(journal::file).transpose()?;
        let read = file.as_ref().map_or(Ok(None), |file| file.read())?;
        let Some(left) = read.and_then(|bytes| Left::parse(&bytes)) else {
            self.nobody = "no generation is known".to_owned();
            return core.listeners.fetch();
        };
        // All of them before anything is done to one.
        let serving = left.serving.as_ref().map(|seated| held_to_serve(&seated.process)).transpose()?;
        let next = left.next.as_ref().map(|(_, seated)| held(&seated.process)).transpose()?;
        let leaving = left.leaving.iter().map(|(until, process)| Ok((*until, process.clone(), held(process)?)));
        let leaving = leaving.collect::<Result<Vec<_>>>()?;
        let own = core.listeners.iter().count();
        core.listeners.fetch()?;
        core.listeners.arrange(own, &left.listeners);
        self.generation = left.generation;
        // What is of another pid namespace may be there still, for somebody else: then it stays until there is something to write.
        let is_ours = !matches!(serving, Some(Err(Refusal::Elsewhere)));
        self.diary.written = if is_ours { left.clone() } else { Left::default() };
        for (until, process, found) in leaving {
            if let Ok(found) = found {
                let until = Deadline::at(until.min(clock::now().saturating_add(STOPPING)));
                self.leaves(core, process, found, stop::DEFAULT.to_vec(), until, true);
            }
        }
        let mut found = None;
        match (serving, left.serving) {
            (Some(Ok(reopened)), _) if is_dead(&reopened) => self.tell_end(core, reopened, left.generation),
            (Some(Ok(reopened)), Some(seated)) => found = Some((reopened, seated, left.build, left.generation)),
            (Some(Err(refusal)), Some(seated)) => self.nobody = format!("process {} {}", seated.process.pid(), refusal.why()),
            _ => self.nobody = "no generation was left".to_owned(),
        }
        if let (Some(Ok(reopened)), Some((was_ready, seated))) = (next, left.next) {
            if found.is_none() && was_ready && !is_dead(&reopened) {
                found = Some((reopened, seated, BuildId::default(), left.generation + 1));
            } else {
                self.leaves(core, seated.process.clone(), reopened, seated.plan, Deadline::at(clock::now()), false);
            }
        }
        if let Some((reopened, seated, build, generation)) = found {
            self.serves(core, reopened, seated, build, generation, left.listeners);
            core.listeners.arrange(own, &self.diary.given);
        }
        Ok(())
    }

    fn serves(&mut self, core: &mut Core, found: Reopened, seated: Seated, build: BuildId, generation: u64, given: Vec<Given>) {
        // What nobody has kept for this process the daemon has.
        core.listeners.fetch_from(found.pid, &found.pidfd, &given, Deadline::after(LOOKING));
        let mut process = Process::found(found.pid, found.pidfd);
        process.set_plan(Arc::new(seated.plan));
        (self.generation, self.diary.given) = (generation, given);
        self.current = Some(Daemon {
            process,
            voice: None,
            command: None,
            build,
            generation,
            speaks: false,
            life: core.number(),
            speech: core.number(),
            sign: core.number(),
            lasting: Some(seated.process),
        });
        self.feed(core, Event::Found);
    }

    /// It has ended while nobody looked, and its parent has not reaped it.
    fn tell_end(&mut self, core: &mut Core, found: Reopened, generation: u64) {
        let mut process = Process::found(found.pid, found.pidfd);
        let (pid, end) = (process.pid, process.tick().unwrap_or_default());
        let reason = if end.known { Status::Ok } else { Status::NotFound };
        let (exit_code, exit_signal) = (end.code, end.signal);
        core.tell(Happened { pid, generation, exit_code, exit_signal, reason, ..Happened::now(EventKind::OwnerEnded) });
        self.nobody = format!("process {pid} has ended");
    }

    /// One that was on its way out, or is to be; who has never served is not left to itself when this handle is freed.
    fn leaves(&mut self, core: &mut Core, lasting: Lasting, found: Reopened, plan: Vec<stop::Step>, until: Deadline, served: bool) {
        let mut process = Process::found(found.pid, found.pidfd);
        process.set_plan(Arc::new(plan));
        self.feed(core, Event::Leaves);
        let token = core.number();
        let at = until.nanos().unwrap_or_default();
        self.leaving.push(Leaver { token, process, drained: None, served, hurried: until, lasting: Some(lasting), until: at });
        let last = self.leaving.len() - 1;
        self.look_at_leaver(core, last);
    }

    /// A name of what the generation that was found has, and this process has not.
    pub(super) fn misses(&self, core: &Core) -> Option<String> {
        let missing = self.diary.given.iter().find(|given| !core.listeners.is_held(&given.name));
        missing.map(|given| given.name.to_string_lossy().into_owned())
    }
}

/// It is held, or is not to be; what cannot be found out now ends the recovery, for the journal would forget it.
fn held(process: &Lasting) -> Result<core::result::Result<Reopened, Refusal>> {
    match process.reopen() {
        Err(Refusal::Cannot(fault)) => Err(fault.error(format!("cannot hold process {}, of which the journal tells", process.pid()))),
        other => Ok(other),
    }
}

/// Who serves is held, or is not there; whatever else there is ends the recovery.
fn held_to_serve(process: &Lasting) -> Result<core::result::Result<Reopened, Refusal>> {
    match held(process)? {
        Err(Refusal::Unproven) => {
            let text = format!("process {} serves by the journal, and {}", process.pid(), Refusal::Unproven.why());
            Err(Error::new(Status::Unsupported, "recover", text))
        }
        other => Ok(other),
    }
}

fn is_dead(found: &Reopened) -> bool {
    use std::os::fd::AsRawFd;
    crate::sys::pidfd::life(found.pidfd.as_raw_fd()) != crate::sys::pidfd::Life::Running
}
