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

fn pass_over(position: i64, reason: &str) -> AuditCommand {
    AuditCommand::PassOver { position, reason: reason.parse().expect("a reason"), at: NOW }
}

#[test]
fn a_position_is_passed_over_once() {
    let passed = AuditEvent::PassedOver { position: 7, reason: "of a withdrawn release".to_owned(), at: NOW };
    let audit = TestFramework::<Audit>::with(());
    audit.given_no_previous_events().when(pass_over(7, "of a withdrawn release")).then_expect_events(vec![passed.clone()]);
    let audit = || TestFramework::<Audit>::with(()).given(vec![passed.clone()]);
    audit().when(pass_over(7, "again")).then_expect_events(vec![]);
    let next = AuditEvent::PassedOver { position: 8, reason: "so too".to_owned(), at: NOW };
    audit().when(pass_over(8, " so too ")).then_expect_events(vec![next]);
}

#[test]
fn a_reason_says_something_on_one_line() {
    for nothing in ["", " ", "a\nb", &"x".repeat(501)] {
        assert_eq!(nothing.parse::<Reason>(), Err(NoReason), "{nothing}");
    }
}
