//! The program `grantlog`.

fn main() {}
