//! A table by numbers that are given in turn and never again, as those of children are: side by side in small pages, and only these stand in a hash
//! table. Whatever the number of children just now, that one has up to twice the places that it needs, with a key in each.
//!
//! The trap: who outlives his neighbours keeps their places. So a page is small.

use std::collections::TryReserveError;

use rustc_hash::FxHashMap;

/// Numbers in a page.
const SIZE: usize = 4;

type Page<T> = [Option<T>; SIZE];

/// See the head of this file.
#[derive(Debug)]
pub struct Dense<T> {
    pages: FxHashMap<u64, Box<Page<T>>>,
    /// For those to come.
    #[allow(clippy::vec_box)] // They go from here into the table as they are.
    spare: Vec<Box<Page<T>>>,
    len: usize,
}

impl<T> Default for Dense<T> {
    fn default() -> Self {
        Self { pages: FxHashMap::default(), spare: Vec::new(), len: 0 }
    }
}

impl<T: Clone> Clone for Dense<T> {
    fn clone(&self) -> Self {
        Self { pages: self.pages.clone(), spare: Vec::new(), len: self.len }
    }
}

impl<T: PartialEq> PartialEq for Dense<T> {
    fn eq(&self, other: &Self) -> bool {
        self.pages == other.pages
    }
}

impl<T: Eq> Eq for Dense<T> {}

fn place(number: u64) -> (u64, usize) {
    (number / SIZE as u64, (number % SIZE as u64) as usize)
}

fn fresh<T>() -> Result<Box<Page<T>>, TryReserveError> {
    let mut places = Vec::new();
    places.try_reserve_exact(SIZE)?;
    places.resize_with(SIZE, || None);
    Ok(places.try_into().unwrap_or_else(|_| Box::new([const { None }; SIZE])))
}

impl<T> Dense<T> {
    /// Makes room: so many more need no memory then.
    pub fn try_reserve(&mut self, more: usize) -> Result<(), TryReserveError> {
        self.pages.try_reserve(more)?;
        self.spare.try_reserve(more)?;
        while self.spare.len() < more {
            self.spare.push(fresh()?);
        }
        Ok(())
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// What has this number.
    pub fn get(&self, number: impl Into<u64>) -> Option<&T> {
        let (page, at) = place(number.into());
        self.pages.get(&page)?[at].as_ref()
    }

    /// The same, to be changed.
    pub fn get_mut(&mut self, number: impl Into<u64>) -> Option<&mut T> {
        let (page, at) = place(number.into());
        self.pages.get_mut(&page)?[at].as_mut()
    }

    /// Gives it this number.
    pub fn insert(&mut self, number: impl Into<u64>, value: T) {
        let (page, at) = place(number.into());
        let spare = &mut self.spare;
        let page = self.pages.entry(page).or_insert_with(|| spare.pop().unwrap_or_else(|| Box::new([const { None }; SIZE])));
        if page[at].replace(value).is_none() {
            self.len += 1;
        }
    }

    /// Takes out what has this number.
    pub fn remove(&mut self, number: impl Into<u64>) -> Option<T> {
        let (key, at) = place(number.into());
        let page = self.pages.get_mut(&key)?;
        let value = page[at].take()?;
        self.len -= 1;
        if page.iter().all(Option::is_none) {
            let emptied = self.pages.remove(&key);
            if self.spare.is_empty() && self.spare.capacity() > 0 {
                self.spare.extend(emptied);
            }
        }
        Some(value)
    }

    /// All, in no order, with their numbers.
    pub fn iter(&self) -> impl Iterator<Item = (u64, &T)> {
        self.pages.iter().flat_map(|(page, places)| {
            let first = page * SIZE as u64;
            places.iter().enumerate().filter_map(move |(at, value)| Some((first + at as u64, value.as_ref()?)))
        })
    }

    /// The same, taken out, without their numbers.
    pub fn into_values(self) -> impl Iterator<Item = T> {
        self.pages.into_values().flat_map(|places| places.into_iter().flatten())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_has_its_own() {
        let mut table = Dense::default();
        (1..=10u64).for_each(|number| table.insert(number, number * 10));
        assert_eq!((table.len(), table.get(7u64), table.get(11u64)), (10, Some(&70), None));
        assert_eq!((table.remove(7u64), table.remove(7u64), table.len()), (Some(70), None, 9));
        *table.get_mut(8u64).unwrap() = 1;
        let mut all: Vec<_> = table.iter().map(|(number, value)| (number, *value)).collect();
        all.sort_unstable();
        assert_eq!(all, [(1, 10), (2, 20), (3, 30), (4, 40), (5, 50), (6, 60), (8, 1), (9, 90), (10, 100)]);
        assert_eq!(table.clone(), table);
        assert_eq!(table.into_values().count(), 9);
    }

    #[test]
    fn empty_pages_go_and_room_that_was_made_is_there() {
        let mut table = Dense::default();
        table.try_reserve(3).unwrap();
        assert_eq!(table.spare.len(), 3);
        for number in [0u64, 100, 200] {
            table.insert(number, number);
        }
        assert!(table.spare.is_empty());
        (0..1000u64).for_each(|number| table.insert(number, 0));
        assert_eq!((table.len(), table.pages.len()), (1000, 250));
        assert!((0..1000u64).all(|number| table.remove(number).is_some()));
        assert_eq!((table.len(), table.pages.len(), table.spare.len()), (0, 0, 1));
    }
}
