//! What follows the log by position and tells others of it. `runner` keeps each going.

mod name_book;
pub mod relay;
pub mod revocations;
pub mod runner;
pub mod transparency;
