"""Settings of the site, as mozilla-django-oidc's documentation has them: each endpoint by its name, for it does not discover them."""

import os

from django_shared_settings import *

ROOT_URLCONF = "django_mozilla.urls"
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "mozilla_django_oidc"]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "mozilla_django_oidc.middleware.SessionRefresh",
]
SESSION_COOKIE_NAME = "django_mozilla_session"  # cookies do not tell ports apart
AUTHENTICATION_BACKENDS = ["mozilla_django_oidc.auth.OIDCAuthenticationBackend"]
LOGIN_REDIRECT_URL = LOGOUT_REDIRECT_URL = "/"

OIDC_RP_CLIENT_ID, OIDC_RP_CLIENT_SECRET = CLIENT_ID, CLIENT_SECRET
OIDC_RP_SIGN_ALGO = "RS256"
OIDC_OP_AUTHORIZATION_ENDPOINT = f"{GRANTLOG}/o/authorize/"
OIDC_OP_TOKEN_ENDPOINT = os.environ["TOKEN_ENDPOINT"]
OIDC_OP_USER_ENDPOINT = f"{GRANTLOG}/o/userinfo/"
OIDC_OP_JWKS_ENDPOINT = f"{GRANTLOG}/o/.well-known/jwks.json"
OIDC_USE_PKCE = True
# Then it asks again silently, with prompt=none, whether the person is still signed in.
OIDC_RENEW_ID_TOKEN_EXPIRY_SECONDS = 1
# For the way out: whoever shows an ID token of this sign-in is not asked.
OIDC_STORE_ID_TOKEN = True
OIDC_OP_LOGOUT_URL_METHOD = "django_mozilla.views.end_session_url"
ALLOW_LOGOUT_GET_METHOD = True
