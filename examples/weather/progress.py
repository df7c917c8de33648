"""Tells Jobdeck how far a job is, from inside the job, with nothing but the standard library."""

import http.client
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

TIMEOUT = 2  # seconds


class Progress:
    """Reports a step on stdout, and to Jobdeck's callback where the environment names one.

    A report that does not arrive is a warning on stderr and nothing more: the work is worth more than its progress
    bar. A server that hangs costs `TIMEOUT` seconds a report.

    Args:
        environment: where JOBDECK_CALLBACK_URL and JOBDECK_CALLBACK_TOKEN_FILE are looked up; without them nothing is
            sent and nothing is said about it.
    """

    def __init__(self, environment: Mapping[str, str]):
        self.url = environment.get("JOBDECK_CALLBACK_URL", "")
        token_file = environment.get("JOBDECK_CALLBACK_TOKEN_FILE", "")
        self.token = ""
        if self.url and token_file:
            try:
                self.token = Path(token_file).read_text(encoding="ascii").strip()
            except (OSError, UnicodeDecodeError) as error:
                warn(f"the token file {token_file} cannot be read ({type(error).__name__})")

    def report(self, percent: int, message: str) -> None:
        """Say that `percent` (0 to 100) of the work is done and what happens now."""
        print(f"{percent:3d} %  {message}", flush=True)
        if not (self.url and self.token):
            return
        try:
            status = post(self.url, self.token, {"progress": percent, "message": message})
        except (OSError, http.client.HTTPException) as error:
            warn(str(error) or type(error).__name__)
        except ValueError:  # its text is kept back: that of an unusable header would show the token
            warn("the callback's address or token is not usable")
        else:
            if not 200 <= status < 300:
                warn(f"the server answered HTTP {status}")


def post(url: str, token: str, report: dict) -> int:
    """POST a report and return the HTTP status of the answer.

    Not by urllib: no proxy belongs between a job and its own Jobdeck, and no redirect may carry the token elsewhere.
    """
    address = urlsplit(url)
    if address.scheme not in ("http", "https") or not address.hostname:
        raise ValueError(url)
    kind = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
    connection = kind(address.hostname, address.port, timeout=TIMEOUT)
    try:
        target = address._replace(scheme="", netloc="", fragment="").geturl() or "/"
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        connection.request("POST", target, body=json.dumps(report), headers=headers)
        return connection.getresponse().status
    finally:
        connection.close()


def warn(reason: str) -> None:
    print(f"warning: progress not reported: {reason}; the work goes on", file=sys.stderr, flush=True)
