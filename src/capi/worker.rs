//! `ps_worker`: a process that serves, started directly or through a preloader.
