"""REST of a function's job, below `/api/jobs/<uuid>/function/`. They are reversed as `jobs_api:NAME`."""

from django.urls import path

from jobs.functions.api.views import JobCall, JobResult

urlpatterns = [
    path("", JobCall.as_view(), name="function"),
    path("result/", JobResult.as_view(), name="function_result"),
]
