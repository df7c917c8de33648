"""A site that somebody makes by the README's lines, in a folder of its own, with the package installed from its wheel."""

import contextlib
import os
import shutil
import signal
import site
import subprocess
import sys
from pathlib import Path

import pytest

from tests.dropin.readme import README, instructions
from tests.project.site import free_port, until

ROOT = README.parent
PASSWORD = "correct horse"


@pytest.fixture(scope="session")
def broker(tmp_path_factory):
    """The URL of a Redis that is this run's own."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("there is no redis-server on PATH · 'make services' brings it")
    port = free_port()
    folder = tmp_path_factory.mktemp("redis")
    log = (folder / "log").open("w")
    process = subprocess.Popen(
        [program, "--port", str(port), "--save", "", "--dir", str(folder)], stdout=log, stderr=log
    )
    yield f"redis://127.0.0.1:{port}/0"
    process.terminate()
    process.wait(timeout=10)
    log.close()


@pytest.fixture(scope="session")
def wheel(tmp_path_factory) -> Path:
    """The package as `pip install` of the repository builds it."""
    source = tmp_path_factory.mktemp("source")
    shutil.copytree(ROOT / "jobs", source / "jobs", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, source)
    # Without a build environment of its own, which would have to be fetched.
    pip = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "-q",
        "--no-deps",
        "--no-build-isolation",
        "--disable-pip-version-check",
    ]
    subprocess.run([*pip, "-w", source / "built", source], check=True, capture_output=True, text=True, timeout=60)
    return next((source / "built").glob("*.whl"))


class DropIn:
    """The site: a folder with a Python of its own, in which the README's lines are done one after the other.

    Where they name port 8000 and the Redis of the machine, a free port and a Redis of the test's own take their place, so that
    nothing else on the machine is met.
    """

    def __init__(self, folder: Path, wheel: Path, broker: str):
        self.folder = folder
        self.wheel = wheel
        self.port = free_port()
        self.background: list[subprocess.Popen] = []
        self.environment = {name: os.environ[name] for name in ("HOME", "LANG", "TMPDIR") if name in os.environ} | {
            "PATH": f"{folder / 'venv' / 'bin'}:{os.environ['PATH']}",
            "CELERY_BROKER_URL": broker,  # Celery takes it before the setting
            "DJANGO_SUPERUSER_PASSWORD": PASSWORD,
            "PYTHONUNBUFFERED": "1",
        }
        self.make_python()

    def make_python(self) -> None:
        """A Python that has the libraries of this one, and no Jobdeck."""
        python = self.folder / "venv" / "bin" / "python"
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", self.folder / "venv"], check=True, timeout=60)
        packages = next((self.folder / "venv" / "lib").glob("python*")) / "site-packages"
        (packages / "libraries.pth").write_text("\n".join(site.getsitepackages()))
        django_admin = self.folder / "venv" / "bin" / "django-admin"
        django_admin.write_text(
            f"#!{python}\nfrom django.core.management import execute_from_command_line as run\nrun()\n"
        )
        django_admin.chmod(0o755)

    def follow_the_readme(self) -> None:
        """Do what it says, to the last line."""
        told = instructions()
        here = self.folder
        for line in told.before:
            if line.startswith("cd "):
                here = here / line.removeprefix("cd ")
            else:
                self.run(line, here)
        for name, text in told.files.items():
            with (here / name).open("a") as file:
                file.write(text)
        for line in told.after:
            self.run(line, here)

    def run(self, line: str, here: Path) -> None:
        """Do one command line as somebody would who types it."""
        words = line.split()
        if words[:2] == ["pip", "install"]:
            install = [sys.executable, "-m", "pip", "--python", str(self.folder / "venv" / "bin" / "python"), "install"]
            words = [*install, "-q", "--no-deps", "--no-index", "--disable-pip-version-check", str(self.wheel)]
        elif "createsuperuser" in words:
            words += ["--noinput", "--username", "ann", "--email", "ann@example.org"]
        elif "runserver" in words:
            words = [*words, "--noreload", str(self.port), "&"]
        if words[-1] != "&":
            done = subprocess.run(
                words, cwd=here, env=self.environment, capture_output=True, text=True, timeout=60, check=False
            )
            assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
            return
        log = (self.folder / f"{words[2]}.log").open("w")
        self.background.append(
            subprocess.Popen(words[:-1], cwd=here, env=self.environment, stdout=log, stderr=log, start_new_session=True)
        )
        log.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def logs(self) -> str:
        """What its processes have written."""
        return "\n".join(f"--- {path.name}\n{path.read_text()}" for path in sorted(self.folder.glob("*.log")))

    def end(self) -> None:
        """End its processes."""
        for process in self.background:
            process.send_signal(signal.SIGTERM)
        for process in self.background:
            try:
                process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(timeout=5)
            # What it started goes with it.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


@pytest.fixture(scope="session")
def dropin(tmp_path_factory, wheel, broker):
    """The site, and its processes running."""
    made = DropIn(tmp_path_factory.mktemp("dropin"), wheel, broker)
    try:
        made.follow_the_readme()
        until(
            lambda: (
                "Starting development server" in made.logs or any(each.poll() is not None for each in made.background)
            )
        )
        yield made
    finally:
        made.end()
