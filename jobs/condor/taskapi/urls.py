"""The task API's URLs, for a site to mount at `api/`; without slashes at their ends, as its clients call them."""

from django.urls import path

from jobs.condor.taskapi import views

urlpatterns = [
    path("tasks", views.Tasks.as_view(), name="tasks"),
    path("tasks-queued", views.TasksQueued.as_view(), name="tasks_queued"),
    path("tasks-completed", views.TasksCompleted.as_view(), name="tasks_completed"),
    path("tasks/<str:task_id>", views.OneTask.as_view(), name="task"),
    path("tasks/<str:task_id>/outputs", views.Outputs.as_view(), name="task_outputs"),
    path("tasks/<str:task_id>/outputs/<path:name>", views.Output.as_view(), name="task_output"),
    path("status", views.ServerStatus.as_view(), name="status"),
    path("htc-clusters", views.Clusters.as_view(), name="htc_clusters"),
    path("htc-clusters/<int:cluster_id>", views.Cluster.as_view(), name="htc_cluster"),
    path("htc-job-events", views.JobEvents.as_view(), name="htc_job_events"),
]
app_name = "taskapi"
