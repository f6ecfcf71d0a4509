//! The rows of mails that are still to go out. Neither an address nor a link stands in one: both are found out when it is tried.

use domain::{Timestamp, UserId, user::MailPurpose};
use projections::on_db;
use serde::Serialize;
use sqlx::FromRow;

use super::{
    Log, Unavailable,
    checkpoint::{Row, Value},
};

/// A mail that is to go out to a user.
#[derive(Clone, Debug)]
pub struct QueuedMail {
    /// One id is one mail.
    pub id: String,
    pub purpose: MailPurpose,
    pub user_id: UserId,
    /// Of the event that it tells of; 0 where it tells of none.
    pub position: i64,
    /// The language in which it was asked for; empty where nobody asked.
    pub language: String,
    pub made_at: Timestamp,
}

/// A mail that did not go out yet.
#[derive(Clone, Debug, PartialEq, Eq, FromRow, Serialize)]
pub struct PendingMail {
    pub id: String,
    /// As [`MailPurpose::as_str`] says it.
    pub purpose: String,
    /// `None` where it was not found out yet whose it is.
    pub user_id: Option<String>,
    /// What somebody entered, sealed, where it was not found out yet whose mail it is.
    #[serde(skip)]
    pub asked: Option<String>,
    /// Of the event that it tells of; 0 where it tells of none.
    pub position: i64,
    pub language: String,
    /// In seconds since the Unix epoch.
    pub made_at: i64,
    /// How often it was tried.
    pub tries: i64,
    /// It is not tried before.
    pub due_at: i64,
    /// Why it did not go out the last time.
    pub problem: Option<String>,
}

const ADD: &str = "INSERT INTO mail (id, purpose, user_id, asked, position, language, made_at, tries, due_at, problem) \
     VALUES ($1, $2, $3, NULL, $4, $5, $6, 0, $6, NULL) ON CONFLICT DO NOTHING";
const ADD_ASKED: &str = "INSERT INTO mail (id, purpose, user_id, asked, position, language, made_at, tries, due_at, problem) \
     VALUES ($1, $2, NULL, $3, 0, $4, $5, 0, $5, NULL)";
const SELECT: &str = "SELECT id, purpose, user_id, asked, position, language, made_at, tries, due_at, problem FROM mail";
const PUT_OFF: &str = "UPDATE mail SET tries = tries + 1, due_at = $2, problem = $3 WHERE id = $1";
const PUT_OFF_ALL: &str = "UPDATE mail SET tries = tries + 1, due_at = $2, problem = $3 WHERE due_at <= $1";
const FORGET: &str = "DELETE FROM mail WHERE id = $1";
const COUNT: &str = "SELECT COUNT(*) FROM mail";

impl QueuedMail {
    /// The row by which it goes out.
    #[must_use]
    pub fn row(self) -> Row {
        let Self { id, purpose, user_id, position, language, made_at } = self;
        let values = vec![
            Value::Text(id),
            Value::Text(purpose.as_str().to_owned()),
            Value::Text(user_id.to_string()),
            Value::Integer(position),
            Value::Text(language),
            Value::Integer(made_at.unix()),
        ];
        Row { sql: ADD, values }
    }
}

impl PendingMail {
    /// What it is for.
    #[must_use]
    pub fn purpose(&self) -> Option<MailPurpose> {
        MailPurpose::named(&self.purpose)
    }
}

impl Log {
    /// Lets a mail go out. Another of the same id changes nothing.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn queue_mail(&self, mail: &QueuedMail) -> Result<(), Unavailable> {
        let QueuedMail { id, purpose, user_id, position, language, made_at } = mail;
        on_db!(self.db(), pool => {
            let add = sqlx::query(ADD).bind(id).bind(purpose.as_str()).bind(user_id.to_string()).bind(position);
            add.bind(language).bind(made_at.unix()).execute(pool).await?;
        });
        Ok(())
    }

    /// Lets a mail go out to whom it turns out to be for: `asked` is what somebody entered, sealed.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn queue_asked_mail(
        &self,
        (id, purpose): (&str, MailPurpose),
        (asked, language): (&str, &str),
        made_at: Timestamp,
    ) -> Result<(), Unavailable> {
        on_db!(self.db(), pool => {
            let add = sqlx::query(ADD_ASKED).bind(id).bind(purpose.as_str()).bind(asked);
            add.bind(language).bind(made_at.unix()).execute(pool).await?;
        });
        Ok(())
    }

    /// Those that are due, the ones that are due longest first.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn due_mails(&self, now: Timestamp, limit: u32) -> Result<Vec<PendingMail>, Unavailable> {
        let sql = format!("{SELECT} WHERE due_at <= $1 ORDER BY due_at, id LIMIT $2");
        Ok(on_db!(self.db(), pool => sqlx::query_as(&sql).bind(now.unix()).bind(i64::from(limit)).fetch_all(pool).await)?)
    }

    /// All that did not go out yet, so many at most, the oldest first.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn pending_mails(&self, limit: u32) -> Result<Vec<PendingMail>, Unavailable> {
        let sql = format!("{SELECT} ORDER BY made_at, id LIMIT $1");
        Ok(on_db!(self.db(), pool => sqlx::query_as(&sql).bind(i64::from(limit)).fetch_all(pool).await)?)
    }

    /// How many did not go out yet.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn count_mails(&self) -> Result<i64, Unavailable> {
        Ok(on_db!(self.db(), pool => sqlx::query_scalar(COUNT).fetch_one(pool).await)?)
    }

    /// One was tried in vain: it is due again later.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn put_off_mail(&self, id: &str, due_at: Timestamp, problem: &str) -> Result<(), Unavailable> {
        on_db!(self.db(), pool => {
            sqlx::query(PUT_OFF).bind(id).bind(due_at.unix()).bind(problem).execute(pool).await?;
        });
        Ok(())
    }

    /// The mail server takes none: all that were due by a moment are due again later.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn put_off_mails(&self, by: Timestamp, due_at: Timestamp, problem: &str) -> Result<(), Unavailable> {
        on_db!(self.db(), pool => {
            sqlx::query(PUT_OFF_ALL).bind(by.unix()).bind(due_at.unix()).bind(problem).execute(pool).await?;
        });
        Ok(())
    }

    /// It went out, or never will.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn forget_mail(&self, id: &str) -> Result<(), Unavailable> {
        on_db!(self.db(), pool => { sqlx::query(FORGET).bind(id).execute(pool).await?; });
        Ok(())
    }
}
