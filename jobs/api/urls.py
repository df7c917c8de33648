"""The URLs of REST, below `/api/`. They are reversed as `jobs_api:NAME`."""

from django.db.transaction import non_atomic_requests
from django.urls import include, path

from jobs.api.views.bulk import Bulk, OneBulk
from jobs.api.views.files import Files, Logs, OneFile, OneLog
from jobs.api.views.jobs import History, JobAction, Jobs, JobTypes, OneJob
from jobs.api.views.schedulers import Schedulers, SchedulerTest
from jobs.api.views.waiting import Wait
from jobs.types import job_types

app_name = "jobs_api"
urlpatterns = [
    path("jobs/", Jobs.as_view(), name="jobs"),
    path("jobs/<uuid:uuid>/", OneJob.as_view(), name="job"),
    path("jobs/<uuid:uuid>/history/", History.as_view(), name="history"),
    path("jobs/<uuid:uuid>/logs/", Logs.as_view(), name="logs"),
    path("jobs/<uuid:uuid>/logs/<path:name>", OneLog.as_view(), name="log"),
    path("jobs/<uuid:uuid>/files/", Files.as_view(), name="files"),
    path("jobs/<uuid:uuid>/files/<path:name>", OneFile.as_view(), name="file"),
    path("jobs/<uuid:uuid>/actions/<str:action>/", JobAction.as_view(), name="action"),
    path("jobs/<uuid:uuid>/wait/", non_atomic_requests(Wait.as_view()), name="wait"),
    *(path(f"jobs/<uuid:uuid>/{kind.name.lower()}/", include(kind.api_urls)) for kind in job_types() if kind.api_urls),
    path("bulk/", Bulk.as_view(), name="bulk"),
    path("bulk/<uuid:uuid>/", OneBulk.as_view(), name="bulk_action"),
    path("job-types/", JobTypes.as_view(), name="job_types"),
    path("schedulers/", Schedulers.as_view(), name="schedulers"),
    path("schedulers/<str:name>/test/", SchedulerTest.as_view(), name="scheduler_test"),
]
