//! What a stream has that the settings do not say: each line a member, what is there and what is wanted.

use std::{collections::BTreeSet, fmt::Debug};

use async_nats::jetstream::stream::Config;

/// The differences, a line each; empty where there is none.
pub(super) fn between(there: &Config, wanted: &Config) -> String {
    let mut lines = Vec::new();
    let mut compare = |what: &str, there: &dyn Debug, wanted: &dyn Debug| {
        let (there, wanted) = (format!("{there:?}"), format!("{wanted:?}"));
        if there != wanted {
            lines.push(format!("  {what}: there {there}, wanted {wanted}"));
        }
    };
    compare("subjects (relay.prefix)", &set(&there.subjects), &set(&wanted.subjects));
    compare("replicas (relay.replicas)", &there.num_replicas, &wanted.num_replicas);
    compare("max_age (relay.max_age)", &there.max_age, &wanted.max_age);
    compare("max_bytes (relay.max_bytes)", &there.max_bytes, &wanted.max_bytes);
    compare("first_seq (relay.first_position)", &first(there), &first(wanted));
    compare("retention", &there.retention, &wanted.retention);
    compare("discard", &there.discard, &wanted.discard);
    compare("storage", &there.storage, &wanted.storage);
    compare("max_msgs", &there.max_messages, &wanted.max_messages);
    compare("max_msgs_per_subject", &there.max_messages_per_subject, &wanted.max_messages_per_subject);
    compare("max_msg_size", &there.max_message_size, &wanted.max_message_size);
    compare("deny_delete", &there.deny_delete, &wanted.deny_delete);
    compare("deny_purge", &there.deny_purge, &wanted.deny_purge);
    compare("allow_rollup_hdrs", &there.allow_rollup, &wanted.allow_rollup);
    compare("no_ack", &there.no_ack, &wanted.no_ack);
    compare("sealed", &there.sealed, &wanted.sealed);
    compare("mirror", &there.mirror, &wanted.mirror);
    compare("sources", &there.sources, &wanted.sources);
    compare("subject_transform", &there.subject_transform, &wanted.subject_transform);
    lines.join("\n")
}

fn set(subjects: &[String]) -> BTreeSet<&String> {
    subjects.iter().collect()
}

/// A stream that does not say begins at 1.
fn first(config: &Config) -> u64 {
    config.first_sequence.unwrap_or(1).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_difference_is_a_line_with_both_sides() {
        let wanted = Config { num_replicas: 3, subjects: vec!["a.>".into(), "b.>".into()], ..Config::default() };
        let there =
            Config { num_replicas: 1, subjects: vec!["b.>".into(), "a.>".into()], first_sequence: Some(0), ..Config::default() };
        assert_eq!(between(&there, &wanted), "  replicas (relay.replicas): there 1, wanted 3");
        assert_eq!(between(&wanted, &wanted), "");
    }
}
