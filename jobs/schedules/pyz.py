"""The agent as one file, `jobdeck-agent.pyz`, and where the site serves it.

Its packages keep their names, so that what site and agent share is imported alike; cronsim goes with it.
"""

import functools
from importlib import metadata, resources

from django.contrib.auth.decorators import login_not_required
from django.views.decorators.http import require_safe

from jobs import zipapps

NAME = "jobdeck-agent.pyz"
_ALONE = ("jobs/__init__.py", "jobs/faultpoints.py", "jobs/schedules/__init__.py")
_PACKAGES = {"jobs.processes": "jobs/processes", "jobs.schedules.agent": "jobs/schedules/agent", "cronsim": "cronsim"}


@functools.cache
def agent_archive() -> bytes:
    """The archive, as it is served; the same bytes from the same files."""
    files = {}
    for path in _ALONE:
        package, _, file = path.rpartition("/")
        files[path] = (resources.files(package.replace("/", ".")) / file).read_bytes()
    for package, into in _PACKAGES.items():
        files |= zipapps.modules_of(package, into)
    for file in metadata.files("cronsim") or ():
        # Its licence asks for it.
        if file.name.upper().startswith("LICENSE"):
            files[f"cronsim/{file.name}"] = file.read_binary()
    return zipapps.archive(NAME, "jobs.schedules.agent.__main__", files)


@functools.cache
def agent_etag() -> str:
    """The archive's hash as an ETag."""
    return zipapps.etag(agent_archive())


@require_safe
@login_not_required
def agent_pyz(request):
    """The archive for whoever wants it: it holds no secret."""
    return zipapps.served(request, NAME, agent_archive(), agent_etag())
