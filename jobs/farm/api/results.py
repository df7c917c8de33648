"""The results of all tasks in one file, sent as they are read."""

import csv
import json
from collections.abc import Iterator
from uuid import UUID

from django.http import StreamingHttpResponse

from jobs.access.openapi import described
from jobs.farm.access import Place
from jobs.farm.api import schemas
from jobs.farm.api.base import FarmView
from jobs.farm.models import FarmTask, TaskState

AT_ONCE = 2000
"""Rows of one query."""
COLUMNS = ("number", "state", "tries", "started", "finished", "message")


def ended_tasks(place: Place) -> Iterator[FarmTask]:
    """The tasks that are done or have failed, by their numbers, a page of rows at a time."""
    last = -1
    while True:
        rows = FarmTask.objects.filter(run=place.run_id, generation=place.generation, number__gt=last)
        # The pages go over all numbers: skipping many that have not ended costs nothing that counts.
        page = list(rows.order_by("number")[:AT_ONCE])
        if not page:
            return
        yield from (task for task in page if task.state in (TaskState.DONE, TaskState.FAILED))
        last = page[-1].number


class _Echo:
    """A file for `csv` that gives back what is written to it."""

    def write(self, text: str) -> str:
        return text


class Results(FarmView):
    """What both have in common."""

    def answer(self, lines: Iterator[str], content_type: str, ending: str) -> StreamingHttpResponse:
        answer = StreamingHttpResponse(lines, content_type=content_type)
        answer["Content-Disposition"] = f'attachment; filename="results.{ending}"'
        answer["X-Content-Type-Options"] = "nosniff"
        return answer


class ResultsJsonl(Results):
    """As lines of JSON."""

    @described(
        "read_farm_results_jsonl",
        "The results of all tasks as lines of JSON",
        answers=schemas.JSONL,
        errors=(404,),
        tag="farm",
    )
    def get(self, request, uuid: UUID):
        """A line for each task that is done or has failed."""
        place = self.place(uuid)
        return self.answer(map(self._line, ended_tasks(place)), "application/x-ndjson", "jsonl")

    def _line(self, task: FarmTask) -> str:
        # The result as it stands: it is JSON.
        head = json.dumps({name: _plain(task, name) for name in COLUMNS})
        return f'{head[:-1]}, "result": {task.result or "null"}}}\n'


class ResultsCsv(Results):
    """As a table."""

    @described(
        "read_farm_results_csv",
        "The results of all tasks as a table",
        answers=schemas.CSV,
        errors=(404,),
        tag="farm",
    )
    def get(self, request, uuid: UUID):
        """A row for each task that is done or has failed; a column for each name that a result has which is an object, else one
        column `result`."""
        place = self.place(uuid)
        return self.answer(self._rows(place), "text/csv; charset=utf-8", "csv")

    def _rows(self, place: Place) -> Iterator[str]:
        writer = csv.writer(_Echo())
        names, others = _names(place)
        yield writer.writerow(map(_cell, [*COLUMNS, *names, *(["result"] if others or not names else [])]))
        for task in ended_tasks(place):
            value = json.loads(task.result) if task.result else None
            is_object = isinstance(value, dict)
            cells = [value.get(name) if is_object else None for name in names]
            if others or not names:
                cells.append(None if is_object else value)
            yield writer.writerow(map(_cell, [*(_plain(task, name) for name in COLUMNS), *cells]))


def _names(place: Place) -> tuple[list[str], bool]:
    """The names in results that are objects, as they come, and whether there are others."""
    names: dict[str, None] = {}
    others = False
    for task in ended_tasks(place):
        if task.result.startswith("{"):
            names |= dict.fromkeys(json.loads(task.result))
        else:
            others = others or bool(task.result)
    return list(names), others


def _plain(task: FarmTask, name: str):
    value = getattr(task, name)
    if name == "state":
        return TaskState(value).label
    return value.isoformat() if name in ("started", "finished") and value else value


def _cell(value) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value)
    # Spreadsheets take what begins so for a formula.
    return f"'{text}" if isinstance(value, str) and text[:1] in "=+-@\t\r" else text
