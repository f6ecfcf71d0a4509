//! How grantlog signs in to a broker: with a user and password, an nkey, and over TLS.

use std::fs;

use grantlog::{
    config,
    follow::relay::{Broker, RelayError},
};
use secrecy::SecretString;
use support::{Authority, NatsServer};

use crate::broker::settings;

#[tokio::test]
async fn whoever_is_not_let_in_is_told_which_settings_say_who_it_is() {
    let nats = NatsServer::start_with("authorization { user: grantlog, password: \"right\" }\n");
    let with = |password: &str| config::Relay {
        user: Some("grantlog".to_owned()),
        password: Some(SecretString::from(password)),
        ..settings(&nats)
    };
    assert!(Broker::connect(&with("right")).await.is_ok());
    for wrong in [with("wrong"), settings(&nats)] {
        let error = Broker::connect(&wrong).await.unwrap_err();
        assert!(matches!(error, RelayError::NotLetIn(_)) && error.passes(), "{error}");
    }
    let file = nats.folder().join("password");
    fs::write(&file, "right\n").unwrap();
    let by_file = config::Relay { password: None, password_file: Some(file), ..with("") };
    assert!(Broker::connect(&by_file).await.is_ok());
    let no_file = config::Relay { password: None, password_file: Some("/nowhere/password".into()), ..with("") };
    assert!(matches!(Broker::connect(&no_file).await.unwrap_err(), RelayError::File { setting: "password_file", .. }));
}

#[tokio::test]
async fn an_nkey_signs_in() {
    // The pair of NATS' own documentation.
    const PUBLIC: &str = "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4";
    const SEED: &str = "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY";
    let nats = NatsServer::start_with(&format!("authorization {{ users: [{{ nkey: {PUBLIC} }}] }}\n"));
    let file = nats.folder().join("nkey");
    fs::write(&file, SEED).unwrap();
    let with_key = config::Relay { nkey_file: Some(file), ..settings(&nats) };
    Broker::connect(&with_key).await.unwrap().set_up().await.unwrap();
    assert!(matches!(Broker::connect(&settings(&nats)).await.unwrap_err(), RelayError::NotLetIn(_)));
}

#[tokio::test]
async fn tls_is_spoken_to_a_broker_whose_authority_is_named_and_a_certificate_shown_to_it() {
    let authority = Authority::new();
    let ((cert, key), (certificate, certificate_key)) = (authority.signed("server"), authority.signed("client"));
    let [ca, cert, key] = [authority.certificate(), cert, key].map(|file| file.display().to_string());
    let nats = NatsServer::start_with(&format!(
        "tls {{ cert_file: \"{cert}\", key_file: \"{key}\", ca_file: \"{ca}\", verify: true }}\n"
    ));
    let shown = config::Relay {
        require_tls: true,
        ca_file: Some(authority.certificate()),
        certificate_file: Some(certificate),
        key_file: Some(certificate_key),
        ..settings(&nats)
    };
    Broker::connect(&shown).await.unwrap().set_up().await.unwrap();
    let unnamed = config::Relay { ca_file: None, ..shown.clone() };
    assert!(Broker::connect(&unnamed).await.is_err(), "nobody vouches for the broker");
    let unshown = config::Relay { certificate_file: None, key_file: None, ..shown };
    assert!(Broker::connect(&unshown).await.is_err(), "the broker wants to see a certificate");
}
