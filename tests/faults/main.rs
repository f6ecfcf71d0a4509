//! Faults and races, with servers as processes of their own: what was acknowledged holds, whatever is killed, and whoever comes together.
#![cfg(test)]

mod kills;
mod load;
mod nodes;
mod races;
mod sizes;
