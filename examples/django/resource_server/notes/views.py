"""The notes, in memory."""

from dataclasses import asdict

from rest_framework.permissions import AllowAny
from rest_framework.response import Response
from rest_framework.views import APIView

from grantlog_resource_server.rest_framework import resource_server

written = []


class Notes(APIView):
    required_scopes = {"GET": ["read"], "POST": ["write"]}

    def get(self, request):
        return Response({"reader": request.user.pk, "application": request.auth.client_id, "notes": written})

    def post(self, request):
        written.append({"by": request.user.pk, "text": request.data})
        return Response(status=201)


class Health(APIView):
    """How far the site knows what is dead."""

    authentication_classes = []
    permission_classes = [AllowAny]

    def get(self, request):
        return Response(asdict(resource_server().standing()))
