//! A device that is let in: it asks, somebody enters its code, and it polls.

use std::net::SocketAddr;

use serde_json::Value;

use crate::{Answer, Browser, TestApp, TestClient};

/// The grant type of RFC 8628.
pub const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// A device's codes, and where it sends people.
#[derive(Clone, Debug)]
pub struct Device {
    pub device_code: String,
    pub user_code: String,
    /// All that it was answered.
    pub answer: Value,
}

impl TestApp {
    /// A confidential client for devices, which refreshes, with all of OpenID's and our usual scopes.
    pub async fn device_client(&self) -> TestClient {
        self.client(serde_json::json!({
            "client_name": "Television", "grant_types": [DEVICE_CODE, "refresh_token"], "scope": "openid offline_access read write",
        }))
        .await
    }

    /// A device asks, with these parameters.
    pub async fn ask_on_device(&self, client: &TestClient, form: &[(&str, &str)]) -> Answer {
        self.post_as(client, "/o/device-authorization/", form).await
    }

    /// A device that has asked for a scope.
    pub async fn device(&self, client: &TestClient, scope: &str) -> Device {
        Device::of(&self.ask_on_device(client, &[("scope", scope)]).await.assert_status(200))
    }

    /// The device polls.
    pub async fn poll(&self, client: &TestClient, device: &Device) -> Answer {
        self.poll_at(self.address, client, device).await
    }

    /// As `poll`, at another node.
    pub async fn poll_at(&self, node: SocketAddr, client: &TestClient, device: &Device) -> Answer {
        let form = [("grant_type", DEVICE_CODE), ("device_code", device.device_code.as_str())];
        self.post_to(node, client, ("/o/token/", &form)).await
    }

    /// The user `USER` enters the code in a browser of their own, and presses a button on the page that asks.
    pub async fn decide_on(&self, device: &Device, button: &str) -> Answer {
        let browser = Browser::signed_in(self).await;
        let page = browser.question_of(&device.user_code).await.assert_status(200);
        browser.press(&page, button).await.assert_status(200)
    }

    /// As `decide_on`: they let it in.
    pub async fn let_in(&self, device: &Device) -> Answer {
        self.decide_on(device, "allow").await
    }
}

impl Device {
    /// What a device was answered.
    ///
    /// # Panics
    /// Where the answer is not a device's.
    #[must_use]
    pub fn of(answer: &Answer) -> Self {
        let answer = answer.json();
        let text = |name: &str| answer[name].as_str().unwrap_or_else(|| panic!("no {name} in {answer}")).to_owned();
        Self { device_code: text("device_code"), user_code: text("user_code"), answer: answer.clone() }
    }
}

impl Browser<'_> {
    /// The page after a signed-in person has entered a code.
    pub async fn question_of(&self, user_code: &str) -> Answer {
        let page = self.open("/o/device/").await.assert_status(200);
        let answer = self.send(&page.form("next").with("user_code", user_code)).await;
        if answer.location().starts_with('/') { self.open(answer.location()).await } else { answer }
    }
}
