"""What the benchmarks share: a database for a while, a site for a while, and a line about the machine."""

import math
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parents[2]
POSTGRESQL = "postgres://root@127.0.0.1:5432/postgres"
"""The server on which a temporary database is made where DATABASE_URL names no other."""


def machine() -> str:
    """One line about where the figures come from."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    load = os.getloadavg()[0]
    return (
        f"{cores} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}, load {load:.1f}"
    )


@contextmanager
def temporary_site(database: str, **variables: str) -> Iterator[Path]:
    """Set this process's environment to a site of its own, migrated, with Django set up; removed in the end.

    Args:
        database: 'sqlite' (a file) or 'postgres' (a new database on the server of DATABASE_URL, or of `POSTGRESQL`).
        variables: further variables of the environment.

    Yields:
        The data folder.

    Raises:
        psycopg2.OperationalError: the PostgreSQL server cannot be reached.
    """
    folder = Path(tempfile.mkdtemp(prefix="jobdeck-bench-"))
    name = f"jobdeck_bench_{uuid.uuid4().hex[:10]}"
    server = _server()
    try:
        if database == "postgres":
            _on_server(server, f'CREATE DATABASE "{name}"')
        os.environ.update(
            DJANGO_SETTINGS_MODULE="project.settings",
            SECRET_KEY="for the benchmarks only",
            DATA_DIR=str(folder),
            ENV_FILE=os.devnull,
            DATABASE_URL=f"sqlite:///{folder}/site.sqlite3" if database == "sqlite" else f"{server}/{name}",
            **{"CELERY_BROKER_URL": "filesystem://", "LOG_LEVEL": "WARNING", **variables},
        )
        sys.path.insert(0, str(ROOT))
        _set_up()
        yield folder
    finally:
        if database == "postgres":
            _on_server(server, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        shutil.rmtree(folder, ignore_errors=True)


def _server() -> str:
    given = os.environ.get("DATABASE_URL", "")
    url = urlsplit(given if given.startswith("postgres") else POSTGRESQL)
    return f"{url.scheme}://{url.netloc}"


def _on_server(server: str, sql: str) -> None:
    import psycopg2

    connection = psycopg2.connect(f"{server.replace('postgis:', 'postgres:')}/postgres", connect_timeout=5)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(sql)
    connection.close()


def _set_up() -> None:
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


@contextmanager
def processes(folder: Path, *commands: str) -> Iterator[None]:
    """Run `manage.py COMMAND` for each of `commands`, ended in the end; their output goes to files in `folder`."""
    running = []
    try:
        for command in commands:
            with (folder / f"{command}.log").open("wb") as log:
                running.append(
                    subprocess.Popen(
                        [sys.executable, str(ROOT / "manage.py"), command],
                        cwd=ROOT,
                        stdin=subprocess.DEVNULL,
                        stdout=log,
                        stderr=log,
                        start_new_session=True,
                    )
                )
        yield
    finally:
        for process in running:
            process.terminate()
        for process in running:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def percentile(values: list[float], percent: float) -> float:
    """The value that `percent` of `values` do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def each_database(script: str) -> int:
    """Run `script` once with 'postgres' and once with 'sqlite' as its argument, each in a process of its own."""
    codes = [subprocess.run([sys.executable, script, name], check=False).returncode for name in ("postgres", "sqlite")]
    return max(codes)
