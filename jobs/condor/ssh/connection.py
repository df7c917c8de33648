"""One connection to one host, with as many channels as are needed at once, each with a deadline."""

import contextlib
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from jobs.condor.bindings.failures import Unavailable
from jobs.condor.ssh.keys import fingerprint, kind, private_key

CHANNELS = 6
"""Channels of a connection at once; sshd's own MaxSessions is 10."""
CONNECT = 15.0
"""Seconds that each step of a login may take."""
STALL = 60.0
"""Seconds for which a stream of files may stand still."""
KEEPALIVE = 20
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0
"""Seconds after a login that failed until the next is tried; each time twice as long. Who tries too often is locked out."""


class HostKeyRefused(Unavailable):
    """The host is not known yet, or is another one than it was.

    Attributes:
        offered: the key that it has.
    """

    def __init__(self, text: str, offered: str):
        super().__init__(text)
        self.offered = offered


@dataclass(frozen=True)
class Login:
    """Where a host is, and how to log in.

    Attributes:
        host_key: 'type base64' of the key that it has; empty where nobody has accepted one yet.
        key: the account's private key; or `password`.
    """

    host: str
    port: int = 22
    username: str = ""
    password: str = field(default="", repr=False)
    key: str = field(default="", repr=False)
    passphrase: str = field(default="", repr=False)
    host_key: str = ""

    def __str__(self) -> str:
        return f"{self.username}@{self.host}" + (f":{self.port}" if self.port != 22 else "")


class Connection:
    """A login that is kept, and made again when it broke; for any number of threads.

    Args:
        login: where to.
    """

    def __init__(self, login: Login):
        self.login = login
        self._lock = threading.Lock()
        self._free = threading.BoundedSemaphore(CHANNELS)
        self._transport = None
        self._failures = 0
        self._not_before = 0.0
        self._why = ""
        self._closed = False

    def close(self) -> None:
        """End it; later calls are refused."""
        self._closed = True
        with self._lock:
            self._end()

    # --- commands

    def run(self, command: str, deadline: float, given: bytes = b"") -> tuple[str, str, int]:
        """Give one command; what it printed, what it said of errors, and its exit code.

        Args:
            command: for the account's shell.
            deadline: seconds from now.
            given: its standard input.

        Raises:
            Unavailable: it did not come to its end.
        """
        until = time.monotonic() + deadline
        with self._channel(command, until) as channel:
            channel.sendall(given)
            channel.shutdown_write()
            out, err = [], []
            for piece, is_error in _pieces(channel, until):
                (err if is_error else out).append(piece)
            return _text(out), _text(err), _exit_code(channel)

    def send(self, command: str, deadline: float, fill: Callable[[Callable[[bytes], None]], None]) -> tuple[str, int]:
        """Give a command that reads a stream; what it said of errors, and its exit code.

        Args:
            fill: is called with what takes the bytes.
        """
        until = time.monotonic() + deadline
        with self._channel(command, until) as channel:

            def put(data: bytes) -> None:
                _check(until)
                channel.settimeout(STALL)
                channel.sendall(data)

            # Where the other side ended early, it says why.
            with contextlib.suppress(OSError):
                fill(put)
                channel.shutdown_write()
            err = [piece for piece, is_error in _pieces(channel, until) if is_error]
            return _text(err), _exit_code(channel)

    def receive(self, command: str, deadline: float, take: Callable[[Callable[[], bytes]], None]) -> tuple[str, int]:
        """Give a command that prints a stream; what it said of errors, and its exit code.

        Args:
            take: is called with what gives the next bytes, none at the end.
        """
        until = time.monotonic() + deadline
        with self._channel(command, until) as channel:
            channel.shutdown_write()
            err: list[bytes] = []
            pieces = _pieces(channel, until)

            def following() -> bytes:
                for piece, is_error in pieces:
                    if not is_error:
                        return piece
                    err.append(piece)
                return b""

            take(following)
            return _text(err), _exit_code(channel)

    @contextmanager
    def _channel(self, command: str, until: float) -> Iterator:
        import paramiko

        if not self._free.acquire(timeout=max(0.0, until - time.monotonic())):
            raise Unavailable(f"{self.login}: {CHANNELS} other calls were not over in time")
        try:
            transport = self._connected(until)
            channel = None
            try:
                channel = transport.open_session(timeout=max(1.0, min(CONNECT, until - time.monotonic())))
                channel.settimeout(max(1.0, until - time.monotonic()))
                channel.exec_command(command)
                yield channel
            except TimeoutError as error:
                self._give_up(transport)
                raise Unavailable(f"{self.login} did not answer in time") from error
            except (paramiko.SSHException, OSError, EOFError) as error:
                self._give_up(transport)
                raise Unavailable(f"{self.login}: the connection broke: {error or type(error).__name__}") from error
            finally:
                if channel is not None:
                    channel.close()
        finally:
            self._free.release()

    # --- the login

    def _connected(self, until: float):
        with self._lock:
            if self._closed:
                raise Unavailable(f"the connection to {self.login} was changed meanwhile; ask again")
            if self._transport is not None and self._transport.is_active():
                return self._transport
            self._end()
            if time.monotonic() < self._not_before:
                raise Unavailable(self._why)
            try:
                self._transport = self._log_in(min(CONNECT, max(1.0, until - time.monotonic())))
            except Unavailable as error:
                self._failures += 1
                self._not_before = time.monotonic() + min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (self._failures - 1))
                self._why = str(error)
                raise
            self._failures = 0
            return self._transport

    def _log_in(self, within: float):
        transport = self.greet(within)
        try:
            self.authenticate(transport)
        except Unavailable:
            transport.close()
            raise
        transport.set_keepalive(KEEPALIVE)
        return transport

    def greet(self, within: float = CONNECT):
        """Meet the host, and see that it is the one it was.

        Returns:
            The paramiko Transport, nobody logged in yet.

        Raises:
            HostKeyRefused: nobody has accepted its key, or it has another one.
            Unavailable: it cannot be reached.
        """
        import paramiko

        login = self.login
        try:
            raw = socket.create_connection((login.host, login.port), timeout=within)
        except OSError as error:
            raise Unavailable(f"{login.host}:{login.port} cannot be reached: {error.strerror or error}") from error
        transport = paramiko.Transport(raw)
        transport.banner_timeout = transport.handshake_timeout = transport.auth_timeout = within
        transport.daemon = True
        try:
            options = transport.get_security_options()
            known = _algorithms(kind(login.host_key))
            options.key_types = (*known, *(one for one in options.key_types if one not in known))
            transport.start_client(timeout=within)
            key = transport.get_remote_server_key()
        except (paramiko.SSHException, OSError, EOFError) as error:
            transport.close()
            raise Unavailable(f"{login.host}:{login.port} does not speak SSH with us: {error}") from error
        offered = f"{key.get_name()} {key.get_base64()}"
        if offered != login.host_key:
            transport.close()
            raise HostKeyRefused(_about_key(login, offered), offered)
        return transport

    def authenticate(self, transport) -> None:
        """Log in.

        Raises:
            Unavailable: the host does not take the login, or the key cannot be read.
        """
        import paramiko

        login = self.login
        try:
            if login.key:
                transport.auth_publickey(login.username, private_key(login.key, login.passphrase))
            else:
                transport.auth_password(login.username, login.password)
        except ValueError as error:
            raise Unavailable(f"the login cannot be tried: {error}") from error
        except paramiko.AuthenticationException as error:
            how = "key" if login.key else "password"
            raise Unavailable(f"the login was not accepted: {login} with the {how} of this scheduler") from error
        except (paramiko.SSHException, OSError, EOFError) as error:
            raise Unavailable(f"the login at {login} came to no end: {error}") from error

    def _give_up(self, transport) -> None:
        """What broke or hangs is not used again."""
        with self._lock:
            if self._transport is transport:
                self._end()

    def _end(self) -> None:
        if self._transport is not None:
            self._transport.close()
            self._transport = None


def _algorithms(name: str) -> tuple[str, ...]:
    return ("rsa-sha2-512", "rsa-sha2-256") if name == "ssh-rsa" else (name,) if name else ()


def _about_key(login: Login, offered: str) -> str:
    shown = f"{kind(offered)} {fingerprint(offered)}"
    if not login.host_key:
        return (
            f"the key of {login.host} is not known yet; it has {shown}. Compare it with the host's own, and accept it"
        )
    return (
        f"{login.host} has another key than the one that was accepted: {shown} instead of {kind(login.host_key)} "
        f"{fingerprint(login.host_key)}. It was set up anew, or somebody is in between; nothing was sent"
    )


def _pieces(channel, until: float) -> Iterator[tuple[bytes, bool]]:
    """What comes, and whether it is of standard error, until both have ended."""
    while True:
        if channel.recv_ready():
            yield channel.recv(1 << 20), False
        elif channel.recv_stderr_ready():
            yield channel.recv_stderr(1 << 20), True
        elif channel.closed or (channel.eof_received and channel.exit_status_ready()):
            if not channel.recv_ready() and not channel.recv_stderr_ready():
                return
        else:
            _check(until)
            select.select([channel], [], [], min(1.0, max(0.0, until - time.monotonic())))
            if channel.eof_received and not channel.exit_status_ready():
                channel.status_event.wait(0.05)


def _check(until: float) -> None:
    if time.monotonic() > until:
        raise TimeoutError


def _exit_code(channel) -> int:
    code = channel.recv_exit_status() if channel.exit_status_ready() else -1
    if code < 0:
        raise Unavailable("the connection broke, or the command was killed, before it came to its end")
    return code


def _text(pieces: list[bytes]) -> str:
    return b"".join(pieces).decode(errors="replace")
