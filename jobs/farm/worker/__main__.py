"""`jobdeck-worker.pyz RUN -- command {task}`: run a command for each task of a farm run, on every core."""

import argparse
import logging
import os
import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from .client import Farm
from .commands import Commands
from .library import WAIT

USAGE = 2
_UUID = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}", re.IGNORECASE)
_DESCRIPTION = """Run a command for each task of a farm run, as many at a time as the machine has cores, until there are no more.

In the command {task} stands for the task's number, {input} for a file with its input as JSON, {inputs} for the folder with its
input files, {results} for the folder for what it leaves; the same are in JOBDECK_TASK, JOBDECK_INPUT, JOBDECK_INPUTS and
JOBDECK_RESULTS. Files left in the results folder are sent to the site; result.json in it becomes the task's result. A line
such as '42%' on standard output is its progress. Exit code 0 is done, any other failed."""
_EPILOG = """The login is a personal token with the scope write, in the file of --token-file or in JOBDECK_TOKEN; or name and
password in JOBDECK_USER and JOBDECK_PASSWORD. SIGTERM or Ctrl-C: finish the tasks that run and take no more; a second one:
end them and give them back. Exit codes: 0 there is nothing more to do, 1 refused, 2 wrong usage."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    command: list[str] = []
    if "--" in words:
        split = words.index("--")
        words, command = words[:split], words[split + 1 :]
    parser = _parser()
    options = parser.parse_args(words)
    if not command:
        parser.error("give a command after --, for example: -- ./model {task}")
    if "{" not in command[0] and shutil.which(command[0]) is None:
        parser.error(f"there is no program {command[0]!r} here, or it may not be executed")
    logging.basicConfig(
        level=logging.WARNING if options.quiet else logging.INFO,
        format="%(asctime)s %(message)s",
        datefmt="%H:%M:%S",
        stream=sys.stderr,
    )
    try:
        farm = Farm(_url(options.run, options.site), **_login(options.token_file))
    except ValueError as error:
        parser.error(str(error))
    try:
        worker = Commands(
            farm, command, jobs=options.jobs, timeout=options.timeout, scratch=options.scratch, wait=options.wait
        )
    except OSError as error:
        parser.error(f"there can be no folders for tasks: {error}")
    return worker.run()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=Path(sys.argv[0]).name if sys.argv[0].endswith(".pyz") else "jobdeck-worker.pyz",
        usage="%(prog)s RUN [options] -- command {task}",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("run", metavar="RUN", help="the address of the run's API, or its UUID together with --site")
    parser.add_argument("--site", default=os.environ.get("JOBDECK_URL"), metavar="URL", help="or JOBDECK_URL")
    parser.add_argument("--token-file", type=Path, metavar="FILE", help="a file with the token in it")
    parser.add_argument(
        "--jobs",
        "-j",
        type=_positive(int),
        default=os.cpu_count() or 1,
        metavar="N",
        help="commands at a time (%(default)s)",
    )
    parser.add_argument(
        "--timeout", type=_positive(float), metavar="SECONDS", help="that a task may take, else it fails"
    )
    parser.add_argument("--scratch", type=Path, metavar="FOLDER", help="for the tasks' folders (the system's)")
    parser.add_argument(
        "--wait",
        type=_seconds,
        default=WAIT,
        metavar="SECONDS",
        help="that the site waits for a task before it says that there is none (%(default)g)",
    )
    parser.add_argument("--quiet", "-q", action="store_true", help="say only what is wrong")
    return parser


def _positive(kind):
    def read(text: str):
        value = kind(text)
        if not 0 < value < 1e9:
            raise ValueError
        return value

    read.__name__ = "number above 0"
    return read


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 25:
        raise argparse.ArgumentTypeError("must be 0 to 25")
    return value


def _url(run: str, site: str | None) -> str:
    """The address of a run's API.

    Raises:
        ValueError: it is not said which run.
    """
    if _UUID.fullmatch(run):
        if not site:
            raise ValueError("with a UUID, say at which site: --site https://…, or JOBDECK_URL")
        return f"{site.rstrip('/')}/api/jobs/{run}/farm/"
    if urlsplit(run).scheme not in ("http", "https"):
        raise ValueError(
            f"{run!r} is neither the address of a run's API (https://site/api/jobs/<uuid>/farm/) nor a UUID"
        )
    # The job's own address does as well.
    return re.sub(r"(/api/jobs/[0-9a-fA-F-]+)/?$", r"\1/farm/", run)


def _login(token_file: Path | None) -> dict[str, str]:
    """How to log in.

    Raises:
        ValueError: it is not said, or cannot be read.
    """
    if token_file is not None:
        try:
            token = token_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"the token cannot be read: {error}") from error
        if not token:
            raise ValueError(f"{token_file} is empty; the token belongs in it")
        return {"token": token}
    if token := os.environ.get("JOBDECK_TOKEN", "").strip():
        return {"token": token}
    user, password = os.environ.get("JOBDECK_USER"), os.environ.get("JOBDECK_PASSWORD")
    if user and password:
        return {"user": user, "password": password}
    raise ValueError("no login: name --token-file, or set JOBDECK_TOKEN, or JOBDECK_USER and JOBDECK_PASSWORD")


if __name__ == "__main__":
    sys.exit(main())
