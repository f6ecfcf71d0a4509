//! The trace that a request belongs to (W3C Trace Context): it goes with the request's task into the events that come of it.

use std::future::Future;

use tokio::task_local;

task_local! {
    static CURRENT: String;
}

/// Does something as part of a trace. Takes a `traceparent` header; one that is none leaves it without a trace.
pub async fn within<F: Future>(traceparent: Option<&str>, done: F) -> F::Output {
    match traceparent.filter(|text| is_traceparent(text)) {
        Some(traceparent) => CURRENT.scope(traceparent.to_owned(), done).await,
        None => done.await,
    }
}

/// The `traceparent` that this is done under.
#[must_use]
pub fn current() -> Option<String> {
    CURRENT.try_with(Clone::clone).ok()
}

/// Version 00: `00-<trace id>-<parent id>-<flags>`, in lower-case hexadecimal digits, neither id all zeros.
fn is_traceparent(text: &str) -> bool {
    let hex = |part: &str, length| part.len() == length && part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let id = |part: &str, length| hex(part, length) && part.bytes().any(|byte| byte != b'0');
    let parts: Vec<_> = text.split('-').collect();
    matches!(parts.as_slice(), ["00", trace, parent, flags] if id(trace, 32) && id(parent, 16) && hex(flags, 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[tokio::test]
    async fn what_is_done_within_a_trace_knows_it_and_nothing_else_does() {
        assert_eq!(within(Some(TRACE), async { current() }).await.as_deref(), Some(TRACE));
        assert_eq!(within(None, async { current() }).await, None);
        assert_eq!(current(), None);
    }

    #[tokio::test]
    async fn a_header_that_is_no_traceparent_is_none() {
        let zeros = "00-00000000000000000000000000000000-b7ad6b7169203331-01";
        for wrong in ["", "00", &TRACE.to_uppercase(), &format!("{TRACE}-x"), &TRACE.replace("00-", "ff-"), zeros, "\u{e9}"] {
            assert_eq!(within(Some(wrong), async { current() }).await, None, "{wrong}");
        }
    }
}
