"""Django REST framework: authentication by access token, and permission by its scopes.

In Django's settings, `GRANTLOG_RESOURCE_SERVER` holds the arguments of `Settings`; `NATS`, if there, those of `Nats`:

    GRANTLOG_RESOURCE_SERVER = {"issuer": "https://id.example.com/o", "audience": "https://api.example.com", "client_id": ..., "client_secret": ...}
    REST_FRAMEWORK = {"DEFAULT_AUTHENTICATION_CLASSES": ["grantlog_resource_server.rest_framework.BearerAuthentication"]}
"""

from functools import cache
from urllib.parse import quote

from django.conf import settings
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import APIException, AuthenticationFailed, ParseError, PermissionDenied
from rest_framework.permissions import BasePermission

from .refusal import InsufficientScope, Malformed, NoToken, Refusal, Unavailable
from .server import ResourceServer
from .settings import Nats, Settings
from .wsgi import sender_of


@cache
def resource_server():
    """The one of this site."""
    arguments = dict(settings.GRANTLOG_RESOURCE_SERVER)
    nats = arguments.pop("nats", None)
    return ResourceServer(Settings(**arguments, nats=nats and Nats(**nats)))


class TokenUser:
    """Who comes with a token, as `request.user`: a user, or the client where it acts for itself."""

    is_active = is_authenticated = True
    is_anonymous = is_staff = is_superuser = False

    def __init__(self, claims):
        self.claims = claims
        self.pk = self.id = self.username = claims.sub

    def __str__(self):
        return self.username


class BearerAuthentication(BaseAuthentication):
    """`request.auth` is the token's claims, `request.user` who comes with it."""

    def authenticate(self, request):
        try:
            server = resource_server()
            sender = sender_of(request.META, quote(request.path), server.settings)
            claims = server.admit(request.META.get("HTTP_AUTHORIZATION"), sender=sender)
        except NoToken:
            return None
        except Refusal as refusal:
            request.grantlog_refusal = refusal
            raise _exception(refusal) from refusal
        return TokenUser(claims), claims

    def authenticate_header(self, request):
        refusal = getattr(request, "grantlog_refusal", None)
        return refusal.challenge() if refusal else "Bearer"


class HasScopes(BasePermission):
    """Lets in whose token has the view's `required_scopes`: names, or names by method."""

    def has_permission(self, request, view):
        if request.auth is None:
            return False
        required = getattr(view, "required_scopes", ())
        if isinstance(required, dict):
            required = required.get(request.method, ())
        for scope in required:
            if not request.auth.has_scope(scope):
                raise _exception(InsufficientScope(scope).told_to(request.auth.scheme))
        return True


class _Unavailable(APIException):
    status_code = Unavailable.status
    default_code = "temporarily_unavailable"
    wait = Unavailable.come_again


def _exception(refusal):
    """The refusal as this framework tells it."""
    if isinstance(refusal, Unavailable):
        return _Unavailable(str(refusal))
    kinds = {InsufficientScope: PermissionDenied, Malformed: ParseError}
    exception = kinds.get(type(refusal), AuthenticationFailed)(str(refusal))
    exception.auth_header = refusal.challenge()
    return exception
