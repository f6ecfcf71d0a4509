"""Settings of the site; which server and which client, the environment says."""

import os

from django_shared_settings import *

ROOT_URLCONF = "django_client.urls"
MIDDLEWARE = ["django.contrib.sessions.middleware.SessionMiddleware"]
INSTALLED_APPS = ["django.contrib.sessions"]
SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
SESSION_COOKIE_NAME = "django_client_session"  # cookies do not tell ports apart

REDIRECT_URI = os.environ["REDIRECT_URI"]
