//! `bench handoff-conductor` (hidden): whoever starts, replaces and ends the servers of one method: an operator's script,
//! or a supervisor, which is part of the method and so runs on the servers' CPU (beyond-handoff's in this process,
//! procsup's in one of its own, an `overseer`, which can be killed). Orders come on its stream 0, one line each, and are answered when they are done: `start`, `replace` (with the microseconds that it took),
//! `stop`. The end of stream 0 ends the servers too.

use super::method::{Method, is_beyond, is_supervised, is_v1};
use super::ring::Ring;
use super::server::{beyond, command};
use super::{disk, network};
use crate::host;
use crate::options::DEFAULT_LIB;
use crate::served::Served;
use beyond_handoff::pass_listener_fds_on_spawn;
use beyond_handoff::supervisor::{SpawnSpec, Supervisor};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::prctl::set_child_subreaper;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use std::io::{BufRead, Write};
use std::net::TcpListener;
use std::os::fd::{AsFd, AsRawFd};
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(20);

#[derive(clap::Args)]
pub struct Options {
    method: String,
    /// Of this run
    dir: PathBuf,
    /// The servers' CPU
    #[arg(long)]
    cpu: Option<usize>,
    /// libprocsup.so
    #[arg(long, env = "PROCSUP_LIB", default_value = DEFAULT_LIB)]
    lib: PathBuf,
}

pub fn run(options: &Options) -> Result<(), String> {
    if let Some(cpu) = options.cpu {
        host::pin(cpu)?;
    }
    let method = Method::find(&options.method)?;
    // Successors whose parent has gone are ours, so that nobody is left behind.
    set_child_subreaper(true).map_err(|errno| format!("subreaper: {errno}"))?;
    let ring = Ring::open(&options.dir)?;
    ring.conductor.store(std::process::id(), Release);
    let mut conductor = Conductor { method, options, ring, supervised: None, overseer: None };
    let done = conductor.obey();
    conductor.stop();
    done.map_err(|problem| format!("{}: {problem}", method.id))
}

struct Conductor<'a> {
    method: &'static Method,
    options: &'a Options,
    ring: &'static Ring,
    supervised: Option<Supervised>,
    overseer: Option<Served>,
}

/// beyond-handoff's supervisor holds the listener.
struct Supervised {
    supervisor: Supervisor,
    #[expect(dead_code, reason = "held open")]
    listener: TcpListener,
}

impl Conductor<'_> {
    fn obey(&mut self) -> Result<(), String> {
        for line in std::io::stdin().lock().lines() {
            let begun = Instant::now();
            let before = self.ring.settled();
            match line.map_err(|error| error.to_string())?.as_str() {
                "start" => self.start()?,
                "replace" => self.replace(before)?,
                "stop" => return Ok(()),
                other => return Err(format!("no order {other}")),
            }
            self.ring.wait_settled(before, PATIENCE)?;
            let mut out = std::io::stdout().lock();
            let answered = writeln!(out, "{:.1}", begun.elapsed().as_secs_f64() * 1e6).and_then(|()| out.flush());
            answered.map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    fn start(&mut self) -> Result<(), String> {
        if is_supervised(self.method) || is_v1(self.method) {
            return self.with_overseer("start");
        }
        let mut server = self.command();
        if is_beyond(self.method) {
            let listener = network::listen(0, self.ring.backlog.load(Relaxed), false)?;
            let port = listener.local_addr().map_err(|error| error.to_string())?.port();
            self.ring.port.store(port.into(), Relaxed);
            let names = [(beyond::NAME.to_owned(), listener.as_raw_fd())];
            pass_listener_fds_on_spawn(&mut server, &names, None);
            let mut supervisor = Supervisor::new(&beyond::control_path(&self.options.dir))
                .map_err(|error| error.to_string())?
                .with_listener(beyond::NAME, listener.as_raw_fd());
            if self.method.id == "beyond" {
                supervisor = supervisor.with_journal(disk(&self.options.dir).join("state.bin"));
            }
            self.supervised = Some(Supervised { supervisor, listener });
        }
        server.spawn().map(drop).map_err(|error| format!("the first server: {error}"))
    }

    /// A supervisor of procsup's in a process of its own, with its first order.
    fn with_overseer(&mut self, order: &str) -> Result<(), String> {
        let dir = self.options.dir.to_string_lossy();
        let overseer = Served::start(&["handoff-overseer", self.method.id, &dir], &self.options.lib)?;
        self.overseer.insert(overseer).ask(order).map(drop)
    }

    /// It is told to, and then something may become of it (the old server sees to that): who waits for the handoff
    /// looks at the servers.
    fn replace_supervised(&mut self, old: Pid, before: u32) -> Result<(), String> {
        let gone = ended(old)?;
        let overseer = self.overseer.as_mut().ok_or("not started")?;
        overseer.order("replace")?;
        self.ring.wait_settled(before, PATIENCE)?;
        match self.method.id {
            "supervised-killed" | "supervised-killed-late" | "supervised-killed-here" => {
                drop(self.overseer.take());
                self.with_overseer("recover")?;
            }
            "supervised-stopped" => {
                overseer.signal(Signal::SIGCONT)?;
                overseer.answer("replace")?;
            }
            _ => drop(overseer.answer("replace")?),
        }
        gone()?;
        let _ = waitpid(old, Some(WaitPidFlag::WNOHANG)); // ours, if its supervisor was killed
        Ok(())
    }

    fn command(&self) -> Command {
        let words = command(self.method, &self.options.dir, &self.options.lib);
        let mut server = Command::new(&words[0]);
        server.args(&words[1..]);
        server
    }

    fn replace(&mut self, before: u32) -> Result<(), String> {
        let old = self.owner();
        let told = |signal| kill(old, signal).map_err(|errno| format!("{signal} to the owner: {errno}"));
        match self.method.id {
            "restart" => {
                told(Signal::SIGTERM)?;
                self.bury(old)?;
                self.command().spawn().map_err(|error| format!("the new server: {error}"))?;
            }
            "reuseport" | "reuseport-migrate" => {
                self.command().spawn().map_err(|error| format!("the new server: {error}"))?;
                self.ring.wait_settled(before, PATIENCE)?;
                told(Signal::SIGTERM)?;
                self.bury(old)?;
            }
            _ if is_supervised(self.method) || is_v1(self.method) => self.replace_supervised(old, before)?,
            "beyond" | "beyond-tuned" => {
                let words = command(self.method, &self.options.dir, &self.options.lib);
                let mut spec = SpawnSpec::new(&words[0]);
                spec.args = words[1..].iter().map(|word| word.to_string_lossy().into_owned()).collect();
                let supervised = self.supervised.as_ref().ok_or("not started")?;
                let outcome = supervised.supervisor.perform_handoff(spec).map_err(|error| error.to_string())?;
                if !outcome.committed {
                    return Err(outcome.abort_reason.unwrap_or_else(|| "not committed".into()));
                }
                self.bury(old)?;
            }
            _ => {
                told(Signal::SIGHUP)?; // it replaces itself
                self.ring.wait_settled(before, PATIENCE)?;
                self.bury(old)?;
            }
        }
        Ok(())
    }

    fn owner(&self) -> Pid {
        Pid::from_raw(self.ring.owner.load(Acquire) as i32)
    }

    /// Waits for the end of a server, which must be a good one. It became our child if it was not.
    fn bury(&self, server: Pid) -> Result<(), String> {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            match waitpid(server, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::Exited(_, 0)) => return Ok(()),
                Ok(WaitStatus::StillAlive) | Err(nix::Error::EINTR) => std::thread::sleep(Duration::from_micros(200)),
                Ok(other) => return Err(format!("the old server: {other:?}")),
                Err(errno) => return Err(format!("the old server {server}: {errno}")),
            }
        }
        Err(format!("the old server {server} does not end"))
    }

    /// Everybody who is left: asked, then killed.
    fn stop(&mut self) {
        if let Some(overseer) = self.overseer.take() {
            let _ = overseer.signal(Signal::SIGKILL); // whatever state it is in; the server is not its child for us
        }
        if self.owner().as_raw() <= 0 {
            return; // 0 would be our own group
        }
        let deadline = Instant::now() + Duration::from_secs(3);
        let _ = kill(self.owner(), Signal::SIGTERM);
        loop {
            match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
                Err(nix::Error::ECHILD) => return,
                Ok(WaitStatus::StillAlive) => std::thread::sleep(Duration::from_millis(1)),
                _ => {}
            }
            if Instant::now() > deadline {
                let _ = kill(self.owner(), Signal::SIGKILL);
                return;
            }
        }
    }
}

/// Waits for the end of a process that may be somebody else's child. Take it before that can come.
fn ended(pid: Pid) -> Result<impl FnOnce() -> Result<(), String>, String> {
    let process = super::work::pidfd(pid.as_raw() as u32)?;
    Ok(move || {
        let mut fds = [PollFd::new(process.as_fd(), PollFlags::POLLIN)];
        let patience = PollTimeout::try_from(PATIENCE.as_millis() as i32).expect("some seconds");
        match poll(&mut fds, patience) {
            Ok(0) => Err(format!("the old server {pid} does not end")),
            Ok(_) => Ok(()),
            Err(errno) => Err(format!("poll: {errno}")),
        }
    })
}
