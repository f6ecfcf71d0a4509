"""A small Django site with django-oauth-toolkit, which protects its pages by asking grantlog."""
