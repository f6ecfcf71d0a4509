"""Who is signed in, and the way out by grantlog."""

from urllib.parse import urlencode

from django.conf import settings
from django.http import JsonResponse


def whoami(request):
    return JsonResponse({"email": request.user.email if request.user.is_authenticated else None})


def end_session_url(request):
    asked = {"id_token_hint": request.session["oidc_id_token"], "post_logout_redirect_uri": request.build_absolute_uri("/")}
    return f"{settings.GRANTLOG}/o/logout/?{urlencode(asked)}"
