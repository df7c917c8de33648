"""The pair of RSA keys that signs tokens: from the settings, or made once into the data folder."""

import contextlib
import os
import tempfile
from functools import lru_cache
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey, generate_private_key

from jobs.conf import conf

BITS = 2048
FOLDER = "jwt"
PRIVATE, PUBLIC = "private.pem", "public.pem"


class NoKeys(Exception):
    """There is none, or what stands in the settings is none; the message says what to do."""


def folder() -> Path:
    """Where keys are that were made here."""
    return conf.data_dir / FOLDER


def private_key() -> RSAPrivateKey:
    """The key that signs.

    Raises:
        NoKeys: see there; or there is only a public one in the settings, whose tokens are made elsewhere.
    """
    if conf.JWT_PUBLIC_PEM and not conf.JWT_PRIVATE_PEM:
        raise NoKeys("JWT_PUBLIC_PEM is set and JWT_PRIVATE_PEM is not: tokens are taken here, but made elsewhere")
    return _private(_text(conf.JWT_PRIVATE_PEM, PRIVATE, "JWT_PRIVATE_PEM"))


def public_key() -> RSAPublicKey:
    """The key by which a signature is checked.

    Raises:
        NoKeys: see there.
    """
    if conf.JWT_PUBLIC_PEM:
        return _public(_text(conf.JWT_PUBLIC_PEM, PUBLIC, "JWT_PUBLIC_PEM"))
    return private_key().public_key()


def make_keys(*, renew: bool = False) -> bool:
    """Make a pair of keys in the data folder, readable by this account only, unless there is one; whether it was made.

    Args:
        renew: in place of the one that there is; no token that it signed is good any more.
    """
    place = folder()
    if (place / PRIVATE).exists() and not renew:
        return False
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = generate_private_key(public_exponent=65537, key_size=BITS)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    # The private one says which pair there is; of two who make one at a time the first has made it.
    made = _put(place / PRIVATE, private, replace=renew)
    if made:
        _put(place / PUBLIC, public, replace=True)
    return made


def _put(path: Path, content: bytes, *, replace: bool) -> bool:
    descriptor, draft = tempfile.mkstemp(dir=path.parent)  # mode 600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        if replace:
            Path(draft).replace(path)
            return True
        try:
            os.link(draft, path)
        except FileExistsError:
            return False
        return True
    finally:
        with contextlib.suppress(FileNotFoundError):
            Path(draft).unlink()


def _text(setting: str, name: str, what: str) -> str:
    if setting:
        # In an environment file a key is often one line.
        return setting.replace("\\n", "\n")
    try:
        return (folder() / name).read_text()
    except OSError as error:
        raise NoKeys(f"there are no keys for tokens: set {what}, or make a pair with 'manage.py jwt_keys'") from error


@lru_cache(maxsize=4)
def _private(text: str) -> RSAPrivateKey:
    try:
        key = serialization.load_pem_private_key(text.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise NoKeys("JWT_PRIVATE_PEM is no private RSA key in PEM without a passphrase") from error
    if not isinstance(key, RSAPrivateKey):
        raise NoKeys("JWT_PRIVATE_PEM is no RSA key")
    return key


@lru_cache(maxsize=4)
def _public(text: str) -> RSAPublicKey:
    try:
        key = serialization.load_pem_public_key(text.encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise NoKeys("JWT_PUBLIC_PEM is no public RSA key in PEM") from error
    if not isinstance(key, RSAPublicKey):
        raise NoKeys("JWT_PUBLIC_PEM is no RSA key")
    return key
