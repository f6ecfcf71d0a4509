"""The board, and pinning something to it."""

from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from .notes import Notes


@require_GET
def board(request):
    if not request.user.is_authenticated:
        return render(request, "pinboard/welcome.html")
    person = SocialAccount.objects.get(user=request.user)
    notes = Notes(request.user)
    read = notes.read()
    shown = {"person": person, "notes": read, "exchanges": notes.exchanges, "grantlog": settings.ISSUER.removesuffix("/o")}
    return render(request, "pinboard/board.html", shown)


@require_POST
@login_required(login_url="/")
def pin(request):
    if text := request.POST["text"].strip():
        Notes(request.user).write(text)
    return redirect("/")
