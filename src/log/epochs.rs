//! The epochs that the log has had: a restored log begins another.

use projections::{Db, on_db};
use uuid::Uuid;

use super::Unavailable;

/// Since which position each epoch runs. It stays the same as long as a server runs: nothing is restored under one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Epochs {
    first: Uuid,
    /// Those after it, in order.
    later: Vec<(i64, Uuid)>,
}

impl Epochs {
    /// The epoch in which the event at a position was recorded.
    #[must_use]
    pub fn at(&self, position: i64) -> Uuid {
        self.later.iter().rfind(|(from, _)| *from <= position).map_or(self.first, |(_, epoch)| *epoch)
    }

    /// Takes a log's only epoch.
    #[must_use]
    pub const fn only(epoch: Uuid) -> Self {
        Self { first: epoch, later: Vec::new() }
    }
}

pub(super) async fn epochs(db: &Db) -> Result<Epochs, Unavailable> {
    let sql = "SELECT from_position, epoch FROM log_epoch ORDER BY from_position";
    let rows: Vec<(i64, String)> = on_db!(db, pool => sqlx::query_as(sql).fetch_all(pool).await)?;
    let parsed = rows.into_iter().map(|(from, epoch)| Ok((from, Uuid::try_parse(&epoch).map_err(|_| Unavailable)?)));
    let mut epochs = parsed.collect::<Result<Vec<_>, Unavailable>>()?;
    if epochs.is_empty() {
        return Err(Unavailable);
    }
    let (_, first) = epochs.remove(0);
    Ok(Epochs { first, later: epochs })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_of_the_epoch_in_which_it_was_recorded() {
        let [first, second, third] = [1, 2, 3].map(Uuid::from_u128);
        let epochs = Epochs { first, later: vec![(10, second), (20, third)] };
        assert_eq!([1, 9, 10, 19, 20, 99].map(|position| epochs.at(position)), [first, first, second, second, third, third]);
        assert_eq!(Epochs::only(first).at(5), first);
    }
}
