"""Settings of the site, from the environment. What is of grantlog stands at the end."""

import json
import os

SECRET_KEY = os.environ["SECRET_KEY"]
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "pinboard.urls"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["DATABASE_FILE"]}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TIME_ZONE, USE_TZ = "UTC", True
# The two sites and grantlog are all at 127.0.0.1, and cookies do not tell ports apart.
SESSION_COOKIE_NAME = "pinboard_session"
CSRF_COOKIE_NAME = "pinboard_csrf"
INSTALLED_APPS = [
    "pinboard",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "pinboard.words.spoken",
            ]
        },
    }
]
LOGIN_REDIRECT_URL = "/"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
ACCOUNT_ADAPTER = "pinboard.adapter.AccountAdapter"
ACCOUNT_EMAIL_VERIFICATION = "none"

ISSUER = os.environ["ISSUER"]
CLIENT_ID, CLIENT_SECRET = os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"]
# The site that keeps people's notes.
NOTES = os.environ["NOTES"]

# allauth keeps the access token and the refresh token of each person.
SOCIALACCOUNT_STORE_TOKENS = True
SOCIALACCOUNT_PROVIDERS = {
    "openid_connect": {
        "OAUTH_PKCE_ENABLED": True,
        "SCOPE": ["openid", "profile", "read", "write"],
        # The access token is for the notes' site alone (RFC 8707), and no key to userinfo: so the ID token says who the person is.
        "AUTH_PARAMS": {"resource": NOTES, "claims": json.dumps({"id_token": {"name": None, "preferred_username": None}})},
        "APPS": [
            {
                "provider_id": "grantlog",
                "name": "grantlog",
                "client_id": CLIENT_ID,
                "secret": CLIENT_SECRET,
                "settings": {"server_url": ISSUER, "token_auth_method": "client_secret_basic", "fetch_userinfo": False},
            }
        ],
    }
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "INFO"},
}
