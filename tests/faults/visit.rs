//! The secrets of a visit by the pages and the commands: nothing that people typed or were shown stands in what a server logs, keeps or
//! backs up.

use std::io::Read;

use base64::{Engine, engine::general_purpose::STANDARD};
use secrecy::ExposeSecret;
use serde_json::json;
use support::{Answer, Browser, Cluster, Kind, PageForm, REDIRECT_URI, TestApp, TestClient, Tokens, VERIFIER, both_stores};

use crate::{
    GRANTLOG,
    secrets::{Secrets, dump},
};

both_stores!(no_secret_of_a_visit_is_in_the_log_the_store_a_backup_or_an_error);

/// At this level everything is logged, by the libraries too.
const ALL: (&str, &str) = ("GRANTLOG_TELEMETRY__FILTER", "trace");
/// A person whose data stands nowhere in clear.
const USERNAME: &str = "kazuko.tanaka";
const EMAIL: &str = "k.tanaka@mail.example.jp";
const NAME: &str = "Kazuko Tanaka";
const PASSWORD: &str = "purple elephant umbrella";
const NEW_PASSWORD: &str = "seventeen golden lanterns";
const WRONG_PASSWORD: &str = "velvet thunder radishes";
const WRONG_SECRET: &str = "q3QpL0wrongXsecretXofXaXclient7Zk1";
const WRONG_VERIFIER: &str = "pJ8wrongXverifierXwrongXverifierXwrongXverif";

/// Characters of a random secret, at least: 32 bytes in base64url.
const SECRET: usize = 43;
/// How a zstd frame begins (RFC 8878 section 3.1.1).
const FRAME: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// What was sent and got.
#[derive(Default)]
struct Visit {
    secrets: Secrets,
    /// Pages hold them for those who may have them, also pages that tell an error.
    form_tokens: Secrets,
    errors: String,
}

async fn no_secret_of_a_visit_is_in_the_log_the_store_a_backup_or_an_error(kind: Kind) {
    let mut cluster = Cluster::new(kind, GRANTLOG).await;
    let node = cluster.start_with(&[ALL]);
    // What the test sends from here on goes to the server that logs.
    cluster.app.address = node.address;
    let mut visit = Visit::default();
    let imported = visit.import_user(&cluster);
    visit.everything(&cluster.app).await;
    visit.secrets.add("master key", cluster.app.master_key().expose_secret());
    visit.secrets.assert_not_in("an error", &visit.errors);
    for (what, clear) in [("user's name", USERNAME), ("mail address", EMAIL), ("name", NAME)] {
        visit.secrets.add(what, clear);
    }
    let metrics = cluster.app.get("/metrics").await.assert_status(200).body;
    let (log, store, backup) = (node.process.log(), dump(&cluster.app).await, backup(&cluster));
    for (text, usual) in [(&log, "DEBUG"), (&store, "grant.code_redeemed"), (&backup, "grant.code_redeemed")] {
        assert!(text.contains(usual), "there was something to search, such as {usual}");
    }
    for (place, text) in [
        ("the log's lines", &log),
        ("the lines of a command", &imported),
        ("a metric", &metrics),
        ("the store", &store),
        ("a backup", &backup),
    ] {
        visit.secrets.assert_not_in(place, text);
        visit.form_tokens.assert_not_in(place, text);
    }
}

/// What a backup holds.
fn backup(cluster: &Cluster) -> String {
    let done = cluster.run(&["backup", "backup"]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let file = std::fs::read(cluster.app.store.folder().join("backup")).unwrap();
    let begin = file.windows(FRAME.len()).position(|window| window == FRAME).unwrap();
    let mut text = String::new();
    zstd::stream::read::Decoder::with_buffer(&file[begin..]).unwrap().single_frame().read_to_string(&mut text).unwrap();
    text
}

impl Visit {
    /// Does everything once.
    async fn everything(&mut self, app: &TestApp) {
        let browser = Browser::new(app);
        self.sign_in(&browser).await;
        let client = self.register(&browser).await;
        self.code_and_tokens(&browser, &client).await;
        self.device(&browser).await;
        self.refusals(app, &client).await;
        self.change_password(&browser).await;
    }

    /// Keeps an answer's cookies, and what it says if it is an error.
    fn saw(&mut self, answer: Answer) -> Answer {
        for cookie in answer.headers.get_all("set-cookie") {
            let value = cookie.to_str().unwrap().split(';').next().unwrap().split_once('=').unwrap().1.to_owned();
            // Of an id and a secret, the secret.
            let secret = value.rsplit('.').next().unwrap();
            if secret.len() >= SECRET {
                self.secrets.add("cookie", secret);
            }
        }
        if answer.status.as_u16() >= 400 {
            self.errors += &answer.body;
        }
        answer
    }

    /// Keeps the token of a page's form.
    fn form(&mut self, page: &Answer, button: &str) -> PageForm {
        let form = page.form(button);
        let (_, token) = form.fields.iter().find(|(name, _)| name == "csrf_token").unwrap();
        self.form_tokens.add("form's token", token);
        form
    }

    async fn send(&mut self, browser: &Browser<'_>, form: &PageForm) -> Answer {
        let answer = browser.send(form).await;
        self.saw(answer)
    }

    fn client_secret(&mut self, client: &TestClient) {
        let secret = client.secret.expose_secret();
        self.secrets.add("client secret", secret);
        self.secrets.add("Basic header", STANDARD.encode(format!("{}:{secret}", client.identifier)));
    }

    /// Of a code or refresh token, what is secret: its random part, and what authenticates it.
    fn parts(&mut self, what: &'static str, credential: &str) {
        let secret = credential.split('.').find(|part| part.len() >= SECRET).unwrap();
        self.secrets.add(what, secret);
        self.secrets.add(what, credential.rsplit('.').next().unwrap());
    }

    fn tokens(&mut self, answer: &Answer) -> Tokens {
        let tokens = answer.clone().assert_status(200).tokens();
        // Where a JWT is cut, its signature is what is left to be secret.
        self.secrets.add("access token", tokens.access.rsplit('.').next().unwrap());
        if let Some(refresh) = &tokens.refresh {
            self.parts("refresh token", refresh);
        }
        tokens
    }

    /// Makes the user by a command; gives what it logged.
    fn import_user(&mut self, cluster: &Cluster) -> String {
        let users = json!([{"username": USERNAME, "password": PASSWORD, "email": EMAIL, "name": NAME}]);
        std::fs::write(cluster.app.store.folder().join("users.json"), users.to_string()).unwrap();
        let mut import = cluster.command(&["user", "import", "users.json", "--verbose", "--json"]);
        let done = import.envs([ALL]).output().unwrap();
        let logged = String::from_utf8(done.stderr).unwrap();
        assert!(done.status.success(), "{logged}");
        for (what, password) in [("password", PASSWORD), ("new password", NEW_PASSWORD), ("wrong password", WRONG_PASSWORD)] {
            self.secrets.add(what, password);
            self.secrets.add("password in a form", password.replace(' ', "+"));
        }
        logged
    }

    async fn sign_in(&mut self, browser: &Browser<'_>) {
        let page = self.saw(browser.get("/sign-in/").await);
        let form = self.form(&page, "login").with("username", USERNAME);
        self.send(browser, &form.clone().with("password", WRONG_PASSWORD)).await.assert_status(400);
        self.send(browser, &form.with("password", PASSWORD)).await.assert_status(303);
    }

    /// Registers an application and changes its secret.
    async fn register(&mut self, browser: &Browser<'_>) -> TestClient {
        let page = self.saw(browser.get("/o/applications/register/").await);
        let form = self.form(&page, "register").with("client_name", "Shop").with("redirect_uris", REDIRECT_URI);
        let form = form.with("grant.client_credentials", "on").with("grant.authorization_code", "on");
        let form = form.with("grant.refresh_token", "on").with("scope.read", "on");
        let path = self.send(browser, &form).await.assert_status(303).location().to_owned();
        let page = browser.get(&path).await.assert_status(200);
        let first = shown(&page);
        self.client_secret(&first);
        let rotate = self.form(&browser.get(&path).await, "rotate").with("overlap", "0");
        self.send(browser, &rotate).await.assert_status(303);
        let client = shown(&browser.get(&path).await.assert_status(200));
        self.client_secret(&client);
        let old = browser.app.client_credentials(&first, "read").await.assert_status(401);
        self.saw(old);
        client
    }

    async fn code(&mut self, browser: &Browser<'_>, client: &TestClient) -> String {
        let path = browser.app.authorize_path(client, &[("prompt", "consent")]);
        let page = browser.open(&path).await.assert_status(200);
        let allow = self.form(&page, "allow");
        let answer = self.send(browser, &allow).await.assert_status(303);
        let code = answer.answered("code").unwrap();
        self.parts("code", &code);
        code
    }

    /// The whole life of a grant, and of a client's own token.
    async fn code_and_tokens(&mut self, browser: &Browser<'_>, client: &TestClient) {
        let app = browser.app;
        self.secrets.add("verifier", VERIFIER);
        self.secrets.add("wrong verifier", WRONG_VERIFIER);
        let wrong = self.code(browser, client).await;
        let answer = app.redeem_with(client, &wrong, &[("redirect_uri", REDIRECT_URI), ("code_verifier", WRONG_VERIFIER)]).await;
        self.saw(answer).assert_status(400);
        let code = self.code(browser, client).await;
        let first = self.tokens(&app.redeem(client, &code).await);
        let second = self.tokens(&app.refresh(client, first.refresh_token()).await);
        self.tokens(&app.refresh(client, second.refresh_token()).await);
        app.get_with("/api/resource", &first.access).await.assert_status(200);
        assert!(app.is_active(client, &first.access).await);
        let replay = app.refresh(client, first.refresh_token()).await;
        self.saw(replay).assert_status(400);
        let replay = app.redeem(client, &code).await;
        self.saw(replay).assert_status(400);
        let own = self.tokens(&app.client_credentials(client, "read").await);
        app.revoke(client, &own.access).await.assert_status(200);
        let dead = app.get_with("/api/resource", &own.access).await;
        self.saw(dead).assert_status(401);
    }

    /// A device is let in, by its code.
    async fn device(&mut self, browser: &Browser<'_>) {
        let app = browser.app;
        let client = app.device_client().await;
        self.client_secret(&client);
        let device = app.device(&client, "read").await;
        self.parts("device code", &device.device_code);
        self.secrets.add("user code", &device.user_code);
        self.secrets.add("user code", device.user_code.replace('-', ""));
        let early = app.poll(&client, &device).await;
        self.saw(early).assert_status(400);
        let page = browser.open("/o/device/").await.assert_status(200);
        let entered = self.form(&page, "next").with("user_code", &device.user_code);
        let path = self.send(browser, &entered).await.assert_status(303).location().to_owned();
        let allow = self.form(&browser.get(&path).await.assert_status(200), "allow");
        let path = self.send(browser, &allow).await.assert_status(303).location().to_owned();
        assert!(browser.get(&path).await.assert_status(200).has("device_allowed"));
        self.tokens(&app.poll(&client, &device).await);
        let late = app.poll(&client, &device).await;
        self.saw(late).assert_status(400);
    }

    /// What is refused with a secret in the request.
    async fn refusals(&mut self, app: &TestApp, client: &TestClient) {
        self.secrets.add("wrong secret", WRONG_SECRET);
        let wrong = TestClient { secret: WRONG_SECRET.into(), ..client.clone() };
        let credentials = [("client_id", client.identifier.as_str()), ("client_secret", WRONG_SECRET)];
        for answer in [
            app.client_credentials(&wrong, "read").await,
            app.refresh(client, WRONG_SECRET).await,
            app.redeem(client, WRONG_SECRET).await,
            app.introspect(&wrong, WRONG_SECRET).await,
            app.get_with("/api/resource", WRONG_SECRET).await,
            app.post("/o/token/", &credentials).await,
            app.post_as(client, "/o/token/", &[("grant_type", WRONG_SECRET)]).await,
            app.get(&format!("/o/token/?code={WRONG_SECRET}")).await,
            app.get(&format!("/setup/{WRONG_SECRET}")).await,
        ] {
            assert!(answer.status.is_client_error(), "{answer:?}");
            self.saw(answer);
        }
    }

    async fn change_password(&mut self, browser: &Browser<'_>) {
        let page = browser.get("/account/").await.assert_status(200);
        let form = self.form(&page, "change_password").with("new_password", NEW_PASSWORD);
        self.send(browser, &form.clone().with("current_password", WRONG_PASSWORD)).await.assert_status(400);
        self.send(browser, &form.with("current_password", PASSWORD)).await.assert_status(303);
        let page = self.saw(browser.get("/sign-in/").await);
        let form = self.form(&page, "login").with("username", USERNAME).with("password", NEW_PASSWORD);
        self.send(browser, &form).await.assert_status(303);
        let page = browser.get("/o/logout/").await;
        let form = self.form(&page, "logout");
        self.send(browser, &form).await;
    }
}

/// The application whose page shows its secret.
fn shown(page: &Answer) -> TestClient {
    let (identifier, secret) = (page.text_of("client_id").unwrap(), page.text_of("new_secret").unwrap());
    TestClient { id: identifier.parse().unwrap(), identifier, secret: secret.into() }
}
