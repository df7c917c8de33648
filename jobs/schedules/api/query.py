"""What a list is asked for: the parameters of its URL, each refused by its name where it means nothing."""

from collections.abc import Collection
from datetime import datetime

from rest_framework import exceptions, serializers

from jobs.paging import PAGE_SIZE, number
from jobs.schedules.api.inputs import Moment

MOST = 200
"""Rows on one page."""
_PAGES = ("before", "after", "page_size")


class Query:
    """The parameters of a request.

    Args:
        request: whose URL is read.
        known: names of its filters, beside `before`, `after` and `page_size`.
        size: rows on a page, unless it is said.
    """

    def __init__(self, request, *known: str, size: int = PAGE_SIZE):
        self.request = request
        self._wrong: dict[str, str] = {}
        names = (*known, *_PAGES)
        if strange := sorted(set(request.GET) - set(names)):
            self._wrong |= {name: f"is no parameter; known are {', '.join(names)}" for name in strange}
        self.size = number(request.GET.get("page_size", f"{size}")) or 0
        if not 1 <= self.size <= MOST:
            self._wrong["page_size"] = f"must be a number from 1 to {MOST}"

    def text(self, name: str, longest: int = 200) -> str:
        """A text; empty where none was given."""
        text = self.request.GET.get(name, "")
        if "\0" in text or len(text) > longest:
            self._wrong[name] = f"must be a text of at most {longest} characters, without NUL"
        return text

    def flag(self, name: str) -> bool | None:
        """True or false; None where it was not given."""
        text = self.request.GET.get(name)
        if text not in (None, "true", "false"):
            self._wrong[name] = "must be true or false"
        return None if text is None else text == "true"

    def words(self, name: str, known: Collection[str]) -> list[str]:
        """Words with commas between, all of them of those that are known."""
        words = [word for text in self.request.GET.getlist(name) for word in text.split(",") if word]
        if any(word not in known for word in words):
            self._wrong[name] = f"must be of {', '.join(known)}, with commas between"
        return words

    def moment(self, name: str) -> datetime | None:
        """A moment; None where it was not given."""
        text = self.request.GET.get(name)
        try:
            return None if text is None else Moment().to_internal_value(text)
        except serializers.ValidationError as error:
            self._wrong[name] = str(error.detail[0])
            return None

    def place(self, name: str, read):
        """Where a page begins, as `read` makes it of the text; None where it was not given."""
        text = self.request.GET.get(name)
        found = None if text is None else read(text)
        if text is not None and found is None:
            self._wrong[name] = "begins no page; use the links 'next' and 'previous'"
        return found

    def check(self) -> None:
        """Refuse what is wrong.

        Raises:
            ValidationError: names each parameter that is.
        """
        if self._wrong:
            raise exceptions.ValidationError({name: [text] for name, text in self._wrong.items()})
