"""REST of a farm run, below `/api/jobs/<uuid>/farm/`. They are reversed as `jobs_api:NAME`."""

from django.db.transaction import non_atomic_requests
from django.urls import path

from jobs.farm.api.results import ResultsCsv, ResultsJsonl
from jobs.farm.api.run import OneRun, Restart, Workers
from jobs.farm.api.tasks import InputFile, OneTask, ResultFile, Tasks
from jobs.farm.api.work import CheckOut, ReportTasks

urlpatterns = [
    path("", OneRun.as_view(), name="farm_run"),
    path("checkout/", non_atomic_requests(CheckOut.as_view()), name="farm_checkout"),
    path("report/", ReportTasks.as_view(), name="farm_report"),
    path("restart/", Restart.as_view(), name="farm_restart"),
    path("workers/", Workers.as_view(), name="farm_workers"),
    path("tasks/", Tasks.as_view(), name="farm_tasks"),
    path("tasks/<int:number>/", OneTask.as_view(), name="farm_task"),
    path("tasks/<int:number>/inputs/<path:name>", InputFile.as_view(), name="farm_input_file"),
    path("tasks/<int:number>/files/<path:name>", ResultFile.as_view(), name="farm_result_file"),
    path("results.csv", ResultsCsv.as_view(), name="farm_results_csv"),
    path("results.jsonl", ResultsJsonl.as_view(), name="farm_results_jsonl"),
]
