//! Waiting for several children: until one of them has ended, or all have. Nothing is taken: an exit is state, and stays for who reaps.
//!
//! Traps.
//! - **Which is the first?** One may be known to be over while one before it is a zombie that nobody has looked at. So the pidfds are asked before any
//!   is named.
//! - **One in line has no pidfd.** It rings a wake-up at each new stage; and its turn comes only if its supervisor's work is done meanwhile.
//! - **A pidfd can be readable though its process cannot be reaped** (a tracer holds it, or another thread is about to). Who polled it again would
//!   spin: it is left out of the next poll, which is a short one.
//! - **A child whose lines nobody takes is held back**, and would never come to its end: who waits for it reads on, as who reaps it does; also of one
//!   who is not held back when the poll begins.
//! - **The default supervisor watches its set only if somebody asks**: who waits for one of its children alone drives that child by itself; who waits
//!   for several lets the set do it.
//!
//! Each turn costs as many steps as there are children that are waited for, and one poll(2). Who waits for all waits for one after the other.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Managed;
use super::calls::View;
use crate::clock::{Deadline, MILLI};
use crate::error::{Error, Result, Status};
use crate::lock::lock;
use crate::process::child::Child;
use crate::supervisor::Inner;
use crate::supervisor::default::poke;
use crate::sys::poll::{self, Many, Patience};
use crate::sys::reactor::WakeUp;
use crate::sys::reserve;

/// How much is read on of a stream at a time.
const STEP: usize = 1 << 20;
/// How soon one is looked at again that another thread is just releasing.
const SOON: i64 = MILLI;

struct Member {
    managed: Arc<Managed>,
    /// Where it stands first in the list.
    place: usize,
    /// It was readable, and could not be reaped.
    aside: bool,
}

/// One that is polled beside them.
struct Pipe {
    /// Its place among what is polled.
    index: usize,
    /// Whose output it is: the place among the members, and which stream.
    at: usize,
    stream: usize,
}

/// Those who are waited for, each once, in the order of the list.
struct Crowd {
    members: Vec<Member>,
    supervisors: Vec<Arc<Inner>>,
    /// Rung at a new stage of one that had no process.
    waiter: Option<Arc<WakeUp>>,
    /// What is polled: pidfds, and the pipes of those who are read on.
    fds: Many,
    /// Whose pidfd each is; nobody's, if it is a pipe.
    whose: Vec<Option<usize>>,
    pipes: Vec<Pipe>,
    /// Those whose output comes as lines.
    speakers: Vec<usize>,
}

impl Managed {
    /// Waits until one of these has ended, for good, up to `timeout_ms` (-1: for ever); answers the first of the list that has. Takes no exit. A
    /// handler of the host's ends it: `Interrupted`.
    pub fn wait_any(children: &[Arc<Self>], timeout_ms: i64) -> Result<usize> {
        let deadline = Deadline::of_timeout("timeout_ms", timeout_ms)?;
        let patience = Patience::or_handler(deadline);
        let mut crowd = Crowd::of(children)?;
        let all = 0..crowd.members.len();
        if let Some(found) = crowd.await_end(all, &patience)? {
            return Ok(crowd.members[found].place);
        }
        if patience.was_interrupted() {
            return Err(Error::interrupted("wait"));
        }
        Err(Error::new(Status::Timeout, "wait", format!("none of {} children has ended yet", crowd.members.len())))
    }

    /// The same until all of them have.
    pub fn wait_all(children: &[Arc<Self>], timeout_ms: i64) -> Result<()> {
        let deadline = Deadline::of_timeout("timeout_ms", timeout_ms)?;
        let patience = Patience::or_handler(deadline);
        let mut crowd = Crowd::of(children)?;
        for at in 0..crowd.members.len() {
            if matches!(crowd.members[at].managed.view(), View::Over(_)) || crowd.await_end(at..at + 1, &patience)?.is_some() {
                continue;
            }
            let managed = &crowd.members[at].managed;
            if patience.was_interrupted() {
                return Err(Error::interrupted("wait").with_pid(managed.child().map(|child| child.pid())));
            }
            return Err(managed.timed_out("wait", "has not ended yet"));
        }
        Ok(())
    }

    /// In a default supervisor: somebody has to look after its output, its times, or what it says.
    fn needs_driving(&self, child: &Child) -> bool {
        self.supervisor.is_default && child.needs_driving()
    }
}

impl Crowd {
    fn of(children: &[Arc<Managed>]) -> Result<Self> {
        if children.is_empty() {
            return Err(Error::invalid("n", "n is 0: there is no child to wait for"));
        }
        for (place, managed) in children.iter().enumerate() {
            managed.check().map_err(|error| error.with(|it| it.message.insert_str(0, &format!("children[{place}]: "))))?;
        }
        poke();
        let mut places: Vec<usize> = reserve::room(children.len())?;
        places.extend(0..children.len());
        // Each once: the first of the list.
        places.sort_unstable_by_key(|place| (Arc::as_ptr(&children[*place]), *place));
        places.dedup_by_key(|place| Arc::as_ptr(&children[*place]));
        places.sort_unstable();
        let mut supervisors: Vec<Arc<Inner>> = reserve::room(places.len())?;
        supervisors.extend(places.iter().map(|place| children[*place].supervisor.clone()));
        supervisors.sort_unstable_by_key(Arc::as_ptr);
        supervisors.dedup_by(|one, other| Arc::ptr_eq(one, other));
        let mut members: Vec<Member> = reserve::room(places.len())?;
        members.extend(places.into_iter().map(|place| Member { managed: children[place].clone(), place, aside: false }));
        let speakers = members.iter().enumerate().filter(|(_, member)| member.managed.speaks).map(|(at, _)| at);
        let speakers = reserve::list(speakers).map_err(reserve::out_of_memory)?;
        for Member { managed, .. } in &members {
            managed.waiting.fetch_add(1, Ordering::SeqCst);
        }
        let crowd = Self { members, supervisors, waiter: None, fds: Many::default(), whose: Vec::new(), pipes: Vec::new(), speakers };
        for Member { managed, .. } in &crowd.members {
            if managed.child().is_some_and(|child| managed.needs_driving(&child)) {
                managed.supervisor.wake_all();
            }
        }
        Ok(crowd)
    }

    /// Waits until one of these members has ended; answers the first that has. `None`: the patience was over first.
    fn await_end(&mut self, whom: core::ops::Range<usize>, patience: &Patience) -> Result<Option<usize>> {
        loop {
            // What follows is the last look, then.
            let last = patience.is_over();
            if let Some(waiter) = &self.waiter {
                waiter.lower();
            }
            for supervisor in &self.supervisors {
                supervisor.pump_watched();
            }
            let (over, by) = self.gather(whom.clone())?;
            match over {
                Some(_) if self.whose.is_empty() => return Ok(over),
                Some(_) => {}
                None => self.listen_to(whom.start)?,
            }
            let told = self.poll(patience, if over.is_some() { Deadline::PAST } else { by })?;
            self.read_on(told);
            if let Some(found) = self.look(told)?.or(over) {
                return Ok(Some(found));
            }
            if last {
                return Ok(None);
            }
        }
    }

    /// Gathers the pidfds of those who run, up to the first that is known to be over, which is answered; and by when somebody has to look again.
    fn gather(&mut self, whom: core::ops::Range<usize>) -> Result<(Option<usize>, Deadline)> {
        let mut by = Deadline::NEVER;
        self.fds.clear();
        self.whose.clear();
        self.pipes.clear();
        for at in whom {
            let child = match self.members[at].managed.view() {
                View::Over(_) => return Ok((Some(at), by)),
                View::Waiting => {
                    by = by.min(self.listen(at));
                    continue;
                }
                View::Live(child) => child,
            };
            let Member { managed, aside, .. } = &mut self.members[at];
            if managed.needs_driving(&child) {
                managed.supervisor.wake_all();
            }
            let due = child.due();
            let Some(pidfd) = child.pidfd().filter(|_| !due.has_come()) else {
                // Another thread has reaped it and says so as soon as it has released what it owned; or a time has come that nobody has kept.
                match managed.look()? {
                    View::Over(_) => return Ok((Some(at), by)),
                    _ => by = by.min(Deadline::after(SOON)),
                }
                continue;
            };
            by = by.min(due);
            if std::mem::take(aside) {
                by = by.min(Deadline::after(poll::PAUSE));
                continue;
            }
            self.push(pidfd, Some(at))?;
        }
        Ok((None, by))
    }

    fn push(&mut self, fd: Arc<OwnedFd>, whose: Option<usize>) -> Result<()> {
        self.whose.try_reserve(1).map_err(reserve::out_of_memory)?;
        self.fds.push(fd).map_err(reserve::out_of_memory)?;
        self.whose.push(whose);
        Ok(())
    }

    /// Watches what they say, this member and all behind it. The trap: also of who is not held back now. Another thread may hold him back while this
    /// one sleeps, and take no more events; and who was held back stays so until half of what he has said is taken.
    fn listen_to(&mut self, from: usize) -> Result<()> {
        for index in self.speakers.partition_point(|at| *at < from)..self.speakers.len() {
            let at = self.speakers[index];
            let Some(child) = self.members[at].managed.child().filter(|child| child.exit().is_none()) else { continue };
            for (stream, pipe) in child.pipes().into_iter().enumerate() {
                let Some(pipe) = pipe else { continue };
                self.pipes.try_reserve(1).map_err(reserve::out_of_memory)?;
                self.pipes.push(Pipe { index: self.whose.len(), at, stream });
                self.push(pipe, None)?;
            }
        }
        Ok(())
    }

    /// Reads on what those say whose pipes are readable (`told` unset: all of them), whoever is held back.
    fn read_on(&self, told: bool) {
        for Pipe { at, stream, .. } in self.pipes.iter().filter(|pipe| !told || self.fds.is_ready(pipe.index)) {
            let managed = &self.members[*at].managed;
            if let Some(child) = managed.child() {
                child.drain(*stream, STEP);
                managed.collect(&child);
            }
        }
    }

    /// From now on this one rings at a new stage.
    fn listen(&mut self, at: usize) -> Deadline {
        if self.waiter.is_none() {
            self.waiter = WakeUp::new().ok().map(Arc::new);
        }
        // Without a descriptor to be woken by: a look from time to time.
        let Some(waiter) = &self.waiter else { return Deadline::after(poll::PAUSE) };
        let managed = &self.members[at].managed;
        {
            let mut run = lock(&managed.run);
            run.wait_with(waiter);
        }
        // In this order: a new stage after the look is heard, one before it is seen.
        if matches!(managed.view(), View::Waiting) { Deadline::NEVER } else { Deadline::PAST }
    }

    fn poll(&mut self, patience: &Patience, mut by: Deadline) -> Result<bool> {
        let mut beside: Vec<BorrowedFd<'_>> = reserve::room(self.supervisors.len() + 1)?;
        beside.extend(self.waiter.as_deref().map(AsFd::as_fd));
        for supervisor in &self.supervisors {
            match supervisor.watch() {
                Some(watched) => beside.push(watched),
                None => by = by.min(Deadline::after(poll::PAUSE)),
            }
        }
        self.fds.wait(&beside, patience, by).map_err(|errno| Error::system("poll", errno, "cannot wait"))
    }

    /// Looks at those whose pidfd is readable (`told` unset: at all); answers the first that has ended.
    fn look(&mut self, told: bool) -> Result<Option<usize>> {
        for (index, at) in self.whose.iter().enumerate().filter_map(|(index, whose)| Some((index, (*whose)?))) {
            if told && !self.fds.is_ready(index) {
                continue;
            }
            let member = &mut self.members[at];
            match member.managed.look()? {
                View::Over(_) => return Ok(Some(at)),
                View::Live(_) => member.aside = told,
                View::Waiting => {}
            }
        }
        Ok(None)
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        for Member { managed, .. } in &self.members {
            managed.waiting.fetch_sub(1, Ordering::SeqCst);
            if let Some(waiter) = &self.waiter {
                lock(&managed.run).wait_no_more(waiter);
            }
        }
    }
}
