//! Numbers that differ from run to run; a test that fails tells the seed.

/// Begins with a seed that it prints, or with that of an earlier run (`GRANTLOG_TEST_SEED`).
///
/// # Panics
/// Where that seed is no number.
#[must_use]
#[expect(clippy::print_stdout, reason = "whoever looks at a failed test needs it")]
pub fn numbers() -> fastrand::Rng {
    let given = std::env::var("GRANTLOG_TEST_SEED").ok();
    let seed = given.map_or_else(|| fastrand::u64(..), |seed| seed.parse().expect("a seed is a number"));
    println!("GRANTLOG_TEST_SEED={seed}");
    fastrand::Rng::with_seed(seed)
}
