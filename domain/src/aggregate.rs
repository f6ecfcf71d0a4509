//! How an aggregate decides: a pure, synchronous function beside cqrs-es's `Aggregate`.

use cqrs_es::Aggregate;
use uuid::Uuid;

use crate::id::StreamId;

/// An aggregate whose rules are one pure function. `decide` gives the events that a command makes, none when there is nothing to
/// do, or the error by which it is refused. What is refused *and must be remembered* gives events: an error commits nothing.
pub trait Decide: Aggregate<Services = ()> + Clone + 'static {
    /// The version of the state's stored form: a stored state of another version is folded anew from the events.
    const STATE_VERSION: i32 = 1;

    /// The rules.
    ///
    /// # Errors
    /// The rule by which the command is refused.
    fn decide(&self, command: Self::Command) -> Result<Vec<Self::Event>, Self::Error>;

    /// The stream of the aggregate with this id.
    #[must_use]
    fn stream(aggregate_id: Uuid) -> StreamId {
        StreamId { aggregate_type: Self::TYPE, aggregate_id }
    }
}

/// The aggregate as its events made it.
pub fn fold<A: Decide>(events: impl IntoIterator<Item = A::Event>) -> A {
    let mut aggregate = A::default();
    for event in events {
        aggregate.apply(event);
    }
    aggregate
}

/// Makes a type with `decide` and `apply_event` an aggregate of cqrs-es.
macro_rules! aggregate {
    ($aggregate:ty, $type:literal, $command:ty, $event:ty, $error:ty) => {
        impl cqrs_es::Aggregate for $aggregate {
            const TYPE: &'static str = $type;
            type Command = $command;
            type Event = $event;
            type Error = $error;
            type Services = ();

            async fn handle(
                &mut self,
                command: Self::Command,
                (): &Self::Services,
                sink: &cqrs_es::event_sink::EventSink<Self>,
            ) -> Result<(), Self::Error> {
                for event in $crate::aggregate::Decide::decide(self, command)? {
                    sink.write(event, self).await;
                }
                Ok(())
            }

            fn apply(&mut self, event: Self::Event) {
                self.apply_event(event);
            }
        }
    };
}
pub(crate) use aggregate;
