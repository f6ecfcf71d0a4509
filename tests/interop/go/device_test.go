package interop

import (
	"net/http"
	"testing"

	"golang.org/x/oauth2"
)

const deviceGrant = "urn:ietf:params:oauth:grant-type:device_code"

// letIn has a person follow the link that a device shows, look, and press a button.
func letIn(t *testing.T, device *oauth2.DeviceAuthResponse, button string) {
	t.Helper()
	b := newBrowser(t)
	at := b.press(b.decide(b.open(device.VerificationURIComplete), newUser(t), "login"), "next", nil)
	if shown := at.find("user_code"); shown == nil || shown.FirstChild.Data != device.UserCode {
		t.Fatalf("the page does not show the device's code: %s", at.address)
	}
	b.press(at, button, nil)
}

// newDevice registers one without a secret: the library shows none where it asks for a code.
func newDevice(t *testing.T) application {
	t.Helper()
	a := newApplication(t, "--grant-types", deviceGrant, "--token-endpoint-auth-method", "none")
	a.config.Endpoint.AuthStyle = oauth2.AuthStyleInParams
	return a
}

func TestADeviceIsLetInWhileItPolls(t *testing.T) {
	a := newDevice(t)
	device, err := a.config.DeviceAuth(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var tokens *oauth2.Token
	polled := make(chan error, 1)
	go func() {
		var err error
		tokens, err = a.config.DeviceAccessToken(t.Context(), device)
		polled <- err
	}()
	letIn(t, device, "allow")
	if err := <-polled; err != nil {
		t.Fatal(err)
	}
	a.person(tokens)
	if status := open(t, a.config.Client(t.Context(), tokens)); status != http.StatusOK {
		t.Errorf("the resource answers %d", status)
	}
}

func TestADeviceThatIsDeniedIsToldSo(t *testing.T) {
	a := newDevice(t)
	device, err := a.config.DeviceAuth(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	letIn(t, device, "deny")
	_, err = a.config.DeviceAccessToken(t.Context(), device)
	refusedWith(t, err, "access_denied")
}
