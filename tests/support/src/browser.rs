//! A browser without scripts: it keeps cookies, reads pages and sends their forms.

use std::net::SocketAddr;

use reqwest::{
    Client,
    header::{HeaderMap, HeaderValue},
    redirect::Policy,
};
use scraper::{ElementRef, Html, Selector};

use crate::{Answer, CHALLENGE, PASSWORD, REDIRECT_URI, TestApp, TestClient, USER};

/// A browser with its cookies.
pub struct Browser<'a> {
    pub app: &'a TestApp,
    http: Client,
}

/// A page's form, filled in as the page has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageForm {
    pub action: String,
    pub fields: Vec<(String, String)>,
}

impl<'a> Browser<'a> {
    /// A browser that was never here.
    #[must_use]
    pub fn new(app: &'a TestApp) -> Self {
        Self::with_headers(app, &[])
    }

    /// A browser that sends these headers with every request.
    #[must_use]
    pub fn with_headers(app: &'a TestApp, headers: &[(&'static str, &'static str)]) -> Self {
        let headers: HeaderMap =
            headers.iter().map(|(name, value)| (name.parse().expect("a name"), HeaderValue::from_static(value))).collect();
        let http = Client::builder().cookie_store(true).redirect(Policy::none()).default_headers(headers).build();
        Self { app, http: http.expect("a client can be made") }
    }

    /// A browser in which the user `USER` is signed in.
    pub async fn signed_in(app: &'a TestApp) -> Self {
        let browser = Self::new(app);
        browser.sign_in(USER, PASSWORD).await.assert_status(303);
        browser
    }

    /// Opens a path, and follows no redirect.
    pub async fn get(&self, path: &str) -> Answer {
        Answer::of(self.http.get(self.app.url(path))).await
    }

    /// Asks for a path's headers alone.
    pub async fn head(&self, path: &str) -> Answer {
        Answer::of(self.http.head(self.app.url(path))).await
    }

    /// Opens a path, and follows redirects as long as they stay on the site.
    pub async fn open(&self, path: &str) -> Answer {
        let mut answer = self.get(path).await;
        while answer.location().starts_with('/') {
            answer = self.get(answer.location()).await;
        }
        answer
    }

    /// Posts a form of one's own making.
    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        Answer::of(self.http.post(self.app.url(path)).form(fields)).await
    }

    /// As `post`, with a header more.
    pub async fn post_with(&self, path: &str, fields: &[(&str, &str)], header: (&str, &str)) -> Answer {
        Answer::of(self.http.post(self.app.url(path)).form(fields).header(header.0, header.1)).await
    }

    /// Sends a form.
    pub async fn send(&self, form: &PageForm) -> Answer {
        Answer::of(self.http.post(self.app.url(&form.action)).form(&form.fields)).await
    }

    /// Sends a form to another node, with the cookies that this one set.
    pub async fn send_to(&self, node: SocketAddr, form: &PageForm) -> Answer {
        Answer::of(self.http.post(format!("http://{node}{}", form.action)).form(&form.fields)).await
    }

    /// Presses a page's button, and follows redirects as long as they stay on the site.
    pub async fn press(&self, page: &Answer, button: &str) -> Answer {
        let answer = self.send(&page.form(button)).await;
        if answer.location().starts_with('/') { self.open(answer.location()).await } else { answer }
    }

    /// Fills in a sign-in page, and sends it.
    pub async fn sign_in_on(&self, page: &Answer, username: &str, password: &str) -> Answer {
        let form = page.form("login").with("username", username).with("password", password);
        self.send(&form).await
    }

    /// Signs in for nothing in particular.
    pub async fn sign_in(&self, username: &str, password: &str) -> Answer {
        let page = self.get("/sign-in/").await;
        self.sign_in_on(&page, username, password).await
    }

    /// Signs `USER` in on a sign-in page, and follows redirects as long as they stay on the site.
    pub async fn sign_in_and_go_on(&self, page: &Answer) -> Answer {
        let answer = self.sign_in_on(page, USER, PASSWORD).await.assert_status(303);
        self.open(answer.location()).await
    }

    /// Lets a client act for the signed-in user, and gives the answer that the client gets.
    pub async fn allow(&self, authorize: &str) -> Answer {
        let page = self.open(authorize).await;
        if page.location().is_empty() { self.press(&page, "allow").await } else { page }
    }
}

impl PageForm {
    /// The same with a field filled in differently.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.fields.retain(|(own, _)| own != name);
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }
}

impl Answer {
    /// Whether the page has an element with this id.
    #[must_use]
    pub fn has(&self, id: &str) -> bool {
        self.text_of(id).is_some()
    }

    /// The text of the element with this id.
    #[must_use]
    pub fn text_of(&self, id: &str) -> Option<String> {
        let page = Html::parse_document(&self.body);
        page.select(&selector(&format!("[id='{id}']"))).next().map(|element| element.text().collect())
    }

    /// An attribute of the first element that a CSS selector finds.
    #[must_use]
    pub fn attribute(&self, css: &str, name: &str) -> Option<String> {
        let page = Html::parse_document(&self.body);
        page.select(&selector(css)).next().and_then(|element| element.value().attr(name).map(str::to_owned))
    }

    /// All that a reader sees.
    #[must_use]
    pub fn text(&self) -> String {
        let page = Html::parse_document(&self.body);
        page.select(&selector("body")).flat_map(|body| body.text()).collect()
    }

    /// The form that this button sends, with the button's own name and value.
    #[track_caller]
    #[must_use]
    pub fn form(&self, button: &str) -> PageForm {
        let page = Html::parse_document(&self.body);
        let forms: Vec<ElementRef<'_>> = page.select(&selector("form")).collect();
        let sent_by = |form: &&ElementRef<'_>| form.select(&selector(&format!("[id='{button}']"))).next().is_some();
        let form = forms.iter().find(sent_by).unwrap_or_else(|| panic!("no form with {button}: {self:?}"));
        let mut fields: Vec<(String, String)> = form.select(&selector("input[name], textarea[name]")).filter_map(field).collect();
        let pressed = form.select(&selector(&format!("[id='{button}'][name]"))).next();
        fields.extend(pressed.and_then(field));
        PageForm { action: form.value().attr("action").unwrap_or_default().to_owned(), fields }
    }

    /// A parameter of the URL that the browser is sent to.
    #[must_use]
    pub fn answered(&self, name: &str) -> Option<String> {
        let url: reqwest::Url = self.location().parse().ok()?;
        url.query_pairs().find(|(own, _)| own == name).map(|(_, value)| value.into_owned())
    }

    /// A page that tells an error, and sends nobody anywhere.
    #[track_caller]
    pub fn assert_error_page(self, status: u16, code: &str) -> Self {
        let answer = self.assert_status(status);
        assert_eq!(answer.location(), "", "{answer:?}");
        assert!(answer.text_of("error").is_some_and(|text| text.contains(code)), "{answer:?}");
        answer
    }

    /// A redirect to the client that tells an error (RFC 6749 section 4.1.2.1).
    #[track_caller]
    pub fn assert_error_redirect(self, code: &str) -> Self {
        assert!(self.location().starts_with(REDIRECT_URI), "{self:?}");
        assert_eq!(self.answered("error").as_deref(), Some(code), "{self:?}");
        for name in ["error_description", "error_id", "iss"] {
            assert!(self.answered(name).is_some(), "{name}: {self:?}");
        }
        assert_eq!(self.answered("code"), None, "{self:?}");
        self
    }
}

impl TestApp {
    /// An authorization request of a client: with PKCE, a `state` and the scope `read`, but what `changes` names; an empty value leaves
    /// a parameter out.
    #[must_use]
    pub fn authorize_path(&self, client: &TestClient, changes: &[(&str, &str)]) -> String {
        let usual = [
            ("response_type", "code"),
            ("client_id", client.identifier.as_str()),
            ("redirect_uri", REDIRECT_URI),
            ("scope", "read"),
            ("state", "af0ifjsldkj"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        let kept = usual.into_iter().filter(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
        let parameters = kept.chain(changes.iter().copied()).filter(|(_, value)| !value.is_empty());
        let url = reqwest::Url::parse_with_params("http://x/o/authorize/", parameters).expect("a URL");
        format!("{}?{}", url.path(), url.query().unwrap_or_default())
    }
}

fn field(element: ElementRef<'_>) -> Option<(String, String)> {
    let name = element.value().attr("name")?;
    let checkbox = matches!(element.value().attr("type"), Some("checkbox" | "radio"));
    if checkbox && element.value().attr("checked").is_none() {
        return None;
    }
    let value = element.value().attr("value").map_or_else(|| element.text().collect(), str::to_owned);
    Some((name.to_owned(), value))
}

fn selector(css: &str) -> Selector {
    Selector::parse(css).unwrap_or_else(|error| panic!("{css}: {error}"))
}
