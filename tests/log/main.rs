//! The log over both stores: what is appended, what is refused, what is read, and what happens when the store fails.
#![cfg(test)]

mod batches;
mod changes;
mod commands;
mod epochs;
mod faults;
mod follow;
mod holds;
mod outcomes;
mod positions;
mod proxy;
mod store;
mod streams;
mod sweep;

/// Runs each sentence over both stores.
macro_rules! over_both_stores {
    ($($sentence:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test] async fn $sentence() { super::$sentence(support::Store::new(support::Kind::Sqlite).await).await; })+
        }
        mod postgres {
            $(#[tokio::test] async fn $sentence() { super::$sentence(support::Store::new(support::Kind::Postgres).await).await; })+
        }
    };
}
use over_both_stores;
