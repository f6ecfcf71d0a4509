"""Settings of the site. It asks by a bearer token or by its own credentials, whichever the environment gives."""

import os

SECRET_KEY = "only-for-tests"
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "django_resource_server.urls"
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "oauth2_provider"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["DATABASE_FILE"]}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "INFO"},
}

OAUTH2_PROVIDER = {
    "RESOURCE_SERVER_INTROSPECTION_URL": f"{os.environ['GRANTLOG_TEST_URL']}/o/introspect/",
    # It believes what it was told for as long as this. With 0 it believes nothing at all; the toolkit's own default is ten hours.
    "RESOURCE_SERVER_TOKEN_CACHING_SECONDS": int(os.environ["CACHING_SECONDS"]),
}
if "AUTH_TOKEN" in os.environ:
    OAUTH2_PROVIDER["RESOURCE_SERVER_AUTH_TOKEN"] = os.environ["AUTH_TOKEN"]
else:
    OAUTH2_PROVIDER["RESOURCE_SERVER_INTROSPECTION_CREDENTIALS"] = (os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"])
