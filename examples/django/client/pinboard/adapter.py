"""The way out: allauth ends its own session, and sends the person on to end that at grantlog (OpenID Connect RP-Initiated Logout)."""

from urllib.parse import urlencode

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings


class AccountAdapter(DefaultAccountAdapter):
    def get_logout_redirect_url(self, request):
        asked = {"client_id": settings.CLIENT_ID, "post_logout_redirect_uri": request.build_absolute_uri("/")}
        return f"{settings.ISSUER}/logout/?{urlencode(asked)}"
