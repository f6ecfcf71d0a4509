//! What is promised to those who read the log's messages.
#![cfg(test)]

mod documents;
