"""The pages of the site."""

from django.urls import include, path

from . import views

urlpatterns = [path("", views.board), path("pin/", views.pin), path("accounts/", include("allauth.urls"))]
