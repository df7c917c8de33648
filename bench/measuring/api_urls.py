"""The site's addresses, `/bare/<name>`: the bytes of a file, read once, and `/handwritten`."""

import os
from functools import cache
from pathlib import Path

from django.http import HttpResponse
from django.urls import include, path
from rest_framework.views import APIView

from measuring import handwritten


@cache
def body(name: str) -> bytes:
    return Path(os.environ["BARE_ANSWERS"], name).read_bytes()


class Bare(APIView):
    """No login, no database, no rendering."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()

    def get(self, request, name: str):
        return HttpResponse(body(name), content_type="application/json")

    def post(self, request, name: str):
        len(request.body)  # a body that nobody reads ends the connection
        return self.get(request, name)


urlpatterns = [
    path("bare/<str:name>", Bare.as_view()),
    path("handwritten", handwritten.create),
    path("", include("project.urls")),
]
