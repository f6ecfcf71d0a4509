"""The pages of the site."""

from django.urls import path

from django_client import views

urlpatterns = [
    path("login/", views.login),
    path("callback/", views.callback),
    path("profile/", views.profile),
]
