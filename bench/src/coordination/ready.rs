//! C6: from a child's `send` of READY=1 until its host knows. Ours: a NOTIFY_SOCKET, the kernel's word for who has sent,
//! the event. The floor: a pair of sockets, and the host in `poll` for one of them. Each pass has a new child, for one is
//! ready once.

use super::library;
use super::stamp::{Page, now_ns};
use crate::measure::Samples;
use crate::procsup::{Api, Command, Supervisor};
use crate::progress::Progress;
use std::ffi::c_int;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process;

const PS_EVENT_READY: i32 = 4;
const PATIENCE_MS: c_int = 10_000;

pub struct Taken {
    pub id: &'static str,
    pub told: Samples,
}

/// Once, in microseconds.
type Pass<'a> = Box<dyn Fn(&Page) -> Result<f64, String> + 'a>;

pub fn measure(
    api: Option<&'static Api>,
    dir: &Path,
    passes: usize,
    place: &str,
    progress: &Progress,
) -> Result<Vec<Taken>, String> {
    let path = dir.join("ready");
    let page = Page::make(&path)?;
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let (program, path) = (text(&program)?, text(&path)?);
    let mut methods: Vec<(Taken, Pass)> = Vec::new();
    if let Some(api) = api {
        let words = [program, "coordination-party", "ready", "notify", path];
        let command = library::notifying_command(api, &words)?;
        let (supervisor, fd) = library::supervisor(api)?;
        methods.push((taken("procsup"), Box::new(move |page| ours(api, supervisor, fd, command, page))));
    }
    methods.push((taken("socketpair"), Box::new(|page| floor(program, path, page))));
    let mut order: Vec<usize> = (0..methods.len()).collect();
    // The first passes do not count.
    for pass in 0..passes + 3 {
        progress.say(&format!("READY, {place}: {pass} of {passes}"));
        fastrand::shuffle(&mut order);
        for &i in &order {
            let us = (methods[i].1)(&page).map_err(|problem| format!("{}: {problem}", methods[i].0.id))?;
            if pass >= 3 {
                methods[i].0.told.extend([us]);
            }
        }
    }
    Ok(methods.into_iter().map(|(taken, _)| taken).collect())
}

fn taken(id: &'static str) -> Taken {
    Taken { id, told: Samples::default() }
}

fn text(path: &Path) -> Result<&str, String> {
    path.to_str().ok_or_else(|| "a path that is no text".into())
}

fn poll(fd: c_int) -> Result<(), String> {
    let mut waiting = libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
    // SAFETY: one structure of our own.
    match unsafe { libc::poll(&mut waiting, 1, PATIENCE_MS) } {
        1 => Ok(()),
        0 => Err("nothing was told".into()),
        _ => Err(std::io::Error::last_os_error().to_string()),
    }
}

fn ours(api: &Api, supervisor: Supervisor, fd: c_int, command: Command, page: &Page) -> Result<f64, String> {
    let child = api.spawn(Some(supervisor), command)?;
    let known = loop {
        poll(fd)?;
        match api.next_event(supervisor, 0)? {
            Some(event) if event.kind == PS_EVENT_READY => break now_ns(),
            Some(event) if event.kind == crate::procsup::PS_EVENT_EXITED => return Err("it has ended".into()),
            _ => {}
        }
    };
    let said = page.read();
    api.kill_and_reap_all(10_000)?;
    while api.next_event(supervisor, 0)?.is_some() {}
    api.child_free(child);
    Ok((known - said) as f64 / 1e3)
}

fn floor(program: &str, path: &str, page: &Page) -> Result<f64, String> {
    let (here, there) = UnixDatagram::pair().map_err(|error| error.to_string())?;
    // SAFETY: a descriptor of our own, which the child is to inherit.
    unsafe { libc::fcntl(there.as_raw_fd(), libc::F_SETFD, 0) };
    let mut child = process::Command::new(program)
        .args(["coordination-party", "ready", &there.as_raw_fd().to_string(), path])
        .spawn()
        .map_err(|error| error.to_string())?;
    drop(there);
    let mut said = [0; 64];
    let told = poll(here.as_raw_fd()).and_then(|()| here.recv(&mut said).map_err(|error| error.to_string()));
    let known = now_ns();
    let _ = child.kill();
    let _ = child.wait();
    told?;
    Ok((known - page.read()) as f64 / 1e3)
}
