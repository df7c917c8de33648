"""The command line of `jobdeck-agent.pyz`."""

import argparse
import os
import re
import socket
import sys
from pathlib import Path

from jobs.schedules.agent import VERSION

NAME = "jobdeck-agent.pyz"
_DESCRIPTION = "Run the commands of a Jobdeck site's schedules on this host."
_EPILOG = """Everything it knows is in one folder: --data, or JOBDECK_AGENT_DATA, or ~/.jobdeck-agent.
Exit codes: 0 it was told to end, 1 it cannot work, 2 wrong usage."""
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def parser() -> argparse.ArgumentParser:
    """What reads it."""
    whole = argparse.ArgumentParser(
        prog=NAME,
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    whole.add_argument("--version", action="version", version=f"jobdeck-agent {VERSION}")
    commands = whole.add_subparsers(dest="command", required=True, metavar="enrol | run | status")
    _add_enrol(commands)
    _add_run(commands)
    commands.add_parser("status", help="show who it is, what it runs and what the site has yet to hear")
    for command in commands.choices.values():
        command.add_argument("--data", type=Path, default=_data(), metavar="DIR", help="its folder (%(default)s)")
    return whole


def _data() -> Path:
    return Path(os.environ.get("JOBDECK_AGENT_DATA") or "~/.jobdeck-agent")


def _add_enrol(commands) -> None:
    enrol = commands.add_parser(
        "enrol",
        # Else --token would be taken for the beginning of --token-file.
        allow_abbrev=False,
        help="be let in by a site, once",
        epilog="The token is read from --token-file, or JOBDECK_ENROL_TOKEN, or standard input.",
    )
    enrol.add_argument("site", metavar="SITE_URL")
    enrol.add_argument("--token-file", type=Path, metavar="FILE", help="a file with the token in it")
    enrol.add_argument(
        "--name", type=_word, default=_host_name(), help="of this agent, if the token says none (%(default)s)"
    )
    enrol.add_argument(
        "--tag", type=_word, action="append", default=[], help="by which schedules choose it; repeatable"
    )
    enrol.add_argument("--ca", type=Path, metavar="FILE", help="certificates to believe instead of the system's")
    _add_plain_http(enrol)


def _add_plain_http(command) -> None:
    command.add_argument(
        "--plain-http", action="store_true", help="allow http:// to other hosts: others can read all of it"
    )


def _add_run(commands) -> None:
    run = commands.add_parser("run", allow_abbrev=False, help="run what is due, until SIGTERM or Ctrl-C")
    run.add_argument("--site", metavar="SITE_URL", help="where the site is now, if it has moved; is kept")
    _add_plain_http(run)
    run.add_argument("--folder", type=Path, metavar="DIR", help="where commands begin (the home of who runs them)")
    run.add_argument("--user", metavar="NAME", help="who runs commands; only root can say so (who starts the agent)")
    run.add_argument(
        "--allow", action="append", metavar="PROGRAM", help="run only these: paths, or names in PATH; repeatable"
    )
    run.add_argument(
        "--at-once", type=_above_zero(int), default=64, metavar="N", help="commands at a time (%(default)s)"
    )
    run.add_argument(
        "--listen", type=_address, metavar="HOST:PORT", help="take calls of the site, which saves it a second"
    )
    run.add_argument("--anywhere", action="store_true", help="let --listen name an address that other hosts reach")
    run.add_argument("--accept-unsigned", action="store_true", help="take calls from whoever is on this host")
    run.add_argument(
        "--keep-hours",
        type=_above_zero(float),
        default=24.0,
        metavar="H",
        help="of outputs, while the site is away (24)",
    )
    run.add_argument(
        "--keep-mb",
        type=_above_zero(float),
        default=256.0,
        metavar="MB",
        help="of outputs, while the site is away (256)",
    )


def token(file: Path | None) -> str:
    """The token that lets the agent in.

    Raises:
        OSError, UnicodeDecodeError: the file cannot be read.
    """
    if file is not None:
        return file.read_text(encoding="utf-8").strip()
    if found := os.environ.get("JOBDECK_ENROL_TOKEN"):
        return found.strip()
    if sys.stdin.isatty():
        import getpass

        return getpass.getpass("Token: ").strip()
    return sys.stdin.readline().strip()


def _host_name() -> str:
    name = re.sub(r"[^A-Za-z0-9._-]", "-", socket.gethostname()).lstrip("._-")[:100]
    return name or "agent"


def _word(text: str) -> str:
    if not _WORD.fullmatch(text):
        raise argparse.ArgumentTypeError(
            "must be 1 to 100 letters, digits, dots, dashes and underscores, and begin with a letter or digit"
        )
    return text


def _address(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdigit() or int(port) > 65535 or not host:
        raise argparse.ArgumentTypeError("must be host and port, such as 127.0.0.1:9090")
    return host.strip("[]"), int(port)


def _above_zero(kind):
    def read(text: str):
        value = kind(text)
        if not 0 < value < 1e9:
            raise ValueError
        return value

    read.__name__ = "number above 0"
    return read
