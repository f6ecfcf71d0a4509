//! The relay to a real nats-server: its messages, what they are documented as, and that the stream is the log whatever breaks.
#![cfg(test)]

mod archived;
mod beside;
mod broker;
mod documents;
mod faults;
mod kills;
mod messages;
mod outage;
mod sign_in;
mod stream;
mod takeover;

/// The program.
const GRANTLOG: &str = env!("CARGO_BIN_EXE_grantlog");
