"""HTTP to the site: one connection, one request after the other, nothing believed and nothing followed."""

import contextlib
import http.client
import ipaddress
import json
import ssl
from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import urlsplit

TIMEOUT = 20.0
"""Seconds of silence after which an answer counts as lost."""
MOST = 64 * 1024 * 1024
"""Bytes of an answer."""


class AddressError(ValueError):
    """An address that cannot be used; says why."""


class Away(Exception):
    """There was no answer that says anything.

    Attributes:
        is_stale: the connection was kept from an earlier request, and is none any more; with a new one it may go well.
    """

    def __init__(self, why: str, is_stale: bool = False):
        super().__init__(why)
        self.is_stale = is_stale


class Answer:
    """What came back.

    Attributes:
        status: of HTTP.
        body: as it came.
    """

    def __init__(self, status: int, headers, body: bytes):
        self.status, self._headers, self.body = status, headers, body

    def header(self, name: str) -> str:
        """A header; empty where it is not there."""
        return self._headers.get(name) or ""

    def json(self) -> dict:
        """The object in the body; empty where there is none."""
        try:
            value = json.loads(self.body)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}

    @property
    def detail(self) -> str:
        """What it says of itself."""
        said = str(self.json().get("detail", ""))[:500]
        return said if said.isprintable() else repr(said)


def checked_site(address: str, plain_http: bool) -> str:
    """The address of a site, with a slash at its end.

    Raises:
        AddressError: it is none, or would show the key to whoever listens on the way.
    """
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise AddressError(f"{address!r} is no address of a site; give one such as https://site.example")
    if parts.username is not None or parts.password is not None:
        raise AddressError("the address must not have a login in it")
    try:
        parts.port  # noqa: B018 it is checked when it is read
    except ValueError as error:
        raise AddressError(f"{address!r}: {error}") from error
    if parts.scheme == "http" and not is_loopback(parts.hostname) and not plain_http:
        raise AddressError(
            f"{address!r} is not encrypted: who listens on the way could read the token, the agent's key and all output. "
            "Give an address with https://, or --plain-http if the network is nobody else's"
        )
    return address if address.endswith("/") else f"{address}/"


def is_loopback(host: str) -> bool:
    """Whether what goes there stays on this host."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Transport:
    """Speaks with the site.

    Args:
        site: address, with a slash at its end.
        ca: file with the certificates to believe; empty for the system's.

    Raises:
        AddressError: that file cannot be read.
    """

    def __init__(self, site: str, ca: str = ""):
        parts = urlsplit(site)
        self._secure, self._host, self._port = parts.scheme == "https", parts.hostname, parts.port
        self._path = f"{parts.path}api/schedules/agent/"
        try:
            self._context = ssl.create_default_context(cafile=ca or None) if self._secure else None
        except OSError as error:
            raise AddressError(f"the certificates in {ca} cannot be read: {error}") from error
        self._connection: http.client.HTTPConnection | None = None

    def post(self, purpose: str, body: bytes, headers: Mapping[str, str] = MappingProxyType({})) -> Answer:
        """Send a body to where it is for.

        Raises:
            Away: there was no whole answer.
        """
        all_headers = {"Content-Type": "application/json", "Accept": "application/json", "User-Agent": "jobdeck-agent"}
        was_open = self._connection is not None
        try:
            connection = self._connected()
            connection.request("POST", self._path + purpose, body, {**all_headers, **headers})
            response = connection.getresponse()
            data = response.read(MOST + 1)
        except (OSError, http.client.HTTPException) as error:
            self.hang_up()
            # Sites close connections that were kept when they like.
            raise Away(_why(error), is_stale=was_open and isinstance(error, ConnectionError)) from error
        if response.will_close or len(data) > MOST:
            self.hang_up()
        if len(data) > MOST:
            raise Away("its answer is too long")
        return Answer(response.status, response.headers, data)

    def hang_up(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(OSError):
                connection.close()

    def _connected(self) -> http.client.HTTPConnection:
        if self._connection is None:
            if self._secure:
                connection = http.client.HTTPSConnection(self._host, self._port, timeout=TIMEOUT, context=self._context)
            else:
                connection = http.client.HTTPConnection(self._host, self._port, timeout=TIMEOUT)
            connection.connect()
            self._connection = connection
        return self._connection


def _why(error: BaseException) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not to be trusted: {error.verify_message}"
    return str(error) or type(error).__name__
