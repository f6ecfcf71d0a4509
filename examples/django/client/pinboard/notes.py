"""A person's notes at the site that keeps them: asked for with the access token that allauth holds, which is refreshed when it is refused."""

import json
from dataclasses import dataclass

import requests
from allauth.socialaccount.models import SocialToken
from django.conf import settings

UNAUTHORIZED = 401


@dataclass(frozen=True)
class Exchange:
    """One request and its answer, as they are shown: tokens and what is as long only by their first letters."""

    asked: str
    answered: str
    is_good: bool


class Notes:
    def __init__(self, user):
        self.token = SocialToken.objects.get(account__user=user)
        self.exchanges = []

    def read(self):
        """What the site answers: its notes, or None where it refuses."""
        answer = self._ask("GET")
        return answer.json()["notes"] if answer.ok else None

    def write(self, text):
        return self._ask("POST", json=text).ok

    def _ask(self, method, **content):
        answer = self._send(method, **content)
        if answer.status_code == UNAUTHORIZED and self._refresh():
            answer = self._send(method, **content)
        return answer

    def _send(self, method, **content):
        headers = {"Authorization": f"Bearer {self.token.token}"}
        answer = requests.request(method, f"{settings.NOTES}/notes", headers=headers, timeout=10, **content)
        self._remember(f"{method} {answer.url}\nAuthorization: Bearer {_short(self.token.token)}", answer)
        return answer

    def _refresh(self):
        fields = {"grant_type": "refresh_token", "refresh_token": self.token.token_secret}
        credentials = (settings.CLIENT_ID, settings.CLIENT_SECRET)
        answer = requests.post(f"{settings.ISSUER}/token/", data=fields, auth=credentials, timeout=10)
        self._remember(f"POST {answer.url}\ngrant_type=refresh_token&refresh_token={_short(self.token.token_secret)}", answer)
        if answer.ok:
            told = answer.json()
            self.token.token, self.token.token_secret = told["access_token"], told["refresh_token"]
            self.token.save()
        return answer.ok

    def _remember(self, asked, answer):
        lines = [f"{answer.status_code} {answer.reason}"]
        if challenge := answer.headers.get("WWW-Authenticate"):
            lines.append(f"WWW-Authenticate: {challenge}")
        if answer.content:
            lines.append(_shown(answer.json()))
        self.exchanges.append(Exchange(asked, "\n".join(lines), answer.ok))


def _short(token):
    return f"{token[:12]}…"


def _shown(told):
    if isinstance(told, dict):
        told = {name: _short(value) if name.endswith("_token") or name == "error_id" else value for name, value in told.items()}
    return json.dumps(told, indent=2, ensure_ascii=False)
