"""The worker as one file, `jobdeck-worker.pyz`, made of the files of `jobs.farm.worker`, and where the site serves it.

Python imports from it where it is on `sys.path`: the package is called `jobdeck_worker` in it.
"""

import functools

from django.contrib.auth.decorators import login_not_required
from django.views.decorators.http import require_safe

from jobs import zipapps

NAME = "jobdeck-worker.pyz"
PACKAGE = "jobdeck_worker"


@functools.cache
def worker_archive() -> bytes:
    """The archive, as it is served; the same bytes from the same files."""
    return zipapps.archive(NAME, f"{PACKAGE}.__main__", dict(zipapps.modules_of("jobs.farm.worker", PACKAGE)))


@functools.cache
def worker_etag() -> str:
    """The archive's hash as an ETag."""
    return zipapps.etag(worker_archive())


@require_safe
@login_not_required
def worker_pyz(request):
    """The archive for whoever wants it: it holds no secret."""
    return zipapps.served(request, NAME, worker_archive(), worker_etag())
