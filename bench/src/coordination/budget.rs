//! C1 to C3: what one attempt costs, begun and finished, on one key, on many, from several threads. The floor is what
//! nobody who shares such a table can do without: twice a lock and a reading of the clock, and once a look by the key.

use super::library::Budget;
use crate::measure::Samples;
use crate::procsup::Api;
use crate::progress::Progress;
use std::collections::HashMap;
use std::ffi::{CStr, CString};
use std::hint::black_box;
use std::sync::{Barrier, Mutex};
use std::time::Instant;

pub const KEYS: usize = 100_000;
pub const THREADS: usize = 4;
/// Of a sample: so few that another process which takes the CPU spoils some samples and not all.
const CHUNK: usize = 1_000;
/// Of each thread; distinct, because a key has one attempt at a time.
const KEYS_OF_A_THREAD: usize = 64;

#[derive(Clone, Copy)]
pub struct Effort {
    pub rounds: usize,
    /// In each round; with many keys, each of them once.
    pub pairs: usize,
}

/// Who is asked.
enum Table {
    Ours(Budget),
    Floor(Mutex<Floor>),
}

#[derive(Default)]
struct Floor {
    places: HashMap<Vec<u8>, usize>,
    entries: Vec<Entry>,
}

#[derive(Default)]
struct Entry {
    attempts: u64,
    in_flight: bool,
    began: Option<Instant>,
}

impl Table {
    fn pair(&self, key: &CStr) -> bool {
        match self {
            Self::Ours(budget) => budget.pair(key),
            Self::Floor(table) => {
                let now = Instant::now();
                let place = {
                    let mut table = table.lock().unwrap();
                    let place = table.places.get(key.to_bytes()).copied().unwrap_or(table.entries.len());
                    if place == table.entries.len() {
                        table.places.insert(key.to_bytes().to_vec(), place);
                        table.entries.push(Entry::default());
                    }
                    let entry = &mut table.entries[place];
                    let free = !std::mem::replace(&mut entry.in_flight, true);
                    entry.attempts += 1;
                    entry.began = Some(now);
                    if !free {
                        return false;
                    }
                    place
                };
                let now = Instant::now();
                let entry = &mut table.lock().unwrap().entries[place];
                *entry = Entry { began: Some(now), ..Entry::default() };
                true
            }
        }
    }
}

/// Microseconds for each pair. In the order of `METHODS`, as far as they are there.
pub struct Taken {
    pub id: &'static str,
    pub one_key: Samples,
    pub many_keys: Samples,
    /// One thread, and `THREADS`, on all CPUs: of the whole, so that half of it is twice the throughput.
    pub one_thread: Samples,
    pub threads: Samples,
    table: Table,
}

pub fn prepare(api: Option<&'static Api>) -> Result<Vec<Taken>, String> {
    let taken = |id, table| Taken {
        id,
        one_key: Samples::default(),
        many_keys: Samples::default(),
        one_thread: Samples::default(),
        threads: Samples::default(),
        table,
    };
    let mut all = Vec::new();
    if let Some(api) = api {
        all.push(taken("procsup", Table::Ours(Budget::new(api)?)));
    }
    all.push(taken("floor", Table::Floor(Mutex::default())));
    Ok(all)
}

/// Keys that lie one behind the other, so that it is the table which is out of the caches, not its caller.
struct Keys(Vec<u8>);

impl Keys {
    fn new(count: usize) -> Self {
        Self((0..count).flat_map(|n| format!("service-{n:06}\0").into_bytes()).collect())
    }

    fn iter(&self) -> impl Iterator<Item = &CStr> {
        let of = self.0.len() / KEYS;
        self.0.chunks(of).map(|key| CStr::from_bytes_with_nul(key).expect("one NUL, at its end"))
    }
}

fn keys(count: usize, of: &str) -> Vec<CString> {
    (0..count).map(|n| CString::new(format!("{of}/service-{n:06}")).unwrap()).collect()
}

/// On the CPU that the caller is pinned to.
pub fn measure(all: &mut [Taken], effort: Effort, progress: &Progress) -> Result<(), String> {
    let one = CString::new("service").unwrap();
    let many = Keys::new(KEYS);
    let mut order: Vec<usize> = (0..all.len()).collect();
    for round in 0..=effort.rounds {
        progress.say(&format!("begin and finish: round {round} of {}", effort.rounds));
        fastrand::shuffle(&mut order);
        for &i in &order {
            let taken = &mut all[i];
            let mut next = many.iter();
            let us = timed(effort.pairs, || taken.table.pair(&one))?;
            let us_many = timed(KEYS, || taken.table.pair(next.next().expect("each once")))?;
            // The first round makes the entries.
            if round > 0 {
                taken.one_key.extend(us);
                taken.many_keys.extend(us_many);
            }
        }
    }
    Ok(())
}

/// Wherever the scheduler likes.
pub fn measure_threads(all: &mut [Taken], effort: Effort, progress: &Progress) -> Result<(), String> {
    let mut order: Vec<usize> = (0..all.len()).collect();
    for round in 0..=effort.rounds {
        progress.say(&format!("begin and finish from {THREADS} threads: round {round} of {}", effort.rounds));
        fastrand::shuffle(&mut order);
        for &i in &order {
            let taken = &mut all[i];
            let one = from_threads(&taken.table, 1, effort.pairs)?;
            let several = from_threads(&taken.table, THREADS, effort.pairs)?;
            if round > 0 {
                taken.one_thread.extend([one]);
                taken.threads.extend([several]);
            }
        }
    }
    Ok(())
}

fn timed(pairs: usize, mut pair: impl FnMut() -> bool) -> Result<Vec<f64>, String> {
    let chunk = |_| {
        let begun = Instant::now();
        let refused = (0..CHUNK).filter(|_| !black_box(pair())).count();
        let us = begun.elapsed().as_secs_f64() * 1e6 / CHUNK as f64;
        if refused == 0 { Ok(us) } else { Err(format!("{refused} of {CHUNK} attempts were refused")) }
    };
    (0..pairs / CHUNK).map(chunk).collect()
}

/// From the moment at which all stand ready until the last has done its part.
fn from_threads(table: &Table, threads: usize, pairs: usize) -> Result<f64, String> {
    let keys: Vec<Vec<CString>> = (0..threads).map(|n| keys(KEYS_OF_A_THREAD, &format!("of-thread-{n}"))).collect();
    let ready = Barrier::new(threads + 1);
    let work = |keys: &[CString]| {
        ready.wait();
        (0..pairs).filter(|n| !black_box(table.pair(&keys[n % keys.len()]))).count()
    };
    let (us, refused) = std::thread::scope(|scope| {
        let threads: Vec<_> = keys.iter().map(|keys| scope.spawn(|| work(keys))).collect();
        ready.wait();
        let begun = Instant::now();
        let refused: usize = threads.into_iter().map(|thread| thread.join().expect("no panic")).sum();
        (begun.elapsed().as_secs_f64() * 1e6 / (keys.len() * pairs) as f64, refused)
    });
    if refused == 0 { Ok(us) } else { Err(format!("{refused} attempts were refused")) }
}
