"""Secrets at rest: tokens, keys and passwords of schedulers are encrypted in the database with the site's secret key.

Whoever reads a backup of the database, and not the site's settings, learns none of them.
"""

import base64
import hashlib

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

SHOWN = "••••••••"


class SecretUnreadable(ValueError):
    """It was encrypted with a secret key that this site does not have any more."""


class Secret:
    """A secret as it lies in the database. Only `reveal()` gives it away; whatever prints it shows dots."""

    def __init__(self, encrypted: str = ""):
        self.encrypted = encrypted

    @classmethod
    def of(cls, text: str) -> "Secret":
        """Encrypt a text; an empty one stays empty."""
        return cls(_cipher().encrypt(text.encode()).decode() if text else "")

    def reveal(self) -> str:
        """The secret itself, to be handed to what needs it and to nothing else.

        Raises:
            SecretUnreadable: the secret key of the site was changed since it was entered.
        """
        if not self.encrypted:
            return ""
        try:
            return _cipher().decrypt(self.encrypted.encode()).decode()
        except InvalidToken:
            raise SecretUnreadable(
                "it was encrypted with another SECRET_KEY; enter it again, or add the old key to SECRET_KEY_FALLBACKS"
            ) from None

    def __bool__(self) -> bool:
        return bool(self.encrypted)

    def __eq__(self, other) -> bool:
        return isinstance(other, Secret) and other.encrypted == self.encrypted

    def __hash__(self) -> int:
        return hash(self.encrypted)

    def __str__(self) -> str:
        return SHOWN if self.encrypted else ""

    def __repr__(self) -> str:
        return f"<Secret {self}>"


def _cipher() -> MultiFernet:
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet([Fernet(_derived(key)) for key in keys])


def _derived(key: str) -> bytes:
    return base64.urlsafe_b64encode(hashlib.sha256(b"jobdeck secret " + str(key).encode()).digest())
