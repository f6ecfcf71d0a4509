package interop

import (
	"encoding/base64"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

func TestAPersonSignsInByEachAlgorithm(t *testing.T) {
	person := newUser(t)
	for _, algorithm := range []string{"RS256", "PS256", "ES256", "EdDSA"} {
		t.Run(algorithm, func(t *testing.T) {
			a := newApplication(t, "--id-token-signed-response-alg", algorithm)
			v := a.visit(newBrowser(t), person)
			tokens := v.tokens()
			told := v.person(tokens)
			if told.Nonce != v.nonce {
				t.Errorf("the ID token is of another sign-in: %q", told.Nonce)
			}
			info, err := a.userinfo(tokens)
			if err != nil {
				t.Fatal(err)
			}
			var claims struct {
				Name string `json:"preferred_username"`
			}
			if err := info.Claims(&claims); err != nil || info.Subject != told.Subject || claims.Name != person.name {
				t.Errorf("userinfo tells of %q, who is called %q: %v", info.Subject, claims.Name, err)
			}
		})
	}
}

func TestUserinfoIsReadWhereItIsSigned(t *testing.T) {
	a := newApplication(t, "--userinfo-signed-response-alg", "ES256")
	tokens := a.visit(newBrowser(t), newUser(t)).tokens()
	info, err := a.userinfo(tokens)
	if err != nil {
		t.Fatal(err)
	}
	if subject := a.person(tokens).Subject; info.Subject != subject {
		t.Errorf("userinfo tells of %q, not of %q", info.Subject, subject)
	}
}

func TestTokensAreRefreshedAndRevoked(t *testing.T) {
	a := newApplication(t)
	first := a.visit(newBrowser(t), newUser(t)).tokens()
	if status := open(t, a.config.Client(t.Context(), first)); status != http.StatusOK {
		t.Errorf("the resource answers %d", status)
	}
	second, err := a.refresh(first.RefreshToken)
	if err != nil {
		t.Fatal(err)
	}
	if second.RefreshToken == first.RefreshToken {
		t.Error("the refresh token is the same as before")
	}
	if subject := a.person(first).Subject; a.person(second).Subject != subject {
		t.Errorf("the refreshed ID token is not %q's", subject)
	}
	a.revoke(second.RefreshToken)
	_, err = a.refresh(second.RefreshToken)
	refusedWith(t, err, "invalid_grant")
	if _, err := a.userinfo(second); err == nil {
		t.Error("a revoked token tells of a person")
	}
	if status := open(t, oauth2.NewClient(t.Context(), oauth2.StaticTokenSource(second))); status != http.StatusUnauthorized {
		t.Errorf("to a revoked token the resource answers %d", status)
	}
}

func TestAServiceGetsATokenForItself(t *testing.T) {
	client := register(t, "--grant-types", "client_credentials", "--scope", "read")
	service := clientcredentials.Config{ClientID: client.ID, ClientSecret: client.Secret, TokenURL: newApplication(t).config.Endpoint.TokenURL}
	if status := open(t, service.Client(t.Context())); status != http.StatusOK {
		t.Errorf("the resource answers %d", status)
	}
	service.ClientSecret = "wrong"
	_, err := service.Token(t.Context())
	refusedWith(t, err, "invalid_client")
}

func TestHowAnApplicationProvesItselfIsFoundOut(t *testing.T) {
	person := newUser(t)
	for _, method := range []string{"client_secret_basic", "client_secret_post", "none"} {
		t.Run(method, func(t *testing.T) {
			a := newApplication(t, "--token-endpoint-auth-method", method)
			a.config.Endpoint.AuthStyle = oauth2.AuthStyleAutoDetect
			first := a.visit(newBrowser(t), person).tokens()
			second, err := a.refresh(first.RefreshToken)
			if err != nil {
				t.Fatal(err)
			}
			if subject := a.person(first).Subject; a.person(second).Subject != subject {
				t.Errorf("the refreshed ID token is not %q's", subject)
			}
		})
	}
}

func TestAWrongSecretIsRefused(t *testing.T) {
	a := newApplication(t)
	a.config.ClientSecret = "wrong"
	v := a.visit(newBrowser(t), newUser(t))
	_, err := v.redeem(v.verifier)
	refusedWith(t, err, "invalid_client")
}

func TestAWrongVerifierIsRefused(t *testing.T) {
	v := newApplication(t).visit(newBrowser(t), newUser(t))
	_, err := v.redeem(oauth2.GenerateVerifier())
	refusedWith(t, err, "invalid_grant")
}

func TestAReplayedCodeIsRefusedAndEndsWhatItGave(t *testing.T) {
	v := newApplication(t).visit(newBrowser(t), newUser(t))
	tokens := v.tokens()
	_, err := v.redeem(v.verifier)
	refusedWith(t, err, "invalid_grant")
	if _, err := v.userinfo(tokens); err == nil {
		t.Error("what a replayed code gave tells of a person")
	}
}

func TestAPersonWhoDeniesComesBackWithoutACode(t *testing.T) {
	address, v := newApplication(t).asked()
	b := newBrowser(t)
	returned := b.decide(b.open(address), newUser(t), "deny")
	if returned.parameter("error") != "access_denied" || returned.parameter("state") != v.state || returned.parameter("code") != "" {
		t.Errorf("the person comes back at %s", returned.address)
	}
}

func TestAForeignRedirectURIIsAPageAndNoRedirect(t *testing.T) {
	a := newApplication(t)
	a.config.RedirectURL = redirectURI + "/other"
	address, _ := a.asked()
	if at := newBrowser(t).open(address); at.status != http.StatusBadRequest || at.find("error") == nil {
		t.Errorf("the browser stands at %s (%d)", at.address, at.status)
	}
}

func TestAnIDTokenForAnotherApplicationOrThatWasTamperedWithIsRefused(t *testing.T) {
	a, other := newApplication(t), newApplication(t)
	b, person := newBrowser(t), newUser(t)
	if _, err := a.verify(idTokenOf(other.visit(b, person).tokens())); err == nil || !strings.Contains(err.Error(), "audience") {
		t.Errorf("another application's is taken: %v", err)
	}
	head, rest, _ := strings.Cut(idTokenOf(a.visit(b, person).tokens()), ".")
	payload, signature, _ := strings.Cut(rest, ".")
	octets, err := base64.RawURLEncoding.DecodeString(signature)
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(octets)
	tampered := strings.Join([]string{head, payload, base64.RawURLEncoding.EncodeToString(octets)}, ".")
	if _, err := a.verify(tampered); err == nil || !strings.Contains(err.Error(), "signature") {
		t.Errorf("one that was tampered with is taken: %v", err)
	}
}

// refusedWith fails the test unless the token endpoint refused with this code.
func refusedWith(t *testing.T, err error, code string) {
	t.Helper()
	var refusal *oauth2.RetrieveError
	if !errors.As(err, &refusal) || refusal.ErrorCode != code {
		t.Errorf("that is no %s: %v", code, err)
	}
}
