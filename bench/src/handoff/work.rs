//! The work of every server, whatever replaces it: accept, read one request, append it to the log if there is one, reply
//! with the own pid and the number of the write, and close unless the client wants to keep the connection. One thread,
//! one epoll set, one `accept` for each readiness; so it works with a listener that blocks as well (beyond-handoff
//! makes the shared one blocking) as long as nobody else accepts.
//!
//! A long-lived connection cannot be answered by an owner that has stopped to write. So while it drains, each reply on
//! one is the last and says so (as HTTP's `Connection: close` does); the client opens another one for its next request.
//! Or it is passed on, where there is a way to do that.

use super::ring::{Event, Ring};
use super::wire::{GO_AWAY, KEEP, RECORD, REQUEST, Record, Reply, Request};
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::socket::{MsgFlags, recv, send};
use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::atomic::Ordering::{Relaxed, Release};
use std::time::{Duration, Instant};

/// For connections that are open when the drain begins. Their clients ask every 20 ms, if they get the CPU.
const DRAIN: Duration = Duration::from_secs(1);
/// For requests that are on their way when nothing is accepted any more: they come within microseconds, as above.
const FINISH: Duration = Duration::from_secs(1);

const LISTENER: u64 = 0;
const SIGNALS: u64 = 1;
const CONDUCTOR: u64 = 2;
/// A descriptor of the mechanism: `Turn::theirs`.
pub const THEIRS: u64 = 3;
/// Connections: their number and this.
const CONNECTIONS: u64 = 16;

/// What a turn of the loop has brought besides requests.
#[derive(Default, PartialEq, Eq)]
pub struct Turn {
    pub theirs: bool,
    /// SIGHUP: replace yourself.
    pub upgrade: bool,
    /// SIGTERM, or the conductor has gone: end.
    pub stop: bool,
}

struct Connection {
    stream: TcpStream,
    /// Was open when the drain began.
    old: bool,
    /// In the epoll set: its request was not there at once.
    watched: bool,
}

pub struct Work {
    pub ring: &'static Ring,
    pub generation: u32,
    epoll: Epoll,
    signals: SignalFd,
    conductor: OwnedFd,
    listener: Option<TcpListener>,
    connections: HashMap<RawFd, Connection>,
    log: Option<File>,
    /// The last write; without a log the last reply.
    pub sequence: u64,
    writing: bool,
    draining: Option<Instant>,
    old: usize,
}

impl Work {
    /// Blocks the two signals: call it before there is another thread.
    pub fn new(dir: &Path) -> Result<Self, String> {
        let ring = Ring::open(dir)?;
        let generation = ring.new_generation();
        ring.stamp(generation, Event::Started);
        let orders = SigSet::from_iter([Signal::SIGHUP, Signal::SIGTERM]);
        let signals = orders.thread_block().and_then(|()| SignalFd::with_flags(&orders, SfdFlags::SFD_CLOEXEC));
        let signals = signals.map_err(|errno| format!("signals: {errno}"))?;
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).map_err(|errno| format!("epoll: {errno}"))?;
        let conductor = pidfd(ring.conductor.load(Relaxed))?;
        let (connections, log) = (HashMap::new(), None);
        let (sequence, writing, draining, old) = (0, false, None, 0);
        let work = Self {
            ring,
            generation,
            epoll,
            signals,
            conductor,
            listener: None,
            connections,
            log,
            sequence,
            writing,
            draining,
            old,
        };
        work.watch(&work.signals, SIGNALS)?;
        work.watch(&work.conductor, CONDUCTOR)?;
        Ok(work)
    }

    pub fn stamp(&self, event: Event) {
        self.ring.stamp(self.generation, event);
    }

    pub fn watch(&self, fd: impl AsFd, token: u64) -> Result<(), String> {
        let event = EpollEvent::new(EpollFlags::EPOLLIN, token);
        self.epoll.add(fd, event).map_err(|errno| format!("epoll_ctl: {errno}"))
    }

    /// What a program does before it can serve: here it only waits. The first generation has nobody to keep waiting.
    pub fn load(&self) {
        if self.generation > 0 {
            let ms = self.ring.load_ms.load(Relaxed);
            std::thread::sleep(Duration::from_millis(ms.into()));
        }
    }

    /// Opens it, and reads its end once as a rehearsal; nothing is written before `write_on`.
    pub fn open_log(&mut self, dir: &Path) -> Result<(), String> {
        let path = dir.join("log");
        let file = OpenOptions::new().read(true).append(true).create(true).open(&path);
        self.log = Some(file.map_err(|error| format!("{}: {error}", path.display()))?);
        self.read_end()
    }

    /// Whoever wrote the last record has ended, so the end stays where it is.
    fn read_end(&mut self) -> Result<(), String> {
        let Some(log) = &self.log else { return Ok(()) };
        let failed = |error: std::io::Error| format!("the log: {error}");
        let length = log.metadata().map_err(failed)?.len();
        if length > 0 {
            let mut last = [0; RECORD];
            log.read_exact_at(&mut last, length - RECORD as u64).map_err(failed)?;
            self.sequence = Record::read(&last).sequence;
        }
        Ok(())
    }

    /// From here on this process may write: it goes on after the last record.
    pub fn write_on(&mut self) -> Result<(), String> {
        self.read_end()?;
        self.writing = true;
        self.stamp(Event::WriteOn);
        Ok(())
    }

    pub fn is_logged(&self) -> bool {
        self.log.is_some()
    }

    pub fn is_accepting(&self) -> bool {
        self.listener.is_some()
    }

    pub fn accept_on(&mut self, listener: TcpListener) -> Result<(), String> {
        self.watch(&listener, LISTENER)?;
        self.listener = Some(listener);
        self.ring.owner.store(std::process::id(), Release);
        self.stamp(Event::AcceptOn);
        Ok(())
    }

    /// The listener stays open: what is queued there is for the next one. Those who have nobody to leave it to drop it.
    pub fn accept_off(&mut self) -> Option<TcpListener> {
        let listener = self.listener.take()?;
        self.stamp(Event::AcceptOff);
        let _ = self.epoll.delete(&listener);
        Some(listener)
    }

    /// Those that are open, for a successor that gets them.
    pub fn connections(&self) -> impl Iterator<Item = RawFd> {
        self.connections.keys().copied()
    }

    /// Nothing is read from them any more: what comes is for the next one.
    pub fn stop_reading(&mut self) {
        for connection in self.connections.values_mut().filter(|connection| connection.watched) {
            let _ = self.epoll.delete(&connection.stream);
            connection.watched = false;
        }
    }

    /// One that another generation has accepted.
    pub fn adopt(&mut self, stream: TcpStream) -> Result<(), String> {
        let fd = stream.as_raw_fd();
        self.connections.insert(fd, Connection { stream, old: false, watched: false });
        self.wait_for(fd)
    }

    pub fn drain(&mut self) {
        self.stamp(Event::Drain);
        self.draining = Some(Instant::now() + DRAIN);
        self.old = self.connections.len();
        self.connections.values_mut().for_each(|connection| connection.old = true);
    }

    /// Nobody has a connection of old, or has not used it for too long.
    pub fn drained(&self) -> bool {
        self.draining.is_some_and(|deadline| self.old == 0 || Instant::now() > deadline)
    }

    /// Answers what is on its way, accepts nothing.
    pub fn finish(&mut self) -> Result<(), String> {
        let deadline = Instant::now() + FINISH;
        while !self.connections.is_empty() && Instant::now() < deadline {
            self.turn(1)?;
        }
        self.connections.clear();
        Ok(())
    }

    /// The last act of an owner: all that it has acknowledged is safe in the log when this returns.
    pub fn write_off(&mut self) -> Result<u64, String> {
        self.writing = false;
        self.stamp(Event::WriteOff);
        if let Some(log) = &self.log {
            log.sync_data().map_err(|error| format!("the log: {error}"))?;
        }
        Ok(self.sequence)
    }

    /// One look at the epoll set, and the work that it brings; -1 waits.
    pub fn turn(&mut self, timeout_ms: i32) -> Result<Turn, String> {
        let mut events = [EpollEvent::empty(); 64];
        let timeout = EpollTimeout::try_from(timeout_ms).expect("-1 or more");
        let count = match self.epoll.wait(&mut events, timeout) {
            Ok(count) => count,
            Err(nix::Error::EINTR) => 0,
            Err(errno) => return Err(format!("epoll_wait: {errno}")),
        };
        let mut turn = Turn::default();
        for event in &events[..count] {
            match event.data() {
                LISTENER => self.accept()?,
                SIGNALS => {
                    let signal = self.signals.read_signal().ok().flatten();
                    let signal = signal.and_then(|signal| Signal::try_from(signal.ssi_signo as i32).ok());
                    turn.upgrade |= signal == Some(Signal::SIGHUP);
                    turn.stop |= signal == Some(Signal::SIGTERM);
                }
                CONDUCTOR => turn.stop = true,
                THEIRS => turn.theirs = true,
                connection => self.answer((connection - CONNECTIONS) as RawFd)?,
            }
        }
        Ok(turn)
    }

    fn accept(&mut self) -> Result<(), String> {
        let Some(listener) = &self.listener else { return Ok(()) };
        let stream = match listener.accept() {
            Ok((stream, _)) => stream,
            // Somebody else was faster, or the client has gone.
            Err(error) if matches!(error.raw_os_error(), Some(libc::EAGAIN | libc::ECONNABORTED | libc::EINTR)) => {
                return Ok(());
            }
            Err(error) => return Err(format!("accept: {error}")),
        };
        let fd = stream.as_raw_fd();
        self.connections.insert(fd, Connection { stream, old: false, watched: false });
        self.answer(fd)
    }

    /// Most requests are there before their connection is accepted; the others are waited for.
    fn answer(&mut self, fd: RawFd) -> Result<(), String> {
        let mut bytes = [0; REQUEST];
        match recv(fd, &mut bytes, MsgFlags::MSG_DONTWAIT) {
            Ok(REQUEST) => {}
            Err(nix::Error::EAGAIN) => return self.wait_for(fd),
            _ => {
                self.close(fd); // the end, an error, or half a request
                return Ok(());
            }
        }
        let Request { id, flags } = Request::read(&bytes);
        if self.log.is_some() && !self.writing {
            return Err("a request for an owner that may not write".into());
        }
        self.sequence += 1;
        let (sequence, pid) = (self.sequence, std::process::id());
        if let Some(log) = &mut self.log {
            let record = Record { sequence, id, pid: pid.into() };
            std::io::Write::write_all(log, &record.bytes()).map_err(|error| format!("the log: {error}"))?;
        }
        let keep = flags & KEEP != 0;
        let last = !keep || self.draining.is_some();
        let reply = Reply { id, sequence, pid, flags: if keep && last { GO_AWAY } else { 0 } };
        let sent = send(fd, &reply.bytes(), MsgFlags::MSG_NOSIGNAL | MsgFlags::MSG_DONTWAIT);
        if last || sent.is_err() {
            self.close(fd);
            return Ok(());
        }
        self.wait_for(fd)
    }

    fn wait_for(&mut self, fd: RawFd) -> Result<(), String> {
        let Some(connection) = self.connections.get_mut(&fd) else { return Ok(()) };
        if std::mem::replace(&mut connection.watched, true) {
            return Ok(());
        }
        let event = EpollEvent::new(EpollFlags::EPOLLIN, CONNECTIONS + fd as u64);
        self.epoll.add(&connection.stream, event).map_err(|errno| format!("epoll_ctl: {errno}"))
    }

    fn close(&mut self, fd: RawFd) {
        if self.connections.remove(&fd).is_some_and(|connection| connection.old) {
            self.old -= 1;
        }
    }
}

pub fn pidfd(pid: u32) -> Result<OwnedFd, String> {
    // SAFETY: two numbers; the result is a new descriptor or -1.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) } as RawFd;
    if fd < 0 {
        return Err(format!("process {pid}: {}", std::io::Error::last_os_error()));
    }
    // SAFETY: as above.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}
