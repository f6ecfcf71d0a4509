"""Signing in: off to grantlog, back with a code, and then the person's resource."""

from django.conf import settings
from django.http import HttpResponseBadRequest, JsonResponse
from django.shortcuts import redirect
from oauthlib.oauth2 import OAuth2Error, WebApplicationClient
from requests_oauthlib import OAuth2Session


def session(**more):
    return OAuth2Session(settings.CLIENT_ID, redirect_uri=settings.REDIRECT_URI, scope=["read"], **more)


def login(request):
    client = WebApplicationClient(settings.CLIENT_ID)
    verifier = client.create_code_verifier(64)
    challenge = client.create_code_challenge(verifier, "S256")
    authorize = f"{settings.GRANTLOG}/o/authorize/"
    address, state = session().authorization_url(authorize, code_challenge=challenge, code_challenge_method="S256")
    request.session["pending"] = {"state": state, "verifier": verifier}
    return redirect(address)


def callback(request):
    pending = request.session.pop("pending", None)
    if pending is None:
        return HttpResponseBadRequest("no sign-in was begun here")
    try:
        request.session["token"] = session(state=pending["state"]).fetch_token(
            f"{settings.GRANTLOG}/o/token/",
            authorization_response=request.build_absolute_uri(),
            client_secret=settings.CLIENT_SECRET,
            code_verifier=pending["verifier"],
        )
    except OAuth2Error as error:
        return HttpResponseBadRequest(error.error)
    return redirect("/profile/")


def profile(request):
    token = request.session.get("token")
    if token is None:
        return redirect("/login/")
    answer = session(token=token).get(f"{settings.GRANTLOG}/api/resource")
    return JsonResponse(answer.json(), status=answer.status_code)
