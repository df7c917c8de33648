"""What a command writes, kept within bounds: its beginning and its end, and how long it really was."""

MOST = 150_000
"""Bytes of one stream that are kept at most: two have to go into one report of 2 MB, where JSON may make six of each."""


class Kept:
    """The beginning and the end of a stream.

    Args:
        limit: bytes that are kept of it.
    """

    def __init__(self, limit: int):
        self._limit = max(2, min(limit, MOST))
        self._head_size = self._limit // 2
        self._tail_size = self._limit - self._head_size
        self._head = bytearray()
        self._tail = bytearray()
        self.size = 0
        """Bytes that there were."""

    def add(self, data: bytes) -> None:
        """Take what comes next."""
        self.size += len(data)
        if (room := self._head_size - len(self._head)) > 0:
            self._head += data[:room]
            data = data[room:]
        if len(data) >= self._tail_size:
            self._tail[:] = data[-self._tail_size :]
        elif data:
            self._tail += data
            # Not with each piece: moving what stays costs as much as it is long.
            if len(self._tail) > 2 * self._tail_size:
                del self._tail[: -self._tail_size]

    def text(self) -> str:
        """As it is reported: UTF-8, with a line in the middle where something was left out."""
        if self.size <= self._limit:
            text = _decoded(bytes(self._head + self._tail))
            # What is no UTF-8 becomes longer.
            return _within(text, self._limit)
        half = self._tail_size
        head = _within(_decoded(_without_broken_end(bytes(self._head))), self._head_size)
        tail = _within(_decoded(_without_broken_start(bytes(self._tail[-half:]))), half, from_end=True)
        left_out = self.size - self._head_size - half
        return f"{head}{_line_break(head)}[… {left_out} bytes left out …]\n{tail}"


def _line_break(text: str) -> str:
    return "" if not text or text.endswith("\n") else "\n"


def _decoded(data: bytes) -> str:
    # PostgreSQL keeps no NUL in texts.
    return data.decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")


def _within(text: str, limit: int, from_end: bool = False) -> str:
    data = text.encode()
    if len(data) <= limit:
        return text
    return (data[-limit:] if from_end else data[:limit]).decode("utf-8", "ignore")


def _without_broken_end(data: bytes) -> bytes:
    """Without the first bytes of a character whose others were cut off."""
    for back in range(1, min(4, len(data)) + 1):
        byte = data[-back]
        if byte & 0xC0 == 0x80:
            continue
        length = 4 if byte >= 0xF0 else 3 if byte >= 0xE0 else 2 if byte >= 0xC0 else 1
        return data[:-back] if length > back else data
    return data


def _without_broken_start(data: bytes) -> bytes:
    start = 0
    while start < min(3, len(data)) and data[start] & 0xC0 == 0x80:
        start += 1
    return data[start:]
