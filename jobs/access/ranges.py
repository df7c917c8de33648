"""Files on their way out, whole or a range of their bytes (RFC 9110, 'Range Requests')."""

import re
from collections.abc import Iterator
from typing import BinaryIO

from django.http import HttpResponse, StreamingHttpResponse
from django.utils.http import content_disposition_header

CHUNK = 1 << 18
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


def send(request, file: BinaryIO, name: str, content_type: str) -> HttpResponse:
    """An open file as an answer, as an attachment that no browser takes for a part of this site.

    What was there when it was opened is sent; a log that grows meanwhile keeps to its announced length.

    Args:
        file: closed when it is sent.
        name: for people.
        content_type: of the whole.
    """
    size = file.seek(0, 2)
    asked = request.headers.get("Range", "")
    first, last = 0, size - 1
    found = _RANGE.fullmatch(asked.strip())
    partial = found is not None and (found[1] or found[2])
    if partial:
        if found[1]:
            first, last = int(found[1]), min(int(found[2]) if found[2] else size - 1, size - 1)
        else:
            first = max(0, size - int(found[2]))
        if first >= size or first > last:
            file.close()
            return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}", "Accept-Ranges": "bytes"})
    length = last - first + 1
    answer = StreamingHttpResponse(
        _pieces(file, first, length), status=206 if partial else 200, content_type=content_type
    )
    if partial:
        answer["Content-Range"] = f"bytes {first}-{last}/{size}"
    answer["Content-Length"] = str(length)
    answer["Accept-Ranges"] = "bytes"
    answer["Content-Disposition"] = content_disposition_header(
        True, "".join(c if c.isprintable() else "_" for c in name)
    )
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return answer


def _pieces(file: BinaryIO, first: int, length: int) -> Iterator[bytes]:
    with file:
        file.seek(first)
        while length > 0 and (data := file.read(min(CHUNK, length))):
            length -= len(data)
            yield data
