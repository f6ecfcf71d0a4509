package interop

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

const redirectURI = "https://app.example/callback"

// An application that signs people in: it knows the issuer, and discovers the rest.
type application struct {
	t        *testing.T
	provider *oidc.Provider
	config   oauth2.Config
}

// newApplication registers one, with these flags besides.
func newApplication(t *testing.T, flags ...string) application {
	t.Helper()
	client := register(t, append([]string{
		"--redirect-uris", redirectURI, "--grant-types", "authorization_code,refresh_token", "--scope", "openid profile read",
	}, flags...)...)
	provider, err := oidc.NewProvider(t.Context(), issuer(t))
	if err != nil {
		t.Fatal(err)
	}
	endpoint := provider.Endpoint()
	// Left to find this out, it tries the other way after any refusal, and tells of that alone.
	endpoint.AuthStyle = oauth2.AuthStyleInHeader
	return application{t, provider, oauth2.Config{
		ClientID:     client.ID,
		ClientSecret: client.Secret,
		Endpoint:     endpoint,
		RedirectURL:  redirectURI,
		Scopes:       []string{oidc.ScopeOpenID, "profile", "read"},
	}}
}

// A person who was sent to grantlog, and came back.
type visit struct {
	application
	state, nonce, verifier string
	returned               page
}

// asked gives the address that a person is sent to, and what belongs to that.
func (a application) asked() (string, visit) {
	v := visit{application: a, state: oauth2.GenerateVerifier(), nonce: oauth2.GenerateVerifier(), verifier: oauth2.GenerateVerifier()}
	return a.config.AuthCodeURL(v.state, oidc.Nonce(v.nonce), oauth2.S256ChallengeOption(v.verifier)), v
}

func (a application) visit(b browser, person user) visit {
	a.t.Helper()
	address, v := a.asked()
	v.returned = b.decide(b.open(address), person, "allow")
	if v.returned.parameter("state") != v.state {
		a.t.Fatalf("the state is not what was sent: %s", v.returned.address)
	}
	return v
}

// redeem gives the tokens for the code, with this verifier.
func (v visit) redeem(verifier string) (*oauth2.Token, error) {
	return v.config.Exchange(v.t.Context(), v.returned.parameter("code"), oauth2.VerifierOption(verifier))
}

func (v visit) tokens() *oauth2.Token {
	v.t.Helper()
	tokens, err := v.redeem(v.verifier)
	if err != nil {
		v.t.Fatal(err)
	}
	return tokens
}

// idTokenOf gives an ID token as it came.
func idTokenOf(tokens *oauth2.Token) string {
	raw, _ := tokens.Extra("id_token").(string)
	return raw
}

// verify checks an ID token as go-oidc does: its signature, issuer, audience and time.
func (a application) verify(raw string) (*oidc.IDToken, error) {
	return a.provider.Verifier(&oidc.Config{ClientID: a.config.ClientID}).Verify(a.t.Context(), raw)
}

// person gives who signed in, by an ID token that goes with the access token.
func (a application) person(tokens *oauth2.Token) *oidc.IDToken {
	a.t.Helper()
	token, err := a.verify(idTokenOf(tokens))
	if err != nil {
		a.t.Fatal(err)
	}
	if err := token.VerifyAccessToken(tokens.AccessToken); err != nil {
		a.t.Fatal(err)
	}
	return token
}

func (a application) refresh(token string) (*oauth2.Token, error) {
	return a.config.TokenSource(a.t.Context(), &oauth2.Token{RefreshToken: token}).Token()
}

func (a application) userinfo(tokens *oauth2.Token) (*oidc.UserInfo, error) {
	return a.provider.UserInfo(a.t.Context(), oauth2.StaticTokenSource(tokens))
}

// revoke ends a token: the library has no words for it.
func (a application) revoke(token string) {
	a.t.Helper()
	var endpoints struct {
		Revocation string `json:"revocation_endpoint"`
	}
	if err := a.provider.Claims(&endpoints); err != nil {
		a.t.Fatal(err)
	}
	form := strings.NewReader(url.Values{"token": {token}}.Encode())
	request, err := http.NewRequestWithContext(a.t.Context(), http.MethodPost, endpoints.Revocation, form)
	if err != nil {
		a.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth(a.config.ClientID, a.config.ClientSecret)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		a.t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		a.t.Fatalf("the revocation is answered with %s", answer.Status)
	}
}

// open gives the status that the resource answers with.
func open(t *testing.T, client *http.Client) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, serverURL(t)+"/api/resource", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	return answer.StatusCode
}
