"""The list of jobs with its filters, the one request that keeps it fresh, and downloads of what it shows."""

import csv
import json
from collections.abc import Iterator

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils.text import slugify
from django.views.decorators.http import require_safe

from jobs import clock
from jobs.access.pages import login_needed
from jobs.bulk import ACTIONS, possible
from jobs.counting import Counts
from jobs.filters import NOT_INSTALLED, STATUS_GROUPS, JobFilter
from jobs.models import Action
from jobs.paging import Page, number, page_of
from jobs.types import job_types
from jobs.web.rows import differences, parse_known, rows_of, table_jobs
from jobs.web.views.new import choices_for
from jobs.web.wording import WORDING

CHIPS = ("pending", "active", "complete", "failed", "aborted")
"""Groups of statuses that have a chip, after 'All'."""

PERIODS = (("24h", "last 24 hours"), ("7d", "last 7 days"), ("30d", "last 30 days"))

FOLDED = (
    "label",
    "group",
    "scheduler",
    "started_after",
    "started_before",
    "ended_after",
    "ended_before",
    "created_before",
)
"""Parameters that are under 'More'."""

COLUMNS = (
    *("id", "uuid", "name", "type", "user", "label", "status", "status_label", "message", "progress", "exit_code"),
    *("attempt", "scheduler", "created", "submitted", "started", "ended", "seconds", "description"),
)
"""What a download holds of each job."""


@require_safe
@login_needed
def job_list(request: HttpRequest) -> HttpResponse:
    """The jobs that the person may see and that match the URL's filters, newest first."""
    found = JobFilter(request.GET, user=request.user)
    page = _page(request, found)
    counts = found.counts()
    context = {
        "rows": rows_of(page.jobs, request.user),
        "may_create": bool(choices_for(request.user)),
        "found": found,
        "types": [*((kind.name, kind.label) for kind in job_types()), (NOT_INSTALLED, "not installed")],
        "given": {name: ",".join(texts) for name, texts in found.given.items()},
        "periods": PERIODS,
        "fields": _folded(found),
        "fields_open": any(found.given.get(name) for name in FOLDED),
        "bulk_actions": _offers(found, counts),
    }
    return render(request, "jobs/list.html", context | _about(request, found, page, counts))


@require_safe
@login_needed
def rows(request: HttpRequest) -> HttpResponse:
    """What has changed on a page since the browser got it: `?known=` lists its rows with their signatures.

    204 when nothing did; else the changed and new rows, and the ids of those that are gone, as out-of-band swaps.
    """
    found = JobFilter(request.GET, user=request.user)
    page = _page(request, found)
    changes = differences(rows_of(page.jobs, request.user), parse_known(request.GET.get("known", "")))
    if not changes:
        return HttpResponse(status=204)
    context = {"differences": changes} | _about(request, found, page, found.counts())
    return render(request, "jobs/listing_rows.html", context)


@require_safe
@login_needed
def export(request: HttpRequest, kind: str) -> HttpResponse:
    """All jobs that match the filters, as `csv` or `jsonl` (one JSON object in a line), sent while they are read.

    400 where a filter cannot be read: a download must not hold more than was asked for.
    """
    writers = {"csv": (_as_csv, "text/csv; charset=utf-8"), "jsonl": (_as_json_lines, "application/x-ndjson")}
    if kind not in writers:
        raise Http404("There is no such kind of download.")
    found = JobFilter(request.GET, user=request.user)
    if found.errors:
        return render(request, "jobs/filter_refused.html", {"found": found}, status=400)
    write, content_type = writers[kind]
    response = StreamingHttpResponse(write(_records(found)), content_type=content_type)
    name = "-".join(["jobs", *(slugify(text) for texts in found.given.values() for text in texts)])[:80]
    response["Content-Disposition"] = f'attachment; filename="{name.strip("-")}.{kind}"'
    return response


def _page(request: HttpRequest, found: JobFilter) -> Page:
    query = request.GET
    return page_of(
        table_jobs(request.user),
        parts=found.parts(overlapping=True),
        before=number(query.get("before")),
        after=number(query.get("after")),
        oldest_first=query.get("sort") == "oldest",
    )


def _about(request: HttpRequest, found: JobFilter, page: Page, counts: Counts) -> dict:
    """What is said around the rows, also after a refresh."""
    order = "oldest" if page.oldest_first else ""
    chosen = found.statuses if found.values.get("status") else None
    chips = [
        ("All", "", counts.of(STATUS_GROUPS["over"] | STATUS_GROUPS["active"] | STATUS_GROUPS["pending"]), not chosen)
    ]
    chips += [
        (name.capitalize(), name, counts.of(STATUS_GROUPS[name]), chosen == STATUS_GROUPS[name]) for name in CHIPS
    ]
    asked = found.query(sort=order)
    return {
        "page": page,
        "chips": [
            {"word": word, "name": name, "count": count, "chosen": on, "query": found.query(status=name, sort=order)}
            for word, name, count, on in chips
        ],
        "matching": counts.of(found.statuses),
        # The links of the pager keep what is asked for.
        "asked": f"&{asked}" if asked else "",
        "first": f"?{asked}" if asked else "?",
        "query": found.query(),
        "other_order": found.query(sort="" if page.oldest_first else "oldest"),
        "now": clock.now(),
    }


def _folded(found: JobFilter) -> list[dict]:
    return [
        {
            "name": name,
            "label": found.label_of(name),
            "value": ",".join(found.given.get(name, [])),
            "error": found.errors.get(name),
            "moment": name.endswith(("_after", "_before")),
        }
        for name in FOLDED
    ]


def _offers(found: JobFilter, counts: Counts) -> list[tuple]:
    """The actions of the bar, each with its word and the number of all matching jobs for which it makes sense."""
    numbers = {action: possible(found, action, counts).number for action in ACTIONS}
    # How many of the failed ones failed at their results is not counted: it is offered for ticked jobs.
    numbers[Action.PROCESS_AGAIN] = 0
    return [(action, WORDING[action].button, numbers[action]) for action in ACTIONS]


# --- downloads


def _records(found: JobFilter) -> Iterator[dict]:
    jobs = found.jobs.select_related("user", "scheduler").defer(
        "extended_properties", "resources", "workspace", "token_hash"
    )
    for job in jobs.iterator(chunk_size=1000):
        seconds = job.run_time.total_seconds() if job.run_time is not None else None
        values = (
            *(job.pk, str(job.uuid), job.name, job.type.name if job.type else "", job.user.get_username(), job.label),
            *(job.status_code, job.status_display, job.status_message, job.progress, job.exit_code, job.attempt),
            job.scheduler.name if job.scheduler else "",
            *(job.creation_time, job.execute_time, job.start_time, job.completion_time, seconds, job.description),
        )
        yield dict(
            zip(COLUMNS, (value.isoformat() if hasattr(value, "isoformat") else value for value in values), strict=True)
        )


class _Line:
    """A file whose `write` gives back what it is told, so that a csv writer makes lines instead of a file."""

    def write(self, line: str) -> str:
        return line


def _as_csv(records: Iterator[dict]) -> Iterator[str]:
    writer = csv.writer(_Line())
    yield writer.writerow(COLUMNS)
    for record in records:
        yield writer.writerow([_cell(value) for value in record.values()])


def _cell(value):
    # A spreadsheet would run a name like '=HYPERLINK(…)' as a formula: https://owasp.org/www-community/attacks/CSV_Injection
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value


def _as_json_lines(records: Iterator[dict]) -> Iterator[str]:
    for record in records:
        yield json.dumps(record, ensure_ascii=False) + "\n"
