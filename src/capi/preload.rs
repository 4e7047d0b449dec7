//! `ps_preload`: a process that is a preloader, or a worker of one, as it sees itself.
