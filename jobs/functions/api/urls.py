"""REST of functions, below `/api/functions/`. They are reversed as `jobs_functions_api:NAME`."""

from django.urls import path

from jobs.functions.api.views import Functions, OneFunction, Workers

app_name = "jobs_functions_api"
urlpatterns = [
    path("", Functions.as_view(), name="functions"),
    path("workers/", Workers.as_view(), name="workers"),
    path("<str:name>/", OneFunction.as_view(), name="function"),
]
