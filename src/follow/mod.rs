//! What follows the log by position and tells others of it.

pub mod relay;
