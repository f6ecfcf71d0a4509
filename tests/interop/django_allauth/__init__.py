"""A Django site that lets people in by grantlog, with django-allauth."""
