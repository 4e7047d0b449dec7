//! A record for people and programs.
