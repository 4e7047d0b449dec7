//! One handshake on real descriptors: an errand that follows a process from when it is there until it is ready or never will be. What is decided
//! when stands in `handshake.rs`.
//!
//! Traps. **Who is told must find it so**: the outcome is settled before READY or FAILED is told, for another thread takes the event at
//! once. **The evidence goes with the directory**: what the process has written down is read first, then it is killed, and only then
//! the directory is removed. **The FIFO says nothing until somebody has opened it**, and is at its end for ever once all have
//! closed it: it is read only when it is readable, and watched only while that can decide anything. **The pidfd is a duplicate**: the supervisor
//! watches its own, and tells of the end. What the process says on its streams is the supervisor's business, too.

use std::fmt;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex};

use super::failure::{self, Evidence, Failure};
use super::handshake::{Life, Machine, Port, Said, Seen, State, Why};
use super::journey::{step, take_in};
use super::native::post::Post;
use super::promise::{Promise, panicked};
use super::session::{Dumps, Finish, Instance, Purpose, Session, Socket, Violations};
use crate::clock::{self, Deadline, MILLI};
use crate::coordination::probe::{Address, Answer, Connecting, Probe};
use crate::error::{Error, Result, Status};
use crate::journey::{Journey, Progress};
use crate::lock::lock;
use crate::process::child::Child;
use crate::process::output::tail;
use crate::registry::Cause;
use crate::supervisor::{Errand, Host, Managed, Wants};
use crate::sys::{fds, poll, procfs};

/// How often what ended is looked at until its exit record is there.
const SOON: i64 = MILLI;
/// How much of what a process has written goes into an error.
const OUTPUT: usize = 64 * 1024;

/// What is to be followed, from when its process is there.
#[derive(Debug)]
pub struct Attempt {
    /// By which the two sides speak; its directory goes with the end of the handshake.
    pub session: Session,
    /// How far it has come; SPAWNING_KIT_HANDSHAKE_PERFORM is begun here.
    pub journey: Journey,
    /// The end of the whole.
    pub deadline: Deadline,
    /// What the preloader has told of itself, for the error.
    pub preloader: Option<Arc<Dumps>>,
}

/// A process that is ready.
#[derive(Debug)]
pub struct Arrived {
    /// Where it is to be found; at least one of the kind that was needed.
    pub sockets: Vec<Socket>,
    /// All steps, those of the process among them.
    pub journey: Journey,
    /// What it has told of itself, if it is a preloader.
    pub dumps: Dumps,
    /// Its unique name: `gupid` of its arguments.
    pub gupid: String,
    /// What kind of application it is: `app_type` of its arguments.
    pub app_type: String,
    /// Since when it is ready.
    pub ready: Moment,
    /// The generation of the preloader that it was forked from; 0 without one. The client sets it.
    pub generation: u32,
    /// The directory that was made for its sockets, to be kept as long as it lives.
    pub instance: Option<Instance>,
    /// Where it can be spoken to, if its preloader is a native one.
    pub post: Option<Arc<Post>>,
}

/// A moment by both clocks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Moment {
    /// Nanoseconds of CLOCK_MONOTONIC.
    pub monotonic_ns: i64,
    /// Nanoseconds since the epoch.
    pub wall_ns: i64,
}

impl Moment {
    /// This one.
    pub fn now() -> Self {
        let since = std::time::UNIX_EPOCH.elapsed().unwrap_or_default().as_nanos();
        Self { monotonic_ns: clock::now(), wall_ns: i64::try_from(since).unwrap_or(i64::MAX) }
    }
}

/// What is done when it is over; called once, whatever comes, within somebody's look: it never waits. Before READY or FAILED is told.
pub type Then = Box<dyn FnOnce(Result<Arrived>) + Send>;

/// One that is followed.
#[derive(Debug)]
pub struct Follow {
    managed: Arc<Managed>,
    /// Its process's; none, where there was no descriptor left for it: then it is looked at from time to time.
    pidfd: Option<Arc<OwnedFd>>,
    /// Where its port is tried.
    address: Option<Address>,
    /// Which one that is.
    port: Option<u16>,
    /// Until when it has time: whoever wants it may give it more.
    end: Mutex<Deadline>,
    under_way: Mutex<Option<Box<UnderWay>>>,
}

struct UnderWay {
    machine: Machine,
    attempt: Attempt,
    said: Said,
    connecting: Option<Connecting>,
    then: Promise<Arrived>,
}

impl fmt::Debug for UnderWay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnderWay").field("machine", &self.machine).field("attempt", &self.attempt).finish_non_exhaustive()
    }
}

impl Follow {
    /// Follows the process of a child whose command says `ready_when_told`, and tells: `tell_ready`, or `tell_failed`, by which it is killed.
    pub fn begin(host: &Host, managed: &Arc<Managed>, mut attempt: Attempt, then: Then) -> Arc<Self> {
        let now = clock::now();
        attempt.journey.begin(step::SPAWNING_KIT_HANDSHAKE_PERFORM, now);
        let port = attempt.session.port();
        let address = port.and_then(|port| Address::parse("port", &format!("tcp:127.0.0.1:{port}")).ok());
        let machine = Machine::begun(attempt.deadline, address.is_some(), now);
        let pidfd = managed.process().ok().and_then(|child| child.pidfd()).and_then(|pidfd| fds::duplicate(&pidfd).ok());
        let end = Mutex::new(attempt.deadline);
        let under_way = UnderWay { machine, attempt, said: Said::Nothing, connecting: None, then: Promise::of(then) };
        let follow = Arc::new(Self {
            managed: managed.clone(),
            pidfd: pidfd.map(Arc::new),
            address,
            port,
            end,
            under_way: Mutex::new(Some(Box::new(under_way))),
        });
        if let Err(error) = host.run(follow.clone()) {
            follow.give_up(&error);
        }
        follow
    }

    /// It has more time, until then: somebody waits for it that long.
    pub fn put_off(&self, end: Deadline) {
        let mut known = lock(&self.end);
        *known = end.max(*known);
    }

    /// What this look sees.
    fn look(&self, under_way: &mut UnderWay, now: i64) -> Seen {
        // In this order: what it has said before its end is told with that.
        under_way.hear();
        let port = self.ping(under_way, now);
        Seen { life: self.life(under_way.said), said: under_way.said, port }
    }

    fn life(&self, said: Said) -> Life {
        let Ok(child) = self.managed.process() else { return Life::Lives };
        if child.exit().is_some() {
            return Life::Over;
        }
        let Some(pidfd) = self.pidfd.clone().or_else(|| child.pidfd()) else { return Life::Ended };
        if poll::wait(&[pidfd.as_fd()], Deadline::PAST) == Ok(true) {
            // So that why it failed is known before its end is told; the supervisor finds it reaped.
            return if matches!(child.reap_ended(clock::now()), Ok(Some(_))) { Life::Over } else { Life::Ended };
        }
        // It reads files: only where it matters.
        let dies = said == Said::EndOfFile && procfs::is_dying(child.pid());
        if dies { Life::Dying } else { Life::Lives }
    }

    /// Moves the try at its port on.
    fn ping(&self, under_way: &mut UnderWay, now: i64) -> Port {
        let UnderWay { machine, connecting, .. } = under_way;
        let Some(address) = &self.address else { return Port::Nothing };
        let answer = match connecting.take() {
            Some(under_way) => under_way.finish(),
            None if machine.tries(now) => {
                machine.trying(now);
                Probe::begin(address)
            }
            None => return Port::Nothing,
        };
        match answer {
            Answer::Now(Ok(())) => Port::Answered,
            Answer::Now(Err(_)) => Port::Refused,
            Answer::Later(under_way) => {
                *connecting = Some(under_way);
                Port::Nothing
            }
        }
    }

    /// What it has to be told of next.
    fn wants(&self, under_way: &mut UnderWay, now: i64) -> Wants {
        let UnderWay { machine, attempt, connecting, .. } = under_way;
        // One that took too long is closed.
        if !machine.is_trying() {
            *connecting = None;
        }
        let mut due = machine.due();
        let mut fds: Vec<(Arc<OwnedFd>, bool)> = connecting.iter().map(|connecting| (connecting.fd().clone(), true)).collect();
        match machine.state() {
            State::Ended(_) => due = due.min(Deadline::at(now).plus(SOON)),
            state => {
                fds.extend(self.pidfd.iter().map(|pidfd| (pidfd.clone(), false)));
                if self.pidfd.is_none() {
                    due = due.min(Deadline::at(now).plus(poll::PAUSE));
                }
                if state == State::Waiting {
                    fds.push((attempt.session.finish().clone(), false));
                }
            }
        }
        Wants { fds, due }
    }

    /// It is ready, by its port or by its word.
    fn arrive(&self, under_way: Box<UnderWay>, by_port: bool) {
        let sockets = match under_way.sockets(by_port) {
            Ok(sockets) => sockets,
            Err(violations) => {
                // Where this process is out of descriptors nothing can be read, and that is not the application's fault. A read takes a few.
                let finish = under_way.attempt.session.finish();
                let few: core::result::Result<Vec<_>, _> = (0..4).map(|_| fds::duplicate(finish)).collect();
                let failure = match few {
                    Ok(_) => Failure::violated(violations),
                    Err(errno) => {
                        let error = Error::system("open", errno, "cannot read what the process says of its sockets");
                        Failure::of(step::SPAWNING_KIT_HANDSHAKE_PERFORM, &error)
                    }
                };
                return self.fail(under_way, failure);
            }
        };
        let UnderWay { attempt, then, .. } = *under_way;
        let Attempt { session, mut journey, .. } = attempt;
        let response = session.response_of_ready();
        // What of it makes no sense is left out: it is ready all the same.
        drop(take_in(&mut journey, &response));
        let now = clock::now();
        journey.end(step::SPAWNING_KIT_HANDSHAKE_PERFORM, now);
        journey.begin(step::SPAWNING_KIT_FINISH, now);
        journey.set(step::SUBPROCESS_FINISH, Progress::Performed, Some(now), Some(now));
        let text = |name| session.arguments().text(name).unwrap_or_default().to_owned();
        let (gupid, app_type) = (text("gupid"), text("app_type"));
        let instance = session.take_instance();
        drop(session);
        let ready = Moment::now();
        journey.end(step::SPAWNING_KIT_FINISH, ready.monotonic_ns);
        then.keep(Ok(Arrived { sockets, journey, dumps: response.dumps, gupid, app_type, ready, generation: 0, instance, post: None }));
        if !self.managed.tell_ready() {
            // It has ended since that look: whoever asks for it finds it so.
            let pid = self.managed.pid();
            let message = format!("process {pid} was ready and has ended");
            self.managed.tell_failed(Error::new(Status::Exited, "ready", message).with_pid(pid));
        }
    }

    /// It never will be ready.
    fn fail(&self, under_way: Box<UnderWay>, failure: Failure) {
        let UnderWay { attempt, then, .. } = *under_way;
        let Attempt { session, journey, preloader, .. } = attempt;
        let child = self.managed.process().ok();
        let evidence = Evidence {
            journey,
            response: Some(session.response()),
            arguments: session.arguments(),
            output: child.as_deref().map(written).unwrap_or_default(),
            pid: child.as_ref().map(|child| child.pid()),
            exit: child.as_ref().and_then(|child| child.exit()),
            preloader: preloader.as_deref(),
            purpose: session.purpose(),
        };
        let exit = evidence.exit;
        let mut error = failure::error(failure, evidence);
        failure::blame(&mut error, exit.as_ref());
        if let Some(child) = child.filter(|child| !child.is_stopping()) {
            child.kill(Cause::NotReady);
        }
        drop(session);
        then.keep(Err(error.clone()));
        self.managed.tell_failed(error);
    }

    /// Nobody can follow it any more, for this reason.
    fn give_up(&self, error: &Error) {
        let under_way = lock(&self.under_way).take();
        match under_way {
            Some(under_way) => self.fail(under_way, Failure::of(step::SPAWNING_KIT_HANDSHAKE_PERFORM, error)),
            // A turn has panicked, and taken it along. (One that is told already stays as it was told.)
            None => self.managed.tell_failed(panicked()),
        }
    }

    fn explain(&self, why: Why) -> Failure {
        let pid = self.managed.pid();
        match why {
            Why::Exited(_) => Failure::exited(pid, self.managed.process().ok().and_then(|child| child.exit()).as_ref()),
            Why::TimedOut => {
                let port = |port| {
                    format!(
                        "waiting for the application to listen at 127.0.0.1:{port}, the PORT of its environment, or to say that it is ready"
                    )
                };
                let doing = self.port.map_or_else(|| "waiting for the application's word that it is ready".to_owned(), port);
                Failure::timeout(step::SPAWNING_KIT_HANDSHAKE_PERFORM, &doing)
            }
            Why::Reported(byte) => Failure::answered(Some(byte)),
            Why::EndOfFile => Failure::answered(None),
        }
    }
}

impl UnderWay {
    /// What it has said, if there is anything new.
    fn hear(&mut self) {
        let finish = self.attempt.session.finish();
        if self.said != Said::Nothing || poll::wait(&[finish.as_fd()], Deadline::PAST) != Ok(true) {
            return;
        }
        self.said = match self.attempt.session.read_finish() {
            Finish::Nothing => Said::Nothing,
            Finish::Success => Said::Ready,
            Finish::Failure(Some(byte)) => Said::Byte(byte),
            Finish::Failure(None) => Said::EndOfFile,
        };
    }

    /// Where it is to be found. The port that was found for it is one of them: but not if nobody answers there, and it serves elsewhere.
    fn sockets(&self, by_port: bool) -> core::result::Result<Vec<Socket>, Violations> {
        let session = &self.attempt.session;
        let mut sockets = session.sockets()?;
        let at_port = session.port().map(|port| format!("tcp://127.0.0.1:{port}")).filter(|_| !by_port);
        let is_at_port = |socket: &Socket| at_port.as_ref().is_some_and(|address| socket.address == *address);
        if sockets.iter().any(|socket| !is_at_port(socket) && serves(session.purpose(), socket)) {
            sockets.retain(|socket| !is_at_port(socket));
        }
        Ok(sockets)
    }
}

/// Whether it is what this purpose needs (PA-59).
fn serves(purpose: Purpose, socket: &Socket) -> bool {
    match purpose {
        Purpose::StartPreloader => socket.protocol == "preloader",
        Purpose::Direct | Purpose::Worker => socket.accepts_http,
    }
}

impl Errand for Follow {
    fn turn(&self, now: i64) -> Option<Wants> {
        let mut under_way = lock(&self.under_way).take()?;
        let seen = self.look(&mut under_way, now);
        under_way.machine.put_off(*lock(&self.end));
        under_way.machine.step(seen, now);
        match under_way.machine.state() {
            State::Ready { port, .. } => self.arrive(under_way, port),
            State::Failed(why, _) => self.fail(under_way, self.explain(why)),
            State::Waiting | State::Said | State::Closed(_) | State::Ended(_) => {
                let wants = self.wants(&mut under_way, now);
                *lock(&self.under_way) = Some(under_way);
                return Some(wants);
            }
        }
        None
    }

    fn called_off(&self) {
        self.give_up(&Error::new(Status::Shutdown, "supervisor", "the supervisor has been closed"));
    }
}

/// The last of what a process has written, as far as that is kept; what is in its pipes yet among it.
fn written(child: &Child) -> Vec<u8> {
    child.with_output(None, true, |pieces, _| tail(pieces, OUTPUT)).unwrap_or_default()
}
