"""What the views of all APIs have in common; nothing of it is the host site's default."""

from drf_spectacular.openapi import AutoSchema
from rest_framework import exceptions
from rest_framework.permissions import SAFE_METHODS
from rest_framework.renderers import JSONRenderer
from rest_framework.views import APIView

from jobs.access.authentication import HasScope
from jobs.access.parsers import StorableJSONParser
from jobs.access.throttles import KindThrottle


class CallerView(APIView):
    """A view for callers who have said who they are. Its API says by what logins, and what its errors look like."""

    permission_classes = (HasScope,)
    throttle_classes = (KindThrottle,)
    renderer_classes = (JSONRenderer,)
    parser_classes = (StorableJSONParser,)
    versioning_class = None
    schema = AutoSchema()
    changing_scope = "write"
    how_to_log_in = "Log in: with a personal token (Authorization: Bearer …), or with name and password (Basic)."

    def scope_for(self, request) -> str:
        """The scope that a token needs for the request; it is also the kind by which requests are counted."""
        return "read" if request.method in SAFE_METHODS else self.changing_scope

    def initial(self, request, *args, **kwargs):
        super().initial(request, *args, **kwargs)
        if any("\0" in part for part in kwargs.values() if isinstance(part, str)):
            raise exceptions.NotFound("not-found")  # no database would be asked for that

    def check_permissions(self, request):
        if not request.user.is_authenticated or not request.user.is_active:
            raise exceptions.NotAuthenticated(self.how_to_log_in)
        super().check_permissions(request)


def headers_of(error: exceptions.APIException) -> dict[str, str]:
    """The headers that an answer to the error has to have."""
    headers = {}
    if getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = error.auth_header
    if getattr(error, "wait", None):
        headers["Retry-After"] = f"{error.wait:.0f}"
    return headers
