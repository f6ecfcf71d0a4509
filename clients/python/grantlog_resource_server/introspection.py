"""Asking the issuer about a token (RFC 7662)."""

import logging
import time

import httpx

from .bearer import SCHEMES
from .claims import Claims
from .refusal import InvalidToken, Unavailable

log = logging.getLogger(__name__)


class Introspector:
    def __init__(self, http, settings):
        self._http, self._settings = http, settings

    def ask(self, token):
        """What the issuer says of an access token that is good now."""
        told = self._told(token)
        if told.get("active") is not True:
            raise InvalidToken("the token is not active")
        try:
            claims = Claims.of(told)
        except ValueError as error:
            raise Unavailable("the issuer does not say enough") from error
        if SCHEMES.get(str(told.get("token_type")).lower()) != claims.scheme:
            raise InvalidToken("the token is no access token, or the issuer does not say what it is bound to")
        settings = self._settings
        ours = claims.iss == settings.issuer and settings.audience in claims.aud
        if not ours or claims.exp <= time.time() - settings.leeway:
            raise InvalidToken("the token is not for this resource server")
        return claims

    def _told(self, token):
        settings = self._settings
        form = {"token": token, "token_type_hint": "access_token"}
        credentials = httpx.BasicAuth(settings.client_id, settings.client_secret)
        try:
            answer = self._http.post(f"{settings.issuer}/introspect/", data=form, auth=credentials)
            if answer.status_code != httpx.codes.OK:
                raise ValueError(f"it says {answer.status_code}")
            told = answer.json()
            if not isinstance(told, dict):
                raise ValueError("its answer is no object")
            return told
        except (httpx.HTTPError, ValueError) as error:
            log.warning("the issuer does not answer about a token: %s", error)
            raise Unavailable("the issuer does not answer") from error
