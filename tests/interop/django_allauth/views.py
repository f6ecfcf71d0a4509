"""Who is signed in, and the tokens that allauth keeps for them."""

from allauth.socialaccount.models import SocialToken
from django.http import JsonResponse


def whoami(request):
    if not request.user.is_authenticated:
        return JsonResponse({"username": None})
    token = SocialToken.objects.get(account__user=request.user)
    return JsonResponse({"username": request.user.username, "email": request.user.email, "access": token.token, "refresh": token.token_secret})
