"""The tokens of flask-tasks: JWTs, signed with RS256, that say which protected functions they open, and until when."""

import time

import jwt
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication

from jobs.conf import conf
from jobs.functions.flasktasks.keys import NoKeys, private_key, public_key
from jobs.functions.permissions import may_call
from jobs.functions.registry import functions

ALGORITHM = "RS256"
REQUIRED = ["exp", "iat", "sub", "iss", "aud"]
AUDIENCE = "flask-tasks"
"""No token that the same keys may have signed for another use is one of these."""


def allowed_tasks(user) -> dict[str, bool]:
    """The protected functions that a person may run, as tokens say it."""
    return {function.name: True for function in functions() if not function.public and may_call(user, function)}


def make_token(user) -> tuple[str, int]:
    """A token for a person, and when it expires (seconds since 1970).

    Raises:
        NoKeys: there is no key to sign it.
    """
    now = int(time.time())
    expires = now + int(conf.JWT_EXPIRE_SEC)
    claims = {
        "allowed_tasks": allowed_tasks(user),
        "exp": expires,
        "iat": now,
        "sub": str(user.pk),
        "iss": conf.INSTANCE,
        "aud": AUDIENCE,
    }
    return jwt.encode(claims, private_key(), algorithm=ALGORITHM), expires


class JwtLogin(BaseAuthentication):
    """`Authorization: Bearer <JWT>`; `request.auth` are its claims."""

    def authenticate(self, request):
        header = request.headers.get("Authorization")
        if header is None:
            return None
        scheme, _, text = header.partition(" ")
        if scheme.lower() != "bearer" or not text.strip():
            raise exceptions.AuthenticationFailed("the header Authorization must be: Bearer <your JWT token>")
        claims = _claims(text.strip())
        user = _user_of(claims["sub"])
        if user is None:
            raise exceptions.AuthenticationFailed("the account of this token is not there any more, or is locked")
        return user, claims

    def authenticate_header(self, request) -> str:
        return 'Bearer realm="flask-tasks"'


def _claims(text: str) -> dict:
    try:
        claims = jwt.decode(
            text,
            public_key(),
            algorithms=[ALGORITHM],
            audience=AUDIENCE,
            issuer=conf.INSTANCE,
            # When it was made is no reason to refuse it: the clocks of two hosts of a site differ by a little.
            options={"require": REQUIRED, "verify_iat": False},
        )
    except jwt.ExpiredSignatureError:
        raise exceptions.AuthenticationFailed("this token has expired; get another one at /token") from None
    except jwt.InvalidAlgorithmError:
        raise exceptions.AuthenticationFailed("this token is not signed with RS256") from None
    except jwt.InvalidSignatureError:
        raise exceptions.AuthenticationFailed("this token was not signed here, or was altered") from None
    except jwt.PyJWTError as error:
        raise exceptions.AuthenticationFailed(f"this is no token of this site: {error}") from None
    except NoKeys as error:
        raise exceptions.AuthenticationFailed(f"no token can be checked: {error}") from None
    if not isinstance(claims.get("allowed_tasks"), dict):
        raise exceptions.AuthenticationFailed("this is no token of this site: it does not say what it opens")
    return claims


def _user_of(subject: str):
    """The active user with that primary key, of whatever type these are on the site; or None."""
    model = get_user_model()
    try:
        key = model._meta.pk.to_python(subject)
    except ValidationError:
        return None
    return model._default_manager.filter(pk=key, is_active=True).first()


class JwtLoginScheme(OpenApiAuthenticationExtension):
    target_class = "jobs.functions.flasktasks.tokens.JwtLogin"
    name = "jwt"

    def get_security_definition(self, auto_schema):
        description = "A token from /token."
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": description}


class AccountLoginScheme(OpenApiAuthenticationExtension):
    target_class = "jobs.functions.flasktasks.account.AccountLogin"
    name = ()

    def get_security_definition(self, auto_schema):
        return []

    def get_security_requirement(self, auto_schema):
        return {}
