//! What a host and its preloader say to each other, and a worker and its host.
