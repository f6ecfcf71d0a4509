//! `GET /audit/grants/`: every grant that is asked for, as the log is read; with its digest at the end.

use std::collections::HashMap;

use axum::{extract::State, response::Response};
use domain::{
    UserId,
    audit::{Question, Read},
};

use crate::{
    audit::{Filter, GrantAt, GrantRecord, Place, RecordsDigest},
    state::App,
};

use super::{
    super::form::Query,
    Auditor, Refused, asked,
    list::{self, List, Tell},
};

struct Grants {
    filter: Filter,
    until: Place,
    digest: RecordsDigest,
}

pub(in crate::http) async fn grants(
    State(app): State<App>,
    Auditor { by, .. }: Auditor,
    Query(parameters): Query,
) -> Result<Response, Refused> {
    let (filter, until) = asked(&app, &parameters).await?;
    let read = Read { client_id: filter.client, user_id: filter.user, ..Read::of(Question::Grants) };
    list::answer(app, by, (read, until.position), Grants { filter, until, digest: RecordsDigest::default() }).await
}

impl Tell for Grants {
    fn begin(&self) -> String {
        format!("{{\"position\":{},\"grants\":[", self.until.position)
    }

    fn takes(&self, record: &GrantRecord) -> bool {
        self.filter.takes(record, self.until.at)
    }

    fn tell(&mut self, record: &GrantRecord, names: &HashMap<UserId, String>, list: &mut List) {
        self.digest.add(record);
        list.add(&GrantAt::new(record, self.until.at, names));
    }

    fn end(self) -> String {
        format!("],\"digest\":\"{}\"}}", self.digest.finish())
    }
}
