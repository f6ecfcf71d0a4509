//! The command line as people and scripts use it: the real program, each test in a folder and a store of its own.
#![cfg(test)]

mod audit;
mod clients;
mod dev;
mod events;
mod keep;
mod keys;
mod mail;
mod place;
mod proof;
mod relay;
mod server;
mod tls;
mod usage;
mod users;
mod witnesses;
