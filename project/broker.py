"""The embedded broker: kombu's filesystem transport, made safe against reading what is only half written.

kombu creates a message's file under its final name and then writes it. A reader that comes between finds an empty file,
fails to decode it, and the whole worker ends (`JSONDecodeError` in `drain_events`); so does a publisher that reads the
table of queues at such a moment. A process killed between the two leaves such a file behind for certain.
"""

import uuid
from pathlib import Path
from time import monotonic

from kombu.exceptions import ChannelError
from kombu.transport import filesystem
from kombu.utils.json import dumps

LONGEST_WAIT = 0.4
"""Seconds that one turn of waiting for a message takes at most."""


class Channel(filesystem.Channel):
    """As kombu's, but files appear whole, under their final name, or not at all."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.control_folder.mkdir(parents=True, exist_ok=True)

    def _put(self, queue, payload, **kwargs):
        """Put a message onto a queue."""
        name = f"{round(monotonic() * 1000)}_{uuid.uuid4()}.{queue}.msg"
        self._appear(Path(self.data_folder_out) / name, dumps(payload))

    def _queue_bind(self, exchange, routing_key, pattern, queue):
        """Add a queue to an exchange's table, which is almost always there already."""
        binding = filesystem.exchange_queue_t(routing_key or "", pattern or "", queue or "")
        with (self.control_folder / "bind.lock").open("w") as one_at_a_time:
            filesystem.lock(one_at_a_time, filesystem.LOCK_EX)
            table = self.get_table(exchange)
            if binding not in table:
                self._appear(self._exchange_file(exchange), dumps([binding, *table]))

    def _appear(self, path: Path, content: str) -> None:
        # `.new` is no name that the transport looks for.
        draft = path.with_name(f"{path.name}.{uuid.uuid4().hex}.new")
        try:
            draft.write_text(content, encoding="utf-8")
            draft.replace(path)
        except OSError as error:
            raise ChannelError(f"cannot write {path}: {error}") from error


class Transport(filesystem.Transport):
    """As kombu's, over the channel above."""

    Channel = Channel

    def drain_events(self, connection, timeout=None):
        """Wait for a message. A worker asks in turns of two seconds; shorter ones let it hear sooner that it is to end."""
        return super().drain_events(connection, timeout=timeout and min(timeout, LONGEST_WAIT))
