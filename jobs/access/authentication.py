"""How a caller says who it is, as authentication classes of DRF; a view names those that it takes, the host site none."""

import base64
import binascii

from rest_framework import authentication, exceptions, permissions

from jobs.access.passwords import WINDOW, TooManyFailures, user_with_password
from jobs.access.tokens import token_of
from jobs.models import AccessToken

REALM = "Jobdeck"


class TokenLogin(authentication.BaseAuthentication):
    """`Authorization: Bearer <personal token>`; `request.auth` is the token."""

    def authenticate(self, request):
        scheme, _, text = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        return _by_token(text.strip())

    def authenticate_header(self, request) -> str:
        return f'Bearer realm="{REALM}"'


class BasicLogin(authentication.BaseAuthentication):
    """HTTP Basic: name and password; or a personal token as the name, with an empty password."""

    def authenticate(self, request):
        scheme, _, text = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return None
        name, password = _decoded(text.strip())
        if not password:
            # Never hashed as a password: a token is as good as one, and cheap.
            return _by_token(name)
        try:
            user = user_with_password(request, name, password)
        except TooManyFailures:
            raise exceptions.Throttled(
                WINDOW, "There were too many wrong passwords for this name or from this address."
            ) from None
        if user is None:
            raise exceptions.AuthenticationFailed("Name or password is wrong.")
        return user, None

    def authenticate_header(self, request) -> str:
        return f'Basic realm="{REALM}", charset="UTF-8"'


class SessionLogin(authentication.SessionAuthentication):
    """The site's own login in the browser; changes need the CSRF token, as forms do."""


def _by_token(text: str):
    token = token_of(text)
    if token is None:
        raise exceptions.AuthenticationFailed("This token is not known here, was revoked, or has expired.")
    return token.user, token


def _decoded(text: str) -> tuple[str, str]:
    try:
        name, colon, password = base64.b64decode(text, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        colon = ""
    if not colon:
        raise exceptions.AuthenticationFailed("The header Authorization is no Basic login (name:password in Base64).")
    return name, password


class HasScope(permissions.BasePermission):
    """Whoever logs in with a token may do what its scopes say; the view's `scope_for` names the one for a request."""

    message = "This token does not open that."

    def has_permission(self, request, view) -> bool:
        wanted = view.scope_for(request)
        if isinstance(request.auth, AccessToken) and wanted not in request.auth.scopes:
            have = ", ".join(request.auth.scopes)
            self.message = f"This token has the scope {have}; that needs {wanted} ({AccessToken.SCOPES[wanted]})."
            return False
        return True
