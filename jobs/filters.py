"""The one filter over jobs: it serves the list, its counts, downloads and bulk actions, on pages and in REST.

found = JobFilter(request.GET, user=request.user)
found.errors        what could not be read, by parameter
found.jobs          what matches and the user may see, as base rows
found.counts()      how many there are in each status, whatever statuses are chosen
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, time, timedelta
from functools import cached_property
from urllib.parse import urlencode

import django_filters
from django import forms
from django.apps import apps
from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.db import connections, router
from django.db.models import BooleanField, F, Func, Q, QuerySet, Subquery
from django.utils import timezone
from django.utils.datastructures import MultiValueDict
from django.utils.dateparse import parse_date, parse_datetime

from jobs import clock
from jobs.counting import Counts, count_by_status
from jobs.models import Job, Scheduler, job_rows
from jobs.permissions import sees_all, sees_all_in_sql
from jobs.status import ACTIVE, FINAL, Status
from jobs.types import job_types, type_of_model

STATUS_GROUPS: dict[str, frozenset[str]] = {
    "pending": frozenset({Status.PENDING}),
    "active": ACTIVE | {Status.RESULTS_READY},
    "complete": frozenset({Status.COMPLETE}),
    "failed": frozenset({Status.ERROR, Status.VARIOUS_COMPLETE}),
    "aborted": frozenset({Status.ABORTED}),
    "over": FINAL,
}
"""Words for several statuses at once; the first five share all statuses out among them, without overlap."""

NOT_INSTALLED = "not-installed"
"""As a type: the jobs whose type's room is not installed."""

_WORDS = {status.label.lower(): status for status in Status}
_AGO = re.compile(r"(\d{1,6}) ?(m|h|d|w)")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


# --- what a parameter may hold


class _Several(forms.SelectMultiple):
    """`?status=RUN&status=ERR` and `?status=RUN,ERR` alike."""

    def value_from_datadict(self, data, files, name):
        found = super().value_from_datadict(data, files, name) or []
        given = [found] if isinstance(found, str) else found
        return [word.strip() for text in given for word in str(text).split(",") if word.strip()]


class StatusesField(forms.Field):
    """Statuses by code ('RUN'), display word ('running') or group ('active')."""

    widget = _Several

    def to_python(self, value) -> frozenset[str]:
        found: set[str] = set()
        for word in value or ():
            if word.upper() in Status.values:
                found.add(Status(word.upper()))
            elif word.lower() in STATUS_GROUPS:
                found |= STATUS_GROUPS[word.lower()]
            elif word.lower() in _WORDS:
                found.add(_WORDS[word.lower()])
            else:
                known = ", ".join([*Status.values, *STATUS_GROUPS])
                raise ValidationError(f"'{word}' is not a status; use one or more of {known}.")
        return frozenset(found)


class TypesField(forms.Field):
    """Names of registered job types, and `NOT_INSTALLED`."""

    widget = _Several

    def to_python(self, value) -> frozenset[str]:
        names = {alias.upper(): kind.name for kind in job_types() for alias in (kind.name, *kind.aliases)}
        found = set()
        for word in value or ():
            if word.lower() == NOT_INSTALLED:
                found.add(NOT_INSTALLED)
            elif word.upper() in names:
                found.add(names[word.upper()])
            else:
                known = ", ".join([*sorted(set(names.values())), NOT_INSTALLED])
                raise ValidationError(f"'{word}' is not a job type of this site; use one or more of {known}.")
        return frozenset(found)


class MomentField(forms.CharField):
    """A moment: ISO date or date and time (in the site's time zone unless it names one), or how long ago: '24h', '7d'."""

    def to_python(self, value) -> datetime | None:
        text = super().to_python(value)
        if not text:
            return None
        try:
            moment = _moment(text)
        except (ValueError, OverflowError):
            moment = None
        if moment is None:
            raise ValidationError(
                f"'{text}' is no moment; write a date (2026-01-31), a date and time (2026-01-31T14:00), or how long ago "
                "(30m, 24h, 7d, 2w)."
            )
        return moment


def _moment(text: str) -> datetime | None:
    if ago := _AGO.fullmatch(text.lower()):
        return clock.now() - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    moment = parse_datetime(text)
    if moment is None and (day := parse_date(text)):
        moment = datetime.combine(day, time())
    if moment is not None and timezone.is_naive(moment):
        moment = timezone.make_aware(moment)
    # What lies outside of these is a slip, and some would not survive the way into another time zone.
    return moment if moment is not None and 1900 <= moment.year < 9000 else None


# --- the filters themselves


class _Filter(django_filters.Filter):
    """A filter that is a condition: `condition(value)` gives it."""

    def __init__(self, field_class, condition, **options):
        super().__init__(required=False, **options)
        self.field_class, self.condition = field_class, condition

    def filter(self, queryset, value):
        return queryset.filter(self.condition(value)) if value else queryset


def _moments(field: str, label: str) -> tuple[_Filter, _Filter]:
    """`…_after` (from that moment on) and `…_before` (before it)."""
    return (
        _Filter(MomentField, lambda moment: Q(**{f"{field}__gte": moment}), label=f"{label} after"),
        _Filter(MomentField, lambda moment: Q(**{f"{field}__lt": moment}), label=f"{label} before"),
    )


def _of_types(names: Iterable[str]) -> Q:
    """By the content type, which every row has: no join with the tables of the types."""
    models = {model: type_of_model(model) for model in apps.get_models() if issubclass(model, Job)}
    ids = {model: found.pk for model, found in ContentType.objects.get_for_models(*models).items()}
    chosen = Q(polymorphic_ctype__in=[ids[model] for model, kind in models.items() if kind and kind.name in names])
    if NOT_INSTALLED in names:
        installed = [ids[model] for model, kind in models.items() if kind]
        chosen |= ~Q(polymorphic_ctype__in=installed) | Q(polymorphic_ctype=None)
    return chosen


def _containing(text: str) -> Q:
    """Every word somewhere in name, description or message."""
    condition = Q()
    for word in text.split():
        condition &= Q(name__icontains=word) | Q(description__icontains=word) | Q(status_message__icontains=word)
    return condition


def _of_user(name: str) -> Q:
    # One value, not a set: so the index on user and id gives the rows in order.
    people = get_user_model()._default_manager.filter(**{get_user_model().USERNAME_FIELD: name})
    return Q(user_id=Subquery(people.values("pk")[:1]))


def _of_scheduler(name: str) -> Q:
    return Q(scheduler_id=Subquery(Scheduler.objects.filter(name=name).values("pk")[:1]))


def _of_group(name: str) -> Q:
    return Q(pk__in=Job.groups.through.objects.filter(group__name=name).values("job_id"))


class JobFilterSet(django_filters.FilterSet):
    """The parameters; use it through `JobFilter`, or as the `filterset_class` of a REST view over visible rows."""

    status = _Filter(StatusesField, lambda codes: Q(status_code__in=sorted(codes)), label="Status")
    type = _Filter(TypesField, _of_types, label="Type")
    user = _Filter(forms.CharField, _of_user, label="User", max_length=150)
    group = _Filter(forms.CharField, _of_group, label="Group", max_length=150)
    label = _Filter(forms.CharField, lambda label: Q(label=label), label="App", max_length=100)
    scheduler = _Filter(forms.CharField, _of_scheduler, label="Scheduler", max_length=255)
    text = _Filter(forms.CharField, _containing, label="Text", max_length=200)
    created_after, created_before = _moments("creation_time", "Created")
    started_after, started_before = _moments("start_time", "Started")
    ended_after, ended_before = _moments("completion_time", "Ended")

    class Meta:
        model = Job
        fields: Sequence[str] = ()


PARAMETERS = tuple(JobFilterSet.base_filters)
"""The names of all parameters."""


class JobFilter:
    """What a person looks for among the jobs that they may see.

    Args:
        parameters: as in a URL's query (a QueryDict), or `{name: value or list of values}`; other names are left alone.
        user: who looks.
        until: only jobs whose primary key is at most this.
    """

    def __init__(self, parameters: Mapping, *, user, until: int | None = None):
        self.user = user
        self.until = until
        lists = parameters.lists() if isinstance(parameters, MultiValueDict) else parameters.items()
        given = {name: value if isinstance(value, list) else [value] for name, value in lists if name in PARAMETERS}
        self.given = {name: [text for text in texts if text not in ("", None)] for name, texts in given.items()}
        self._set = JobFilterSet(MultiValueDict(self.given), queryset=job_rows())

    # --- what was asked for

    @cached_property
    def errors(self) -> dict[str, str]:
        """What is wrong with which parameter. What cannot be read does not filter: whoever acts on many jobs must look here."""
        return {name: " ".join(messages) for name, messages in self._set.errors.items()}

    @property
    def values(self) -> dict:
        """What was understood, by parameter; empty where nothing was asked."""
        self._set.is_valid()
        return self._set.form.cleaned_data

    @property
    def is_empty(self) -> bool:
        """Whether nothing is asked for: all jobs match."""
        return not any(self.given.values())

    @property
    def statuses(self) -> frozenset[str]:
        """The chosen statuses; all of them where none is chosen."""
        return self.values.get("status") or frozenset(Status)

    def query(self, **changes) -> str:
        """The parameters for a URL; `status='active'` sets one, `status=None` leaves it out."""
        wanted = self.given | {name: [value] if value else [] for name, value in changes.items()}
        return urlencode([(name, value) for name in wanted for value in wanted[name]])

    def fixed(self) -> dict[str, list[str]]:
        """The parameters with '7d' and the like as the moments that they stand for now."""
        moments = {name: [value.isoformat()] for name, value in self.values.items() if isinstance(value, datetime)}
        return {name: values for name, values in (self.given | moments).items() if values}

    @staticmethod
    def label_of(name: str) -> str:
        """A parameter's name for people."""
        return JobFilterSet.base_filters[name].label

    # --- what was found

    def apply(self, jobs: QuerySet, *, without_status: bool = False) -> QuerySet:
        """Those of a queryset of jobs that match. It does not look who may see them."""
        for name, value in self.values.items():
            if not (without_status and name == "status"):
                jobs = self._set.filters[name].filter(jobs, value)
        return jobs if self.until is None else jobs.filter(pk__lte=self.until)

    @property
    def jobs(self) -> QuerySet:
        """The rows that match and that the user may see, newest first."""
        return self.apply(job_rows().shown().visible_to(self.user)).order_by("-pk")

    def parts(self, *, overlapping: bool = False, without_status: bool = False) -> list[QuerySet]:
        """What matches and the user may see; see `visible_parts`."""
        parts = visible_parts(job_rows().shown(), self.user, overlapping=overlapping)
        return [self.apply(part, without_status=without_status) for part in parts]

    def counts(self) -> Counts:
        """How many match in each status, whatever statuses are chosen: one query."""
        return count_by_status(self.parts(without_status=True))


def visible_parts(jobs: QuerySet, user, *, overlapping: bool = False) -> list[QuerySet]:
    """The jobs that `user` may see, as `jobs.permissions.visible_jobs` has it, in parts; the first may be acted on.

    'Mine, or shared with me, or all' in one condition has no index: the database would walk through everybody's jobs.
    Each part has one.

    Args:
        overlapping: parts may have jobs in common; then nobody need ask first what the user is permitted.
    """
    if not getattr(user, "is_authenticated", False) or not user.is_active:
        return []
    if user.is_staff or user.is_superuser or (not overlapping and sees_all(user)):
        return [jobs]
    shared = Job.groups.through.objects.filter(group__user=user).values("job_id")
    parts = [jobs.filter(user=user), jobs.filter(among(shared)).exclude(user=user)]
    return [*parts, jobs.filter(Q(sees_all_in_sql(user)))] if overlapping else parts


def among(ids: QuerySet):
    """The condition that a job's primary key is one of those."""
    if connections[router.db_for_read(Job)].vendor != "postgresql":
        return Q(pk__in=ids)
    from django.contrib.postgres.expressions import ArraySubquery

    # `IN (SELECT …)` with a LIMIT makes PostgreSQL walk through everybody's jobs in the hope of meeting some of these
    # soon; `= ANY(ARRAY(SELECT …))` makes it look each of them up (100,000 jobs, 1,000 shared: 3 ms instead of 25).
    return Func(
        F("pk"),
        ArraySubquery(ids),
        template="%(expressions)s)",
        arg_joiner=" = ANY(",
        output_field=BooleanField(),
    )
