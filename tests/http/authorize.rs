//! `/o/authorize/`: what of a request is refused, and whether user or client is told (RFC 6749 section 4.1.2.1, RFC 7636, RFC 8707,
//! RFC 9207, RFC 9700 section 2.1).

use serde_json::json;
use support::{Answer, Browser, Kind, REDIRECT_URI, TestApp, TestClient, both_stores};

both_stores!(
    a_code_comes_back_with_state_and_issuer,
    the_path_works_without_its_slash_and_by_post,
    a_post_from_another_site_is_asked_again_with_get,
    an_unknown_or_disabled_client_is_a_page,
    a_redirect_uri_that_differs_is_a_page_that_says_in_what,
    a_redirect_uri_may_be_left_out_where_one_is_registered,
    a_redirect_uri_left_out_where_two_are_registered_is_a_page,
    a_native_client_may_choose_its_loopback_port_and_nothing_else,
    a_redirect_uri_with_a_query_keeps_it,
    a_parameter_twice_and_a_nul_are_a_page,
    a_response_type_other_than_code_is_told_to_the_client,
    a_client_without_the_grant_is_told,
    a_missing_challenge_is_told_unless_the_policy_spares_it,
    a_challenge_that_is_not_s256_is_told,
    a_scope_that_cannot_be_granted_is_told,
    a_scope_left_out_is_what_the_client_registered,
    a_resource_that_is_not_registered_is_told,
    request_objects_are_told_to_be_unsupported,
    prompts_that_cannot_be_are_told,
    a_response_mode_that_we_do_not_have_is_told,
    a_fragment_is_answered_in_the_fragment,
    a_form_post_is_answered_by_a_page_that_posts_itself,
    a_state_beyond_the_bound_is_refused,
    a_method_other_than_get_and_post_is_refused,
    what_a_stranger_wrote_is_escaped,
    a_store_that_does_not_answer_is_a_page_with_503,
);

/// What a browser gets that nobody is signed in at: errors come before the sign-in.
async fn refused(app: &TestApp, client: &TestClient, changes: &[(&str, &str)]) -> Answer {
    app.get(&app.authorize_path(client, changes)).await
}

async fn a_code_comes_back_with_state_and_issuer(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let browser = Browser::signed_in(&app).await;
    let answer = browser.allow(&app.authorize_path(&client, &[("state", "a b&c=d\u{e9}")])).await.assert_status(303);
    assert!(answer.location().starts_with(&format!("{REDIRECT_URI}?code=")), "{answer:?}");
    assert_eq!(answer.answered("state").as_deref(), Some("a b&c=d\u{e9}"));
    assert_eq!(answer.answered("iss"), Some(app.app.settings.issuer()));
    assert!(answer.header("grantlog-position").parse::<i64>().unwrap() > 0);
    let tokens = app.redeem(&client, &answer.answered("code").unwrap()).await.assert_status(200).tokens();
    assert_eq!(tokens.scope, "read");
    assert!(app.is_active(&client, &tokens.access).await);
}

async fn the_path_works_without_its_slash_and_by_post(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let path = app.authorize_path(&client, &[]);
    let browser = Browser::signed_in(&app).await;
    assert!(browser.get(&path.replace("/o/authorize/?", "/o/authorize?")).await.assert_status(200).has("allow"));
    let query = path.split_once('?').unwrap().1;
    let parameters: Vec<(String, String)> =
        reqwest::Url::parse(&format!("http://x/?{query}")).unwrap().query_pairs().into_owned().collect();
    let fields: Vec<(&str, &str)> = parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    for path in ["/o/authorize/", "/o/authorize"] {
        assert!(browser.post(path, &fields).await.assert_status(200).has("allow"));
    }
}

async fn a_post_from_another_site_is_asked_again_with_get(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let form = [("response_type", "code"), ("client_id", client.identifier.as_str()), ("state", "x y")];
    let answer = Browser::new(&app).post_with("/o/authorize/", &form, ("sec-fetch-site", "cross-site")).await.assert_status(303);
    assert_eq!(answer.location(), format!("/o/authorize/?response_type=code&client_id={}&state=x+y", client.identifier));
}

async fn an_unknown_or_disabled_client_is_a_page(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    for identifier in ["", "nobody", "0196a3c8-0000-7000-8000-000000000000", "<script>"] {
        let page = refused(&app, &client, &[("client_id", identifier)]).await.assert_error_page(400, "invalid_request");
        assert!(page.text_of("error").unwrap().contains("client_id"), "{page:?}");
    }
    app.disable(client.id).await;
    refused(&app, &client, &[]).await.assert_error_page(400, "invalid_request");
}

async fn a_redirect_uri_that_differs_is_a_page_that_says_in_what(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let browser = Browser::signed_in(&app).await;
    for (uri, part) in [
        ("https://app.example/Callback", "case"),
        ("https://app.example/callback/", "slash"),
        ("https://app.example:443/callback", "port"),
        ("http://app.example/callback", "scheme"),
        ("https://app.example/callback?x=1", "query"),
        ("https://app.example/callback#x", "fragment"),
        ("https://mika@app.example/callback", "user name"),
        ("https://app.example/%63allback", "percent-encoded"),
        ("https://app.example/callback ", "white space"),
        ("https://app.example.evil.example/callback", "host"),
        ("https://app.example/callback/../callback", "path"),
        ("javascript:alert(1)", "redirect_uri"),
        ("//app.example/callback", "absolute"),
    ] {
        let page = browser.get(&app.authorize_path(&client, &[("redirect_uri", uri)])).await;
        let told = page.assert_error_page(400, "invalid_request").text_of("error").unwrap();
        assert!(told.contains("redirect_uri") && told.contains(part), "{uri}: {told}");
    }
}

async fn a_redirect_uri_may_be_left_out_where_one_is_registered(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let browser = Browser::signed_in(&app).await;
    let answer = browser.allow(&app.authorize_path(&client, &[("redirect_uri", "")])).await;
    let code = answer.answered("code").unwrap();
    let form = [("grant_type", "authorization_code"), ("code", &code), ("code_verifier", support::VERIFIER)];
    app.post_as(&client, "/o/token/", &form).await.assert_status(200);
}

async fn a_redirect_uri_left_out_where_two_are_registered_is_a_page(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.client(json!({"redirect_uris": [REDIRECT_URI, "https://app.example/other"], "scope": "read"})).await;
    let page = refused(&app, &client, &[("redirect_uri", "")]).await.assert_error_page(400, "invalid_request");
    assert!(page.text_of("error").unwrap().contains("redirect_uri"));
    let resource_server = app.client(json!({"grant_types": ["client_credentials"], "response_types": [], "scope": "read"})).await;
    refused(&app, &resource_server, &[("redirect_uri", "")]).await.assert_error_page(400, "invalid_request");
}

async fn a_native_client_may_choose_its_loopback_port_and_nothing_else(kind: Kind) {
    let app = TestApp::start(kind).await;
    let native = json!({
        "application_type": "native", "token_endpoint_auth_method": "none", "scope": "read",
        "redirect_uris": ["http://127.0.0.1/callback", "http://localhost:7000/callback", "com.example.app:/callback"],
    });
    let client = app.client(native).await;
    let browser = Browser::signed_in(&app).await;
    for uri in ["http://127.0.0.1:53117/callback", "http://localhost:7000/callback", "com.example.app:/callback"] {
        let answer = browser.allow(&app.authorize_path(&client, &[("redirect_uri", uri)])).await;
        assert!(answer.location().starts_with(&format!("{uri}?code=")), "{answer:?}");
    }
    for uri in ["http://127.0.0.1:53117/other", "http://localhost:7001/callback", "http://[::1]:53117/callback"] {
        browser.get(&app.authorize_path(&client, &[("redirect_uri", uri)])).await.assert_error_page(400, "invalid_request");
    }
}

async fn a_redirect_uri_with_a_query_keeps_it(kind: Kind) {
    let app = TestApp::start(kind).await;
    let uri = "https://app.example/callback?tenant=%41";
    let client = app.client(json!({"redirect_uris": [uri], "scope": "read"})).await;
    let browser = Browser::signed_in(&app).await;
    let answer = browser.allow(&app.authorize_path(&client, &[("redirect_uri", uri)])).await;
    assert!(answer.location().starts_with(&format!("{uri}&code=")), "{answer:?}");
}

async fn a_parameter_twice_and_a_nul_are_a_page(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let path = app.authorize_path(&client, &[]);
    for more in ["state=again", "redirect_uri=https%3A%2F%2Fapp.example%2Fcallback", "nonce=a%00b", "nonce=%ff", "client_id=x"] {
        app.get(&format!("{path}&{more}")).await.assert_error_page(400, "invalid_request");
    }
}

async fn a_response_type_other_than_code_is_told_to_the_client(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    for response_type in ["token", "code token", "id_token", "Code", "none"] {
        let answer = refused(&app, &client, &[("response_type", response_type)]).await;
        let answer = answer.assert_error_redirect("unsupported_response_type");
        assert_eq!(answer.answered("state").as_deref(), Some("af0ifjsldkj"));
    }
    refused(&app, &client, &[("response_type", "")]).await.assert_error_redirect("invalid_request");
}

async fn a_client_without_the_grant_is_told(kind: Kind) {
    let app = TestApp::start(kind).await;
    let metadata = json!({"redirect_uris": [REDIRECT_URI], "grant_types": ["client_credentials"], "scope": "read"});
    let client = app.client(metadata).await;
    refused(&app, &client, &[]).await.assert_error_redirect("unauthorized_client");
}

async fn a_missing_challenge_is_told_unless_the_policy_spares_it(kind: Kind) {
    let app = TestApp::start(kind).await;
    let without = [("code_challenge", ""), ("code_challenge_method", "")];
    let client = app.ordinary_client().await;
    refused(&app, &client, &without).await.assert_error_redirect("invalid_request");
    let public =
        json!({"redirect_uris": [REDIRECT_URI], "token_endpoint_auth_method": "none", "policy": "compatible", "scope": "read"});
    refused(&app, &app.client(public).await, &without).await.assert_error_redirect("invalid_request");
    let spared = app.client(json!({"redirect_uris": [REDIRECT_URI], "policy": "compatible", "scope": "read"})).await;
    let browser = Browser::signed_in(&app).await;
    let code = browser.allow(&app.authorize_path(&spared, &without)).await.answered("code").unwrap();
    let form = [("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", REDIRECT_URI)];
    app.post_as(&spared, "/o/token/", &form).await.assert_status(200);
}

async fn a_challenge_that_is_not_s256_is_told(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let long = "a".repeat(44);
    for changes in [
        [("code_challenge_method", "plain"), ("nonce", "")],
        [("code_challenge_method", "s256"), ("nonce", "")],
        [("code_challenge_method", ""), ("nonce", "")],
        [("code_challenge", ""), ("nonce", "")],
        [("code_challenge", "short"), ("nonce", "")],
        [("code_challenge", long.as_str()), ("nonce", "")],
        [("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw+cM"), ("nonce", "")],
    ] {
        refused(&app, &client, &changes).await.assert_error_redirect("invalid_request");
    }
}

async fn a_scope_that_cannot_be_granted_is_told(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.client(json!({"redirect_uris": [REDIRECT_URI], "scope": "read introspection"})).await;
    for scope in ["unknown", "read write", "read introspection", "openid", "re\"ad", "read\\", "r\u{e9}ad", " "] {
        refused(&app, &client, &[("scope", scope)]).await.assert_error_redirect("invalid_scope");
    }
}

async fn a_scope_left_out_is_what_the_client_registered(kind: Kind) {
    let app = TestApp::start(kind).await;
    let metadata = json!({"redirect_uris": [REDIRECT_URI], "scope": "openid read introspection offline_access profile"});
    let client = app.client(metadata).await;
    let browser = Browser::signed_in(&app).await;
    let code = browser.allow(&app.authorize_path(&client, &[("scope", "")])).await.answered("code").unwrap();
    assert_eq!(app.redeem(&client, &code).await.tokens().scope, "read profile");
    let bare = app.client(json!({"redirect_uris": [REDIRECT_URI], "scope": "openid"})).await;
    refused(&app, &bare, &[("scope", "")]).await.assert_error_redirect("invalid_scope");
}

async fn a_resource_that_is_not_registered_is_told(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (one, two) = ("https://one.example/api", "https://two.example/api");
    let client = app.client(json!({"redirect_uris": [REDIRECT_URI], "scope": "read", "resources": [one, two]})).await;
    for resource in ["https://three.example", "https://one.example/api/", "not a uri"] {
        refused(&app, &client, &[("resource", resource)]).await.assert_error_redirect("invalid_target");
    }
    let browser = Browser::signed_in(&app).await;
    let path = app.authorize_path(&client, &[("resource", one)]);
    let page = browser.open(&format!("{path}&resource={two}&resource={one}")).await;
    assert!(page.text().contains(one) && page.text().contains(two));
    let code = browser.press(&page, "allow").await.answered("code").unwrap();
    app.redeem(&client, &code).await.assert_error(400, "invalid_target");
    let named = [("redirect_uri", REDIRECT_URI), ("code_verifier", support::VERIFIER), ("resource", two)];
    let tokens = app.redeem_with(&client, &code, &named).await.assert_status(200).tokens();
    assert_eq!(app.introspect(&client, &tokens.access).await.json()["aud"], json!([two]));
}

async fn request_objects_are_told_to_be_unsupported(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    refused(&app, &client, &[("request", "eyJhbGciOiJub25lIn0.e30.")]).await.assert_error_redirect("request_not_supported");
    // {"response_mode":"form_post"}: how the refusal is told.
    let by_form = [("request", "eyJhbGciOiJub25lIn0.eyJyZXNwb25zZV9tb2RlIjoiZm9ybV9wb3N0In0.")];
    let page = refused(&app, &client, &by_form).await.assert_status(200);
    assert_eq!(page.attribute("form [name=error]", "value").as_deref(), Some("request_not_supported"));
    let by_reference = [("request_uri", "https://app.example/request.jwt")];
    refused(&app, &client, &by_reference).await.assert_error_redirect("request_uri_not_supported");
}

async fn prompts_that_cannot_be_are_told(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    for (name, value) in [
        ("prompt", "none login"),
        ("prompt", "none consent"),
        ("prompt", "sometimes"),
        ("approval_prompt", "never"),
        ("max_age", "-1"),
        ("max_age", "soon"),
        ("max_age", "99999999999999999999"),
    ] {
        refused(&app, &client, &[(name, value)]).await.assert_error_redirect("invalid_request");
    }
}

async fn a_response_mode_that_we_do_not_have_is_told(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    refused(&app, &client, &[("response_mode", "web_message")]).await.assert_error_redirect("invalid_request");
}

async fn a_fragment_is_answered_in_the_fragment(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let answer = refused(&app, &client, &[("response_mode", "fragment"), ("prompt", "none")]).await;
    assert!(answer.location().starts_with(&format!("{REDIRECT_URI}#error=login_required&")), "{answer:?}");
    let browser = Browser::signed_in(&app).await;
    let answer = browser.allow(&app.authorize_path(&client, &[("response_mode", "fragment")])).await;
    assert!(answer.location().starts_with(&format!("{REDIRECT_URI}#code=")), "{answer:?}");
}

async fn a_form_post_is_answered_by_a_page_that_posts_itself(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let browser = Browser::signed_in(&app).await;
    let page = browser.allow(&app.authorize_path(&client, &[("response_mode", "form_post"), ("state", "a\"b")])).await;
    let form = page.form("continue");
    assert_eq!(form.action, REDIRECT_URI);
    let posted = |name: &str| form.fields.iter().find(|(own, _)| own == name).map(|(_, value)| value.clone());
    assert_eq!((posted("state").as_deref(), posted("iss")), (Some("a\"b"), Some(app.app.settings.issuer())));
    app.redeem(&client, &posted("code").unwrap()).await.assert_status(200);
    let policy = page.header("content-security-policy");
    assert!(policy.contains("script-src 'sha256-") && policy.contains("https://app.example"), "{policy}");
    assert_eq!(page.header("cache-control"), "no-store");
    let refused = refused(&app, &client, &[("response_mode", "form_post"), ("prompt", "none")]).await;
    let error = refused.form("continue").fields.into_iter().find(|(name, _)| name == "error").unwrap();
    assert_eq!(error.1, "login_required");
    let native = json!({"application_type": "native", "redirect_uris": ["com.example.app:/callback"], "scope": "read"});
    let changes = [("response_mode", "form_post"), ("redirect_uri", "com.example.app:/callback")];
    let answer = app.get(&app.authorize_path(&app.client(native).await, &changes)).await;
    assert!(answer.location().starts_with("com.example.app:/callback?error=invalid_request"), "{answer:?}");
}

async fn a_state_beyond_the_bound_is_refused(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let answer = refused(&app, &client, &[("state", &"s".repeat(5000))]).await.assert_error_redirect("invalid_request");
    assert_eq!(answer.answered("state"), None);
    let kept = "s".repeat(4096);
    let answer = refused(&app, &client, &[("state", &kept), ("prompt", "none")]).await.assert_error_redirect("login_required");
    assert_eq!(answer.answered("state"), Some(kept));
}

async fn a_method_other_than_get_and_post_is_refused(kind: Kind) {
    let app = TestApp::start(kind).await;
    for method in [reqwest::Method::PUT, reqwest::Method::DELETE] {
        let answer = Answer::of(app.http.request(method, app.url("/o/authorize/"))).await.assert_status(405);
        assert!(answer.header("allow").contains("GET") && answer.header("allow").contains("POST"));
    }
}

async fn what_a_stranger_wrote_is_escaped(kind: Kind) {
    let app = TestApp::start(kind).await;
    let name = "<img src=x onerror=alert(1)> \"Evil\" & Co";
    let client = app.client(json!({"client_name": name, "redirect_uris": [REDIRECT_URI], "scope": "read"})).await;
    let hint = "\"><script>alert(1)</script>\u{202e}";
    let page = app.get(&app.authorize_path(&client, &[("login_hint", hint)])).await.assert_status(200);
    assert_eq!(page.attribute("#username", "value").as_deref(), Some("\"><script>alert(1)</script>"));
    assert!(page.text().contains(name) && !page.body.contains("<img") && !page.body.contains("<script"), "{page:?}");
    let page = refused(&app, &client, &[("scope", "<script>alert(1)</script>"), ("redirect_uri", "<script>")]).await;
    assert!(!page.assert_error_page(400, "invalid_request").body.contains("<script"));
}

async fn a_store_that_does_not_answer_is_a_page_with_503(kind: Kind) {
    let app = TestApp::start(kind).await;
    let client = app.ordinary_client().await;
    let path = app.authorize_path(&client, &[]);
    projections::on_db!(app.app.log.db(), pool => pool.close().await);
    let page = app.get(&path).await.assert_error_page(503, "temporarily_unavailable");
    assert!(!page.header("retry-after").is_empty());
}
