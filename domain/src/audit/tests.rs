//! The rules of the audit.

use cqrs_es::test::TestFramework;
use uuid::Uuid;

use super::*;
use crate::{Timestamp, UserId};

const NOW: Timestamp = Timestamp::from_unix(1_000);

#[test]
fn every_read_is_remembered_also_a_repeated_one() {
    let read = Read { user_id: Some(UserId::new(Uuid::from_u128(7))), ..Read::of(Question::User) };
    let remembered = AuditEvent::Read { read: read.clone(), at: NOW };
    TestFramework::<Audit>::with(())
        .given(vec![remembered.clone()])
        .when(AuditCommand::Remember { read, at: NOW })
        .then_expect_events(vec![remembered]);
}

#[test]
fn only_what_was_asked_about_is_written() {
    let event = AuditEvent::Read { read: Read::of(Question::Grants), at: NOW };
    let written = serde_json::json!({"type": "read", "question": "grants", "at": 1_000});
    assert_eq!(serde_json::to_value(&event).expect("written"), written);
}
