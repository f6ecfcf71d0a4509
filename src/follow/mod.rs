//! What follows the log by position and tells others of it. `runner` keeps each going, on one node at a time.

pub mod relay;
pub mod runner;
