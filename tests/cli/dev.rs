//! `grantlog serve --dev`: what it makes, keeps and prints.

use std::{os::unix::fs::PermissionsExt, process::Command};

use serde_json::Value;
use support::{Answer, Kind, PageForm, ServerProcess, both_stores};

use url::form_urlencoded;

use crate::place::Place;

both_stores! {
    a_fresh_folder_gets_all_that_is_needed_and_the_printed_lines_work,
    the_printed_address_and_line_let_a_person_approve,
    the_printed_link_makes_one_administrator,
    what_was_kept_is_printed_again_and_what_was_lost_is_made_anew,
}

fn mode(place: &Place, name: &str) -> u32 {
    std::fs::metadata(place.path(name)).unwrap().permissions().mode() & 0o777
}

/// Runs a printed line as whoever pastes it does.
fn paste(line: &str) -> Value {
    let output = Command::new("sh").args(["-c", line]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {line} gave {text}"))
}

async fn a_fresh_folder_gets_all_that_is_needed_and_the_printed_lines_work(kind: Kind) {
    let place = Place::empty(kind).await;
    let server = place.serve();
    for file in ["data/dev.json", "data/master.key"] {
        assert_eq!(mode(&place, file), 0o600, "{file}");
    }
    match kind {
        Kind::Sqlite => assert_eq!(mode(&place, "data/grantlog.db"), 0o600),
        Kind::Postgres => assert!(!place.exists("data/grantlog.db")),
    }
    let dev = place.json_file("data/dev.json");
    assert_eq!(dev["issuer"], format!("{}/o", server.url));
    for member in ["client_id", "client_secret", "username", "password"] {
        assert!(!dev[member].as_str().unwrap().is_empty(), "{member}");
    }
    let client = place.json(&["client", "show", "Demo"]);
    assert_eq!(client["client_id"], dev["client_id"]);
    assert_eq!(client["redirect_uris"][0], dev["redirect_uri"]);
    assert_eq!(client["scope"], "openid profile email offline_access read write");

    let lines = server.curl_lines();
    let (get, used, redeem) = (lines[0], lines[1], lines[2]);
    assert!(paste(get)["access_token"].is_string());
    assert_eq!(paste(used)["client_id"], dev["client_id"]);
    assert_eq!(paste(redeem)["error"], "invalid_grant", "CODE is to be replaced");
    let authorize = server.printed.iter().find(|line| line.contains("/o/authorize/?")).unwrap();
    assert!(authorize.contains("code_challenge=") && authorize.contains("redirect_uri=http%3A%2F%2F127.0.0.1%3A8765%2Fcallback"));
}

async fn what_was_kept_is_printed_again_and_what_was_lost_is_made_anew(kind: Kind) {
    let place = Place::empty(kind).await;
    assert_eq!(place.serve().terminate(), 0);
    let first = place.json_file("data/dev.json");
    let secret = |dev: &Value| (dev["client_secret"].clone(), dev["password"].clone());

    let server = place.serve();
    let second = place.json_file("data/dev.json");
    assert_eq!(secret(&second), secret(&first), "nothing changes that works");
    assert_eq!(second["issuer"], format!("{}/o", server.url), "the issuer is where it serves now");
    assert!(server.curl_lines()[0].contains(first["client_secret"].as_str().unwrap()));
    drop(server);

    std::fs::remove_file(place.path("data/dev.json")).unwrap();
    let server = place.serve();
    let third = place.json_file("data/dev.json");
    assert_eq!(third["client_id"], first["client_id"]);
    assert!(third["client_secret"] != first["client_secret"] && third["password"] != first["password"]);
    assert!(paste(server.curl_lines()[0])["access_token"].is_string());
    assert_eq!(place.json(&["client", "list"]).as_array().unwrap().len(), 1);
    assert_eq!(place.json(&["user", "list"]).as_array().unwrap().len(), 1);
}

/// Somebody's browser at the server.
struct Visitor<'a> {
    server: &'a ServerProcess,
    http: reqwest::Client,
}

impl<'a> Visitor<'a> {
    fn new(server: &'a ServerProcess) -> Self {
        let http = reqwest::Client::builder().cookie_store(true).redirect(reqwest::redirect::Policy::none());
        Self { server, http: http.build().unwrap() }
    }

    fn at(&self, path: &str) -> String {
        if path.starts_with('/') { format!("{}{path}", self.server.url) } else { path.to_owned() }
    }

    /// Opens an address, and follows redirects as long as they stay on the site.
    async fn open(&self, path: &str) -> Answer {
        self.follow(Answer::of(self.http.get(self.at(path))).await).await
    }

    /// Sends a form, and follows likewise.
    async fn send(&self, form: &PageForm) -> Answer {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(&form.fields).finish();
        let request = self.http.post(self.at(&form.action)).header("content-type", "application/x-www-form-urlencoded");
        self.follow(Answer::of(request.body(body)).await).await
    }

    async fn follow(&self, mut answer: Answer) -> Answer {
        while answer.location().starts_with('/') {
            answer = Answer::of(self.http.get(self.at(answer.location()))).await;
        }
        answer
    }
}

async fn the_printed_address_and_line_let_a_person_approve(kind: Kind) {
    let place = Place::empty(kind).await;
    let server = place.serve();
    let dev = place.json_file("data/dev.json");
    let text = |member: &str| dev[member].as_str().unwrap();
    let visitor = Visitor::new(&server);
    let sign_in = visitor.open(server.printed.iter().find(|line| line.contains("/o/authorize/?")).unwrap()).await;
    let consent =
        visitor.send(&sign_in.form("login").with("username", text("username")).with("password", text("password"))).await;
    let answer = visitor.send(&consent.form("allow")).await;
    assert!(answer.location().starts_with(text("redirect_uri")), "{answer:?}");
    let code = answer.answered("code").unwrap();
    let tokens = paste(&server.curl_lines()[2].replace("CODE", &code));
    assert!(tokens["access_token"].is_string() && tokens["refresh_token"].is_string(), "{tokens}");
}

async fn the_printed_link_makes_one_administrator(kind: Kind) {
    let place = Place::empty(kind).await;
    let server = place.serve();
    let link = server.printed.iter().find(|line| line.contains("/setup/")).unwrap();
    let visitor = Visitor::new(&server);
    let page = visitor.open(link).await.assert_status(200);
    let form = page.form("set_up").with("username", "root").with("password", "correct horse battery");
    visitor.send(&form.clone().with("password", "short")).await.assert_status(400);
    visitor.send(&form.clone().with("csrf_token", "forged")).await.assert_status(403);
    assert!(visitor.send(&form).await.has("login"), "the administrator signs in next");
    let users = place.json(&["user", "list"]);
    let administrators: Vec<_> = users.as_array().unwrap().iter().filter(|user| user["administrator"] == true).collect();
    assert_eq!((administrators.len(), &administrators[0]["username"]), (1, &Value::from("root")));
    visitor.open(link).await.assert_error_page(404, "invalid_request");
    visitor.send(&form.with("username", "second")).await.assert_error_page(404, "invalid_request");
    visitor.open("/setup/guessed").await.assert_error_page(404, "invalid_request");
}
