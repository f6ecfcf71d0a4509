package interop

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

const longestChain = 10

// A browser without a screen: it keeps cookies, follows redirects and presses buttons by the ids that grantlog's pages promise.
type browser struct {
	t      *testing.T
	client *http.Client
}

// Where a browser stands: at a page of grantlog's, or at an address elsewhere, which it does not open.
type page struct {
	address  *url.URL
	status   int
	document *html.Node
}

func newBrowser(t *testing.T) browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return browser{t, &http.Client{Jar: jar, CheckRedirect: stay}}
}

func (b browser) open(address string) page {
	b.t.Helper()
	return b.follow(http.MethodGet, address, nil)
}

// decide signs in and presses the button, where either is asked.
func (b browser) decide(at page, person user, button string) page {
	b.t.Helper()
	if at.find("login") != nil {
		at = b.press(at, "login", map[string]string{"username": person.name, "password": person.password})
	}
	if at.find(button) != nil {
		at = b.press(at, button, nil)
	}
	return at
}

// press fills in inputs by their ids, and presses a button.
func (b browser) press(at page, button string, typed map[string]string) page {
	b.t.Helper()
	pressed := at.find(button)
	form := pressed
	for form.Data != "form" {
		form = form.Parent
	}
	fields := url.Values{}
	for node := range form.Descendants() {
		if node.Data == "input" && attribute(node, "name") != "" {
			value, isTyped := typed[attribute(node, "id")]
			if !isTyped {
				value = attribute(node, "value")
			}
			fields.Set(attribute(node, "name"), value)
		}
	}
	if name := attribute(pressed, "name"); name != "" {
		fields.Set(name, attribute(pressed, "value"))
	}
	action, err := at.address.Parse(attribute(form, "action"))
	if err != nil {
		b.t.Fatal(err)
	}
	return b.follow(http.MethodPost, action.String(), fields)
}

func (b browser) follow(method, address string, fields url.Values) page {
	b.t.Helper()
	for range longestChain {
		request, err := http.NewRequest(method, address, strings.NewReader(fields.Encode()))
		if err != nil {
			b.t.Fatal(err)
		}
		if !strings.HasPrefix(address, serverURL(b.t)) {
			return page{address: request.URL}
		}
		if method == http.MethodPost {
			request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			request.Header.Set("Origin", serverURL(b.t))
		}
		answer, err := b.client.Do(request)
		if err != nil {
			b.t.Fatal(err)
		}
		location, err := answer.Location()
		if err != nil {
			document, err := html.Parse(answer.Body)
			answer.Body.Close()
			if err != nil {
				b.t.Fatal(err)
			}
			return page{request.URL, answer.StatusCode, document}
		}
		answer.Body.Close()
		method, address, fields = http.MethodGet, location.String(), nil
	}
	b.t.Fatalf("redirects without an end, the last to %s", address)
	return page{}
}

// find gives the element with an id, or nil.
func (at page) find(id string) *html.Node {
	if at.document == nil {
		return nil
	}
	for node := range at.document.Descendants() {
		if attribute(node, "id") == id {
			return node
		}
	}
	return nil
}

// parameter is one of the address.
func (at page) parameter(name string) string { return at.address.Query().Get(name) }

func attribute(node *html.Node, name string) string {
	for _, own := range node.Attr {
		if own.Key == name {
			return own.Val
		}
	}
	return ""
}
