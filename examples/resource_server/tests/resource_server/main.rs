//! The example resource server as a process, beside a real grantlog and a real nats-server: whom it lets in, how soon it refuses what died,
//! and what it does when the news is cut off.
#![cfg(test)]

mod bound;
mod cut_off;
mod history;
mod notes;
mod revocations;
mod tokens;
mod wire;
