"""Settings of the site, from the environment. It has no database and no users of its own: whoever comes is who their token says."""

import os

SECRET_KEY = os.environ["SECRET_KEY"]
ALLOWED_HOSTS = os.environ.get("ALLOWED_HOSTS", "127.0.0.1").split(",")
ROOT_URLCONF = "notes.urls"
INSTALLED_APPS = ["rest_framework"]
TIME_ZONE, USE_TZ = "UTC", True
APPEND_SLASH = False

# The revocations come from NATS where the environment names it, and from the issuer otherwise.
GRANTLOG_RESOURCE_SERVER = {
    "issuer": os.environ["ISSUER"],
    "audience": os.environ["AUDIENCE"],
    "client_id": os.environ["CLIENT_ID"],
    "client_secret": os.environ["CLIENT_SECRET"],
    "nats": {"servers": os.environ["NATS_URL"]} if os.environ.get("NATS_URL") else None,
    "feed_url": os.environ.get("FEED_URL"),
    "cut_off_after": float(os.environ.get("CUT_OFF_AFTER", "5")),
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["grantlog_resource_server.rest_framework.BearerAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["grantlog_resource_server.rest_framework.HasScopes"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "UNAUTHENTICATED_USER": None,
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    # One line a request to the issuer would be too many.
    "loggers": {"httpx": {"level": "WARNING"}},
}
