"""`manage.py run`: the whole site as one foreground command; see project/server/."""

import os
import signal
import sys
from typing import NoReturn

from django.conf import settings
from django.core.management.base import BaseCommand

from jobs.types import plugins
from project.server.child import Console, how_it_ended, run_to_end
from project.server.environment import BadEnvironment, Place, ensure_secret_key
from project.server.lock import FolderLock, FolderTaken, Holder
from project.server.readiness import Readiness
from project.server.supervisor import ENDING, Guard, Supervisor

MANAGE = [sys.executable, str(settings.BASE_DIR / "manage.py")]

THREADS = min(8, 2 * (os.cpu_count() or 1) + 1)
"""Of the web server, in one process: pages wait for the database more than they compute."""


class Interrupted(BaseException):
    """Told to end before the site was up; no error, and nothing that might catch errors may catch it."""


def interrupt(signum, frame):
    raise Interrupted


class Command(BaseCommand):
    help = "Run web, workers and monitor on this machine until Ctrl-C (HOST, PORT, DATA_DIR from the environment)."
    requires_system_checks = ()  # migrations may not have been run yet; the children check

    def add_arguments(self, parser):
        parser.add_argument("--without-examples", action="store_true", help="Make no example jobs at the first start.")

    def handle(self, *args, without_examples: bool, **options):
        self.console = Console()
        try:
            place = Place.from_environment(os.environ)
            lock = self._have_to_ourselves(place)
        except BadEnvironment as error:
            self._refuse(str(error))
        for signum in ENDING:
            if signal.getsignal(signum) is not signal.SIG_IGN:
                signal.signal(signum, interrupt)
        try:
            environment = place.environment(os.environ)
            ensure_secret_key(place.data_dir)
            self._prepare(environment, without_examples)
            self._supervise(place, environment, lock)
        except Interrupted:
            self.console.plain("ended before the site was up")
        finally:
            lock.release()

    def _have_to_ourselves(self, place: Place) -> FolderLock:
        """The data folder's lock, with the port seen to be free; nothing is touched where one of the two is taken."""
        lock = FolderLock(place.data_dir)
        holder = lock.holder()
        if holder is not None:
            self._refuse(self._taken(place, holder))
        place.check_free()
        try:
            place.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock.take(place.url)
        except FolderTaken as error:
            self._refuse(self._taken(place, error.holder))
        except OSError as error:
            raise BadEnvironment(
                f"DATA_DIR={place.data_dir} cannot be used: {error.strerror.lower()}. Name a folder that you may write "
                "to, for example DATA_DIR=$HOME/jobdeck make run"
            ) from error
        return lock

    def _refuse(self, reason: str) -> NoReturn:
        self.stderr.write(reason)
        sys.exit(1)

    def _taken(self, place: Place, holder: Holder) -> str:
        if not holder.alive:
            return (
                f"The processes of a run on {place.data_dir} that was killed (process {holder.pid}) are just being "
                "ended. Try again in ten seconds."
            )
        return (
            f"Jobdeck already runs on the data folder {place.data_dir}: process {holder.pid}, {holder.url}/ - open "
            f"that, end it with 'kill {holder.pid}', or name another folder: DATA_DIR=... PORT=... make run"
        )

    def _prepare(self, environment: dict[str, str], without_examples: bool) -> None:
        """Bring the database up to date, and make what a first start makes."""
        # Processes of their own: the settings of this one were read before the data folder had its key.
        seed = ["seed", "--without-examples"] if without_examples else ["seed"]
        for name, arguments in (("database", ["migrate", "--noinput", "--verbosity=0"]), ("seed", seed)):
            code = run_to_end(name, [*MANAGE, *arguments], environment, self.console)
            if code:
                self._refuse(
                    f"'manage.py {arguments[0]}' failed ({how_it_ended(code)}); its last line above says why. Nothing "
                    "was started."
                )

    def _supervise(self, place: Place, environment: dict[str, str], lock: FolderLock) -> None:
        commands = [
            ("web", self._web(place)),
            ("worker", [*MANAGE, "worker"]),
            ("monitor", [*MANAGE, "monitor"]),
            *((process.name, [*MANAGE, *process.argv]) for plugin in plugins() for process in plugin.processes),
        ]
        readiness = Readiness(
            place.ip if place.ip not in ("0.0.0.0", "::") else place.reachable_host.strip("[]"),  # noqa: S104
            place.port,
            ready=lambda: self.console.plain(f"ready: {place.url}/"),
            waiting=lambda missing: self.console.plain(f"not ready yet: {missing}; logs in {place.data_dir}/logs"),
        )
        self.console.plain(f"starting {', '.join(name for name, _ in commands)}; data in {place.data_dir}")
        Supervisor(
            commands, environment, place.data_dir / "logs", self.console, Guard(lock.descriptor), readiness
        ).run()

    def _web(self, place: Place) -> list[str]:
        return [
            *(sys.executable, "-m", "granian", "project.wsgi:application", "--interface", "wsgi"),
            *("--host", place.ip, "--port", str(place.port)),
            *("--workers", "1", "--blocking-threads", str(THREADS), "--no-ws"),
            *("--workers-kill-timeout", "5", "--log-level", "warning"),
        ]
