//! Handles: what a pointer in C stands for.
//!
//! The value of a handle is an id that looks like a pointer and never is one: it is looked up, not followed. So NULL, a
//! freed, a foreign or a wrong-typed handle is a typed error, a double free is harmless, and a free in one thread while another
//! uses the object is safe (the user holds a share).
//!
//! ```text
//!   63 .. 42   41 .. 21     20 .. 5    4 .. 1   0
//!   index      generation   instance   kind     1
//! ```
//!
//! The instance tells this copy of the library from another one in the same process (a host and its plugin), and this process from the one
//! it was forked from: a foreign handle is known, and an inherited one is known as such. Its trap is its end: after 65 536 forked hosts
//! in a row it comes again. So the count of generations begins elsewhere then, and in each copy. The lowest bit makes the value odd, so
//! that no allocator's address is ever taken for a handle.

use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::error::ErrorObject;
use super::objects::{CommandObject, WorkerObject};
use super::striped::Striped;
use crate::coordination::budget::Budget;
use crate::coordination::spawn_lock::Claim;
use crate::error::{Error, Result, Status};
use crate::handoff::Handoff;
use crate::handoff::supervisor::HandoffSupervisor;
use crate::lock::lock;
use crate::preloader::face::Preloader;
use crate::preloader::native::inside::Preload;
use crate::process::output::Said;
use crate::supervisor::{Managed, Supervisor};
use crate::sys::memory::{self, PerProcess};
use crate::sys::{getpid, reserve};

/// What a handle can stand for.
#[derive(Clone)]
pub(super) enum Object {
    Command(Arc<CommandObject>),
    Child(Arc<Managed>),
    Supervisor(Arc<Supervisor>),
    Error(Arc<ErrorObject>),
    Handoff(Arc<Handoff>),
    Budget(Arc<Budget>),
    SpawnLock(Arc<Claim>),
    Worker(Arc<WorkerObject>),
    Preloader(Arc<Preloader>),
    Preload(Arc<Preload>),
    HandoffSupervisor(Arc<HandoffSupervisor>),
    Output(Arc<Said>),
}

/// A type that lives behind handles.
pub(super) trait Handled: Sized {
    const KIND: u64;
    const NAME: &'static str;
    fn wrap(this: Arc<Self>) -> Object;
    fn unwrap(object: Object) -> Option<Arc<Self>>;
    fn peek(object: &Object) -> Option<&Arc<Self>>;
}

macro_rules! handled {
    ($type:ty, $variant:ident, $kind:expr, $name:expr) => {
        impl Handled for $type {
            const KIND: u64 = $kind;
            const NAME: &'static str = $name;
            fn wrap(this: Arc<Self>) -> Object {
                Object::$variant(this)
            }
            fn unwrap(object: Object) -> Option<Arc<Self>> {
                if let Object::$variant(this) = object { Some(this) } else { None }
            }
            fn peek(object: &Object) -> Option<&Arc<Self>> {
                if let Object::$variant(this) = object { Some(this) } else { None }
            }
        }
    };
}
handled!(CommandObject, Command, 1, "command");
handled!(Managed, Child, 2, "child");
handled!(Supervisor, Supervisor, 3, "supervisor");
handled!(ErrorObject, Error, 4, "error");
handled!(Handoff, Handoff, 5, "handoff");
handled!(Budget, Budget, 6, "budget");
handled!(Claim, SpawnLock, 7, "spawn lock");
handled!(WorkerObject, Worker, 8, "worker");
handled!(Preloader, Preloader, 9, "preloader");
handled!(Preload, Preload, 10, "preload");
handled!(HandoffSupervisor, HandoffSupervisor, 11, "handoff supervisor");
handled!(Said, Output, 12, "output");

/// A place in the table. Who has taken its index off the list of free ones fills it while others read: they see nothing there before it is whole.
#[derive(Default)]
struct Entry {
    generation: u32,
    is_full: AtomicBool,
    object: UnsafeCell<Option<Object>>,
}

// SAFETY: `object` is written by the one who has its index while `is_full` says that nobody is to look, or with the whole table to himself.
unsafe impl Sync for Entry {}

impl Entry {
    /// What stands there under this generation.
    fn object(&self, generation: u32) -> Option<&Object> {
        let is_there = self.generation == generation && self.is_full.load(Ordering::Acquire);
        // SAFETY: it is whole, and is taken out only by who has the table to himself.
        if is_there { unsafe { (*self.object.get()).as_ref() } } else { None }
    }

    /// # Safety
    /// The caller has its index, and nobody else does.
    unsafe fn fill(&self, object: Object) {
        // SAFETY: by the contract above; readers do not look before the flag is set.
        unsafe { *self.object.get() = Some(object) };
        self.is_full.store(true, Ordering::Release);
    }
}

/// As many entries at once as there is memory for that was had anyway, up to so many.
const GROWTH: usize = 64;

#[derive(Default)]
struct Slab {
    entries: Vec<Entry>,
    free: Mutex<Vec<u32>>,
}

impl Slab {
    fn free(&mut self) -> &mut Vec<u32> {
        self.free.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    /// Some more that are free, if none is and there may be more: not one by one, for each time nobody can read.
    fn make_room(&mut self) -> Result<()> {
        if !self.free().is_empty() {
            return Ok(());
        }
        self.entries.try_reserve(1).map_err(reserve::out_of_memory)?;
        let before = self.entries.len();
        let after = self.entries.capacity().min(before + GROWTH).min(INDEXES as usize);
        // A free must not need memory.
        self.free().try_reserve(after).map_err(reserve::out_of_memory)?;
        self.entries.resize_with(after, Entry::default);
        self.free().extend((before as u32..after as u32).rev());
        Ok(())
    }
}

/// The one handle that goes through forks of ours: as its callers know it, and what stands for it in this process's table. In plain memory, so a copy that
/// is none of ours finds what stood for it elsewhere: an inherited handle.
///
/// A process that has just been forked pays for each page that it touches, and a table of its own is some: so the object stands here until it is freed, in
/// the one process of this number. (A copy of that one has another number, also as the init of a pid namespace.)
///
/// Which process that is, is written into the object, which such a process writes to anyway; nothing in here is written to again.
struct Passed {
    known: AtomicU64,
    /// 0: the object stands below.
    here: AtomicU64,
    object: OnceLock<Arc<Preload>>,
}

static PASSED: Passed = Passed { known: AtomicU64::new(0), here: AtomicU64::new(0), object: OnceLock::new() };

/// Writes only what is not there: a page that is written to is copied first.
fn store(place: &AtomicU64, value: u64) {
    if place.load(Ordering::Relaxed) != value {
        place.store(value, Ordering::Relaxed);
    }
}

impl Passed {
    fn has(&self, handle: u64) -> bool {
        self.known.load(Ordering::Relaxed) == handle && self.here.load(Ordering::Relaxed) != 0
    }

    /// What stands for it without a table.
    #[inline(always)]
    fn object(&self, handle: u64) -> Option<&Arc<Preload>> {
        let is_it = handle != 0 && self.known.load(Ordering::Relaxed) == handle && self.here.load(Ordering::Relaxed) == 0;
        let object = self.object.get().filter(|_| is_it)?;
        (object.process() == getpid()).then_some(object)
    }

    /// The same as an object of any type.
    #[inline(always)]
    fn shared<T: Handled>(&self, handle: u64) -> Option<Arc<T>> {
        self.object(handle).and_then(|object| T::unwrap(Preload::wrap(object.clone())))
    }
}

static TABLE: PerProcess<Striped<Slab>> = PerProcess::new();
static OUT_OF_MEMORY: PerProcess<Arc<ErrorObject>> = PerProcess::new();

/// The last index stands for the error that is given where there is no memory for another.
const INDEXES: u32 = (1 << INDEX_BITS) - 1;
const INDEX_BITS: u32 = 22;
const INDEX: u32 = 42;
const GENERATIONS: u32 = 21;
const GENERATION: u32 = (1 << GENERATIONS) - 1;
const INSTANCES: u32 = 16;
const INSTANCE: u32 = (1 << INSTANCES) - 1;

fn table() -> Result<&'static Striped<Slab>> {
    TABLE.get_or_try_init(|| Ok(Striped::default())).map_err(|errno| Error::system("mmap", errno, "cannot make the handle table"))
}

/// What is in every handle that this copy of the library makes in this process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Stamp {
    /// How many forked hosts in a row have used the library, this one among them.
    forks: u32,
    instance: u32,
    /// Where the generations begin.
    first: u32,
}

impl Stamp {
    fn here() -> Self {
        // No two copies lie at one address; and a forked host has the same one, so that what it inherited is known.
        Self::of((&raw const TABLE).addr() as u64, memory::instance())
    }

    fn of(address: u64, forks: u32) -> Self {
        let page = address >> 12;
        // An odd factor: copies that lie less than 2^16 pages apart differ, and are no neighbours.
        let salt = (page as u32).wrapping_mul(0x9E37);
        let place = (page ^ u64::from(forks >> INSTANCES) << 48).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        Self { forks, instance: salt.wrapping_add(forks) & INSTANCE, first: (place >> (u64::BITS - GENERATIONS)) as u32 }
    }

    fn encode(self, kind: u64, index: u32, generation: u32) -> u64 {
        let generation = self.first.wrapping_add(generation) & GENERATION;
        u64::from(index) << INDEX | u64::from(generation) << 21 | u64::from(self.instance) << 5 | kind << 1 | 1
    }

    /// How many forks ago it was made, if this copy of the library has made it. 0: in this process.
    fn age_of(self, handle: u64) -> Option<u32> {
        let age = self.instance.wrapping_sub((handle >> 5) as u32) & INSTANCE;
        (age == 0 || age < self.forks).then_some(age)
    }

    fn generation_of(self, handle: u64) -> u32 {
        ((handle >> 21) as u32).wrapping_sub(self.first) & GENERATION
    }
}

#[cold]
#[inline(never)]
fn bad(name: &'static str, why: &str) -> Error {
    Error::new(Status::BadHandle, name, format!("the {name} handle {why}"))
}

/// The index in a handle, if its other parts can be right.
#[inline(always)]
fn decode<T: Handled>(handle: u64) -> Result<(usize, u32)> {
    let stamp = Stamp::here();
    if handle & 1 == 1 && handle >> 1 & 0xF == T::KIND && stamp.age_of(handle) == Some(0) {
        return Ok(((handle >> INDEX) as usize, stamp.generation_of(handle)));
    }
    decode_odd(handle, T::KIND, T::NAME)
}

/// The same of one that is not simply what it should be.
#[cold]
#[inline(never)]
fn decode_odd(handle: u64, wanted: u64, name: &'static str) -> Result<(usize, u32)> {
    if handle == 0 {
        return Err(bad(name, "is NULL"));
    }
    if handle & 1 == 0 {
        return Err(bad(name, "was not made by procsup"));
    }
    let kind = handle >> 1 & 0xF;
    let stamp = Stamp::here();
    match stamp.age_of(handle).filter(|_| (1..=12).contains(&kind)) {
        None => return Err(bad(name, "was not made by this copy of procsup")),
        Some(0) => {}
        Some(_) if PASSED.has(handle) => return decode_odd(PASSED.here.load(Ordering::Relaxed), wanted, name),
        Some(_) => {
            let text = format!("the {name} handle belongs to the process that this one was forked from");
            return Err(Error::new(Status::Forked, name, text));
        }
    }
    if kind != wanted {
        return Err(bad(name, "stands for another kind of object"));
    }
    Ok(((handle >> INDEX) as usize, stamp.generation_of(handle)))
}

/// Whether it was made in a process that this one was forked from. Takes no lock.
pub(super) fn is_inherited(handle: u64) -> bool {
    handle & 1 == 1 && Stamp::here().age_of(handle).is_some_and(|age| age > 0)
}

/// In the process that has made it, and in a copy that this library has made: this handle stands for the object, and is not looked up. There is one such
/// object in a process.
#[inline(always)]
pub(super) fn pass(handle: u64, object: &Arc<Preload>) {
    PASSED.object.get_or_init(|| object.clone());
    object.set_process(getpid());
    store(&PASSED.here, 0);
    store(&PASSED.known, handle);
}

/// What stands for such a handle. `None`: it is to be looked up.
#[inline(always)]
pub(super) fn passed(handle: u64) -> Option<&'static Arc<Preload>> {
    PASSED.object(handle)
}

/// Puts an object in the table; answers its handle.
pub(super) fn insert<T: Handled>(object: Arc<T>) -> Result<u64> {
    put(T::wrap(object), T::KIND, T::NAME)
}

fn put(object: Object, kind: u64, name: &'static str) -> Result<u64> {
    let table = table()?;
    let slab = table.read();
    let index = lock(&slab.free).pop();
    if let Some((index, entry)) = index.and_then(|index| Some((index, slab.entries.get(index as usize)?))) {
        // SAFETY: it was on the list of free ones, and is on it no more.
        unsafe { entry.fill(object) };
        return Ok(Stamp::here().encode(kind, index, entry.generation));
    }
    drop(slab);
    append(&mut table.write(), object, kind, name)
}

/// The same, where none is free, as far as has been seen.
#[cold]
#[inline(never)]
fn append(slab: &mut Slab, object: Object, kind: u64, name: &'static str) -> Result<u64> {
    slab.make_room()?;
    let Some(index) = slab.free().pop() else { return Err(Error::new(Status::Limit, name, "there are too many handles")) };
    let entry = &slab.entries[index as usize];
    // SAFETY: as above.
    unsafe { entry.fill(object) };
    Ok(Stamp::here().encode(kind, index, entry.generation))
}

/// Whether a handle can be made: before what it is to stand for is.
pub(super) fn make_room() -> Result<()> {
    let table = table()?;
    // Another thread may take the last one: then room is made for the handle itself, or it is refused.
    if !lock(&table.read().free).is_empty() {
        return Ok(());
    }
    table.write().make_room()
}

/// The handle of the error that says that memory is out: one for all, made once, and no free frees it. 0 where not even that can be had.
pub(super) fn out_of_memory() -> u64 {
    let make = || Ok(Arc::new(ErrorObject::new(reserve::out_of_memory(()))));
    OUT_OF_MEMORY.get_or_try_init(make).map_or(0, |_| Stamp::here().encode(ErrorObject::KIND, INDEXES, 0))
}

/// A share of the object behind a handle.
pub(super) fn get<T: Handled>(handle: u64) -> Result<Arc<T>> {
    if let Some(object) = PASSED.shared::<T>(handle) {
        return Ok(object);
    }
    let (index, generation) = decode::<T>(handle)?;
    if index == INDEXES as usize {
        let standing = OUT_OF_MEMORY.get().filter(|_| generation == 0).cloned().map(Object::Error);
        return standing.and_then(T::unwrap).ok_or_else(|| bad(T::NAME, "was not made by procsup"));
    }
    let slab = table()?.read();
    let object = slab.entries.get(index).and_then(|entry| entry.object(generation)).and_then(T::peek);
    object.cloned().ok_or_else(|| bad(T::NAME, "was freed already"))
}

/// Asks the object behind a handle without taking a share of it, which all processors would write to. For what neither blocks nor makes or frees a
/// handle, and is asked often.
pub(super) fn ask<T: Handled, V>(handle: u64, ask: impl FnOnce(&Arc<T>) -> Result<V>) -> Result<V> {
    if let Some(object) = PASSED.shared::<T>(handle) {
        return ask(&object);
    }
    let (index, generation) = decode::<T>(handle)?;
    let slab = table()?.read();
    let object = slab.entries.get(index).and_then(|entry| entry.object(generation)).and_then(T::peek);
    ask(object.ok_or_else(|| bad(T::NAME, "was freed already"))?)
}

/// Takes the object out of the table. `None` for anything that is not a live handle.
pub(super) fn remove<T: Handled>(handle: u64) -> Option<Arc<T>> {
    if let Some(object) = PASSED.shared::<T>(handle) {
        // Where it is in the table as well it is found there from now on; else it is put there, so that it is known as freed.
        let is_there = Stamp::here().age_of(handle) == Some(0);
        PASSED.here.store(if is_there { handle } else { insert(object).ok()? }, Ordering::Relaxed);
    }
    let (index, generation) = decode::<T>(handle).ok()?;
    take_out(index, generation, |object| T::peek(object).is_some()).and_then(T::unwrap)
}

/// The kind in a handle may be a lie: only an object that is of it may be taken.
fn take_out(index: usize, generation: u32, is_of_kind: fn(&Object) -> bool) -> Option<Object> {
    let mut slab = table().ok()?.write();
    let entry = slab.entries.get_mut(index).filter(|entry| entry.generation == generation)?;
    if !is_of_kind(entry.object(generation)?) {
        return None;
    }
    let object = entry.object.get_mut().take();
    *entry.is_full.get_mut() = false;
    entry.generation += 1;
    // An index whose generations are used up is never used again: a handle freed long ago must not come alive.
    if entry.generation <= GENERATION {
        slab.free().push(index as u32);
    }
    object
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: u64 = 0x7F12_3456_7000;

    #[test]
    fn f40_copies_of_the_library_know_each_others_handles() {
        let here = Stamp::of(HERE, 1);
        for pages in 1..1 << INSTANCES {
            assert_ne!(Stamp::of(HERE + pages * 4096, 1).instance, here.instance);
        }
        // As far apart that the instance is the same: the generations are not.
        assert_ne!(Stamp::of(HERE + (4096 << INSTANCES), 1).encode(2, 0, 0), here.encode(2, 0, 0));
    }

    #[test]
    fn f29_a_handle_of_any_generation_of_hosts_before_is_known_as_such() {
        let old = Stamp::of(HERE, 1).encode(2, 0, 0);
        for forks in 2..=1 << INSTANCES {
            assert_eq!(Stamp::of(HERE, forks).age_of(old), Some(forks - 1));
        }
        // Where the instance comes again, the generation is none that is in use.
        let again = Stamp::of(HERE, 1 + (1 << INSTANCES));
        assert_eq!(again.age_of(old), Some(0));
        assert!(again.generation_of(old) > 1000, "{}", again.generation_of(old));
        assert!(Stamp::of(HERE, 2 + (1 << INSTANCES)).age_of(old) == Some(1));
    }

    #[test]
    fn a_handle_gives_back_what_it_was_made_of() {
        let stamp = Stamp::of(HERE, 7);
        let handle = stamp.encode(5, INDEXES - 1, GENERATION);
        assert_eq!((handle >> INDEX, stamp.generation_of(handle), stamp.age_of(handle)), (u64::from(INDEXES) - 1, GENERATION, Some(0)));
        assert_eq!((handle & 1, handle >> 1 & 0xF), (1, 5));
    }

    #[test]
    fn a_handle_is_odd_and_dies_with_its_free() {
        let error = || Arc::new(ErrorObject::new(Error::new(Status::Internal, "", "")));
        let handle = insert(error()).unwrap();
        assert_eq!(handle & 1, 1);
        assert!(get::<ErrorObject>(handle).is_ok());
        assert_eq!(get::<Managed>(handle).unwrap_err().status, Status::BadHandle);
        assert!(remove::<ErrorObject>(handle).is_some());
        assert!(remove::<ErrorObject>(handle).is_none());
        let again = insert(error()).unwrap();
        assert_eq!(get::<ErrorObject>(handle).map(drop).unwrap_err().status, Status::BadHandle, "same place, other generation");
        remove::<ErrorObject>(again);
    }
}
