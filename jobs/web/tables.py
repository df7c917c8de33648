"""`JobsTable`: a table of jobs in any page of any app, and what it keeps to when it refreshes itself."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.utils.module_loading import import_string

from jobs.models import Job
from jobs.paging import PAGE_SIZE, Page, page_of
from jobs.web.columns import Cell, Column, cell, columns_of
from jobs.web.dotted import path_of
from jobs.web.instances import all_models, join, models_with, own_instance
from jobs.web.rows import Row, acts_on, row_of, table_jobs
from jobs.web.sources import MOST_LISTED, chosen, ids_in_order, source_of
from jobs.web.table_actions import (
    LOGS,
    MONITOR,
    RESULTS,
    CustomJobAction,
    Offer,
    actions_of,
    checked_url,
    in_sections,
    offers,
)

__all__ = ["CustomJobAction", "JobsTable"]

REFRESH_INTERVAL = 5000
LEAST_INTERVAL = 1000
LARGEST_PAGE = 200


@dataclass(frozen=True)
class TableRow(Row):
    """A row of an app's table: the cells that it asks for and the actions that it offers."""

    cells: Sequence[Cell] = ()
    offers: Sequence[Offer | None] = ()

    @property
    def prominent_offers(self) -> list[Offer]:
        return [offer for offer in self.offers if offer is not None and offer.prominent]

    @property
    def menu(self) -> list[Offer | None]:
        """The others, with a None between two sections."""
        return in_sections(offer for offer in self.offers if offer is None or not offer.prominent)

    @property
    def shown(self) -> tuple:
        # A run time that goes on is told by its beginning; the browser counts.
        values = [cell.value for cell in self.cells if cell.kind != "run_time"]
        return (*super().shown, values, tuple(self.offers))


@dataclass(frozen=True)
class Rows:
    """What a table shows at one moment."""

    rows: Sequence[TableRow]
    page: Page

    @property
    def more(self) -> bool:
        """Whether there are jobs behind those that are shown."""
        return self.page.older is not None


class JobsTable:
    """A table of jobs that keeps itself fresh, with the options of Tethys's JobsTable.

    A view makes one and hands it to a template, which shows it with `{% load jobs %}{% jobs_table table %}`. Only jobs
    that the person at the page may see are ever in it.

    Args:
        jobs: `JobManager.list_jobs(...)` (new jobs come in by themselves), a function `jobs(user)` at the top level of a module
            that returns a queryset (likewise), or any other queryset or list (these jobs, as long as they are there).
        column_fields: attributes of the jobs, `run_time`, `extended_properties.a.b`, or pairs `('Heading', attribute)`.
        show_status: whether there is a column with status, progress and message.
        show_actions: whether there is a column with actions.
        actions: names of the default ones, `'|'` between sections, `CustomJobAction`s or their arguments as a tuple;
            `DEFAULT_ACTIONS` if None.
        monitor_url: name of a URL that takes the job's id and shows a job that runs.
        results_url: likewise for the results of a job that is over; the dashboard's own page by default.
        hover, striped, bordered, condensed: looks.
        refresh_interval: milliseconds between two refreshes while a job is active (at least 1000; fewer while nothing moves);
            0 for a table that stands still.
        sort: False for the order of `jobs`, True for oldest first, the name of a field of all jobs (with `-` for descending),
            or a function of a job at the top level of a module that gives its key.
        reverse_sort: the other way round; without effect where `sort` is False.
        page_size: jobs on a page, at most 200. A table sorted by `sort`, and one of a list, has one page.
        classes: further classes of its outermost element.
        attributes: further `data-` and `aria-` attributes of that element.
        empty: said where there are no jobs.

    Raises:
        TypeError, ValueError: an option that there is not, or one that is not what it must be; the message names it.
    """

    def __init__(
        self,
        jobs: QuerySet[Job] | Iterable[Job] | Callable,
        column_fields: Iterable = ("name", "run_time"),
        *,
        show_status: bool = True,
        show_actions: bool = True,
        actions: Iterable | None = None,
        monitor_url: str = "",
        results_url: str = "",
        hover: bool = False,
        striped: bool = False,
        bordered: bool = False,
        condensed: bool = False,
        refresh_interval: int = REFRESH_INTERVAL,
        sort: bool | str | Callable = False,
        reverse_sort: bool = False,
        page_size: int = PAGE_SIZE,
        classes: str = "",
        attributes: dict[str, str] | None = None,
        empty: str = "No jobs yet.",
    ):
        self.columns = columns_of(column_fields)
        self.show_status = bool(show_status)
        self.show_actions = bool(show_actions)
        self.monitor_url = checked_url(monitor_url, "monitor_url") if monitor_url else ""
        self.results_url = checked_url(results_url, "results_url") if results_url else ""
        self.actions = actions_of(actions, monitor_url=monitor_url, results_url=results_url) if show_actions else []
        looks = {"hover": hover, "striped": striped, "bordered": bordered, "condensed": condensed}
        self.looks = [name for name, wanted in looks.items() if wanted]
        self.refresh_interval = _whole_number("refresh_interval", refresh_interval, 0, 24 * 3600 * 1000)
        if self.refresh_interval:
            self.refresh_interval = max(self.refresh_interval, LEAST_INTERVAL)
        self.sort = _sort(sort, reverse=reverse_sort)
        self.page_size = _whole_number("page_size", page_size, 1, LARGEST_PAGE)
        self.classes = classes
        self.attributes = _attributes(attributes or {})
        self.empty = str(empty)
        self.source = source_of(jobs)

    # --- what it keeps to

    def as_json(self) -> dict:
        """What `from_json` makes the same table of; it goes through the page signed (`jobs.web.signed_tables`)."""
        return {
            "source": self.source,
            "columns": [[column.heading, column.field] for column in self.columns],
            "status": self.show_status,
            "acting": self.show_actions,
            "actions": [item if isinstance(item, str) else item.as_json() for item in self.actions],
            "urls": [self.monitor_url, self.results_url],
            "sort": self.sort,
            "size": self.page_size,
        }

    @classmethod
    def from_json(cls, found: dict) -> "JobsTable":
        """The table that `as_json` described; how its frame looks stays in the page."""
        table = cls.__new__(cls)
        table.source = found["source"]
        table.columns = [Column(*pair) for pair in found["columns"]]
        table.show_status, table.show_actions = found["status"], found["acting"]
        table.actions = [
            item if isinstance(item, str) else CustomJobAction.from_json(item) for item in found["actions"]
        ]
        table.monitor_url, table.results_url = found["urls"]
        table.sort, table.page_size = found["sort"], found["size"]
        return table

    # --- what it shows

    @property
    def by_key(self) -> bool:
        """Whether it stands in the order of a queryset, newest first, and has pages by key."""
        return not self.sort and ids_in_order(self.source) is None

    @property
    def width(self) -> int:
        """The number of its columns."""
        return len(self.columns) + self.show_status + self.show_actions

    def jobs(self, user) -> QuerySet[Job]:
        """The jobs in it that `user` may see, newest first, with all that its rows need: one query."""
        needed = {column.name for column in self.columns}
        some_jobs_have = {column.name for column in self.columns if not column.of_all_jobs}
        custom = any(isinstance(item, CustomJobAction) for item in self.actions)
        if self.sort.get("function") or custom or some_jobs_have:
            models = all_models() if self.sort.get("function") or custom else models_with(some_jobs_have)
            # An app's functions may look at everything; what is not read would be asked for row by row.
            every_field = [field.name for field in Job._meta.concrete_fields]
            return chosen(join(table_jobs(user, with_fields=every_field), models), self.source, user)
        jobs = table_jobs(user, with_fields=needed)
        return chosen(jobs.select_related("scheduler") if "scheduler" in needed else jobs, self.source, user)

    def rows(self, user, *, before: int | None = None, after: int | None = None) -> Rows:
        """A page of it as `user` sees it.

        Args:
            user: who looks.
            before, after: the keys of the page, see `jobs.paging`; a sorted table has only its first page.
        """
        jobs = self.jobs(user)
        page = page_of(jobs, before=before, after=after, size=self.page_size) if self.by_key else self._first_page(jobs)
        return Rows([self.row(job, user) for job in page.jobs], page)

    def row(self, job: Job, user) -> TableRow:
        """The row of a job that was read through `jobs`."""
        row = row_of(job, user)
        instance = own_instance(job)
        cells = [cell(column, job if column.of_all_jobs else instance) for column in self.columns]
        urls = {LOGS: "jobs:log", MONITOR: self.monitor_url, RESULTS: self.results_url or "jobs:results"}
        found = offers(self.actions, row, instance, acts=acts_on(job, user), urls=urls)
        return TableRow(row.job, row.actions, row.open_action, cells, found)

    def _first_page(self, jobs: QuerySet[Job]) -> Page:
        if self.sort.get("field"):
            found = list(jobs.order_by(self.sort["field"], "-pk")[: self.page_size + 1])
        else:
            found = list(jobs[:MOST_LISTED])
            ids = ids_in_order(self.source)
            if self.sort.get("function"):
                key = import_string(self.sort["function"])
                found.sort(key=lambda job: key(own_instance(job)), reverse=self.sort["reverse"])
            else:
                found.sort(key=lambda job: ids.index(job.pk))
        more = found[self.page_size :]
        return Page(found[: self.page_size], older=more[0].pk if more else None)


def _sort(sort: Any, *, reverse: bool) -> dict:
    if sort is False or sort is None:
        return {}
    if callable(sort):
        return {"function": path_of(sort, "sort"), "reverse": bool(reverse)}
    wanted = "creation_time" if sort is True else sort
    if not isinstance(wanted, str):
        raise TypeError(f"sort: False, True, the name of a field or a function is needed, not {sort!r}")
    name = wanted.removeprefix("-")
    name = "status_code" if name == "status" else name
    if name not in {field.name for field in Job._meta.concrete_fields}:
        raise ValueError(f"sort: not all jobs have a field {name!r}; for anything else give a function of the job")
    return {"field": name if wanted.startswith("-") == bool(reverse) else f"-{name}"}


def _whole_number(option: str, value: Any, least: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ValueError(f"{option}: a whole number from {least} to {most} is needed, not {value!r}")
    return value


def _attributes(attributes: dict[str, str]) -> dict[str, str]:
    for name in attributes:
        plain = name.replace("-", "").replace("_", "")
        if not (name.startswith(("data-", "aria-")) or name == "title") or not (plain.isascii() and plain.isalnum()):
            raise ValueError(f"attributes: {name!r} is not possible here; 'data-...', 'aria-...' and 'title' are")
    return attributes
