// Package interop has applications made with golang.org/x/oauth2 and go-oidc use a running grantlog.
package interop

import (
	"crypto/rand"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// A person who can sign in.
type user struct{ name, password string }

// A client as the command line tells of it.
type registered struct {
	ID     string `json:"client_id"`
	Secret string `json:"client_secret"`
}

// variable is what scripts/test sets when it has started the server.
func variable(t *testing.T, name string) string {
	t.Helper()
	value := os.Getenv(name)
	if value == "" {
		t.Fatalf("%s must be set: scripts/test does, and starts the server", name)
	}
	return value
}

// serverURL is without a slash at its end.
func serverURL(t *testing.T) string { return variable(t, "GRANTLOG_TEST_URL") }

func issuer(t *testing.T) string { return serverURL(t) + "/o" }

// run gives what a command prints as JSON to into; typed goes to its standard input.
func run(t *testing.T, typed string, into any, arguments ...string) {
	t.Helper()
	command := exec.Command(variable(t, "GRANTLOG_TEST_CLI"), append(arguments, "--json")...)
	command.Dir = variable(t, "GRANTLOG_TEST_HOME")
	command.Stdin = strings.NewReader(typed)
	command.Stderr = os.Stderr
	output, err := command.Output()
	if err != nil {
		t.Fatalf("grantlog %s: %v", strings.Join(arguments, " "), err)
	}
	if err := json.Unmarshal(output, into); err != nil {
		t.Fatalf("grantlog %s prints no JSON: %v", strings.Join(arguments, " "), err)
	}
}

// register takes flags of `grantlog client register`.
func register(t *testing.T, flags ...string) registered {
	t.Helper()
	var told registered
	run(t, "", &told, append([]string{"client", "register", "--client-name", "golang.org/x/oauth2"}, flags...)...)
	return told
}

func newUser(t *testing.T) user {
	t.Helper()
	person := user{name: "user-" + strings.ToLower(rand.Text()), password: rand.Text()}
	run(t, person.password, new(any), "user", "create", "--username", person.name, "--password-stdin")
	return person
}
