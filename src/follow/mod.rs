//! What follows the log by position and tells others of it. `runner` keeps each going.

pub mod logout;
mod name_book;
pub mod relay;
pub mod revocations;
pub mod runner;
pub mod transparency;
