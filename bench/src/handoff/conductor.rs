//! `bench handoff-conductor` (hidden): whoever starts, replaces and ends the servers of one method: an operator's script,
//! or beyond-handoff's supervisor, which is part of the method and so runs on the servers' CPU. Orders come on its
//! stream 0, one line each, and are answered when they are done: `start`, `replace` (with the microseconds that it took),
//! `stop`. The end of stream 0 ends the servers too.

use super::method::Method;
use super::ring::Ring;
use super::server::{beyond, command};
use super::{disk, network};
use crate::host;
use crate::options::DEFAULT_LIB;
use beyond_handoff::pass_listener_fds_on_spawn;
use beyond_handoff::supervisor::{SpawnSpec, Supervisor};
use nix::sys::prctl::set_child_subreaper;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use std::io::{BufRead, Write};
use std::net::TcpListener;
use std::os::fd::AsRawFd;
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
    let mut conductor = Conductor { method, options, ring, supervised: None };
    let done = conductor.obey();
    conductor.stop();
    done.map_err(|problem| format!("{}: {problem}", method.id))
}

struct Conductor<'a> {
    method: &'static Method,
    options: &'a Options,
    ring: &'static Ring,
    supervised: Option<Supervised>,
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
        let mut server = self.command();
        if self.method.id.starts_with("beyond") {
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
    fn stop(&self) {
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
