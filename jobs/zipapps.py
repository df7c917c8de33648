"""Programs in Python as one file (PEP 441), which a site serves: made of its own modules, the same bytes from the same files."""

import hashlib
import io
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from importlib import resources

from django.http import HttpResponse
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag

_SHEBANG = b"#!/usr/bin/env python3\n"
_MAIN = """import sys

if sys.version_info < (3, 11):
    sys.exit("{name} needs Python 3.11 or newer; this is " + sys.version.split()[0])

from {module} import main

sys.exit(main())
"""
_MOMENT = (1980, 1, 1, 0, 0, 0)
"""The first that a ZIP archive can say: the same files are the same archive, whenever and wherever it is made."""


def archive(name: str, module: str, files: Mapping[str, bytes]) -> bytes:
    """A program as one file.

    Args:
        name: of the file, as people know it.
        module: that has its `main`.
        files: by their paths in it.
    """
    content = io.BytesIO()
    content.write(_SHEBANG)
    with zipfile.ZipFile(content, "w") as file:
        _add(file, "__main__.py", _MAIN.format(name=name, module=module).encode())
        for path in sorted(files):
            _add(file, path, files[path])
    return content.getvalue()


def _add(file: zipfile.ZipFile, path: str, data: bytes) -> None:
    entry = zipfile.ZipInfo(path, _MOMENT)
    # As it is: what it is compressed to depends on the library that does it.
    entry.compress_type = zipfile.ZIP_STORED
    entry.create_system = 3  # Unix, wherever it is made
    entry.external_attr = 0o100644 << 16
    file.writestr(entry, data)


def modules_of(package: str, into: str, leave_out: Iterable[str] = ()) -> Iterator[tuple[str, bytes]]:
    """The modules of a package, without those of packages in it, as files of a folder."""
    for file in resources.files(package).iterdir():
        if file.name.endswith(".py") and file.name not in leave_out:
            yield f"{into}/{file.name}", file.read_bytes()


def etag(content: bytes) -> str:
    """The hash of a file as an ETag."""
    return quote_etag(hashlib.sha256(content).hexdigest())


def served(request, name: str, content: bytes, tag: str) -> HttpResponse:
    """The file for whoever wants it: it holds no secret."""
    answer = HttpResponse(content, content_type="application/zip")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    answer["X-Content-Type-Options"] = "nosniff"
    answer["ETag"] = tag
    answer["Cache-Control"] = "public, no-cache"
    return get_conditional_response(request, etag=tag, response=answer)
