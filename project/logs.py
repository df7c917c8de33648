"""What the site's log leaves out."""

import logging


class NotHealthz(logging.Filter):
    """Leaves out that /healthz answered 503: whoever asked was told, and asks again every few seconds."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not record.getMessage().endswith(": /healthz")
