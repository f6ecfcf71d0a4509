//! A browser without a screen: it keeps cookies, follows redirects and presses buttons by the ids that grantlog's pages promise.

use std::collections::HashMap;

use openidconnect::url::Url;
use reqwest::{Client, Method, header, redirect::Policy};
use scraper::{ElementRef, Html, Selector};

use crate::grantlog::{self, User};

const LONGEST_CHAIN: usize = 10;

pub(crate) struct Browser(Client);

/// Where a browser stands: at a page of grantlog's, or at an address elsewhere, which it does not open.
pub(crate) struct Page {
    pub(crate) url: Url,
    pub(crate) status: u16,
    html: String,
}

impl Browser {
    pub(crate) fn new() -> Self {
        Self(Client::builder().cookie_store(true).redirect(Policy::none()).build().expect("a client can be made"))
    }

    pub(crate) async fn open(&self, url: Url) -> Page {
        self.follow(Method::GET, url, HashMap::new()).await
    }

    /// Signs in and allows, where either is asked.
    pub(crate) async fn decide(&self, mut page: Page, user: &User) -> Page {
        if page.has("login") {
            page = self.press(&page, "login", &[("username", &user.name), ("password", &user.password)]).await;
        }
        if page.has("allow") {
            page = self.press(&page, "allow", &[]).await;
        }
        page
    }

    /// Fills in inputs by their ids, and presses the button.
    async fn press(&self, page: &Page, button: &str, typed: &[(&str, &str)]) -> Page {
        let (action, fields) = page.form(button, typed);
        self.follow(Method::POST, action, fields).await
    }

    async fn follow(&self, mut method: Method, mut url: Url, mut fields: HashMap<String, String>) -> Page {
        for _ in 0..LONGEST_CHAIN {
            if !url.as_str().starts_with(&grantlog::url()) {
                return Page { url, status: 0, html: String::new() };
            }
            let mut request = self.0.request(method, url.as_str());
            if !fields.is_empty() {
                request = request.header(header::ORIGIN, grantlog::url()).form(&fields);
            }
            let answer = request.send().await.expect("the server answers");
            let Some(location) = answer.headers().get(header::LOCATION) else {
                return Page { url, status: answer.status().as_u16(), html: answer.text().await.expect("a page") };
            };
            let location = url.join(location.to_str().expect("a URL")).expect("a URL");
            (method, url, fields) = (Method::GET, location, HashMap::new());
        }
        panic!("redirects without an end, the last to {url}")
    }
}

impl Page {
    pub(crate) fn has(&self, id: &str) -> bool {
        Html::parse_document(&self.html).select(&by_id(id)).next().is_some()
    }

    /// A parameter of the address.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        self.url.query_pairs().find(|(own, _)| own == name).map(|(_, value)| value.into_owned())
    }

    fn form(&self, button: &str, typed: &[(&str, &str)]) -> (Url, HashMap<String, String>) {
        let document = Html::parse_document(&self.html);
        let pressed = document.select(&by_id(button)).next().expect("there is the button");
        let form =
            pressed.ancestors().filter_map(ElementRef::wrap).find(|element| element.value().name() == "form").expect("in a form");
        let mut fields = HashMap::new();
        for input in form.select(&css("input[name]")) {
            let named = |name| input.value().attr(name).unwrap_or_default();
            let value = typed.iter().find(|(id, _)| *id == named("id")).map_or(named("value"), |(_, text)| text);
            fields.insert(named("name").to_owned(), value.to_owned());
        }
        if let Some(name) = pressed.value().attr("name") {
            fields.insert(name.to_owned(), pressed.value().attr("value").unwrap_or_default().to_owned());
        }
        (self.url.join(form.value().attr("action").unwrap_or_default()).expect("a URL"), fields)
    }
}

fn by_id(id: &str) -> Selector {
    css(&format!("[id=\"{id}\"]"))
}

fn css(text: &str) -> Selector {
    Selector::parse(text).expect("a selector")
}
