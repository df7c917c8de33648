"""`manage.py demo`: the main job from start to result, on a site of its own in a temporary folder."""

import os
import socket
import subprocess
import sys
import tempfile
import threading

from django.conf import settings
from django.core.management.base import BaseCommand

from project.server.environment import Place

PATIENCE = 90.0
"""Seconds within which the site must be ready."""

THE_CALLERS_OWN = (
    *("DATABASE_URL", "CELERY_BROKER_URL", "AMQP_URL", "JOBDECK_URL", "ALLOWED_HOSTS", "SECRET_KEY", "HOST"),
    *("STATIC_ROOT", "DJANGO_SETTINGS_MODULE", "JOBDECK_FAULTS", "JOBDECK_SHARED_FOLDERS"),
)


class Site:
    """`manage.py run` as a process of its own, its lines kept for the case that something goes wrong."""

    def __init__(self, environment: dict[str, str]):
        self.lines: list[str] = []
        self.up = threading.Event()
        self.ready = ""
        self.process = subprocess.Popen(
            [sys.executable, str(settings.BASE_DIR / "manage.py"), "run", "--without-examples"],
            env=environment,
            cwd=settings.BASE_DIR,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        for line in self.process.stdout:
            self.lines.append(line)
            if line.startswith("ready: "):
                self.ready = line.rstrip()
                self.up.set()
        self.up.set()  # it ended: nobody need wait any longer

    def wait_until_ready(self) -> str:
        """Its line that says `ready`; empty if that did not come in time."""
        self.up.wait(PATIENCE)
        return self.ready

    def end(self) -> None:
        """End it as Ctrl-C would."""
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.reader.join(5)


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Command(BaseCommand):
    help = "Run the example analysis on a site of its own in a temporary folder, and check every figure of it."
    requires_system_checks = ()

    def handle(self, *args, **options):
        environment = {name: value for name, value in os.environ.items() if name not in THE_CALLERS_OWN}
        with tempfile.TemporaryDirectory(prefix="jobdeck-demo-") as folder:
            environment |= {"DATA_DIR": folder, "PORT": str(free_port()), "ENV_FILE": os.devnull}
            self.stdout.write(f"starting a site in {folder}")
            site = Site(environment)
            try:
                failed = self._run_job(site, environment)
            finally:
                site.end()
            if failed:
                self.stderr.write("\nthe site's own lines were:\n" + "".join(site.lines[-60:]))
        sys.exit(1 if failed else 0)

    def _run_job(self, site: Site, environment: dict[str, str]) -> bool:
        if not site.wait_until_ready():
            self.stderr.write(f"the site was not ready within {PATIENCE:g} s")
            return True
        self.stdout.write(site.ready)
        complete = Place.from_environment(environment).environment(environment)
        done = subprocess.run([sys.executable, "-m", "project.demo"], env=complete, cwd=settings.BASE_DIR, check=False)
        return done.returncode != 0
