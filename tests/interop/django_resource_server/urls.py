"""Two protected pages: one for readers, one for writers."""

from django.http import JsonResponse
from django.urls import path
from oauth2_provider.decorators import protected_resource


@protected_resource(scopes=["read"])
def notes(request):
    owner = request.resource_owner
    return JsonResponse({"owner": owner.username if owner else None})


@protected_resource(scopes=["write"])
def new_note(request):
    return JsonResponse({})


urlpatterns = [path("notes/", notes), path("notes/new/", new_note)]
