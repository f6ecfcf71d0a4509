//! The revocation feed: where somebody stands who asks for what is dead since, and what they may learn. The feed is grantlog's own; its
//! server-sent events are those of the HTML standard.

use std::time::Duration;

use uuid::Uuid;

use super::{OAuthError, Parameters, introspection::Caller};
use crate::follow::revocations::{Concerns, Entry};

/// How long an answer waits for a revocation, unless it is asked for less, and at most.
const WAIT: u64 = 25;
const LONGEST_WAIT: u64 = 60;

/// Up to where somebody knows everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    pub position: i64,
    /// Of the log; `None` where they do not say.
    pub epoch: Option<Uuid>,
}

/// Reads where to go on: the parameters `after` and `epoch`, or the id of the last event that an event source had.
///
/// # Errors
/// `invalid_request` for what is none.
pub fn known(parameters: &Parameters, last_event_id: Option<&str>) -> Result<Known, OAuthError> {
    if let Some((epoch, position)) = last_event_id.and_then(|id| id.split_once('/')) {
        return Ok(Known { position: parse_position(position)?, epoch: Some(parse_epoch(epoch)?) });
    }
    let epoch = parameters.get("epoch").map(parse_epoch).transpose()?;
    Ok(Known { position: parse_position(parameters.required("after")?)?, epoch })
}

/// The id of an event that makes whoever had it know everything up to a position.
#[must_use]
pub fn event_id(epoch: Uuid, position: i64) -> String {
    format!("{epoch}/{position}")
}

/// How long to wait for a revocation: the parameter `wait`, in seconds.
///
/// # Errors
/// `invalid_request` for what is no number.
pub fn wait(parameters: &Parameters) -> Result<Duration, OAuthError> {
    let seconds = match parameters.get("wait") {
        None => WAIT,
        Some(text) => text
            .parse::<u64>()
            .map_err(|_| OAuthError::invalid_request("malformed_wait", "wait must be a number of seconds").saw("wait", text))?,
    };
    Ok(Duration::from_secs(seconds.min(LONGEST_WAIT)))
}

/// Whoever knows another history has to begin anew.
///
/// # Errors
/// `invalid_request` where the epoch is another, or the position lies beyond the log.
pub fn check(known: Known, epoch: Uuid, head: i64) -> Result<(), OAuthError> {
    if known.epoch.is_some_and(|theirs| theirs != epoch) || known.position > head {
        let description = "the log was restored, or is another: take the snapshot, and go on from its position";
        return Err(OAuthError::invalid_request("other_history", description).saw("after", known.position).saw("head", head));
    }
    Ok(())
}

/// Whether a resource server may learn of it: it can kill tokens that it was issued or answers for.
#[must_use]
pub fn may_learn(caller: &Caller<'_>, entry: &Entry, default_resource: &str) -> bool {
    match &entry.concerns {
        Concerns::Everybody => true,
        Concerns::Nobody => false,
        Concerns::Tokens { client_id, audience } => {
            client_id == caller.client_id || caller.answers_for(audience, default_resource)
        }
    }
}

fn parse_position(text: &str) -> Result<i64, OAuthError> {
    let position = text.parse().ok().filter(|position| *position >= 0);
    position.ok_or_else(|| {
        OAuthError::invalid_request("malformed_position", "after must be a position of the log").saw("after", text)
    })
}

fn parse_epoch(text: &str) -> Result<Uuid, OAuthError> {
    Uuid::try_parse(text)
        .map_err(|_| OAuthError::invalid_request("malformed_epoch", "epoch must be an epoch of the log").saw("epoch", text))
}

#[cfg(test)]
mod tests {
    use super::*;

    const EPOCH: Uuid = Uuid::from_u128(7);

    fn parameters(query: &str) -> Parameters {
        Parameters::parse(query.as_bytes()).unwrap()
    }

    #[test]
    fn where_to_go_on_stands_in_the_parameters_or_in_the_last_events_id() {
        assert_eq!(known(&parameters("after=5"), None), Ok(Known { position: 5, epoch: None }));
        let both = Known { position: 5, epoch: Some(EPOCH) };
        assert_eq!(known(&parameters(&format!("after=5&epoch={EPOCH}")), None), Ok(both));
        assert_eq!(known(&parameters("after=1"), Some(&event_id(EPOCH, 5))), Ok(both));
        for wrong in ["", "after=x", "after=-1", "after=1&epoch=x"] {
            assert!(known(&parameters(wrong), None).is_err(), "{wrong}");
        }
        assert!(known(&parameters("after=1"), Some("x/y")).is_err());
    }

    #[test]
    fn another_history_is_told_from_this_one() {
        let known = |position, epoch| Known { position, epoch };
        assert!(check(known(5, None), EPOCH, 5).is_ok());
        assert!(check(known(5, Some(EPOCH)), EPOCH, 9).is_ok());
        assert!(check(known(6, None), EPOCH, 5).is_err());
        assert!(check(known(5, Some(Uuid::from_u128(8))), EPOCH, 9).is_err());
    }

    #[test]
    fn an_answer_waits_as_long_as_it_is_asked_to_within_bounds() {
        assert_eq!(wait(&parameters("")), Ok(Duration::from_secs(25)));
        assert_eq!(wait(&parameters("wait=0")), Ok(Duration::ZERO));
        assert_eq!(wait(&parameters("wait=100000")), Ok(Duration::from_secs(60)));
        assert!(wait(&parameters("wait=soon")).is_err());
    }
}
