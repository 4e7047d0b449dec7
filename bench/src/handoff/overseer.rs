//! `bench handoff-overseer` (hidden): procsup's separate supervisor, in the process that it is meant to have. It runs on
//! the servers' CPU, as every supervisor here does. Orders come on its stream 0, one line each, and are answered when
//! they are done: `start`, `recover`, `replace`. Between two of them it does what the library asks for. The end of
//! stream 0 ends it, and the generation goes on.
//!
//! In the rows of a supervisor that is stopped or killed, the old server does that to it, at a step of its own: an order
//! from outside would come at any.

use super::daemons::{Daemon, Setup};
use super::library_supervisor::{Protocol, Recipe, Supervisor};
use super::method::{self, Method};
use super::ring::Ring;
use super::server::{beyond, command};
use super::{disk, network};
use crate::host;
use crate::options::DEFAULT_LIB;
use crate::procsup::Api;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::io::Write;
use std::net::TcpListener;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::path::PathBuf;
use std::sync::atomic::Ordering::{Relaxed, Release};
use std::time::Instant;

/// As beyond-handoff's supervisor has them.
const DEADLINE_MS: i64 = 60_000;
const DRAIN_MS: i64 = 30_000;

#[derive(clap::Args)]
pub struct Options {
    method: String,
    /// Of this run
    dir: PathBuf,
    /// Of a daemon
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// libprocsup.so
    #[arg(long, env = "PROCSUP_LIB", default_value = DEFAULT_LIB)]
    lib: PathBuf,
}

pub fn run(options: &Options) -> Result<(), String> {
    let api = Api::open(&options.lib)?;
    let mut overseer = match Daemon::find(&options.method) {
        Some(daemon) => Overseer::of_daemon(api, daemon, options)?,
        None => Overseer::of_servers(api, Method::find(&options.method)?, options)?,
    };
    overseer.obey().map_err(|problem| format!("the supervisor of {}: {problem}", options.method))
}

struct Overseer {
    supervisor: Supervisor,
    recipe: Box<dyn FnMut() -> Recipe>,
    /// Held, whoever serves.
    #[expect(dead_code, reason = "held open")]
    listener: Option<TcpListener>,
}

impl Overseer {
    fn of_servers(api: &'static Api, method: &'static Method, options: &Options) -> Result<Self, String> {
        let ring = Ring::open(&options.dir)?;
        if method::is_supervised_elsewhere(method)
            && let [_, Some(cpu)] = ring.cpus()
        {
            host::pin(cpu)?;
        }
        ring.overseer.store(std::process::id(), Release);
        let words = command(method, &options.dir, &options.lib);
        let words: Vec<String> = words.iter().map(|word| word.to_string_lossy().into_owned()).collect();
        let recipe = Box::new(move || Recipe { words: words.clone(), ..Recipe::default() });
        let control = beyond::control_path(&options.dir);
        if !method::is_v1(method) {
            // The first generation makes its listener, and this process gets it from there.
            let supervisor = Supervisor::new(api, Some(&control), Protocol::Native)?;
            return Ok(Self { supervisor, recipe, listener: None });
        }
        let supervisor = Supervisor::new(api, Some(&control), Protocol::V1)?;
        if !method::is_tuned(method) {
            supervisor.set_journal(&disk(&options.dir).join("state.bin"))?;
        }
        let listener = network::listen(0, ring.backlog.load(Relaxed), false)?;
        let port = listener.local_addr().map_err(|error| error.to_string())?.port();
        ring.port.store(port.into(), Relaxed);
        supervisor.listener(beyond::NAME, listener.as_raw_fd())?;
        Ok(Self { supervisor, recipe, listener: Some(listener) })
    }

    fn of_daemon(api: &'static Api, daemon: &'static Daemon, options: &Options) -> Result<Self, String> {
        let setup = Setup { dir: options.dir.clone(), port: options.port };
        let supervisor = Supervisor::new(api, None, Protocol::Notify)?;
        let listener = network::listen(setup.port, super::daemons::BACKLOG, false)?;
        supervisor.listener("http", listener.as_raw_fd())?;
        let words = ["/bin/sh".to_owned(), "-c".to_owned(), daemon.health(&setup)].into();
        supervisor.set_health(&Recipe { words, ..Recipe::default() }, DEADLINE_MS)?;
        supervisor.set_probation(super::daemons::PROBATION_MS)?;
        let mut number = 0;
        let recipe = Box::new(move || {
            number += 1;
            daemon.recipe(&setup, number)
        });
        Ok(Self { supervisor, recipe, listener: Some(listener) })
    }

    fn obey(&mut self) -> Result<(), String> {
        let orders = std::io::stdin();
        let mut line = String::new();
        loop {
            let due = either(&orders, self.supervisor.fd()?)?;
            while let Some(event) = self.supervisor.next_event(0)? {
                self.supervisor.only_said(event)?;
            }
            if !due {
                continue;
            }
            line.clear();
            if orders.read_line(&mut line).map_err(|error| error.to_string())? == 0 {
                return Ok(());
            }
            let begun = Instant::now();
            match line.trim() {
                "start" => self.supervisor.start(&(self.recipe)())?,
                "recover" => self.supervisor.recover()?,
                "replace" => self.supervisor.replace(&(self.recipe)(), DEADLINE_MS, DRAIN_MS)?,
                other => return Err(format!("no order {other}")),
            }
            let us = begun.elapsed().as_secs_f64() * 1e6;
            let mut out = std::io::stdout().lock();
            writeln!(out, "{us:.1}").and_then(|()| out.flush()).map_err(|error| error.to_string())?;
        }
    }
}

/// Waits for an order or for the library; `true`: an order.
fn either(orders: &std::io::Stdin, library: RawFd) -> Result<bool, String> {
    // SAFETY: the library's, which stays open as long as the process.
    let library = unsafe { BorrowedFd::borrow_raw(library) };
    let mut fds = [orders.as_fd(), library].map(|fd| PollFd::new(fd, PollFlags::POLLIN));
    match poll(&mut fds, PollTimeout::NONE) {
        Ok(_) => Ok(fds[0].any().unwrap_or(false)),
        Err(nix::Error::EINTR) => Ok(false),
        Err(errno) => Err(format!("poll: {errno}")),
    }
}
