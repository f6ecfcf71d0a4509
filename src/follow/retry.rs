//! How long something rests that was tried in vain.

/// The rest after the first try in seconds; each next one is twice as long, up to the longest.
const FIRST_REST: u32 = 1;

/// How long something rests that was tried so often before, in seconds.
pub(super) fn rest(tries: i64, longest: u32) -> u32 {
    let doublings = u32::try_from(tries).unwrap_or(u32::MAX);
    FIRST_REST.checked_shl(doublings).filter(|rest| *rest > 0).map_or(longest, |rest| rest.min(longest))
}

#[cfg(test)]
mod tests {
    use super::rest;

    #[test]
    fn each_rest_is_twice_as_long_up_to_the_longest() {
        assert_eq!(
            [0, 1, 2, 11, 12, 31, 32, 64, i64::MAX].map(|tries| rest(tries, 3600)),
            [1, 2, 4, 2048, 3600, 3600, 3600, 3600, 3600]
        );
    }
}
