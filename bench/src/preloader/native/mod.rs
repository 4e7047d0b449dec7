//! P8: a worker of an application of 20 MB that procsup has loaded once, from before the host's call until the worker has said that it is ready.
//!
//! | id | of what | held against |
//! |---|---|---|
//! | P8 | a sibling, pages of 4 KiB | a bare fork in the same process, until its first byte |
//! | P8-libc | the same by libc's fork, the application's own child | the same |
//! | P8-collapse | a sibling, its pages collapsed to huge ones | P8 |
//! | P8-forkserver | P8 | Python's forkserver, until its first byte |
//! | P8-pool | an idle worker taken over, three descriptors given along | one byte there and back to an idle process |
//! | P8-share | what a worker has for itself after 1 000 requests | the same of a bare fork |

mod app;
mod floors;
mod orders;
mod python;
mod share;

use super::{Contender, Place, Taken, interleave, median, ready};
use crate::bars::{Bar, Bars};
use crate::chart::Unit;
use crate::options::Options;
use crate::procsup::Api;
use crate::progress::Progress;
use crate::report::{LimitKind, Measured, table, us};
use app::{App, Ours, Variant};
use comfy_table::Table;
use floors::{Fork, Fresh, Idle, Sibling};
use share::Shares;
use std::os::fd::AsRawFd;
use std::rc::Rc;

const SMALL: Variant = Variant { name: "small", sibling: true, collapse: false, serves: false, idle: 0 };
const LIBC: Variant = Variant { name: "libc", sibling: false, ..SMALL };
const HUGE: Variant = Variant { name: "huge", collapse: true, ..SMALL };
const POOL: Variant = Variant { name: "pool", idle: 2, ..SMALL };
const SERVER: Variant = Variant { name: "server", serves: true, ..SMALL };
const HUGE_SERVER: Variant = Variant { name: "huge-server", collapse: true, ..SERVER };

pub struct Native {
    pub ready: Vec<Taken>,
    shares: Vec<Shares>,
}

pub fn measure(
    api: Option<&'static Api>,
    options: &Options,
    notes: &mut Vec<String>,
    progress: &Progress,
) -> Result<Native, String> {
    const PLACE: &str = "one CPU";
    let (rounds, workers) = if options.quick { (20, 3) } else { (500, 15) };
    let Place(dir) = &Place::new()?;
    let start = |variant: Variant| {
        progress.say(&format!("the application, {}", variant.name));
        App::start(api, &options.lib, dir, variant).map_err(|problem| format!("{}: {problem}", variant.name))
    };
    let null = std::fs::File::open("/dev/null").map_err(|error| format!("/dev/null: {error}"))?;

    let (small, libc, huge, pool) = (start(SMALL)?, start(LIBC)?, start(HUGE)?, start(POOL)?);
    let mut contenders = vec![
        Contender::new("fork", "a bare fork in it", PLACE, Fork(small.clone())),
        Contender::new("fork-libc", "a bare fork in it", PLACE, Fork(libc.clone())),
        Contender::new("fork-huge", "a bare fork in it", PLACE, Fork(huge.clone())),
        Contender::new("sibling", "a sibling by hand, with a gate", PLACE, Sibling::new(&small)),
        Contender::new("sibling-huge", "a sibling by hand, with a gate", PLACE, Sibling::new(&huge)),
        Contender::new("byte", "one byte there and back", PLACE, Idle::new(&pool, &[])?),
        Contender::new(
            "adopt",
            "three descriptors there, a byte back",
            PLACE,
            Idle::new(&pool, &[null.as_raw_fd(); 3])?,
        ),
        Contender::new(
            "adopt-fresh",
            "the same, of one just forked",
            PLACE,
            Fresh::new(&pool, &[null.as_raw_fd(); 3])?,
        ),
    ];
    if api.is_some() {
        let ours = |app: &Rc<App>, variant| Ours::new(app, variant);
        contenders.push(Contender::new("procsup", "procsup, sibling", PLACE, ours(&small, SMALL)));
        contenders.push(Contender::new("procsup-libc", "procsup, libc's fork", PLACE, ours(&libc, LIBC)));
        contenders.push(Contender::new("procsup-huge", "procsup, sibling", PLACE, ours(&huge, HUGE)));
        contenders.push(Contender::new("procsup-pool", "procsup, from its pool", PLACE, ours(&pool, POOL)));
    }
    interleave(&mut contenders, rounds, true, progress, "a worker")?;
    let mut ready: Vec<Taken> = contenders.into_iter().map(|contender| contender.taken).collect();
    drop((small, libc, huge, pool));

    match python::Forkserver::start(dir)? {
        Some(forkserver) => {
            let mut contenders = [Contender::new("forkserver", "Python's forkserver", PLACE, forkserver)];
            interleave(&mut contenders, rounds / 5, true, progress, "Python's forkserver")?;
            ready.extend(contenders.map(|contender| contender.taken));
        }
        None => notes.push("no /usr/bin/python3: P8-forkserver was not measured".into()),
    }

    let mut shares = Vec::new();
    for (variant, ours, bare) in [(SERVER, "procsup", "fork"), (HUGE_SERVER, "procsup-huge", "fork-huge")] {
        let app = start(variant)?;
        shares.push(share::measure(bare, "a bare fork", &app, false, workers, progress)?);
        if api.is_some() {
            shares.push(share::measure(ours, "procsup", &app, true, workers, progress)?);
        }
    }
    Ok(Native { ready, shares })
}

impl Native {
    fn share(&self, id: &str) -> Option<f64> {
        Shares::median(&self.shares.iter().find(|shares| shares.id == id)?.after)
    }

    pub fn results(&self) -> Vec<Measured> {
        let of = |id| ready(&self.ready, id);
        let us = |id| median(&self.ready, id);
        let share = |id: &'static str, what: &'static str, ours: &str, bare: &str| {
            let (ours, bare) = (self.share(ours), self.share(bare));
            let more = ours.zip(bare).map(|(ours, bare)| ours - bare);
            let told = |kib: Option<f64>| kib.map_or_else(|| "-".into(), |kib| format!("{kib:.0}"));
            let note = format!("{} KiB are its own, {} KiB a bare fork's", told(ours), told(bare));
            Measured::new(id, what, "KiB", more, (LimitKind::Max, SHARE_KIB)).note(note)
        };
        vec![
            Measured::at_most(
                "P8",
                "a ready worker, to a bare fork in the same preloader",
                of("procsup"),
                of("fork"),
                1.15,
            )
            .beside("a sibling by hand, with a gate", us("sibling"))
            .fails_at(1.3),
            Measured::at_most("P8-libc", "the same by libc's fork", of("procsup-libc"), of("fork-libc"), 1.15)
                .fails_at(1.3),
            Measured::at_most("P8-collapse", "collapsed to huge pages, to P8", of("procsup-huge"), of("procsup"), 0.5)
                .beside("a bare fork in it", us("fork-huge"))
                .beside("a sibling by hand, with a gate", us("sibling-huge")),
            Measured::at_least(
                "P8-forkserver",
                "Python's forkserver to its first byte, to P8",
                of("procsup"),
                of("forkserver"),
                15.0,
            ),
            Measured::at_most(
                "P8-pool",
                "from the pool, to one byte there and back",
                of("procsup-pool"),
                of("byte"),
                2.0,
            )
            .beside("by hand: three descriptors there, a byte back", us("adopt"))
            .beside("by hand, of one just forked", us("adopt-fresh")),
            share("P8-share", "KiB that a worker has more than a bare fork", "procsup", "fork"),
            share("P8-share-huge", "the same with huge pages", "procsup-huge", "fork-huge"),
        ]
    }

    pub fn tables(&self) -> Vec<(String, Table)> {
        let mut tables: Vec<(String, Table)> = GROUPS
            .iter()
            .map(|(title, ids)| {
                let mut table = table(&["method", "median", "p10", "p90"], 1..=3);
                for taken in self.ready.iter().filter(|taken| ids.contains(&taken.id)) {
                    let at = |q| us(taken.ready.quantile(q));
                    table.add_row([taken.label.into(), at(0.5), at(0.1), at(0.9)]);
                }
                (format!("{title}, µs"), table)
            })
            .collect();
        let mut kib = table(&["method", "when ready", "then"], 1..=2);
        for shares in &self.shares {
            let median = |all| Shares::median(all).map_or_else(String::new, |kib| format!("{kib:.0}"));
            let pages = if shares.id.ends_with("huge") { "huge pages" } else { "4 KiB pages" };
            kib.add_row([format!("{}, {pages}", shares.label), median(&shares.before), median(&shares.after)]);
        }
        tables.push((format!("A worker's private dirty memory, and after {} requests, KiB", share::REQUESTS), kib));
        tables
    }

    pub fn bars(&self) -> Vec<Bars> {
        let bars = |name, title: &str, ids: &[&str]| Bars {
            name,
            title: title.into(),
            groups: vec!["until it is ready".into()],
            unit: Unit::Microseconds,
            bars: self.ready.iter().filter(|taken| ids.contains(&taken.id)).map(bar).collect(),
        };
        let all: Vec<&str> = GROUPS[..3].iter().flat_map(|(_, ids)| *ids).chain(&["forkserver"]).copied().collect();
        let (worker, pool) = ("A worker of an application of 20 MB", "A worker that waits already");
        vec![bars("preloader-worker", worker, &all), bars("preloader-pool", pool, GROUPS[3].1)]
    }
}

/// What a worker of the library's may have for itself beyond a bare fork: a handful of pages.
const SHARE_KIB: f64 = 64.0;

const GROUPS: [(&str, &[&str]); 5] = [
    ("A ready worker, pages of 4 KiB, one CPU", &["fork", "sibling", "procsup"]),
    ("The same by libc's fork", &["fork-libc", "procsup-libc"]),
    ("The same, huge pages", &["fork-huge", "sibling-huge", "procsup-huge"]),
    ("A worker that waits already", &["byte", "adopt", "adopt-fresh", "procsup-pool"]),
    ("Another fork server", &["forkserver"]),
];

fn bar(taken: &Taken) -> Bar {
    let (id, pages) = match taken.id.split_once('-') {
        Some((id, "huge")) => (id, ", huge pages"),
        Some((id, "libc")) => (id, " (libc's)"),
        Some((id, _)) => (id, ""),
        None => (taken.id, ""),
    };
    let colour = if id == "sibling" || id == "byte" { "floor" } else { id };
    Bar { id: colour, label: format!("{}{pages}", taken.label), values: vec![taken.ready.median().unwrap_or(0.0)] }
}
