"""The dashboard's pages. They are reversed as `jobs:NAME`."""

from django.urls import path

from jobs.web.views.actions import act, confirm
from jobs.web.views.bulk import bulk_action, confirm_bulk, create_bulk
from jobs.web.views.detail import attempts, live, log, overview, results, type_tab
from jobs.web.views.files import download_all, download_result, image, result_page
from jobs.web.views.health import health
from jobs.web.views.listing import export, job_list, rows
from jobs.web.views.logs import download_log, tail
from jobs.web.views.new import choose_type, new_job
from jobs.web.views.schedulers import schedulers, test_scheduler
from jobs.web.views.table import table_act, table_rows
from jobs.web.views.tokens import create_token, revoke_token, tokens

app_name = "jobs"
urlpatterns = [
    path("", job_list, name="list"),
    path("rows/", rows, name="rows"),
    path("export.<str:kind>", export, name="export"),
    path("bulk/", create_bulk, name="create_bulk"),
    path("bulk/confirm/", confirm_bulk, name="confirm_bulk"),
    path("bulk/<int:bulk_id>/", bulk_action, name="bulk_action"),
    path("health/", health, name="health"),
    path("schedulers/", schedulers, name="schedulers"),
    path("schedulers/<int:scheduler_id>/test/", test_scheduler, name="test_scheduler"),
    path("tokens/", tokens, name="tokens"),
    path("tokens/new/", create_token, name="create_token"),
    path("tokens/<int:token_id>/revoke/", revoke_token, name="revoke_token"),
    path("new/", choose_type, name="choose_type"),
    path("new/<str:type_name>/", new_job, name="new"),
    path("table/", table_rows, name="table_rows"),
    path("table/<int:job_id>/<str:action>/", table_act, name="table_act"),
    path("<int:job_id>/", overview, name="detail"),
    path("<int:job_id>/log/", log, name="log"),
    path("<int:job_id>/results/", results, name="results"),
    path("<int:job_id>/attempts/", attempts, name="attempts"),
    path("<int:job_id>/tab/<str:name>/", type_tab, name="tab"),
    path("<int:job_id>/live/<str:tab>/", live, name="live"),
    path("<int:job_id>/log/<int:attempt>/<str:name>/tail/", tail, name="tail"),
    path("<int:job_id>/log/<int:attempt>/<str:name>/download/", download_log, name="download_log"),
    path("<int:job_id>/results/download/<path:name>", download_result, name="download"),
    path("<int:job_id>/results/all/", download_all, name="download_all"),
    path("<int:job_id>/results/image/<path:name>", image, name="image"),
    path("<int:job_id>/results/page/<path:name>", result_page, name="result_page"),
    path("<int:job_id>/confirm/<str:action>/", confirm, name="confirm"),
    path("<int:job_id>/<str:action>/", act, name="act"),
]
