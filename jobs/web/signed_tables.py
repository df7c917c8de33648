"""A table's options on their way through a browser and back: signed, for one person, for as long as a login lasts."""

import zlib

from django.conf import settings
from django.core import signing

from jobs.web.tables import JobsTable

SALT = "jobs.web.tables.JobsTable"


class TableRefused(Exception):
    """What came back is not what this site gave out to this person.

    Attributes:
        status: of the answer.
    """

    def __init__(self, status: int, message: str):
        super().__init__(message)
        self.status = status


def sign(table: JobsTable, user, told: dict) -> str:
    """The table as text that only this site can have made.

    Args:
        table: what it shows and may do.
        user: the only one who may use it.
        told: what else belongs to it, in plain JSON: its key in the page, and which of its pages it is.
    """
    return signing.dumps({**told, "user": str(user.pk), "table": table.as_json()}, salt=SALT, compress=True)


def unsign(text: str, user) -> tuple[JobsTable, dict]:
    """The table, and what else was signed with it.

    Raises:
        TableRefused: 400 where it was altered or is no table at all, 403 where it was made for another person or has
            expired.
    """
    try:
        told = signing.loads(text, salt=SALT, max_age=settings.SESSION_COOKIE_AGE)
    except signing.SignatureExpired as error:
        raise TableRefused(403, "This table is too old. Reload the page.") from error
    except (signing.BadSignature, ValueError, zlib.error) as error:
        raise TableRefused(
            400, "These are not the options of a table that this site has made. Reload the page."
        ) from error
    if told["user"] != str(user.pk):
        raise TableRefused(403, "This table was made for somebody else. Reload the page.")
    try:
        return JobsTable.from_json(told["table"]), told
    except (KeyError, TypeError, ValueError, ImportError, AttributeError) as error:
        # Signed by a release whose tables were written down in another way.
        raise TableRefused(403, "The site was renewed since this page was made. Reload the page.") from error
