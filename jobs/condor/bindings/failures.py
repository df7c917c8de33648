"""What HTCondor says when something fails, in words for people, and whether it is a no or only bad luck. Pure text.

Imports no Django: the child process reads it.
"""

import base64
import errno
import json
import re
import time

# condor_qmgr.h (NEWJOB_ERR_*): why a schedd gives no number to one more process. The bindings show only the code.
QUEUE_LIMITS = {
    "-2": ("the queue is full (MAX_JOBS_SUBMITTED of the schedd)", False),
    "-3": ("this user has as many jobs in the queue as the schedd allows (MAX_JOBS_PER_OWNER)", False),
    "-4": ("these are more processes than the schedd allows in one submission (MAX_JOBS_PER_SUBMISSION)", True),
    "-5": ("the schedd has disabled this user", True),
    "-6": ("the schedd does not know this user", True),
}
"""By code: what it means, and whether it is a no for good."""

PASSING_ERRNOS = {
    errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EAGAIN, errno.EINTR, errno.ENOMEM, errno.EMFILE, errno.ENFILE,
    errno.ETIMEDOUT, errno.ECONNRESET, errno.EPIPE, errno.ESTALE,
}  # fmt: skip

NOT_ARRIVED = "its input files did not arrive"
"""Why Jobdeck itself removed a job that never started."""

CODE = re.compile(r"[A-Za-z]+:-?\d+:")  # what HTCondor puts before words of its own, as in SECMAN:2007:
TIMESTAMP = re.compile(r"^\d\d/\d\d/\d\d \d\d:\d\d:\d\d ")
QUEUE_LIMIT = re.compile(r"expected next ProcId to be \d+, but Schedd says (-\d+)")
FILE_ERROR = re.compile(r"(?:reading from|writing to) file .*?\(errno (\d+)\)")
REFUSAL = re.compile(r"\bSubmit:-?\d+:|\bSCHEDD:\d+:|\"DENIED\" from server|PERMISSION DENIED", re.IGNORECASE)
LOGIN = re.compile(r"AUTHENTICATE:|required authentication")
NOISE = ("statistics file", "transfer queue", "could not look up", "Collector information", "Action failed")


class Refused(Exception):
    """No for good: the same request will not succeed."""


class Unavailable(Exception):
    """It did not work now, or nobody knows whether it did."""


class Token:
    """What can be read in an IDTOKEN without its key: of a bad one HTCondor says only that it did not work.

    Args:
        text: the token; a JSON Web Token (RFC 7519).
    """

    def __init__(self, text: str):
        try:
            payload = text.split(".")[1]
            claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        except (ValueError, IndexError):
            claims = {}
        self.claims = claims if isinstance(claims, dict) else {}

    @property
    def issuer(self) -> str:
        """The trust domain that it is for."""
        return str(self.claims.get("iss", ""))

    def flaw(self, trust_domain: str) -> str:
        """Why it cannot be accepted, where that is plain to see; else empty."""
        if not self.claims:
            return "there is no token, or not one that condor_token_create made"
        expires = self.claims.get("exp")
        if isinstance(expires, int | float) and expires < time.time():
            return time.strftime("the token expired on %Y-%m-%d at %H:%M:%S UTC", time.gmtime(expires))
        if trust_domain and self.issuer != trust_domain:
            return f"the token is for the trust domain {self.issuer!r}, and not for {trust_domain!r}"
        return ""


def words(message: str, log: str) -> str:
    """HTCondor's own words about a failure, on one line.

    Args:
        message: the exception's; some have none but 'Failed to start command.'
        log: what HTCondor logged meanwhile, at the level D_ERROR.
    """
    text = message.replace("errmsg=", "").rstrip(" ,\n")
    if not CODE.search(text):
        lines = [TIMESTAMP.sub("", line) for line in log.splitlines() if not any(noise in line for noise in NOISE)]
        lines = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")] or lines
        text = f"{text.rstrip('.')}: {lines[-1]}" if lines else text
    return " ".join(text.split())


def failure(text: str, login_flaw: str = "") -> Refused | Unavailable:
    """The failure that HTCondor's words tell of. Whatever is not plainly a no may work the next time.

    Args:
        text: see `words`.
        login_flaw: see `Token.flaw`.
    """
    limit = QUEUE_LIMIT.search(text)
    if limit and limit[1] in QUEUE_LIMITS:
        meaning, is_refusal = QUEUE_LIMITS[limit[1]]
        return (Refused if is_refusal else Unavailable)(meaning)
    if LOGIN.search(text):
        return Unavailable(f"the login was not accepted{login_flaw and f' ({login_flaw})'}: {text}")
    file_error = FILE_ERROR.search(text)
    if REFUSAL.search(text) or (file_error and int(file_error[1]) not in PASSING_ERRNOS):
        return Refused(text)
    return Unavailable(text)
