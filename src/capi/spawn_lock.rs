//! Spawn locks: one starter at a time, over all processes.
