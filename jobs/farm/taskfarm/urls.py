"""The URLs of the API of taskfarm, for a site to mount at `api/`; without slashes at their ends, as its workers call them."""

from django.urls import path

from jobs.farm.taskfarm import views

app_name = "taskfarm"
urlpatterns = [
    path("token", views.token, name="token"),
    path("run", views.new_run, name="new_run"),
    path("runs", views.runs, name="runs"),
    path("runs/<str:uuid>", views.one_run, name="run"),
    path("runs/<str:uuid>/restart", views.restart_run, name="restart"),
    path("runs/<str:uuid>/task", views.check_out_task, name="check_out"),
    path("runs/<str:uuid>/tasks/<str:number>", views.one_task, name="task"),
    path("worker", views.new_worker, name="new_worker"),
]
