//! The child's environment: a base taken from the host, with names set and removed.
//!
//! The trap is the number of names: who sets each one by itself must not pay for all that were set before. So a change is put behind the others
//! and nobody looks for what it replaces, until the list has twice as many as are in force; and what a spawn asks of it (which are in force, which
//! names of the host are changed, and the array that exec takes) is an index, made at the first question after a change and shared by the clones of
//! a command. The host's own variables are looked at anew by each spawn, and only their names: it may change them at any time, also in place (putenv(3)).

use core::ffi::CStr;
use std::ffi::CString;
use std::sync::{Arc, OnceLock};

use nix::errno::Errno;

use super::systemd::Told;
use crate::sys::cstr::{self, Row};
use crate::sys::environ::{Beginnings, Block, Kept};
use crate::sys::{environ, reserve};

/// What a child's environment begins with.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, strum::FromRepr, strum::IntoStaticStr, strum::VariantNames)]
#[repr(i32)]
pub enum Base {
    /// Everything the host has (default).
    #[default]
    #[strum(serialize = "PS_ENV_INHERIT")]
    Inherit = 0,
    /// Nothing.
    #[strum(serialize = "PS_ENV_CLEAR")]
    Clear = 1,
    /// PATH, HOME, USER, LOGNAME, SHELL, LANG, LC_*, TZ, TMPDIR and TERM of the host.
    #[strum(serialize = "PS_ENV_BASELINE")]
    Baseline = 2,
}

/// The names of [`Base::Baseline`]; `LC_*` belongs to it too.
const BASELINE: [&[u8]; 9] = [b"PATH", b"HOME", b"USER", b"LOGNAME", b"SHELL", b"LANG", b"TZ", b"TMPDIR", b"TERM"];
const LOCALE: &[u8] = b"LC_";

/// Base and changes. A name is changed once: the last call wins.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// What it begins with.
    pub base: Base,
    /// Shared by the clones of a command.
    changes: Arc<Changes>,
}

/// `entry` is `NAME=value`; none removes the name.
#[derive(Clone, Debug)]
pub struct Change {
    name: Vec<u8>,
    entry: Option<CString>,
}

impl Change {
    /// `None`: no name has these bytes, for it is empty or holds `=`. Neither has a NUL.
    pub fn of(name: &[u8], value: Option<&[u8]>) -> Option<Result<Self, Errno>> {
        if name.is_empty() || name.contains(&b'=') {
            return None;
        }
        let made = copied(&[name]).and_then(|name_alone| {
            let entry = value.map(|value| copied(&[name, b"=", value]).map(|bytes| CString::new(bytes).unwrap_or_default()));
            Ok(Self { name: name_alone, entry: entry.transpose()? })
        });
        Some(made)
    }

    /// What stands behind the name.
    fn value(&self) -> Option<&CStr> {
        let entry = self.entry.as_deref()?;
        CStr::from_bytes_with_nul(&entry.to_bytes_with_nul()[self.name.len() + 1..]).ok()
    }
}

/// One behind the other, with room for a NUL; made fallibly.
fn copied(parts: &[&[u8]]) -> Result<Vec<u8>, Errno> {
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(parts.iter().map(|part| part.len()).sum::<usize>() + 1).map_err(|_| Errno::ENOMEM)?;
    parts.iter().for_each(|part| bytes.extend_from_slice(part));
    Ok(bytes)
}

/// In the order of the calls; of one name the last is in force.
#[derive(Debug, Default)]
struct Changes {
    list: Vec<Change>,
    /// So many are in force, or more by what has come since that was counted.
    counted: usize,
    index: OnceLock<Index>,
}

// The index is of one list alone.
impl Clone for Changes {
    fn clone(&self) -> Self {
        Self { list: self.list.clone(), counted: self.counted, index: OnceLock::new() }
    }
}

/// Which changes are in force, by their places in the list.
#[derive(Debug)]
struct Index {
    /// In the order of the calls.
    in_order: Vec<usize>,
    /// In the order of their names.
    by_name: Vec<usize>,
    beginnings: Beginnings,
    /// What they set, in the order of the calls.
    entries: Row,
}

/// So many are put behind the others before any is looked at.
const FEW: usize = 16;

impl Index {
    fn of(list: &[Change]) -> Result<Self, Errno> {
        let mut by_name = reserve::list(0..list.len())?;
        by_name.sort_unstable_by(|a, b| list[*a].name.cmp(&list[*b].name).then(a.cmp(b)));
        by_name.dedup_by(|later, kept| {
            let same = list[*later].name == list[*kept].name;
            if same {
                *kept = *later;
            }
            same
        });
        let mut in_order = reserve::list(by_name.iter().copied())?;
        in_order.sort_unstable();
        let beginnings = Beginnings::default().and(by_name.iter().map(|place| &list[*place].name[..]));
        let entries = Row::of(in_order.iter().filter_map(|place| list[*place].entry.as_deref()))?;
        Ok(Self { in_order, by_name, beginnings, entries })
    }
}

impl Changes {
    /// All of them, or none.
    fn append(&mut self, more: impl ExactSizeIterator<Item = Change>) -> Result<(), Errno> {
        self.list.try_reserve(more.len()).map_err(|_| Errno::ENOMEM)?;
        self.index = OnceLock::new();
        self.list.extend(more);
        if self.list.len() > 2 * self.counted + FEW {
            self.forget_replaced();
        }
        Ok(())
    }

    /// Without memory for that they stay, and do no harm.
    fn forget_replaced(&mut self) {
        let Ok(Index { in_order, .. }) = Index::of(&self.list) else { return };
        let (mut kept, mut next) = (in_order.into_iter().peekable(), 0..);
        self.list.retain(|_| next.next().is_some_and(|place| kept.next_if_eq(&place).is_some()));
        self.counted = self.list.len();
    }

    fn index(&self) -> Result<&Index, Errno> {
        if let Some(index) = self.index.get() {
            return Ok(index);
        }
        let made = Index::of(&self.list)?;
        Ok(self.index.get_or_init(|| made))
    }

    /// Those in force, in the order of the calls.
    fn in_force(&self) -> Result<impl Iterator<Item = &Change>, Errno> {
        Ok(self.index()?.in_order.iter().map(|place| &self.list[*place]))
    }

    /// The change of a name that is in force.
    fn find(&self, name: &[u8]) -> Option<&Change> {
        match self.index.get() {
            Some(index) => {
                let found = index.by_name.binary_search_by(|place| self.list[*place].name[..].cmp(name)).ok()?;
                Some(&self.list[index.by_name[found]])
            }
            None => self.list.iter().rev().find(|change| change.name == name),
        }
    }
}

impl Environment {
    /// Changes these names, in this order: all, or none where there is no memory for it.
    pub fn change(&mut self, changes: impl ExactSizeIterator<Item = Change>) -> Result<(), Errno> {
        Arc::make_mut(&mut self.changes).append(changes)
    }

    /// The child's value of a name.
    pub fn get(&self, name: &[u8]) -> Result<Option<CString>, Errno> {
        if let Some(change) = self.changes.find(name) {
            return change.value().map(|value| cstr::copy(value.to_bytes())).transpose();
        }
        if self.keeps(name) { environ::get(name) } else { Ok(None) }
    }

    /// Has `look` at it: the same without a copy.
    pub fn with<T>(&self, name: &[u8], look: impl FnOnce(Option<&CStr>) -> T) -> T {
        match self.changes.find(name) {
            Some(change) => look(change.value()),
            None if self.keeps(name) => environ::with(name, look),
            None => look(None),
        }
    }

    fn keeps(&self, name: &[u8]) -> bool {
        let base = match self.base {
            Base::Inherit => true,
            Base::Clear => false,
            Base::Baseline => BASELINE.contains(&name) || name.starts_with(LOCALE),
        };
        base && !self.changes(name)
    }

    /// Whether a name is set or removed here.
    pub fn changes(&self, name: &[u8]) -> bool {
        self.changes.find(name).is_some()
    }

    /// All of it, as it is now: `NAME=value`. (What a child is told besides, of descriptors for example, is not in it.)
    pub fn entries(&self) -> Result<Vec<CString>, Errno> {
        let own = self.changes.in_force()?;
        let mut list = environ::entries(|name| self.keeps(name))?;
        for entry in own.filter_map(|change| change.entry.as_deref()) {
            list.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
            list.push(cstr::copy(entry.to_bytes())?);
        }
        Ok(list)
    }

    /// What one child gets. What it is `told` takes the place of whatever the host, or the command, has under the same names.
    pub fn block<'a>(&'a self, told: &'a Told) -> Result<Block<'a>, Errno> {
        if told.is_empty() && self.base == Base::Inherit && self.changes.list.is_empty() {
            return Ok(Block::Inherit);
        }
        // Made before the host's names are looked up in it.
        let index = self.changes.index()?;
        if told.is_empty() && self.base == Base::Clear {
            return Ok(Block::Ready(&index.entries));
        }
        let clash = |change: &Change| told.replaces(&change.name);
        let clashes = !told.is_empty() && self.changes.in_force()?.any(clash);
        let picked = clashes.then(|| self.changes.in_force()).transpose()?.into_iter().flatten();
        let picked = picked.filter(|change| !clash(change)).filter_map(|change| change.entry.as_deref());
        let looked_at = match self.base {
            Base::Baseline => Beginnings::default().and(BASELINE).and([LOCALE]),
            Base::Inherit | Base::Clear => index.beginnings.and(told.names()),
        };
        let keep = |name: &[u8]| !told.replaces(name) && self.keeps(name);
        let kept = Kept { looked_at: &looked_at, keep, others: self.base == Base::Inherit };
        let kept = Some(kept).filter(|_| self.base != Base::Clear);
        let own = (!clashes).then_some(&index.entries);
        environ::merge(kept, own, picked.chain(told.entries()), told.own_pids().into_iter().flatten()).map(Block::List)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn set(environment: &mut Environment, name: &[u8], value: Option<&[u8]>) {
        environment.change([Change::of(name, value).unwrap().unwrap()].into_iter()).unwrap();
    }

    fn clear() -> Environment {
        Environment { base: Base::Clear, ..Environment::default() }
    }

    #[test]
    fn a_name_that_is_set_again_and_again_takes_no_more_room() {
        let mut environment = clear();
        for round in 0..10_000 {
            set(&mut environment, b"A", Some(round.to_string().as_bytes()));
        }
        assert!(environment.changes.list.len() <= 2 + FEW, "{}", environment.changes.list.len());
        assert_eq!(environment.entries().unwrap(), [c"A=9999".to_owned()]);
    }

    #[test]
    fn what_is_no_name_is_none() {
        assert!(Change::of(b"", None).is_none() && Change::of(b"A=", Some(b"x")).is_none());
    }

    proptest! {
        #[test]
        fn it_holds_what_a_plain_list_holds(calls in proptest::collection::vec((0..12u8, proptest::option::of(0..3u8), 0..4u8), 0..120)) {
            let (mut environment, mut naive) = (clear(), Vec::<(Vec<u8>, Option<Vec<u8>>)>::new());
            for (name, value, look) in calls {
                let (name, value) = (vec![b'a' + name], value.map(|value| vec![b'0' + value]));
                set(&mut environment, &name, value.as_deref());
                naive.retain(|(known, _)| *known != name);
                naive.push((name.clone(), value));
                if look == 0 {
                    // The index is made now, and must not outlive the next change.
                    environment.entries().unwrap();
                }
                let shared = environment.clone();
                for name in b'a'..b'm' {
                    let known = naive.iter().find(|(known, _)| known[..] == [name]);
                    prop_assert_eq!(environment.changes(&[name]), known.is_some());
                    let value = environment.get(&[name]).unwrap().map(|value| value.to_bytes().to_vec());
                    prop_assert_eq!(value, known.and_then(|(_, value)| value.clone()));
                    prop_assert_eq!(shared.changes(&[name]), known.is_some());
                }
            }
            let entries: Vec<Vec<u8>> = environment.entries().unwrap().iter().map(|entry| entry.to_bytes().to_vec()).collect();
            let wanted: Vec<Vec<u8>> =
                naive.iter().filter_map(|(name, value)| Some([&name[..], b"=", value.as_deref()?].concat())).collect();
            prop_assert_eq!(entries, wanted);
        }
    }
}
