//! Faults and races, with servers as processes of their own: what was acknowledged holds, whatever is killed, and whoever comes together; and
//! what no fault may let out.
#![cfg(test)]

mod kills;
mod load;
mod races;
mod rebuilds;
mod secrets;
mod visit;

/// The program.
const GRANTLOG: &str = env!("CARGO_BIN_EXE_grantlog");
