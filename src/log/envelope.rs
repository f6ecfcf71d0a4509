//! The canonical bytes of a stored event, over which digests and proofs are: its columns as they are stored, the same on both stores.
//! Upcasters never touch them. `docs/transparency.md` describes them for others.

use std::str;

use super::StoredEvent;

/// The first line. Another form of the bytes would have another.
const FORM: &[u8] = b"grantlog event 1\n";
/// How many columns there are.
const COLUMNS: usize = 10;

/// Bytes that are no event's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("these are not the bytes of an event")]
pub struct NotAnEvent;

impl StoredEvent {
    /// Its canonical bytes: a line that names the form, then each column as a netstring (`5:hello,`), numbers in decimal, in the order
    /// position, aggregate type, aggregate id, sequence, event type, event version, payload, metadata, command id, recorded at.
    #[must_use]
    pub fn envelope(&self) -> Vec<u8> {
        let (position, sequence, recorded_at) =
            (self.position.to_string(), self.sequence.to_string(), self.recorded_at.to_string());
        let columns: [&str; COLUMNS] = [
            &position,
            &self.aggregate_type,
            &self.aggregate_id,
            &sequence,
            &self.event_type,
            &self.event_version,
            &self.payload,
            &self.metadata,
            &self.command_id,
            &recorded_at,
        ];
        let mut bytes = Vec::with_capacity(FORM.len() + columns.iter().map(|column| column.len() + 8).sum::<usize>());
        bytes.extend_from_slice(FORM);
        for column in columns {
            bytes.extend_from_slice(column.len().to_string().as_bytes());
            bytes.push(b':');
            bytes.extend_from_slice(column.as_bytes());
            bytes.push(b',');
        }
        bytes
    }

    /// The event whose canonical bytes these are.
    ///
    /// # Errors
    /// [`NotAnEvent`] for any others.
    pub fn from_envelope(bytes: &[u8]) -> Result<Self, NotAnEvent> {
        let mut rest = bytes.strip_prefix(FORM).ok_or(NotAnEvent)?;
        let mut columns = [""; COLUMNS];
        for column in &mut columns {
            (*column, rest) = netstring(rest).ok_or(NotAnEvent)?;
        }
        let number = |text: &str| text.parse::<i64>().map_err(|_| NotAnEvent);
        let [
            position,
            aggregate_type,
            aggregate_id,
            sequence,
            event_type,
            event_version,
            payload,
            metadata,
            command_id,
            recorded_at,
        ] = columns;
        let event = Self {
            position: number(position)?,
            aggregate_type: aggregate_type.to_owned(),
            aggregate_id: aggregate_id.to_owned(),
            sequence: number(sequence)?,
            event_type: event_type.to_owned(),
            event_version: event_version.to_owned(),
            payload: payload.to_owned(),
            metadata: metadata.to_owned(),
            command_id: command_id.to_owned(),
            recorded_at: number(recorded_at)?,
        };
        // What is written in another way than ours, or goes on after the last column, is refused.
        if event.envelope() == bytes { Ok(event) } else { Err(NotAnEvent) }
    }
}

/// The text of the netstring that bytes begin with, and what follows it.
fn netstring(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let colon = bytes.iter().position(|byte| *byte == b':')?;
    let length: usize = str::from_utf8(&bytes[..colon]).ok()?.parse().ok()?;
    let rest = &bytes[colon + 1..];
    let text = str::from_utf8(rest.get(..length)?).ok()?;
    Some((text, rest[length..].strip_prefix(b",")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event() -> StoredEvent {
        StoredEvent {
            position: 7,
            aggregate_type: "grant".to_owned(),
            aggregate_id: "019ab3c0-5f2e-7d10-8c5a-0123456789ab".to_owned(),
            sequence: 2,
            event_type: "grant.revoked".to_owned(),
            event_version: "1".to_owned(),
            payload: "{\"b\" : 1, \"a\":\"é,:\"}".to_owned(),
            metadata: "{}".to_owned(),
            command_id: "019ab3c0-5f2e-7d10-8c5a-ba9876543210".to_owned(),
            recorded_at: 1_764_000_000_000_000,
        }
    }

    #[test]
    fn the_bytes_are_the_columns_as_netstrings() {
        let expected = "grantlog event 1\n1:7,5:grant,36:019ab3c0-5f2e-7d10-8c5a-0123456789ab,1:2,13:grant.revoked,1:1,\
             21:{\"b\" : 1, \"a\":\"é,:\"},2:{},36:019ab3c0-5f2e-7d10-8c5a-ba9876543210,16:1764000000000000,";
        assert_eq!(String::from_utf8(event().envelope()).unwrap(), expected);
    }

    #[test]
    fn the_bytes_give_the_event_back_and_no_others_do() {
        let bytes = event().envelope();
        assert_eq!(StoredEvent::from_envelope(&bytes), Ok(event()));
        let text = String::from_utf8(bytes).unwrap();
        for other in [
            text.replace("1:7,", "01:7,"),
            text.replace("1:7,", "2:07,"),
            text.replace("1:7,", "2:+7,"),
            text.replace("event 1", "event 2"),
            text.replace("1:7,", "9999999999999999999:7,"),
            format!("{text} "),
            text[..text.len() - 1].to_owned(),
            String::new(),
        ] {
            assert_eq!(StoredEvent::from_envelope(other.as_bytes()), Err(NotAnEvent), "{other}");
        }
    }
}
