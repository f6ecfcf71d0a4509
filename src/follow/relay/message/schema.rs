//! The JSON Schema (draft 2020-12) of every message, made from the types that messages are made of.

use schemars::{SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use super::{
    Effect, Envelope, Kind,
    data::{self, Omitted, Unread},
};

/// What stands in the place of a message that was too large for the broker; its effect is that message's.
pub const OMITTED: Kind = Kind {
    effect: Effect::Other,
    aggregate: "log",
    event: "omitted",
    version: 1,
    about: " A message was too large for the broker: the log alone holds it. Its subject and `prev` are that message's.",
};

/// What stands in the place of an event that the relay cannot read.
pub const UNREAD: Kind = Kind {
    effect: Effect::Other,
    aggregate: "log",
    event: "unread",
    version: 1,
    about: " The relay cannot read this event, and an operator let it pass over: the log alone holds it. It ended nothing.",
};

/// A kind of message and its schema.
#[derive(Clone, Debug, PartialEq)]
pub struct MessageSchema {
    pub kind: Kind,
    /// Of the whole message.
    pub schema: Value,
}

/// Every kind of message, with its schema.
#[must_use]
pub fn schemas() -> Vec<MessageSchema> {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let envelope = generator.root_schema_for::<Envelope<'static, Map<String, Value>>>().to_value();
    let mut generator = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true).into_generator();
    let mut kinds = data::schemas(&mut generator);
    kinds.push((OMITTED, SchemaGenerator::subschema_for::<Omitted>(&mut generator)));
    kinds.push((UNREAD, SchemaGenerator::subschema_for::<Unread>(&mut generator)));
    kinds.into_iter().map(|(kind, data)| MessageSchema { kind, schema: whole(&envelope, &kind, data.to_value()) }).collect()
}

/// The envelope's schema, for messages of one kind.
fn whole(envelope: &Value, kind: &Kind, data: Value) -> Value {
    let mut schema = envelope.clone();
    schema["$id"] = json!(format!("urn:grantlog:message:{}", kind.message_type()));
    schema["title"] = json!(kind.message_type());
    schema["description"] = json!(kind.about.trim());
    let properties = &mut schema["properties"];
    properties["specversion"]["const"] = json!("1.0");
    properties["type"]["const"] = json!(kind.message_type());
    properties["datacontenttype"]["const"] = json!("application/json");
    properties["time"]["format"] = json!("date-time");
    for number in ["position", "prev"] {
        properties[number]["pattern"] = json!("^(0|[1-9][0-9]*)$");
    }
    properties["epoch"]["format"] = json!("uuid");
    properties["data"] = data;
    match kind.effect {
        Effect::Issuance => {
            properties["tokensend"] =
                json!({"type": "string", "format": "date-time", "description": properties["tokensend"]["description"]});
            if let Some(required) = schema["required"].as_array_mut() {
                required.push(json!("tokensend"));
            }
        }
        // A stub of an issuance has it.
        Effect::Other if kind.message_type() == OMITTED.message_type() => {}
        Effect::Registration
        | Effect::Approval
        | Effect::Revocation
        | Effect::Session
        | Effect::Account
        | Effect::Key
        | Effect::Other => {
            if let Some(properties) = properties.as_object_mut() {
                properties.remove("tokensend");
            }
        }
    }
    schema
}
