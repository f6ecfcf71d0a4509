//! The documents in `docs/events/` are made from the messages' own types: a JSON Schema each, and an AsyncAPI document of all. With
//! `GRANTLOG_TEST_WRITE_DOCUMENTS` set they are written anew; without, they must be as they would be written.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use grantlog::follow::relay::message::{CONTENT_TYPE, MessageSchema, OMITTED, schemas};
use serde_json::{Map, Value, json};

/// What subjects begin with unless it is set.
const PREFIX: &str = "grantlog";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/events")
}

/// Every document, by its path below the folder.
fn documents() -> BTreeMap<String, Value> {
    let schemas = schemas();
    let mut documents: BTreeMap<_, _> = schemas.iter().map(|message| (schema_file(message), message.schema.clone())).collect();
    documents.insert("asyncapi.json".to_owned(), asyncapi(&schemas));
    documents
}

fn schema_file(message: &MessageSchema) -> String {
    format!("schemas/{}.json", message.kind.message_type())
}

/// AsyncAPI 3.0: a channel a kind of message. What stands for one that was too large can come on any of them.
fn asyncapi(schemas: &[MessageSchema]) -> Value {
    let (mut channels, mut operations, mut messages) = (Map::new(), Map::new(), Map::new());
    let omitted = OMITTED.message_type();
    for message in schemas {
        let (kind, name) = (&message.kind, message.kind.message_type());
        messages.insert(
            name.clone(),
            json!({
                "name": name, "summary": kind.about.trim(), "contentType": CONTENT_TYPE,
                "payload": {
                    "schemaFormat": "application/schema+json;version=draft-2020-12",
                    "schema": {"$ref": format!("./{}", schema_file(message))},
                },
            }),
        );
        if name == omitted {
            continue;
        }
        let id = format!("{}_{}", kind.aggregate, kind.event);
        let of_channel: Map<_, _> = [&name, &omitted]
            .map(|name| (name.clone(), json!({"$ref": format!("#/components/messages/{name}")})))
            .into_iter()
            .collect();
        channels.insert(
            id.clone(),
            json!({
                "address": kind.subject(PREFIX, "{id}"), "description": kind.about.trim(), "messages": of_channel,
                "parameters": {"id": {"description": format!("The id of the {}, a UUID.", kind.aggregate)}},
            }),
        );
        operations.insert(id.clone(), json!({"action": "send", "channel": {"$ref": format!("#/channels/{id}")}}));
    }
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "grantlog", "version": "1",
            "description": "One message an event of the log: CloudEvents 1.0 in JSON, in the order of the log.",
        },
        "defaultContentType": CONTENT_TYPE,
        "channels": channels, "operations": operations, "components": {"messages": messages},
    })
}

fn written(document: &Value) -> String {
    format!("{}\n", serde_json::to_string_pretty(document).unwrap())
}

#[test]
fn the_documents_are_those_of_the_messages() {
    let documents = documents();
    if std::env::var_os("GRANTLOG_TEST_WRITE_DOCUMENTS").is_some() {
        fs::create_dir_all(folder().join("schemas")).unwrap();
        for (path, document) in &documents {
            fs::write(folder().join(path), written(document)).unwrap();
        }
    }
    for (path, document) in &documents {
        let found = fs::read_to_string(folder().join(path)).unwrap_or_default();
        assert_eq!(found, written(document), "{path}: write it anew with GRANTLOG_TEST_WRITE_DOCUMENTS=1");
    }
    let there: BTreeSet<_> = fs::read_dir(folder().join("schemas"))
        .unwrap()
        .map(|file| format!("schemas/{}", file.unwrap().file_name().to_str().unwrap()))
        .collect();
    let expected: BTreeSet<_> = documents.into_keys().filter(|path| path.starts_with("schemas/")).collect();
    assert_eq!(there, expected, "a kind of message that is no longer sent keeps no schema");
}

#[test]
fn every_schema_is_one() {
    for message in schemas() {
        assert!(jsonschema::meta::is_valid(&message.schema), "{}", message.kind.message_type());
    }
}

#[test]
fn every_reference_of_the_asyncapi_document_leads_somewhere() {
    let document = asyncapi(&schemas());
    let mut values = vec![&document];
    let mut references = 0;
    while let Some(value) = values.pop() {
        match value {
            Value::Object(members) => {
                if let Some(reference) = members.get("$ref").and_then(Value::as_str) {
                    references += 1;
                    match reference.strip_prefix('#') {
                        Some(pointer) => assert!(document.pointer(pointer).is_some(), "{reference}"),
                        None => assert!(folder().join(reference).exists(), "{reference}"),
                    }
                }
                values.extend(members.values());
            }
            Value::Array(items) => values.extend(items),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    assert!(references > 100, "{references}");
}
