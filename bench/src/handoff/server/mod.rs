//! `bench handoff-server` (hidden): one generation of a server. The work is the same for all (`work`); each way to
//! replace it is a file of its own here. All generations of one run are started with the same arguments.

mod bare;
pub mod beyond;
mod plain;
mod procsup;

use super::method::{Method, is_beyond, is_supervised};
use super::work::Work;
use crate::options::DEFAULT_LIB;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering::Relaxed;

#[derive(clap::Args)]
pub struct Options {
    method: String,
    /// Of this run: ring, log, control path
    pub dir: PathBuf,
    /// libprocsup.so
    #[arg(long, env = "PROCSUP_LIB", default_value = DEFAULT_LIB)]
    pub lib: PathBuf,
}

/// The command line of every generation.
pub fn command(method: &Method, dir: &Path, lib: &Path) -> Vec<OsString> {
    let words: [OsString; 6] = [
        std::env::current_exe().unwrap_or_else(|_| "bench".into()).into(),
        "handoff-server".into(),
        method.id.into(),
        dir.into(),
        "--lib".into(),
        lib.into(),
    ];
    words.into()
}

pub fn run(options: &Options) -> Result<(), String> {
    let method = Method::find(&options.method)?;
    let work = Work::new(&options.dir)?;
    let generation = work.generation;
    let done = match method.id {
        "procsup" | "procsup-overlap" | "procsup-passed" => procsup::serve(work, method, options),
        _ if is_supervised(method) => procsup::serve(work, method, options),
        "bare" => bare::serve(work, method, options),
        _ if is_beyond(method) => beyond::serve(work, method, options),
        "restart" | "reuseport" | "reuseport-migrate" => plain::serve(work, method, options),
        other => Err(format!("no server for {other}")),
    };
    done.map_err(|problem| format!("server {}, generation {generation}: {problem}", method.id))
}

/// The listener of a first generation that has to make its own; tells the others where it is.
fn listen(work: &Work, reuse_port: bool) -> Result<std::net::TcpListener, String> {
    let (port, backlog) = (work.ring.port.load(Relaxed), work.ring.backlog.load(Relaxed));
    let listener = super::network::listen(port as u16, backlog, reuse_port)?;
    let port = listener.local_addr().map_err(|error| error.to_string())?.port();
    work.ring.port.store(port.into(), Relaxed);
    Ok(listener)
}
