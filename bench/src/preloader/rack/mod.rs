//! P8-rack: from nothing until a worker of Passenger's `rack-preloader.rb` is ready and its sockets are known: through the library (`library`), and
//! by a bare driver of the same protocol in C (`c/preloader_driver.c`). Each has a preloader of its own with the same application.

mod driver;
mod library;

use super::{Contender, Place, Taken, interleave, median};
use crate::host::Host;
use crate::procsup::Api;
use crate::progress::Progress;
use crate::report::{LimitKind, Measured, table};
use comfy_table::Table;
use std::path::Path;

const NEEDED: [&str; 2] = ["/usr/bin/ruby", "/usr/share/passenger/helper-scripts/rack-preloader.rb"];
const APPLICATION: &str =
    "run lambda { |env| [200, {'Content-Type' => 'text/plain'}, [\"#{Process.pid} #{env['PATH_INFO']}\\n\"]] }\n";

/// The library's limit in the reference: what it may add to the bare driver.
const ADDED_MS: f64 = 1.0;

/// What is not here.
pub fn missing() -> Option<&'static str> {
    NEEDED.into_iter().find(|path| !Path::new(path).exists())
}

#[derive(Default)]
pub struct Racks {
    pub one: Vec<Taken>,
    pub all: Vec<Taken>,
}

pub fn measure(api: Option<&'static Api>, quick: bool, host: &Host, progress: &Progress) -> Result<Racks, String> {
    let rounds = if quick { 15 } else { 250 };
    let one = measure_one(api, rounds, "one CPU", progress)?;
    let all = match host.unpinned() {
        Some(_free) => measure_one(api, rounds / 3 + 1, "all CPUs", progress)?,
        None => Vec::new(),
    };
    Ok(Racks { one, all })
}

fn measure_one(
    api: Option<&'static Api>,
    rounds: usize,
    place: &'static str,
    progress: &Progress,
) -> Result<Vec<Taken>, String> {
    let Place(dir) = &Place::new()?;
    let failed = |error| format!("{}: {error}", dir.display());
    for name in ["app", "bare", "ours"] {
        std::fs::create_dir(dir.join(name)).map_err(failed)?;
    }
    std::fs::write(dir.join("app/config.ru"), APPLICATION).map_err(failed)?;
    let mut contenders = Vec::new();
    if let Some(api) = api {
        let ours = library::Preloader::new(api, &dir.join("ours"), &dir.join("app"))?;
        contenders.push(Contender::new("rack-procsup", "procsup", place, ours));
    }
    let bare = driver::Preloader::new(&dir.join("bare"), &dir.join("app"))?;
    contenders.push(Contender::new("rack-bare", "a bare driver", place, bare));
    interleave(&mut contenders, rounds, false, progress, &format!("a rack worker, on {place}"))?;
    Ok(contenders.into_iter().map(|contender| contender.taken).collect())
}

impl Racks {
    pub fn results(&self) -> Vec<Measured> {
        let added = |all: &[Taken]| {
            let (ours, other) = (median(all, "rack-procsup"), median(all, "rack-bare"));
            (ours.zip(other).map(|(ours, other)| (ours - other) / 1e3), ours, other)
        };
        let (one, ours, other) = added(&self.one);
        let what = "a ready rack worker, added to a bare driver's";
        let mut results = vec![Measured::new("P8-rack", what, "ms", one, (LimitKind::Max, ADDED_MS)).with(ours, other)];
        if !self.all.is_empty() {
            let (value, ours, other) = added(&self.all);
            results.push(Measured::told("P8-rack-all", "the same on all CPUs", "ms", value).with(ours, other));
        }
        results
    }

    pub fn tables(&self) -> Vec<(String, Table)> {
        let all = [("A ready worker of rack-preloader.rb, on one CPU, ms", &self.one), ("On all CPUs, ms", &self.all)];
        let some = all.into_iter().filter(|(_, taken)| !taken.is_empty());
        some.map(|(title, taken)| (title.to_owned(), times(taken))).collect()
    }
}

fn times(all: &[Taken]) -> Table {
    let mut table = table(&["method", "median", "p10", "p90"], 1..=3);
    for taken in all {
        let ms = |q: f64| taken.ready.quantile(q).map_or_else(String::new, |us| format!("{:.2}", us / 1e3));
        table.add_row([taken.label.into(), ms(0.5), ms(0.1), ms(0.9)]);
    }
    table
}
