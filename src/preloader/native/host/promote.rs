//! A worker that is ready, and shall be the next preloader.
//!
//! ```text
//!   promote --PROMOTE{left, a control channel} on its private pair--> the worker drains, runs its hook --READY--> GO: it is the preloader
//!                                                                                  '-- FAILED, death, no time left: that channel is closed
//! ```
//!
//! The old preloader stays until the first worker of the new one is ready; who was not promoted is a worker still. (When what happens is the machine's.)
//!
//! Traps. **A worker that is late must not be killed by it**: it may say READY at the very moment at which its time is over here. So READY is a question, and
//! GO the answer: until it comes the worker is a worker, and goes on as one when the channel ends. **The child is its own supervisor's**: what it was
//! asked for is told to who has asked, never as an event of the child.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex};

use nix::errno::Errno;

use super::machine::{Birth, Event, Unpromoted};
use super::process::Process;
use super::work::{Core, Item};
use crate::clock::{self, Deadline, MILLI};
use crate::error::{Error, Result, Status};
use crate::lock::lock;
use crate::preloader::failure::{Category, Failure};
use crate::preloader::journey::step;
use crate::preloader::native::post::Post;
use crate::preloader::native::wire::{Kind, Place};
use crate::preloader::worker::Worker;
use crate::supervisor::{Host, Managed};

/// Beyond its time: who has the work in hand keeps that time, and says so.
const BEYOND: i64 = 1_000 * MILLI;

/// One that was asked for.
#[derive(Debug)]
pub struct Promotion {
    post: Arc<Post>,
    managed: Arc<Managed>,
    host: Host,
    until: Deadline,
    outcome: Mutex<Option<Result<()>>>,
}

impl Promotion {
    /// Which worker.
    pub fn birth(&self) -> Birth {
        self.post.birth
    }

    /// Its process.
    pub fn managed(&self) -> &Arc<Managed> {
        &self.managed
    }

    /// Asks it; that end of a control channel is for it.
    pub fn ask(&self, theirs: OwnedFd) -> Result<()> {
        let left = (!self.until.is_never()).then(|| self.until.left(clock::now()) / MILLI);
        let said = self.post.say(Kind::Promote, |writer| _ = writer.left(left).place(Place::Control), &theirs);
        said.map_err(|errno| match errno {
            Errno::EPIPE | Errno::ECONNRESET => Error::new(Status::Exited, "sendmsg", "the worker has ended, or closed its channel"),
            Errno::EAGAIN => Error::new(Status::Limit, "sendmsg", "the worker has not looked yet at what it was asked for before"),
            errno => Error::system("sendmsg", errno, "cannot ask the worker to become the preloader"),
        })
    }

    fn settle(&self, came: Result<()>) {
        lock(&self.outcome).get_or_insert(came);
        self.host.rouse();
    }
}

/// A worker becomes the preloader of the next generation. Returns when it is, or why not.
pub fn promote(core: &Arc<Core>, worker: &Worker, until: Deadline) -> Result<()> {
    let arrived = worker.arrived()?;
    let post = arrived.post.clone().filter(|post| post.is_of(core));
    let post = post.ok_or_else(|| Error::invalid("worker", "worker: it is none of this preloader's"))?;
    let (managed, host) = (worker.managed().clone(), worker.host().clone());
    let pid = managed.pid();
    if managed.process().is_ok_and(|child| child.exit().is_some()) {
        return Err(Error::new(Status::Exited, "promote", format!("process {pid} has ended")).with_pid(pid));
    }
    let promotion = Arc::new(Promotion { post, managed, host: host.clone(), until, outcome: Mutex::default() });
    let is_settled = || lock(&promotion.outcome).is_some();
    core.visit(&host)?;
    core.tell(Item::Promote(promotion.clone()));
    if !is_settled() {
        host.drive(until.plus(BEYOND), &is_settled)?;
    }
    let came = lock(&promotion.outcome).clone();
    came.unwrap_or_else(|| {
        Err(Error::new(Status::Timeout, "promote", "another thread has the preloader in hand, and does not come to this"))
    })
}

/// The worker says that it does not become one.
pub fn refused(status: Status, text: &str) -> Failure {
    let text = format!("the worker does not become the preloader: {text}");
    Failure::new(status, Category::default(), step::NATIVE_PROMOTION, text)
}

/// Those that were asked for, by their births.
#[derive(Debug, Default)]
pub struct Promotions(BTreeMap<Birth, (Arc<Promotion>, Option<Error>)>);

impl Promotions {
    /// One more; what the machine is to be told of it.
    pub fn enter(&mut self, promotion: Arc<Promotion>) -> Option<Event> {
        let (birth, until) = (promotion.birth(), promotion.until);
        if self.0.contains_key(&birth) {
            promotion.settle(Err(of_why(Unpromoted::Busy)));
            return None;
        }
        self.0.insert(birth, (promotion, None));
        Some(Event::Promote(birth, until))
    }

    /// It.
    pub fn get(&self, birth: Birth) -> Option<&Promotion> {
        self.0.get(&birth).map(|(promotion, _)| promotion.as_ref())
    }

    /// Why it will fail.
    pub fn blame(&mut self, birth: Birth, error: Error) {
        if let Some((_, why)) = self.0.get_mut(&birth) {
            *why = Some(error);
        }
    }

    /// It is over.
    pub fn settle(&mut self, birth: Birth, came: Result<()>) {
        if let Some((promotion, _)) = self.0.remove(&birth) {
            promotion.settle(came);
        }
    }

    /// It has failed; `process`: what there was of it.
    pub fn fail(&mut self, birth: Birth, why: Unpromoted, process: Option<&Process>) {
        let known = self.0.get_mut(&birth).and_then(|(_, known)| known.take());
        let error = match why {
            Unpromoted::Failed => known.unwrap_or_else(|| of_why(why)),
            Unpromoted::Late => process.map_or_else(|| of_why(why), Process::late_error),
            _ => of_why(why),
        };
        self.settle(birth, Err(error));
    }
}

fn of_why(why: Unpromoted) -> Error {
    let (status, text) = match why {
        Unpromoted::NoPreloader => {
            (Status::State, "there is no preloader that is ready, and would stay until the worker has proved itself as one")
        }
        Unpromoted::NotReady => (Status::State, "the worker is not ready yet"),
        Unpromoted::Busy => (Status::InProgress, "another promotion is under way, or has not proved itself yet: no worker of it is ready"),
        Unpromoted::Old => (Status::State, "the worker was born of a preloader that was replaced: what it has loaded is old"),
        Unpromoted::Late => (Status::Timeout, "the time was over before the worker was ready to fork"),
        Unpromoted::Failed => (Status::Aborted, "the worker does not become the preloader"),
        Unpromoted::Overtaken => (Status::Cancelled, "the preloader was reloaded, stopped or freed meanwhile, or has died"),
    };
    Error::new(status, "promote", text)
}
