"""The pages of the site."""

from django.urls import include, path

from django_allauth import views

urlpatterns = [path("accounts/", include("allauth.urls")), path("", views.whoami)]
