//! `grantlog keys`.

use grantlog::vault::MasterKey;
use secrecy::ExposeSecret;
use serde_json::Value;
use support::{Kind, both_stores};

use crate::place::{Done, Place};

both_stores! {
    keys_are_rotated_and_the_superseded_retired,
    an_id_may_begin_with_a_hyphen,
    a_new_master_key_takes_over_by_rewrapping,
}

fn states(keys: &Value) -> Vec<(String, String)> {
    let text = |key: &Value, member: &str| key[member].as_str().unwrap().to_owned();
    keys.as_array().unwrap().iter().map(|key| (text(key, "alg"), text(key, "state"))).collect()
}

async fn keys_are_rotated_and_the_superseded_retired(kind: Kind) {
    let place = Place::ready(kind).await;
    let rotated = place.json(&["keys", "rotate"]);
    assert_eq!(rotated.as_array().unwrap().len(), 4);
    let keys = place.json(&["keys", "list"]);
    let of_es256: Vec<_> = states(&keys).into_iter().filter(|(alg, _)| alg == "ES256").map(|(_, state)| state).collect();
    assert_eq!(of_es256.len(), 2);
    assert!(of_es256.contains(&"active".to_owned()) && of_es256.contains(&"superseded".to_owned()));
    let find = |state: &str| {
        let key = keys.as_array().unwrap().iter().find(|key| key["alg"] == "ES256" && key["state"] == state);
        key.unwrap()["kid"].as_str().unwrap().to_owned()
    };
    place.run(&["keys", "retire", &find("active")]).failed(3, "rotate first");
    assert_eq!(place.json(&["keys", "retire", &find("superseded")])["state"], "retired");
    place.run(&["keys", "retire", "nothing"]).failed(3, "there is no such key");
    assert!(place.run(&["keys", "list"]).succeeded().out.contains("retired"));
}

async fn an_id_may_begin_with_a_hyphen(kind: Kind) {
    let place = Place::ready(kind).await;
    place.run(&["keys", "retire", "-M9x", "--json"]).failed(3, "there is no such key");
    place.run(&["client", "register", "--client-id=-M9x", "--grant-types", "client_credentials"]).succeeded();
    assert_eq!(place.json(&["client", "show", "-M9x"])["client_id"], "-M9x");
    place.run(&["explain", "-M9x"]).failed(3, "error_id");
}

async fn a_new_master_key_takes_over_by_rewrapping(kind: Kind) {
    let place = Place::ready(kind).await;
    place.run_with(&["user", "create", "--username", "mika", "--password-stdin"], "correct horse battery").succeeded();
    place.write("new.key", MasterKey::generate().expose_secret());
    place.write("both.toml", "[vault]\nmaster_key_file = \"new.key\"\nprevious_master_key_files = [\"data/master.key\"]\n");
    place.write("new.toml", "[vault]\nmaster_key_file = \"new.key\"\n");
    let with = |settings: &str, arguments: &[&str]| -> Done { place.run(&[&["--config", settings], arguments].concat()) };
    with("new.toml", &["user", "list"]).failed(2, "another master key");
    let outcome = with("both.toml", &["keys", "rewrap", "--json"]).json();
    assert!(outcome["sealed_anew"].as_u64().unwrap() >= 6, "{outcome}");
    assert_eq!(with("new.toml", &["user", "list", "--json"]).json()[0]["username"], "mika");
    let again = with("new.toml", &["keys", "rewrap", "--json"]).json();
    assert_eq!(again["sealed_anew"], 0);
}
