"""The pages of functions, below `/jobs/functions/`. They are reversed as `jobs_functions:NAME`."""

from django.urls import path

from jobs.functions.pages.functions import function_page, functions_page
from jobs.functions.pages.result import download
from jobs.functions.pages.workers import workers_page

app_name = "jobs_functions"
urlpatterns = [
    path("", functions_page, name="functions"),
    path("workers/", workers_page, name="workers"),
    path("result/<int:job_id>.json", download, name="result"),
    path("<str:name>/", function_page, name="function"),
]
