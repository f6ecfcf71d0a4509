//! Faults and races, with servers as processes of their own: what was acknowledged holds, whatever is killed, and whoever comes together; and
//! what no fault may let out.
#![cfg(test)]

mod archived;
mod archiving;
mod imports;
mod kills;
mod load;
mod logouts;
mod poison;
mod races;
mod readers;
mod rebuilds;
mod seals;
mod secrets;
mod told;
mod visit;

/// The program.
const GRANTLOG: &str = env!("CARGO_BIN_EXE_grantlog");
