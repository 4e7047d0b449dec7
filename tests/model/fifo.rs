//! A short queue that is a plain value: states are copied and hashed by the million.

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Fifo<T, const N: usize> {
    items: [Option<T>; N],
}

impl<T: Copy, const N: usize> Fifo<T, N> {
    pub const fn new() -> Self {
        Self { items: [None; N] }
    }

    pub fn push(&mut self, item: T) {
        let place = self.items.iter_mut().find(|place| place.is_none());
        *place.expect("the model's queue is long enough") = Some(item);
    }

    pub fn pop(&mut self) -> Option<T> {
        let first = self.items[0];
        self.items.rotate_left(1);
        self.items[N - 1] = None;
        first
    }

    pub fn first(&self) -> Option<T> {
        self.items[0]
    }

    pub fn is_empty(&self) -> bool {
        self.items[0].is_none()
    }

    pub fn is_full(&self) -> bool {
        self.items[N - 1].is_some()
    }

    pub fn iter(&self) -> impl Iterator<Item = T> + '_ {
        self.items.iter().flatten().copied()
    }

    pub fn clear(&mut self) {
        *self = Self::new();
    }
}
