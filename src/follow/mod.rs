//! What follows the log by position and tells others of it. `runner` keeps each going.

pub mod logout;
pub mod mail;
mod name_book;
pub mod relay;
mod retry;
pub mod revocations;
pub mod runner;
mod search;
pub mod transparency;
