//! Older forms of stored events, brought to today’s.
