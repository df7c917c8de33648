"""The site's URLs, and a page of an app's own with two tables in it."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.template import engines
from django.urls import include, path

from jobs.manager import JobManager
from jobs.web.tables import JobsTable

PAGE = """{% load jobs %}<!doctype html><html lang="en"><head><meta charset="utf-8"><title>My app</title>{% jobs_assets %}
</head><body><main><h1>My app</h1>
<section aria-label="Models">{% jobs_table models %}</section>
<section aria-label="Surveys">{% jobs_table surveys %}</section>
</main></body></html>"""


@login_required
def two_tables(request):
    tables = {
        label: JobsTable(JobManager(label).list_jobs(request.user), ("name", "run_time"), refresh_interval=1000)
        for label in ("models", "surveys")
    }
    return HttpResponse(engines["django"].from_string(PAGE).render(tables, request))


urlpatterns = [path("", include("project.urls")), path("my-app/", two_tables)]
