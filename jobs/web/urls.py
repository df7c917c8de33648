"""The dashboard's pages. They are reversed as `jobs:NAME`."""

from django.urls import path

from jobs.web.views.actions import act, confirm
from jobs.web.views.detail import live, log, overview, results
from jobs.web.views.files import download_log, download_result, image, tail
from jobs.web.views.listing import job_list, rows
from jobs.web.views.new import choose_type, new_job

app_name = "jobs"
urlpatterns = [
    path("", job_list, name="list"),
    path("rows/", rows, name="rows"),
    path("new/", choose_type, name="choose_type"),
    path("new/<str:type_name>/", new_job, name="new"),
    path("<int:job_id>/", overview, name="detail"),
    path("<int:job_id>/log/", log, name="log"),
    path("<int:job_id>/results/", results, name="results"),
    path("<int:job_id>/live/<str:tab>/", live, name="live"),
    path("<int:job_id>/log/<int:attempt>/<str:name>/tail/", tail, name="tail"),
    path("<int:job_id>/log/<int:attempt>/<str:name>/download/", download_log, name="download_log"),
    path("<int:job_id>/results/download/<path:name>", download_result, name="download"),
    path("<int:job_id>/results/image/<path:name>", image, name="image"),
    path("<int:job_id>/confirm/<str:action>/", confirm, name="confirm"),
    path("<int:job_id>/<str:action>/", act, name="act"),
]
