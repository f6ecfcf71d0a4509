"""The running server that the tests are given, and the command line beside it."""

import json
import os
import secrets
import subprocess
from dataclasses import dataclass


@dataclass(frozen=True)
class Client:
    id: str
    secret: str
    redirect_uri: str


@dataclass(frozen=True)
class User:
    name: str
    password: str
    email: str | None = None


class Grantlog:
    """`url` without a slash at its end; `home` is the folder that the server was started in; `nats` is where it relays its log to.

    `resource` is its own resource, or another that it guards; `environment` is what the command line runs in.
    """

    def __init__(self, url, program, home, nats=None, resource=None, environment=None):
        self.url = url
        self.program = program
        self.home = home
        self.nats = nats
        self.resource = resource or f"{url}/api/resource"
        self.environment = environment

    @classmethod
    def from_environment(cls):
        names = ("GRANTLOG_TEST_URL", "GRANTLOG_TEST_CLI", "GRANTLOG_TEST_HOME", "NATS_URL")
        missing = [name for name in names if name not in os.environ]
        if missing:
            raise SystemExit(f"{', '.join(missing)} must be set: `scripts/test interop` does, and starts the server")
        return cls(*(os.environ[name] for name in names))

    @classmethod
    def of_mcp(cls):
        """The one that guards the MCP server of examples/mcp."""
        url, home, resource = (os.environ[f"GRANTLOG_TEST_MCP_{name}"] for name in ("ISSUER", "HOME", "URL"))
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("GRANTLOG_", "DATABASE_URL", "NATS_URL"))}
        environment["GRANTLOG_CONFIG"] = "grantlog.toml"
        return cls(url.removesuffix("/o"), os.environ["GRANTLOG_TEST_CLI"], home, None, resource, environment)

    @property
    def authorize(self):
        return f"{self.url}/o/authorize/"

    @property
    def token(self):
        return f"{self.url}/o/token/"

    @property
    def revoke(self):
        return f"{self.url}/o/revoke_token/"

    @property
    def introspect(self):
        return f"{self.url}/o/introspect/"

    def run(self, *arguments, typed=None):
        """Runs a command and reads the JSON it prints; `typed` goes to its standard input."""
        command = [self.program, *arguments, "--json"]
        done = subprocess.run(command, cwd=self.home, env=self.environment, input=typed or "", capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            raise AssertionError(f"`grantlog {' '.join(arguments)}` ended with {done.returncode}: {done.stderr}")
        return json.loads(done.stdout)

    def register(self, name, *, redirect_uri="http://127.0.0.1:9/callback", **metadata):
        """Registers a client by RFC 7591's names: lists as lists, `scope` as one text, what is to be so as `True`."""
        metadata.setdefault("grant_types", ["authorization_code", "refresh_token"])
        metadata.setdefault("scope", "read write")
        if "authorization_code" in metadata["grant_types"]:
            metadata["redirect_uris"] = [redirect_uri]
        arguments = ["client", "register", "--client-name", name]
        for member, value in metadata.items():
            values = value if isinstance(value, list) else [value]
            for one in values:
                arguments += [f"--{member.replace('_', '-')}", *([] if one is True else [str(one)])]
        information = self.run(*arguments)
        return Client(information["client_id"], information.get("client_secret"), redirect_uri)

    def new_user(self, *, email=None):
        user = User(f"user-{secrets.token_hex(6)}", secrets.token_urlsafe(12), email)
        known = ["--email", email, "--email-verified"] if email else []
        self.run("user", "create", "--username", user.name, "--password-stdin", *known, typed=user.password)
        return user
