//! The relay of the log to NATS JetStream.

pub mod message;
