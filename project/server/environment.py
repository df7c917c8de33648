"""HOST, PORT and DATA_DIR, and what follows from them for the processes of the site."""

import errno
import ipaddress
import os
import secrets
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent.parent
LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "[::1]")


class BadEnvironment(ValueError):
    """A variable of the environment that Jobdeck cannot use; the message names it and says what to do."""


def data_folder(environ: Mapping[str, str]) -> Path:
    """The folder that DATA_DIR names, `var/` beside `manage.py` by default."""
    return Path(environ.get("DATA_DIR") or ROOT / "var").expanduser().resolve()


def is_loopback(host: str) -> bool:
    """Does this host (a name or an address, an IPv6 one with or without brackets) reach this machine only?"""
    name = host.strip().removeprefix("[").removesuffix("]").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def is_private(environ: Mapping[str, str], allowed_hosts: Iterable[str] = ()) -> bool:
    """Can this site be reached from this machine only, as far as its settings tell?

    A server that listens on loopback behind a proxy is not private; its JOBDECK_URL or ALLOWED_HOSTS says so.
    """
    hosts = [environ.get("HOST") or "127.0.0.1", *allowed_hosts]
    if environ.get("JOBDECK_URL"):
        hosts.append(urlsplit(environ["JOBDECK_URL"]).hostname or "")
    return all(is_loopback(host) for host in hosts)


@dataclass(frozen=True)
class Place:
    """Where a site listens and keeps its data.

    Attributes:
        host: HOST as given, a name or an address.
        ip: the address that it stands for.
        port: 1 to 65535.
        data_dir: absolute; may not exist yet.
    """

    host: str
    ip: str
    port: int
    data_dir: Path

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> "Place":
        """Read and check HOST (127.0.0.1), PORT (8000) and DATA_DIR (var/).

        Raises:
            BadEnvironment: one of them cannot be used.
        """
        host = (environ.get("HOST") or "127.0.0.1").strip().removeprefix("[").removesuffix("]")
        port = environ.get("PORT") or "8000"
        if not (port.isascii() and port.isdigit() and 1 <= int(port) <= 65535):
            raise BadEnvironment(f"PORT={port} is no port: give a number from 1 to 65535, for example PORT=8000.")
        try:
            ip = socket.getaddrinfo(host, int(port), type=socket.SOCK_STREAM)[0][4][0]
        except (socket.gaierror, UnicodeError) as error:
            raise BadEnvironment(
                f"HOST={host} is no address of this machine ({error}). Give one, for example HOST=127.0.0.1, or "
                "HOST=0.0.0.0 for all of them."
            ) from error
        data_dir = data_folder(environ)
        if data_dir.exists() and not data_dir.is_dir():
            raise BadEnvironment(f"DATA_DIR={data_dir} is not a folder: give one, or a path where one can be made.")
        return cls(host, ip, int(port), data_dir)

    @property
    def reachable_host(self) -> str:
        """HOST as it stands in a URL; where that means every address, the loopback one."""
        address = ipaddress.ip_address(self.ip)
        if address.is_unspecified:
            return "[::1]" if address.version == 6 else "127.0.0.1"
        return f"[{self.host}]" if ":" in self.host else self.host

    @property
    def url(self) -> str:
        """Where a browser on this machine finds the site, without a slash at the end."""
        return f"http://{self.reachable_host}:{self.port}"

    def check_free(self) -> None:
        """Raises BadEnvironment if the port is taken, or the address is not this machine's or not ours to use."""
        family = socket.AF_INET6 if ":" in self.ip else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            # As servers do: connections of the last run that linger in TIME_WAIT do not count.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((self.ip, self.port))
            except OSError as error:
                advice = {
                    errno.EADDRINUSE: "Stop what listens there, or choose another port, for example "
                    f"PORT={self.port + 1 if self.port < 65535 else 8000} make run",
                    errno.EACCES: "Ports below 1024 are for root only; choose a higher one, for example PORT=8000",
                    errno.EADDRNOTAVAIL: "That address is not this machine's; HOST=0.0.0.0 listens on all that are",
                }.get(error.errno, "Choose another HOST or PORT")
                raise BadEnvironment(
                    f"Cannot listen on {self.host} port {self.port}: {error.strerror.lower()}. {advice}."
                ) from error

    def environment(self, environ: Mapping[str, str]) -> dict[str, str]:
        """The environment of the site's processes: the caller's, with what it left out filled in."""
        complete = dict(environ)
        complete["HOST"], complete["PORT"], complete["DATA_DIR"] = self.host, str(self.port), str(self.data_dir)
        complete["JOBDECK_URL"] = environ.get("JOBDECK_URL") or self.url
        complete["ALLOWED_HOSTS"] = ",".join(self._allowed_hosts(environ))
        complete["DJANGO_SETTINGS_MODULE"] = environ.get("DJANGO_SETTINGS_MODULE") or "project.settings"
        complete["PYTHONUNBUFFERED"] = "1"
        return complete

    def _allowed_hosts(self, environ: Mapping[str, str]) -> list[str]:
        # Loopback always: the supervisor asks /healthz there, and local jobs may call back there.
        hosts = [*LOOPBACK_HOSTS, self.reachable_host]
        if environ.get("ALLOWED_HOSTS"):
            hosts += environ["ALLOWED_HOSTS"].split(",")
        elif not is_loopback(self.ip):
            hosts += [self.host, socket.gethostname(), *_own_addresses()]
        return list(dict.fromkeys(host.strip() for host in hosts if host.strip()))


def _own_addresses() -> list[str]:
    """The addresses from which this machine would talk to others, found without asking a name server."""
    found = []
    # Connecting a UDP socket sends nothing; it only chooses the route. These are the documentation's own networks.
    for family, elsewhere in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.connect((elsewhere, 9))
                address = probe.getsockname()[0]
        except OSError:
            continue  # no route in this family
        found.append(f"[{address}]" if ":" in address else address)
    return found


def read_secret_key(data_dir: Path) -> str:
    """The key that `make run` made in this data folder; empty if there is none."""
    try:
        return (data_dir / "secret_key").read_text().strip()
    except FileNotFoundError:
        return ""


def ensure_secret_key(data_dir: Path) -> None:
    """Make the data folder's key if it has none: only the owner may read it. The caller holds the folder's lock."""
    if read_secret_key(data_dir):
        return
    draft = data_dir / "secret_key.new"
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(50) + "\n")
    draft.replace(data_dir / "secret_key")
