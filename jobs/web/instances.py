"""Jobs as objects of their own classes, read together with their rows in one query."""

from collections.abc import Iterable

from django.contrib.contenttypes.models import ContentType
from django.db.models import QuerySet

from jobs.models import Job
from jobs.types import job_types


def models_with(names: Iterable[str]) -> list[type[Job]]:
    """The models of the installed types that have at least one of these attributes."""
    wanted = list(names)
    return [kind.model for kind in job_types() if any(hasattr(kind.model, name) for name in wanted)]


def all_models() -> list[type[Job]]:
    """The models of all installed types."""
    return [kind.model for kind in job_types()]


def join(rows: QuerySet[Job], models: Iterable[type[Job]]) -> QuerySet[Job]:
    """Base rows that carry their parts in the tables of `models`, by outer joins."""
    paths = ["__".join(_steps(model)) for model in models]
    return rows.select_related(*[path for path in paths if path])


def own_instance(row: Job) -> Job:
    """The object of the job's own class that was read with `row`; the row itself where there is none."""
    kind = ContentType.objects.get_for_id(row.polymorphic_ctype_id).model_class() if row.polymorphic_ctype_id else None
    found = row
    for step in _steps(kind) if kind is not None else ():
        found = found._state.fields_cache.get(step)
        if found is None:
            return row
    if "user" in row._state.fields_cache:
        found._state.fields_cache["user"] = row._state.fields_cache["user"]
    return found


def _steps(model: type[Job]) -> list[str]:
    """The accessors that lead from a row of the base table down to `model`."""
    steps = []
    model = model._meta.concrete_model
    while model is not Job:
        link = next(field for parent, field in model._meta.parents.items() if issubclass(parent, Job) and field)
        steps.append(link.remote_field.get_accessor_name())
        model = link.remote_field.model
    return steps[::-1]
