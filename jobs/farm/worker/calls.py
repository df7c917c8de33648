"""HTTP calls to one site over connections that are kept, repeated until they are answered."""

import base64
import contextlib
import http.client
import json
import logging
import os
import random
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

from .answers import PIECE, NotSaved, Unanswered, is_json, save, seconds_of, why, words_of
from .errors import NotAnswered, Refused

log = logging.getLogger("jobdeck_worker")

FIRST_PAUSE = 0.25
LONGEST_PAUSE = 30.0
"""Seconds between two tries of a call; twice as many each time, and less at random, so that workers do not come in step."""
LONGEST_WISH = 300.0
"""Seconds that a site may ask to be left alone (Retry-After)."""
TIMEOUT = 60.0
"""Seconds of silence after which an answer counts as lost."""
PASSING = frozenset((408, 425, 429, 500, 502, 503, 504))
"""Statuses after which the same call may well succeed later."""
_LOOK = 0.2
"""Seconds between two looks whether a call is still wanted."""

Body = bytes | Path | None


def _always() -> bool:
    return True


class Calls:
    """Calls below one address; every thread has a connection of its own.

    Args:
        url: ends with a slash.
        token: a personal token; or else `user` and `password`.

    Raises:
        ValueError: the address is none, or there is no login.
    """

    def __init__(self, url: str, token: str | None = None, *, user: str | None = None, password: str | None = None):
        parts = urlsplit(url)
        is_clean = url.isascii() and url.isprintable() and " " not in url
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or not is_clean:
            raise ValueError(f"{url!r} is no address of a run's API, such as https://site/api/jobs/<uuid>/farm/")
        if token is None and (user is None or password is None):
            raise ValueError("a personal token is needed, or user and password")
        self.url = url
        self._secure, self._host, self._port = parts.scheme == "https", parts.hostname, parts.port
        self._path = parts.path
        if token is not None:
            self._login = f"Bearer {token}"
        else:
            self._login = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode("ascii")
        if not self._login.isascii() or not self._login.isprintable():
            raise ValueError("the token is none: it has characters that no token has")
        self._context = ssl.create_default_context() if self._secure else None
        self._mine = threading.local()
        self._given_up = threading.Event()
        self._away = False
        self._was_there = False

    def give_up(self) -> None:
        """Repeat no call any more; those that wait for their next try end at once."""
        self._given_up.set()

    def hang_up(self) -> None:
        """Close the connection of the calling thread; its next call opens another one."""
        connection, self._mine.connection = getattr(self._mine, "connection", None), None
        if connection is not None:
            connection.close()

    def call(
        self,
        method: str,
        path: str,
        body: Body | Callable[[bool], bytes] = None,
        *,
        headers: Mapping[str, str] = {},
        into: Path | None = None,
        timeout: float = TIMEOUT,
        wanted: Callable[[], bool] = _always,
    ):
        """Call until there is an answer, for ever.

        Args:
            path: below the address.
            body: bytes, a file, or what makes the bytes, told whether an earlier try may have arrived.
            into: a file for the answer, which otherwise is JSON.
            timeout: seconds of silence after which an answer counts as lost.
            wanted: asked before each try; where it says no the call is given up, unless the site may have done it already.

        Returns:
            What the JSON says; None where it went into a file.

        Raises:
            Refused: the answer is final.
            NotAnswered: it was given up.
            OSError: the file cannot be read or written.
        """
        tries, arrived = 0, False
        while True:
            if (tries and self._given_up.is_set()) or not (arrived or wanted()):
                raise NotAnswered(f"{self.url}{path} was not answered")
            data = body(arrived) if callable(body) else body
            try:
                answer = self._try(method, path, data, headers, into, timeout)
            except Unanswered as error:
                arrived = arrived or error.may_have_arrived
                if error.stale:
                    continue
                self._note_absence(error)
                pause = min(FIRST_PAUSE * 2 ** min(tries, 10), LONGEST_PAUSE) * random.uniform(0.5, 1.0)  # noqa: S311
                self._sleep(max(pause, min(error.wish, LONGEST_WISH)), wanted if not arrived else _always)
                tries += 1
            except NotSaved as error:
                raise error.__cause__ from None
            else:
                self._note_presence()
                return answer

    def _sleep(self, seconds: float, wanted: Callable[[], bool]) -> None:
        until = time.monotonic() + seconds
        while wanted() and (left := until - time.monotonic()) > 0 and not self._given_up.wait(min(left, _LOOK)):
            pass

    def _try(self, method: str, path: str, data: Body, headers: Mapping, into: Path | None, timeout: float):
        with contextlib.ExitStack() as files:
            content: bytes | BinaryIO | None = (
                data if not isinstance(data, Path) else files.enter_context(data.open("rb"))
            )
            connection, is_new = self._connection(timeout)
            try:
                response = self._ask(connection, method, path, content, headers)
                return self._read(response, into)
            except (OSError, http.client.HTTPException) as error:
                self.hang_up()
                # Sites close connections that were kept when they like.
                stale = not is_new and isinstance(error, ConnectionError)
                raise Unanswered(why(error), may_have_arrived=True, stale=stale) from error
            except (Unanswered, Refused):
                self.hang_up()
                raise

    def _ask(self, connection, method: str, path: str, content, headers: Mapping) -> http.client.HTTPResponse:
        all_headers = {
            "Authorization": self._login,
            "Accept": "application/json",
            "User-Agent": "jobdeck-worker",
            **({"Content-Type": "application/json"} if isinstance(content, bytes) else {}),
            **headers,
        }
        is_file = content is not None and not isinstance(content, bytes)
        if is_file:
            all_headers["Content-Length"] = str(os.fstat(content.fileno()).st_size)
        try:
            connection.request(method, self._path + path, content, all_headers)
        except (BrokenPipeError, ConnectionResetError):
            # Who refuses a long body does not read it to its end: then the answer is there already.
            if not is_file:
                raise
        return connection.getresponse()

    def _read(self, response: http.client.HTTPResponse, into: Path | None):
        if response.status in PASSING:
            wish, said = response.headers.get("Retry-After"), response.read(PIECE)
            raise Unanswered(
                f"it says {response.status} {words_of(said) or response.reason}",
                may_have_arrived=response.status != 429,
                wish=seconds_of(wish),
            )
        # Else nobody can tell an answer that was cut off in its head from one that has ended.
        is_whole = response.chunked or response.length is not None
        if into is not None and is_whole and response.status < 300:
            return save(response, into)
        data = response.read()
        if not is_whole and not is_json(data):
            raise Unanswered("its answer broke off", may_have_arrived=True)
        if response.status >= 300:
            raise self._refusal(response, data)
        return self._understood(data, response)

    # --- connections

    def _connection(self, timeout: float) -> tuple[http.client.HTTPConnection, bool]:
        connection = getattr(self._mine, "connection", None)
        if connection is not None and connection.sock is not None:
            connection.sock.settimeout(timeout)
            return connection, False
        if self._secure:
            connection = http.client.HTTPSConnection(self._host, self._port, timeout=timeout, context=self._context)
        else:
            connection = http.client.HTTPConnection(self._host, self._port, timeout=timeout)
        try:
            connection.connect()
        except ssl.SSLCertVerificationError as error:
            raise Refused(f"{self.url}: its certificate is not to be trusted: {error.verify_message}") from error
        except socket.gaierror as error:
            if error.errno == socket.EAI_NONAME and not self._was_there:
                raise Refused(f"{self.url}: there is no host called {self._host}; check the address") from error
            raise Unanswered(why(error), may_have_arrived=False) from error
        except OSError as error:
            raise Unanswered(why(error), may_have_arrived=False) from error
        self._mine.connection = connection
        return connection, True

    def _note_absence(self, error: Unanswered) -> None:
        if not self._away and not self._given_up.is_set():
            self._away = True
            log.warning("%s does not answer (%s); it is asked again until it does", self._host, error)

    def _note_presence(self) -> None:
        self._was_there = True
        if self._away:
            self._away = False
            log.warning("%s answers again", self._host)

    # --- answers

    def _refusal(self, response: http.client.HTTPResponse, data: bytes) -> Refused:
        status, said = response.status, words_of(data)
        where = response.headers.get("Location")
        if where:
            return Refused(f"{self.url} has moved to {where}: give that address instead", status)
        usual = {
            401: "the login was refused: the token may be mistyped, revoked or expired, or the password wrong",
            404: "there is no such run there, or it is not yours to work on; check the address",
        }.get(status, response.reason)
        return Refused(f"{self.url}: {said or usual} ({status})", status)

    def _understood(self, data: bytes, response: http.client.HTTPResponse):
        try:
            return json.loads(data)
        except ValueError as error:
            raise Refused(f"{self.url} is no farm run's API: it does not answer with JSON", response.status) from error
