//! `bench cycle` (hidden): one method in a loop with nothing around it, for strace and perf. With --markers the last
//! cycle is preceded and followed by a failing write whose text no library sends, so that its system calls can be cut
//! out of a trace.

use super::{methods, parts};
use crate::host::Host;
use crate::options::DEFAULT_LIB;
use crate::procsup::Api;
use crate::trace;
use std::path::PathBuf;

#[derive(clap::Args)]
pub struct Options {
    /// Method to run: procsup, floor, vfork, posix_spawn, fork, libuv, glib, std, or a row of `bench spawn --parts`
    #[arg(default_value = "procsup")]
    method: String,
    /// Cycles
    #[arg(long, default_value_t = 10_000)]
    count: usize,
    #[arg(long)]
    markers: bool,
    /// Run on this CPU only
    #[arg(long)]
    cpu: Option<usize>,
    /// libprocsup.so
    #[arg(long, env = "PROCSUP_LIB", default_value = DEFAULT_LIB)]
    lib: PathBuf,
}

pub fn run(options: &Options) -> Result<(), String> {
    Host::prepare(options.cpu)?;
    let api = if options.method == "procsup" { Some(Api::open(&options.lib)?) } else { None };
    let mut methods = methods::all(api)?;
    methods.extend(parts::methods());
    let method = methods.iter_mut().find(|method| method.id == options.method);
    let method = method.ok_or_else(|| format!("no method {}", options.method))?;
    for round in 1..=options.count {
        let marked = options.markers && round == options.count;
        if marked {
            trace::mark(trace::BEGIN);
        }
        (method.cycle)()?;
        if marked {
            trace::mark(trace::END);
        }
    }
    Ok(())
}
