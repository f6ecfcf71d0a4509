"""Where the notes are, and how the site is."""

from django.urls import path

from .views import Health, Notes

urlpatterns = [path("notes", Notes.as_view()), path("health", Health.as_view())]
