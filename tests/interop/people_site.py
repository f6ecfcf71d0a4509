"""A Django site that lets people in by grantlog, as a person in front of a browser sees it."""

import json
import secrets
from contextlib import contextmanager

from browser import Browser
from django_site import free_port, migrate, running
from liar import Liar


class PeopleSite:
    """`login` and `callback` are paths; `liar` is the token endpoint that the site was told of."""

    def __init__(self, grantlog, url, client, liar, login, callback):
        self.grantlog, self.url, self.client, self.liar = grantlog, url, client, liar
        self.login, self.callback = f"{url}{login}", f"{url}{callback}"

    def new_visitor(self):
        return Visitor(self)


class Visitor:
    """A person with a browser of their own."""

    def __init__(self, site):
        self.site = site
        self.user = site.grantlog.new_user(email=f"{secrets.token_hex(6)}@example.org")
        self.browser = Browser()

    def sign_in(self, button_id="allow"):
        return self.browser.decide(self.browser.open(self.site.login), self.user, button_id)

    def come_back(self):
        """Signs in and allows, and stops at the address that leads back to the site."""
        self.browser.foreign = (self.site.callback,)
        address = self.sign_in().url
        self.browser.foreign = ()
        return address

    def is_refused(self, what):
        """Comes back to a site that tells grantlog something of `REFUSED`; the page that it shows then."""
        lie, *expected = REFUSED[what]
        with self.site.liar.telling(**{what: lie}):
            page = self.sign_in()
        answer = self.site.liar.answers[-1]
        assert [answer.status, answer.told["error"]] == expected
        return page

    def told(self):
        """What the site says of who is signed in."""
        return json.loads(self.browser.open(f"{self.site.url}/").text)

    def is_unknown_to_grantlog(self):
        return self.browser.open(f"{self.site.grantlog.url}/account/").has("login")


# What a client can tell grantlog wrongly, and the status and the error that it gets for it.
REFUSED = {
    "client_secret": ("wrong", 401, "invalid_client"),
    "code": ("invented", 400, "invalid_grant"),
    "code_verifier": ("x" * 64, 400, "invalid_grant"),
    "redirect_uri": ("http://127.0.0.1:9/elsewhere", 400, "invalid_grant"),
}


@contextmanager
def people_site(grantlog, folder, project, login, callback, **metadata):
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    client = grantlog.register(
        f"Django site {project}", redirect_uri=f"{url}{callback}", scope="openid profile email", post_logout_redirect_uris=[f"{url}/"], **metadata
    )
    liar = Liar(grantlog)
    environment = {
        "CLIENT_ID": client.id, "CLIENT_SECRET": client.secret, "TOKEN_ENDPOINT": liar.url, "DATABASE_FILE": str(folder / "django.db")
    }  # fmt: skip
    migrate(project, environment)
    with running(project, port, environment, folder / "log"):
        yield PeopleSite(grantlog, url, client, liar, login, callback)
    liar.close()
