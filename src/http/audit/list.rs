//! Grants on their way out, as the replay gives them: a JSON answer that is never whole in memory.

use std::collections::HashMap;

use axum::{
    body::{Body, Bytes},
    response::Response,
};
use domain::{UserId, audit::Read};
use futures_util::{TryStreamExt, stream};
use serde::Serialize;
use tokio::sync::OwnedSemaphorePermit;

use crate::{
    audit::{Bounds, GrantRecord, Replay, Replayed},
    log::Actor,
    state::App,
};

use super::{super::answer, Refused, turn};

/// What is told of grants, one after the other.
pub(super) trait Tell: Send + 'static {
    /// What stands before the list.
    fn begin(&self) -> String;

    /// Whether anything is told of a grant.
    fn takes(&self, record: &GrantRecord) -> bool;

    /// Tells it.
    fn tell(&mut self, record: &GrantRecord, names: &HashMap<UserId, String>, list: &mut List);

    /// What stands after the list.
    fn end(self) -> String;
}

/// The elements of a JSON list.
#[derive(Default)]
pub(super) struct List {
    text: Vec<u8>,
    any: bool,
}

impl List {
    pub(super) fn add(&mut self, element: &impl Serialize) {
        self.text.extend_from_slice(if self.any { b",\n" } else { b"" });
        self.any = true;
        serde_json::to_writer(&mut self.text, element).expect("what is told has a JSON form");
    }
}

/// An answer under way. While it is, nobody else on this node replays the log.
struct Telling<T> {
    app: App,
    replayed: Replayed,
    tell: T,
    list: List,
    _turn: OwnedSemaphorePermit,
}

/// Replays the log up to a position, and tells what is asked for of it. That it was told is remembered first.
///
/// # Errors
/// That another replay is under way on this node, or the log cannot be told.
pub(super) async fn answer(app: App, by: Actor, (read, until): (Read, i64), tell: impl Tell) -> Result<Response, Refused> {
    let turn = turn(&app)?;
    app.dispatch.remember_read(by, read).await?;
    let replayed = Replay::read(&app.log, until, Bounds::default(), &mut |_| {}).await?;
    let begin = tell.begin();
    let telling = Telling { app, replayed, tell, list: List::default(), _turn: turn };
    let parts = stream::try_unfold((Some(telling), Some(begin)), |(telling, begin)| async {
        match (telling, begin) {
            (telling, Some(begin)) => Ok::<_, Refused>(Some((Bytes::from(begin), (telling, None)))),
            (Some(telling), None) => {
                let (text, telling) = telling.next().await?;
                Ok(Some((text, (telling, None))))
            }
            (None, None) => Ok(None),
        }
    });
    Ok(answer::json(Body::from_stream(parts.map_err(|refused| std::io::Error::other(refused.error.description)))))
}

impl<T: Tell> Telling<T> {
    /// The next part of the answer; nothing comes after the last.
    async fn next(mut self) -> Result<(Bytes, Option<Self>), Refused> {
        let Some(records) = self.replayed.next_grants()? else {
            return Ok((self.tell.end().into(), None));
        };
        let records: Vec<_> = records.into_iter().filter(|record| self.tell.takes(record)).collect();
        let users: Vec<UserId> = records.iter().filter_map(|record| record.user_id).collect();
        let names = self.app.dispatch.usernames(&users).await?;
        for record in &records {
            self.tell.tell(record, &names, &mut self.list);
        }
        Ok((std::mem::take(&mut self.list.text).into(), Some(self)))
    }
}
