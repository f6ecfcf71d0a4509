"""The pages of the site."""

from django.urls import include, path

from django_mozilla import views

urlpatterns = [path("oidc/", include("mozilla_django_oidc.urls")), path("", views.whoami)]
