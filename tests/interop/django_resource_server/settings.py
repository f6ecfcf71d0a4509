"""Settings of the site. It asks by a bearer token or by its own credentials, whichever the environment gives."""

import os

from django_shared_settings import *

ROOT_URLCONF = "django_resource_server.urls"
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "oauth2_provider"]

OAUTH2_PROVIDER = {
    "RESOURCE_SERVER_INTROSPECTION_URL": f"{GRANTLOG}/o/introspect/",
    # It believes what it was told for as long as this. With 0 it believes nothing at all; the toolkit's own default is ten hours.
    "RESOURCE_SERVER_TOKEN_CACHING_SECONDS": int(os.environ["CACHING_SECONDS"]),
}
if "AUTH_TOKEN" in os.environ:
    OAUTH2_PROVIDER["RESOURCE_SERVER_AUTH_TOKEN"] = os.environ["AUTH_TOKEN"]
else:
    OAUTH2_PROVIDER["RESOURCE_SERVER_INTROSPECTION_CREDENTIALS"] = (CLIENT_ID, CLIENT_SECRET)
