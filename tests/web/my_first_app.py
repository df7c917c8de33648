"""An app of somebody who has tables of jobs in a page of their own: its URLs, its page, and its own actions."""

from django.http import HttpResponse
from django.shortcuts import redirect
from django.template import engines
from django.urls import include, path

from jobs.errors import ActionNotAllowed
from jobs.models import Job
from jobs.status import Status

PAGE = """{% load jobs %}<!doctype html><html lang="en"><head><meta charset="utf-8"><title>My app</title>{% jobs_assets %}
</head><body>{% for table in tables %}{% jobs_table table %}{% endfor %}</body></html>"""


def tables(user) -> list:
    """The tables of the page; a test puts its own in this place."""
    return []


def page(request):
    return HttpResponse(engines["django"].from_string(PAGE).render({"tables": tables(request.user)}, request))


def results(request, job_id: int):
    return HttpResponse(f"results of {job_id}")


def notes(request, job_id: int):
    return HttpResponse(f"<h2>Notes</h2><p>About {job_id}.</p>")


def running(user):
    """The jobs of a table that are found anew each time."""
    return Job.objects.filter(status_code=Status.RUNNING)


def mark(job) -> str:
    """Leave a mark in the job, and say so."""
    job.extended_properties = {**job.extended_properties, "marked": type(job).__name__}
    job.save()
    return f"{job.name} has a mark now."


async def mark_later(job) -> None:
    await job.arefresh_from_db()


def refuse(job):
    raise ActionNotAllowed("not on a Sunday")


def lead_away(job):
    return redirect("my_first_app:results", job.pk)


def not_marked(job) -> bool:
    return "marked" not in job.extended_properties


def backwards(job) -> str:
    return job.name[::-1]


mine = [
    path("", page, name="page"),
    path("results/<int:job_id>/", results, name="results"),
    path("notes/<int:job_id>/", notes, name="notes"),
]
urlpatterns = [path("", include("project.urls")), path("my-first-app/", include((mine, "my_first_app")))]
