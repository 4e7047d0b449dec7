//! How a decision of the scheduler is carried out.
//!
//! What can be told or forgotten is so at once, under the lock of the ledger. What takes time (making a process, releasing what one kept, a stop
//! plan) is a *job*, done without it. The world goes on meanwhile: what it did, the scheduler looks at again when it hears that the job is
//! done. And all that one decision makes is made before any of it is told: who hears of an end finds the next one started.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Managed;
use super::errands::{Made, Promise};
use super::events::{Event, Reason, Run, What, Why};
pub(super) use super::inner::Job;
use super::inner::{HOUSEKEEPING, Inner, Last, Ledger, Member, RESTS};
use super::restart::Ended;
use super::scheduler::{self, Action, Answer, Id, News};
use crate::clock::{self, Deadline};
use crate::error::{Error, Result, Status};
use crate::lock::lock;
use crate::process::Lines;
use crate::process::child::Child;
use crate::process::stops::News as Stop;
use crate::registry::{Cause, Exit};
use crate::sys::processor::Held;

/// A job that is done, and that the scheduler must hear of.
pub(super) enum Done {
    Made(Arc<Managed>, Result<Arc<Child>>),
    /// Its start takes its time.
    Begun(Arc<Managed>),
    Released(Arc<Managed>),
}

/// A list of jobs that is being done; what is left of it at a panic is the next call's, also what has to be told.
struct Left<'a, J: Iterator<Item = Job>> {
    inner: &'a Inner,
    jobs: J,
    done: VecDeque<Done>,
    /// Starts that take their time.
    begun: VecDeque<Job>,
    /// What follows.
    next: VecDeque<Vec<Job>>,
}

impl<'a, J: Iterator<Item = Job>> Left<'a, J> {
    fn of(inner: &'a Inner, jobs: J) -> Self {
        Self { inner, jobs, done: VecDeque::new(), begun: VecDeque::new(), next: VecDeque::new() }
    }
}

impl<J: Iterator<Item = Job>> Drop for Left<'_, J> {
    fn drop(&mut self) {
        let done = self.done.drain(..).map(Job::Conclude);
        self.inner.strand(done.chain(self.jobs.by_ref()).chain(self.begun.drain(..)).chain(self.next.drain(..).flatten()).collect());
    }
}

/// A job that a panic breaks off has come to this.
struct OrElse<'a>(&'a Inner, &'a Arc<Managed>, fn(Arc<Managed>) -> Done);

impl OrElse<'_> {
    fn forget(self) {
        std::mem::forget(self);
    }
}

impl Drop for OrElse<'_> {
    fn drop(&mut self) {
        self.0.strand(vec![Job::Conclude(self.2(self.1.clone()))]);
    }
}

/// It gets no process.
fn broken_off(managed: Arc<Managed>) -> Done {
    Done::Made(managed, Err(Error::new(Status::Internal, "start", "internal error: the call that was to start it has panicked")))
}

impl Job {
    /// It makes a plain process here and now.
    fn is_made_at_once(&self) -> bool {
        matches!(self, Self::Make(managed) if managed.may_be_held())
    }
}

impl Inner {
    /// One step of the scheduler. What is told or forgotten is so at once; what takes time is answered.
    pub(super) fn step(&self, ledger: &mut Ledger, event: scheduler::Event) -> Vec<Job> {
        self.step_at(ledger, event, clock::now())
    }

    /// The same at this time.
    pub(super) fn step_at(&self, ledger: &mut Ledger, event: scheduler::Event, mut now: i64) -> Vec<Job> {
        let mut actions = std::mem::take(&mut ledger.actions);
        // All at once: room for that was made with each child, and is given back to the ledger by who has done it.
        let all = matches!(event, scheduler::Event::Shutdown | scheduler::Event::Close);
        let mut jobs = if all { std::mem::take(&mut ledger.jobs) } else { Vec::new() };
        let before = (ledger.scheduler.has_waiting(), ledger.scheduler.due());
        let mut next = Some(event);
        while let Some(event) = next.take() {
            ledger.scheduler.step(event, now, &mut actions);
            for action in actions.drain(..) {
                if let Action::Ask(id, flight, resumed) = action {
                    // What is to be done about other permits comes before it, and nothing comes behind it.
                    let of = ledger.members.get(id).and_then(|member| member.managed.budgeted().cloned());
                    let answer = of.map_or(Answer::Granted, |of| self.ask(ledger, &of, (flight, resumed), true).0);
                    next = Some(scheduler::Event::Permit(id, answer));
                    // It says how long from now.
                    now = clock::now();
                } else {
                    self.act(ledger, action, &mut jobs);
                }
            }
        }
        ledger.actions = actions;
        self.note_barred(ledger);
        if ledger.scheduler.take_called() && ledger.scheduler.can_start() {
            // Whoever waits here drives us: also one who waits for a child that was barred.
            let _ = self.reactor.set_due(HOUSEKEEPING, Deadline::at(now));
        }
        if ledger.scheduler.due() != before.1 {
            // The timer was made when the child that rests was first started.
            let _ = self.reactor.set_due(RESTS, ledger.scheduler.due());
        }
        match (before.0, ledger.scheduler.has_waiting()) {
            (false, true) => drop(self.busy.fetch_add(1, Ordering::Relaxed)),
            (true, false) => drop(self.busy.fetch_sub(1, Ordering::Relaxed)),
            _ => {}
        }
        jobs
    }

    fn act(&self, ledger: &mut Ledger, action: Action, jobs: &mut Vec<Job>) {
        let whose = |ledger: &Ledger, id: Id| ledger.members.get(id).map(|member| member.managed.clone());
        match action {
            // For the one caller who asked: `starts.rs` reads them, or what is left of them, where they come.
            Action::Admitted(_) | Action::Promised(_) | Action::Refused(_) | Action::Destroy(_) => {}
            Action::Make(id) => jobs.extend(whose(ledger, id).map(|managed| {
                // Under the lock: who wants to cancel it finds it in the line, or on its way.
                managed.set_starting();
                Job::Make(managed)
            })),
            Action::Release(id, next) => jobs.extend(whose(ledger, id).map(|managed| Job::Release(managed, next, None))),
            Action::GiveUp(id, retry_ns) => jobs.extend(whose(ledger, id).map(|managed| Job::GiveUp(managed, retry_ns))),
            Action::Land(flight) => self.land(ledger, flight),
            Action::Finish(flight, succeeded) => self.finish_permit(ledger, flight, succeeded),
            // Answered before it comes here.
            Action::Ask(..) => {}
            Action::CallOff(id, why) => jobs.extend(whose(ledger, id).map(|managed| Job::CallOff(managed, why))),
            Action::Stop(id) => jobs.extend(whose(ledger, id).map(Job::Stop)),
            Action::Kill(id) => jobs.extend(whose(ledger, id).map(Job::Kill)),
            Action::Tell(id, news) => self.tell(ledger, id, news),
            Action::Forget(id) => drop(ledger.members.remove(id)),
            Action::TellDone => {
                ledger.events.push(Event { what: What::ShutdownDone, child: None, pid: 0, run: 0, time_ns: clock::now() });
            }
        }
    }

    fn tell(&self, ledger: &mut Ledger, id: Id, news: News) {
        let Some(member) = ledger.members.get_mut(id) else { return };
        let (managed, now) = (member.managed.clone(), clock::now());
        match news {
            News::Started => {
                let fresh = member.take_fresh();
                member.forget_last();
                if let Some(child) = fresh {
                    managed.publish(child);
                }
                ledger.push(&managed, now, What::Started);
            }
            News::Ready => ledger.push(&managed, now, What::Ready),
            News::Exited => {
                let Some(Last { run: Run::Ended(exit), child, complaint }) = member.last() else { return };
                let (child, complaint) = (child.take(), *complaint);
                // By now it is released, and the record says what could not be removed.
                let exit = child.as_ref().and_then(|child| child.exit()).unwrap_or(*exit);
                let complaint = complaint.or(exit.removal_status());
                ledger.push_lines(&managed, child.map_or_else(Lines::default, |child| child.take_lines()));
                ledger.push_lost(&managed);
                ledger.push(&managed, exit.ended_ns, What::Exited { exit, complaint });
                self.look_after_orphans(ledger);
                self.keep_house();
            }
            News::Failed(why) => ledger.push(&managed, now, What::Failed(why)),
            News::Unready => {
                let why = managed.child().map_or(Status::Exited, |child| child.never_ready_status());
                ledger.push(&managed, now, What::Failed(why));
            }
            News::Cancelled(why) => ledger.push(&managed, now, What::Cancelled(why)),
            News::Restarting(delay_ns) => {
                let after = member.last_run();
                let why = Why::after(after.as_ref(), managed.early_exit_ns());
                ledger.push(&managed, now, What::Restarting { after, delay_ns, why });
            }
            News::GaveUp => {
                let after = member.last_run();
                ledger.push(&managed, now, What::GaveUp { after, why: Why::of(Reason::Failures) });
            }
            News::Awaiting => {
                let after = member.last_run();
                ledger.push(&managed, now, What::Restarting { after, delay_ns: 0, why: Why::of(Reason::InProgress) });
            }
            News::Deferred(delay_ns, storm) => {
                let after = member.last_run();
                ledger.push(&managed, now, What::Restarting { after, delay_ns, why: Why::budget(delay_ns, storm) });
            }
            News::Exhausted(retry_ns, storm) => {
                let after = member.last_run();
                ledger.push(&managed, now, What::GaveUp { after, why: Why::budget(retry_ns, storm) });
            }
        }
    }

    /// Does the jobs, and what follows from them. All that makes room or a process is done before any of it is told: who hears of an end
    /// finds the next one started.
    pub(super) fn carry_out(self: &Arc<Self>, jobs: Vec<Job>) {
        if jobs.is_empty() {
            return;
        }
        let held = self.hold(&jobs);
        let mut left = Left::of(self, jobs.into_iter());
        for job in left.jobs.by_ref() {
            match job {
                Job::Make(managed) if managed.is_begun() || self.has_spawner.load(Ordering::Relaxed) => {
                    left.begun.push_back(Job::Make(managed));
                }
                job => left.done.extend(self.do_job(job)),
            }
        }
        drop(held);
        while let Some(done) = left.done.pop_front() {
            left.next.push_back(self.conclude(done));
        }
        // Behind what is told: their process may come while they are asked for it.
        while let Some(job) = left.begun.pop_front() {
            left.next.extend(self.do_job(job).map(|done| self.conclude(done)));
        }
        while let Some(jobs) = left.next.pop_front() {
            self.carry_out(jobs);
        }
    }

    /// Stays on this processor while these are started, if any is and that is wanted.
    fn hold(&self, jobs: &[Job]) -> Option<Held> {
        let asked = self.holding.load(Ordering::Relaxed);
        if asked == 0 || self.has_spawner.load(Ordering::Relaxed) {
            return None;
        }
        let mut made = jobs.iter().filter(|job| matches!(job, Job::Make(_))).peekable();
        made.peek()?;
        if made.all(Job::is_made_at_once) { Held::here(asked) } else { None }
    }

    /// The same one by one, where there may be many and a slow release of one must not hold up what is told of the others; who is to be
    /// stopped is so by `stop`. Answers the empty list: its memory is needed again.
    pub(super) fn carry_out_each(self: &Arc<Self>, mut jobs: Vec<Job>, stop: impl Fn(&Arc<Managed>)) -> Vec<Job> {
        let mut left = Left::of(self, jobs.drain(..));
        for job in left.jobs.by_ref() {
            match job {
                Job::Stop(managed) => stop(&managed),
                job => self.do_job(job).map(|done| self.conclude(done)).into_iter().for_each(|jobs| self.carry_out(jobs)),
            }
        }
        drop(left);
        jobs
    }

    fn do_job(&self, job: Job) -> Option<Done> {
        match job {
            Job::Make(managed) => {
                let or_none = OrElse(self, &managed, broken_off);
                let made = self.make(&managed);
                or_none.forget();
                Some(match made {
                    Some(made) => Done::Made(managed, made),
                    None => Done::Begun(managed),
                })
            }
            Job::Release(managed, next, error) => {
                let released = OrElse(self, &managed, Done::Released);
                managed.enter(next, error);
                released.forget();
                Some(Done::Released(managed))
            }
            Job::CallOff(managed, why) => {
                let released = OrElse(self, &managed, Done::Released);
                managed.call_off(why);
                released.forget();
                Some(Done::Released(managed))
            }
            Job::GiveUp(managed, retry_ns) => {
                let released = OrElse(self, &managed, Done::Released);
                managed.give_up(retry_ns);
                released.forget();
                Some(Done::Released(managed))
            }
            Job::Conclude(done) => Some(done),
            Job::Stop(managed) => {
                self.stop_now(&managed);
                None
            }
            Job::Kill(managed) => {
                managed.halt();
                if let Some(child) = managed.child() {
                    child.kill(Cause::Shutdown);
                }
                None
            }
        }
    }

    /// Its process, or why there is none; `None`: that takes its time.
    fn make(&self, managed: &Arc<Managed>) -> Option<Result<Arc<Child>>> {
        match managed.promise().and_then(Promise::start) {
            None => match self.spawner().filter(|_| managed.may_be_asked()) {
                None => Some(managed.make()),
                Some(line) => managed.ask(&line).err().map(Err),
            },
            Some(start) => match start.make(managed) {
                Made::Now(made) => Some(made),
                Made::Later => None,
            },
        }
    }

    fn conclude(self: &Arc<Self>, done: Done) -> Vec<Job> {
        match done {
            Done::Made(managed, made) if managed.is_begun() => self.conclude_begun(&managed, made),
            Done::Made(managed, made) => self.conclude_start(&managed, made),
            Done::Begun(managed) => {
                let mut ledger = lock(&self.ledger);
                let jobs = self.step(&mut ledger, scheduler::Event::Begun(managed.id()));
                self.show(&mut ledger);
                jobs
            }
            Done::Released(managed) => {
                let mut ledger = lock(&self.ledger);
                let jobs = self.step(&mut ledger, scheduler::Event::Released(managed.id()));
                self.show(&mut ledger);
                jobs
            }
        }
    }

    /// Runs the stop plan of a child's new process: its owner has asked for that while it was made.
    pub(super) fn stop_now(&self, managed: &Managed) {
        if let (Some(grace_ms), Some(child)) = (managed.take_stop(), managed.child()) {
            let _ = child.stop(grace_ms, Cause::Stop);
            self.reschedule(managed);
        }
    }

    // ---- what the scheduler hears ----

    /// A process has ended: it is watched no more, EXITED is told, and its slot is the next one's. The first caller does it, the others
    /// find it done. `true`: somebody in line may be started now.
    pub(super) fn finish(self: &Arc<Self>, managed: &Managed, child: &Arc<Child>, exit: Exit) -> bool {
        let (jobs, more) = self.note_end(managed, child, exit);
        self.carry_out(jobs);
        more
    }

    /// The same without what takes time, which is answered.
    pub(super) fn note_end(&self, managed: &Managed, child: &Arc<Child>, exit: Exit) -> (Vec<Job>, bool) {
        let nothing = (Vec::new(), false);
        let key = managed.key();
        if key == 0 || !self.home.is_here() {
            return nothing;
        }
        let unready = if exit.cause == Cause::NotReady { child.unready_status() } else { None };
        let complaint = unready.or_else(|| child.complaint().map(|error| error.status));
        let mut ledger = lock(&self.ledger);
        // By now the key may be that of its next process.
        if !ledger.watched.get(key).is_some_and(|entry| Arc::ptr_eq(&entry.child, child)) {
            return nothing;
        }
        self.unwatch(&mut ledger, key);
        if self.is_default {
            return nothing;
        }
        let id = managed.id();
        if let Some(member) = ledger.members.get_mut(id) {
            member.passing().last = Some(Last { run: Run::Ended(exit), child: Some(child.clone()), complaint });
        }
        self.tell_stops(&mut ledger, managed, child);
        let mut jobs = self.tell_signs(&mut ledger, managed, child);
        jobs.extend(self.step(&mut ledger, scheduler::Event::Ended(id, how(child, &exit), managed.chance())));
        self.show(&mut ledger);
        let more = !jobs.is_empty() || ledger.scheduler.can_start();
        (jobs, more)
    }

    /// READY, and that it has said something else of itself.
    pub(super) fn tell_signs(&self, ledger: &mut Ledger, managed: &Managed, child: &Child) -> Vec<Job> {
        let news = child.take_news();
        let jobs = if news.ready && !self.is_default { self.step(ledger, scheduler::Event::Ready(managed.id())) } else { Vec::new() };
        if news.said
            && let Some(member) = ledger.members.get(managed.id())
            && !member.managed.note_said()
        {
            let managed = member.managed.clone();
            ledger.push(&managed, clock::now(), What::Notified);
        }
        jobs
    }

    /// That it is stopped, or goes on. What finds no room is told later, or comes to nothing.
    pub(super) fn tell_stops(&self, ledger: &mut Ledger, managed: &Managed, child: &Child) {
        if !child.has_stop_news() {
            return;
        }
        let Some(managed) = ledger.members.get(managed.id()).map(|member| member.managed.clone()) else { return };
        while managed.may_tell_stop() && ledger.events.has_room() {
            let Some((news, since)) = child.take_stop_news() else { return };
            let what = match news {
                Stop::Stopped(signal) => What::Stopped(signal),
                Stop::Continued => What::Continued,
            };
            managed.count_stop_told();
            ledger.push(&managed, since, what);
        }
    }

    /// From here on the scheduler's actions reach it.
    pub(super) fn enroll(&self, ledger: &mut Ledger, managed: &Arc<Managed>) {
        ledger.members.insert(managed.id(), Member::of(managed.clone()));
    }

    /// It has this process: it is shown when STARTED is told. `false`: it must not run.
    pub(super) fn show_process(&self, ledger: &mut Ledger, id: Id, child: Arc<Child>) -> (bool, Vec<Job>) {
        if let Some(member) = ledger.members.get_mut(id) {
            member.passing().fresh = Some(child);
        }
        let jobs = self.step(ledger, scheduler::Event::Started(id));
        let refused = ledger.members.get_mut(id).is_none_or(|member| member.take_fresh().is_some());
        (!refused, jobs)
    }

    /// Its process could not be made, for this reason.
    pub(super) fn note_failure(&self, ledger: &mut Ledger, id: Id, why: Status) {
        if let Some(member) = ledger.members.get_mut(id) {
            member.passing().last = Some(Last { run: Run::NotMade(why), child: None, complaint: None });
        }
    }
}

/// How a run went. One that was to be ready has done its work only since then, and none at all before: however it ended, it has failed.
fn how(child: &Child, exit: &Exit) -> Ended {
    match (child.at_work_since(exit.started_ns), Ended::of(exit)) {
        (_, Ended::Stopped) => Ended::Stopped,
        (None, _) => Ended::Failed(0),
        (Some(since), _) => Ended::of(&Exit { started_ns: since, ..*exit }),
    }
}
