//! Within a process that wants to be a preloader, and within its workers.
