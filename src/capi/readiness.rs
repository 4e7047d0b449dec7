//! When a child is ready, and whether it still lives.
