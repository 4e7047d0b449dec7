//! Workers that are their preloader's children (libc's fork), until it has told that they ended: so it is known which one a word of it is about.
//!
//! The trap: **it need not keep its own**. One that ignores SIGCHLD, reaps behind our back, dies, or just says nothing, tells of none; so those who have ended
//! without a word are looked for, each time when there are twice as many as the last look has left.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

use super::machine::Birth;

/// So many are no reason to look.
const FEW: usize = 64;

/// By their births.
#[derive(Debug)]
pub struct Theirs<T> {
    all: BTreeMap<Birth, Weak<T>>,
    most: usize,
}

impl<T> Default for Theirs<T> {
    fn default() -> Self {
        Self { all: BTreeMap::new(), most: FEW }
    }
}

impl<T> Theirs<T> {
    /// One more.
    pub fn add(&mut self, birth: Birth, child: &Arc<T>, has_ended: impl Fn(&T) -> bool) {
        if self.all.len() >= self.most {
            self.all.retain(|_, child| child.upgrade().is_some_and(|child| !has_ended(&child)));
            self.most = (self.all.len() * 2).max(FEW);
        }
        self.all.insert(birth, Arc::downgrade(child));
    }

    /// It was told of; `None`: of one that nobody knows, or wants to know of, any more.
    pub fn take(&mut self, birth: Birth) -> Option<Arc<T>> {
        self.all.remove(&birth)?.upgrade()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // covers: C15-1, LAW-17
    #[test]
    fn those_of_a_preloader_that_tells_of_none_do_not_become_more_and_more() {
        let mut theirs = Theirs::default();
        let alive: Vec<_> = (0..10).map(Arc::new).collect();
        for (birth, child) in alive.iter().enumerate() {
            theirs.add(birth as Birth, child, |_| false);
        }
        let ended = Arc::new(77);
        for birth in 10..10_000 {
            // Freed by who had it, or known to have ended.
            let (freed, kept) = (Arc::new(5), &ended);
            theirs.add(birth, if birth % 2 == 0 { &freed } else { kept }, |child| *child == 77);
            assert!(theirs.all.len() <= FEW, "{} after {birth}", theirs.all.len());
        }
        for (birth, child) in alive.iter().enumerate() {
            assert_eq!(theirs.take(birth as Birth).as_ref(), Some(child));
            assert_eq!(theirs.take(birth as Birth), None);
        }
    }
}
