//! What keeps the log and its read models whole: rebuilds while the server serves, backups, restores, and the tree that proves it.
#![cfg(test)]

mod archive;
mod archive_check;
mod archive_roots;
mod audit;
mod audit_reads;
mod backup;
mod check_token;
mod generations;
mod lineage;
mod migrate;
mod month;
mod rebuild;
mod restore;
mod sample;
mod transfer;
mod transparency;
mod verifier;
mod verify_log;
mod witnesses;
