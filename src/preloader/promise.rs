//! What is told once, whatever comes: whoever waits for an outcome must not wait for ever because a panic has taken along who was to tell it.

use crate::error::{Error, Result, Status};

/// One that is to be kept.
pub struct Promise<T>(Option<Box<dyn FnOnce(Result<T>) + Send>>);

impl<T> Promise<T> {
    /// By this it is told.
    pub fn of(then: Box<dyn FnOnce(Result<T>) + Send>) -> Self {
        Self(Some(then))
    }

    /// That came of it.
    pub fn keep(mut self, came: Result<T>) {
        if let Some(then) = self.0.take() {
            then(came);
        }
    }
}

impl<T> Drop for Promise<T> {
    fn drop(&mut self) {
        // Not in a forked copy, which may drop what it has inherited.
        if let Some(then) = self.0.take().filter(|_| std::thread::panicking()) {
            then(Err(panicked()));
        }
    }
}

/// Why there is no outcome.
pub fn panicked() -> Error {
    Error::new(Status::Internal, "handshake", "the handshake has ended by a panic")
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::mpsc::{Sender, channel};

    use super::*;

    // covers: LAW-5
    #[test]
    fn a_panic_on_the_way_is_told_to_whoever_waits() {
        let (tell, told) = channel();
        let promise = |tell: Sender<Status>| {
            Promise::<()>::of(Box::new(move |came| _ = tell.send(came.map_or_else(|error| error.status, |()| Status::Ok))))
        };
        drop(promise(tell.clone()));
        assert!(told.try_recv().is_err(), "a forked copy tells nobody");
        let broken = promise(tell);
        let panic = catch_unwind(AssertUnwindSafe(move || {
            let _broken = broken;
            panic!("on the way");
        }));
        assert!(panic.is_err());
        assert_eq!(told.try_recv(), Ok(Status::Internal));
    }
}
