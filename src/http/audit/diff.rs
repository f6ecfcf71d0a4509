//! `GET /audit/diff/`: which grants began, ended and expired between two places in the log.

use std::collections::HashMap;

use axum::{extract::State, response::Response};
use domain::{
    UserId,
    audit::{Question, Read},
};
use serde_json::json;

use crate::{
    audit::{AsOf, Between, GrantAt, GrantChange, GrantRecord, resolve},
    protocol::audit::{between, in_order},
    state::App,
};

use super::{
    super::form::Query,
    Auditor, Refused,
    list::{self, List, Tell},
};

pub(in crate::http) async fn diff(
    State(app): State<App>,
    Auditor { by, .. }: Auditor,
    Query(parameters): Query,
) -> Result<Response, Refused> {
    let (from, to) = between(&parameters)?;
    let from = resolve(&app.log, from).await?;
    let to = resolve(&app.log, to.unwrap_or_else(|| AsOf::Now(app.clock.now()))).await?;
    list::answer(app, by, (Read::of(Question::Changes), to.position), in_order(from, to)?).await
}

impl Tell for Between {
    fn begin(&self) -> String {
        format!("{{\"from\":{},\"to\":{},\"changes\":[", json!(self.from), json!(self.to))
    }

    fn takes(&self, record: &GrantRecord) -> bool {
        self.changes(record).next().is_some()
    }

    fn tell(&mut self, record: &GrantRecord, names: &HashMap<UserId, String>, list: &mut List) {
        for (change, changed_at) in self.changes(record) {
            list.add(&GrantChange { grant: GrantAt::new(record, self.to.at, names), change, changed_at });
        }
    }

    fn end(self) -> String {
        "]}".to_owned()
    }
}
