//! Faults and races, with servers as processes of their own: what was acknowledged holds, whatever is killed, and whoever comes together; and
//! what no fault may let out.
#![cfg(test)]

mod kills;
mod load;
mod nodes;
mod races;
mod secrets;
mod sizes;
mod visit;
