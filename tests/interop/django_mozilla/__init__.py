"""A Django site that lets people in by grantlog, with mozilla-django-oidc."""
