//! `grantlog relay`.

use std::process::Command;

use support::{Kind, NatsServer, ServerProcess, both_stores};

use crate::place::{Done, Place};

both_stores! {
    the_stream_is_made_and_its_lag_is_told,
    without_a_broker_it_says_how_to_name_one,
}

fn at(place: &Place, nats: &NatsServer, arguments: &[&str]) -> Command {
    let mut command = place.command(arguments);
    command.env("NATS_URL", nats.url());
    command
}

fn done(command: &mut Command) -> Done {
    command.output().unwrap().into()
}

async fn the_stream_is_made_and_its_lag_is_told(kind: Kind) {
    let (place, nats) = (Place::ready(kind).await, NatsServer::start());
    done(&mut at(&place, &nats, &["relay", "status"])).failed(4, "grantlog relay setup");
    let ready = done(&mut at(&place, &nats, &["relay", "setup"])).succeeded().out;
    assert!(ready.contains("The stream GRANTLOG is ready"), "{ready}");
    let mut other = at(&place, &nats, &["relay", "setup"]);
    done(other.env("GRANTLOG_RELAY__MAX_AGE", "60")).failed(3, "max_age (relay.max_age): there 0ns, wanted 60s");
    place.run(&["client", "register", "--client-name", "App", "--grant-types", "client_credentials"]).succeeded();
    let status = done(&mut at(&place, &nats, &["relay", "status", "--json"])).json();
    assert_eq!((&status["last"], &status["lag_positions"]), (&0.into(), &status["head"]));
    let mut serve = at(&place, &nats, &["serve", "--dev"]);
    let server = ServerProcess::start(serve.env("GRANTLOG_SERVER__LISTEN", "127.0.0.1:0"));
    loop {
        let status = done(&mut at(&place, &nats, &["relay", "status", "--json"])).json();
        if status["lag_positions"] == 0 {
            assert_eq!(status["last"], status["head"]);
            break;
        }
    }
    assert!(done(&mut at(&place, &nats, &["relay", "status"])).succeeded().out.contains("0 positions"));
    assert_eq!(server.terminate(), 0);
}

async fn without_a_broker_it_says_how_to_name_one(kind: Kind) {
    let place = Place::ready(kind).await;
    place.run(&["relay", "status"]).failed(2, "NATS_URL");
    let mut nowhere = place.command(&["relay", "status"]);
    done(nowhere.env("NATS_URL", "nats://127.0.0.1:9")).failed(4, "relay.url (NATS_URL)");
}
