//! `bench handoff`: P9 and P10 in one run. A server is replaced again and again under an open loop of clients; ways to
//! replace it (`method`) take turns in `block`s, in an `order` that has the `floor` beside what it is for. A `conductor`
//! starts and replaces the `server`s, all of which do the same `work`; an `overseer` is procsup's separate supervisor.
//! They stamp what they do into a shared `ring`. `client` has the latencies, `network` the kernel's counts. `daemons`
//! does the same to programs that know nothing of this.

mod block;
mod case;
mod client;
pub mod conductor;
pub mod daemons;
mod floor;
mod library;
mod library_supervisor;
mod method;
mod network;
mod order;
pub mod overseer;
mod quiet;
mod results;
mod ring;
pub mod server;
mod timeline;
mod wire;
mod work;

use crate::host::{self, Host};
use crate::machine::Machine;
use crate::options;
use crate::peers;
use crate::procsup::Api;
use crate::progress::Progress;
use crate::report::Report;
use block::Place;
use case::Case;
use daemons::{Cell, Daemon, Kind};
use method::{Method, is_beyond, is_supervised, is_v1};
use order::Turn;
use quiet::Quiet;
use std::path::{Path, PathBuf};
use timeline::Picture;

#[derive(clap::Args)]
pub struct Options {
    #[command(flatten)]
    common: options::Options,
    /// These alone: procsup, procsup-overlap, procsup-passed, supervised, supervised-stopped, supervised-killed,
    /// supervised-killed-late, supervised-killed-here, bare (both floors), beyond, beyond-tuned, v1, v1-tuned, restart,
    /// reuseport, reuseport-migrate, nginx, nginx-hup, nginx-usr2, gunicorn, gunicorn-hup, gunicorn-usr2
    #[arg(long, value_name = "METHOD,...", value_delimiter = ',')]
    only: Vec<String>,
}

/// What shall survive a crash of the machine: on a disk. Everything else of a run is in memory.
pub fn disk(dir: &Path) -> PathBuf {
    dir.join("disk")
}

/// `false`: --strict, and a limit was missed.
pub fn run(Options { common: options, only }: &Options) -> Result<bool, String> {
    only.iter().filter(|id| Daemon::find(id).is_none()).try_for_each(|id| Method::find(id).map(drop))?;
    let alone = network::isolate(); // first: a thread would stay outside
    let progress = Progress::new();
    let host = Host::prepare(None)?;
    let server_cpu = options.cpu()?;
    let client_cpu = server_cpu.map(host::another_cpu);
    let procsup = if options.without_procsup { None } else { Some(Api::open(&options.lib)?.version()) };
    let load_before = load_average();
    client_cpu.map_or(Ok(()), host::pin)?;

    let base = Base::make()?;
    let place = Place { base: &base.memory, disk: &base.disk, lib: &options.lib, server_cpu, client_cpu };
    let mut cases = case::all(options.quick, procsup.is_some(), alone);
    let wanted = |id: &str| only.is_empty() || only.iter().any(|one| one == id);
    cases.retain(|case| wanted(case.plan.method.id));
    let mut floors = floor::all(options.quick, case::rounds(options.quick));
    floors.retain(|_| wanted("bare"));
    let mut cells = daemons::all(options.quick, procsup.is_some());
    cells.retain(|cell| wanted(cell.daemon.id));
    let mut quiet = Quiet::new(!options.quick);
    let rounds = cases.iter().map(|case| case.rounds).chain(cells.iter().map(|cell| cell.rounds)).max().unwrap_or(0);
    for round in 0..rounds {
        let order = order::of(round, &cases, &floors, &cells);
        for (done, turn) in order.iter().enumerate() {
            let label = match *turn {
                Turn::Case(i) => cases[i].label(),
                Turn::Floor(i) => floors[i].label(),
                Turn::Daemon(i) => cells[i].daemon.label.to_owned(),
            };
            progress.say(&format!("round {} of {rounds}, {} of {}: {label}", round + 1, done + 1, order.len()));
            match *turn {
                Turn::Case(i) => {
                    let plan = cases[i].plan;
                    let block = quiet.least_disturbed(|| block::run(plan, &place))?;
                    cases[i].add(block);
                }
                Turn::Floor(i) => {
                    let us = quiet.least_disturbed(|| floors[i].pass(server_cpu, client_cpu))?;
                    floors[i].samples.extend(us);
                }
                Turn::Daemon(i) => {
                    let block = quiet.least_disturbed(|| cells[i].block(&place))?;
                    cells[i].add(block);
                }
            }
        }
    }
    drop(progress);

    let mut notes = vec![
        format!(
            "servers on {}, clients on {}, {}; load average {load_before} before, {} after",
            name(server_cpu),
            name(client_cpu),
            if alone { "a network namespace of their own" } else { "the host's loopback (no namespace: not root)" },
            load_average()
        ),
        format!(
            "write-ahead log in {}, the journal of beyond-handoff in {}",
            kind(&base.memory),
            kind(base.disk.parent().unwrap_or(&base.disk))
        ),
    ];
    if let (Some(usual), Some(most)) = (quiet.others.median(), quiet.others.quantile(1.0)) {
        notes.push(format!(
            "other programs used {usual:.0} % of a CPU beside the median block, {most:.0} % beside the worst; {} \
             blocks were measured again because of that",
            quiet.repeated
        ));
    }
    notes.extend(host.notes.iter().cloned());
    notes.extend(cases.iter().flat_map(|case| case.problems.iter().cloned()));
    notes.extend(cells.iter().flat_map(|cell| cell.problems.iter().cloned()));
    if let Some(busiest) = cells.iter().map(|cell| cell.busy).max_by(f64::total_cmp) {
        notes.push(format!("daemons: their clients used at most {:.0} % of their CPU", busiest * 100.0));
    }
    for kind in [Kind::Nginx, Kind::Gunicorn].into_iter().filter(|kind| only.is_empty() && !kind.is_here()) {
        notes.push(format!("{} is not installed: left out", kind.name()));
    }
    let report = Report {
        machine: Machine { nofile: host.nofile, procsup, glibc: peers::glibc_version(), notes, ..Machine::describe() },
        results: results::of(&cases, &floors).into_iter().chain(daemons::results::of(&cells)).collect(),
        methods: results::rows(&cases, &floors, &cells),
        curves: Vec::new(),
    };
    let mut shown = results::tables(&cases, &floors);
    shown.extend(daemons::results::tables(&cells));
    report.print(&shown);
    if let Some(path) = &options.json {
        report.write_json(path)?;
    }
    if let Some(dir) = &options.svg {
        std::fs::create_dir_all(dir).map_err(|error| format!("{}: {error}", dir.display()))?;
        pictures(&cases, &cells).iter().try_for_each(|picture| picture.write_svg(dir, &report.machine.hardware()))?;
    }
    Ok(!options.strict || report.missed() == 0)
}

fn pictures<'a>(cases: &'a [Case], cells: &'a [Cell]) -> [Picture<'a>; 3] {
    let rate = cases.first().map_or(0, |case| case.plan.rate);
    let title = |what: &str, bucket_ms| format!("{what}: the worst latency of each {bucket_ms} ms");
    let at_once = |wanted: &dyn Fn(&Method) -> bool| {
        let cases = cases.iter().filter(|case| case.plan.load_ms == 0 && !case.is_kept() && !case.timeline.is_empty());
        cases.filter(|case| wanted(case.plan.method)).map(timeline::panel).collect()
    };
    let with_supervisor = |method: &Method| is_supervised(method) || is_v1(method);
    let beside = |method: &Method| with_supervisor(method) || method.id == "procsup" || is_beyond(method);
    [
        Picture {
            name: "handoff-latency",
            title: title(&format!("Replacing a server under {rate} connections a second"), 5),
            window_ms: 2000,
            bucket_ms: 5,
            panels: at_once(&|method| !with_supervisor(method)),
        },
        Picture {
            name: "handoff-supervised",
            title: title("With a supervisor, alive, stopped, killed", 5),
            window_ms: 2000,
            bucket_ms: 5,
            panels: at_once(&beside),
        },
        Picture {
            name: "handoff-daemons",
            title: title("Replacing daemons that know nothing of procsup", 20),
            window_ms: 8000,
            bucket_ms: 20,
            panels: daemons::results::panels(cells),
        },
    ]
}

fn name(cpu: Option<usize>) -> String {
    cpu.map_or_else(|| "all CPUs".into(), |cpu| format!("CPU {cpu}"))
}

fn load_average() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().next().unwrap_or("?").to_owned()
}

/// The directories of the run, and their end.
struct Base {
    memory: PathBuf,
    disk: PathBuf,
}

impl Base {
    fn make() -> Result<Self, String> {
        let name = format!("bench-handoff-{}", std::process::id());
        let memory = ["/dev/shm", "/run"].iter().map(Path::new).find(|path| kind(path) == "tmpfs" && writable(path));
        let temporary = std::env::temp_dir();
        let base = Self { memory: memory.unwrap_or(&temporary).join(&name), disk: temporary.join(&name).join("disk") };
        clear_left_overs(&base.memory);
        clear_left_overs(&temporary.join(&name));
        for path in [&base.memory, &base.disk] {
            std::fs::create_dir_all(path).map_err(|error| format!("{}: {error}", path.display()))?;
        }
        Ok(base)
    }
}

impl Drop for Base {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.memory);
        let _ = self.disk.parent().map(std::fs::remove_dir_all);
    }
}

/// Of runs that were killed: their processes have ended.
fn clear_left_overs(beside: &Path) {
    let Some(entries) = beside.parent().and_then(|parent| std::fs::read_dir(parent).ok()) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some(pid) = name.strip_prefix("bench-handoff-").and_then(|pid| pid.parse::<u32>().ok()) else { continue };
        if !Path::new(&format!("/proc/{pid}")).exists() {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

fn writable(path: &Path) -> bool {
    nix::unistd::access(path, nix::unistd::AccessFlags::W_OK).is_ok()
}

fn kind(path: &Path) -> &'static str {
    use nix::sys::statfs::{BTRFS_SUPER_MAGIC, EXT4_SUPER_MAGIC, OVERLAYFS_SUPER_MAGIC, TMPFS_MAGIC, XFS_SUPER_MAGIC};
    match nix::sys::statfs::statfs(path).map(|fs| fs.filesystem_type()) {
        Ok(TMPFS_MAGIC) => "tmpfs",
        Ok(EXT4_SUPER_MAGIC) => "ext4",
        Ok(XFS_SUPER_MAGIC) => "xfs",
        Ok(BTRFS_SUPER_MAGIC) => "btrfs",
        Ok(OVERLAYFS_SUPER_MAGIC) => "overlayfs",
        _ => "another file system",
    }
}
