//! Handles: what a pointer in C stands for.
//!
//! The value of a handle is an id that looks like a pointer and never is one: it is looked up, not followed. So NULL, a
//! freed, a foreign or a wrong-typed handle is a typed error, a double free is harmless, and a free in one thread while another
//! uses the object is safe (the user holds a share).
//!
//! ```text
//!   63 .. 40   39 .. 16     15 .. 5    4 .. 1   0
//!   index      generation   instance   kind     1
//! ```
//!
//! The instance tells this process from the one it was forked from: an inherited handle is known as such. The lowest bit makes
//! the value odd, so that no allocator's address is ever taken for a handle.

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use super::error::ErrorObject;
use crate::error::{Error, Result, Status};
use crate::handoff::Handoff;
use crate::process::command::Command;
use crate::supervisor::{Managed, Supervisor};
use crate::sys::memory::{self, PerProcess};

/// What a handle can stand for.
#[derive(Clone)]
pub(super) enum Object {
    Command(Arc<Mutex<Arc<Command>>>),
    Child(Arc<Managed>),
    Supervisor(Arc<Supervisor>),
    Error(Arc<ErrorObject>),
    Handoff(Arc<Handoff>),
}

/// A type that lives behind handles.
pub(super) trait Handled: Sized {
    const KIND: u64;
    const NAME: &'static str;
    fn wrap(this: Arc<Self>) -> Object;
    fn unwrap(object: Object) -> Option<Arc<Self>>;
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
        }
    };
}
handled!(Mutex<Arc<Command>>, Command, 1, "command");
handled!(Managed, Child, 2, "child");
handled!(Supervisor, Supervisor, 3, "supervisor");
handled!(ErrorObject, Error, 4, "error");
handled!(Handoff, Handoff, 5, "handoff");

#[derive(Default)]
struct Entry {
    generation: u32,
    object: Option<Object>,
}

#[derive(Default)]
struct Slab {
    entries: Vec<Entry>,
    free: Vec<u32>,
}

static TABLE: PerProcess<RwLock<Slab>> = PerProcess::new();

const INDEXES: u32 = 1 << 24;
const GENERATION: u64 = 0xFF_FFFF;
const INSTANCE: u64 = 0x7FF;

fn table() -> Result<&'static RwLock<Slab>> {
    TABLE.get_or_try_init(|| Ok(RwLock::default())).map_err(|errno| Error::system("mmap", errno, "cannot make the handle table"))
}

fn instance() -> u64 {
    u64::from(memory::instance()) & INSTANCE
}

fn encode(kind: u64, index: u32, generation: u32) -> u64 {
    u64::from(index) << 40 | (u64::from(generation) & GENERATION) << 16 | instance() << 5 | kind << 1 | 1
}

fn bad(name: &'static str, why: &str) -> Error {
    Error::new(Status::BadHandle, name, format!("the {name} handle {why}"))
}

/// The index in a handle, if its other parts can be right.
fn decode<T: Handled>(handle: u64) -> Result<(usize, u32)> {
    if handle == 0 {
        return Err(bad(T::NAME, "is NULL"));
    }
    if handle & 1 == 0 {
        return Err(bad(T::NAME, "was not made by procsup"));
    }
    let kind = handle >> 1 & 0xF;
    let age = instance().wrapping_sub(handle >> 5 & INSTANCE) & INSTANCE;
    if (1..=5).contains(&kind) && age != 0 && age < instance() {
        return Err(Error::new(
            Status::Forked,
            T::NAME,
            format!("the {} handle belongs to the process that this one was forked from", T::NAME),
        ));
    }
    if age != 0 {
        return Err(bad(T::NAME, "was not made by procsup"));
    }
    if kind != T::KIND {
        return Err(bad(T::NAME, "stands for another kind of object"));
    }
    Ok(((handle >> 40) as usize, (handle >> 16 & GENERATION) as u32))
}

/// Puts an object in the table; answers its handle.
pub(super) fn insert<T: Handled>(object: Arc<T>) -> Result<u64> {
    let mut slab = table()?.write().unwrap_or_else(PoisonError::into_inner);
    let index = match slab.free.pop() {
        Some(index) => index,
        None if slab.entries.len() < INDEXES as usize => {
            slab.entries.push(Entry::default());
            // A free must not need memory.
            let (count, spare) = (slab.entries.len(), slab.free.len());
            slab.free.reserve(count - spare);
            count as u32 - 1
        }
        None => return Err(Error::new(Status::Limit, T::NAME, "there are too many handles")),
    };
    let entry = &mut slab.entries[index as usize];
    entry.object = Some(T::wrap(object));
    Ok(encode(T::KIND, index, entry.generation))
}

/// A share of the object behind a handle.
pub(super) fn get<T: Handled>(handle: u64) -> Result<Arc<T>> {
    let (index, generation) = decode::<T>(handle)?;
    let slab = table()?.read().unwrap_or_else(PoisonError::into_inner);
    let entry = slab.entries.get(index).filter(|entry| entry.generation == generation);
    entry.and_then(|entry| entry.object.clone()).and_then(T::unwrap).ok_or_else(|| bad(T::NAME, "was freed already"))
}

/// Takes the object out of the table. `None` for anything that is not a live handle.
pub(super) fn remove<T: Handled>(handle: u64) -> Option<Arc<T>> {
    let (index, generation) = decode::<T>(handle).ok()?;
    let mut slab = table().ok()?.write().unwrap_or_else(PoisonError::into_inner);
    let entry = slab.entries.get_mut(index).filter(|entry| entry.generation == generation)?;
    // The kind in the handle may be a lie: only an object that is of it may be taken.
    let object = T::unwrap(entry.object.clone()?)?;
    entry.object = None;
    entry.generation += 1;
    // An index whose generations are used up is never used again: a handle freed long ago must not come alive.
    if u64::from(entry.generation) <= GENERATION {
        slab.free.push(index as u32);
    }
    Some(object)
}

#[cfg(test)]
mod tests {
    use super::*;

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
