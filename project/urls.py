"""Mounts everything."""

from django.urls import include, path

from jobs.health import healthz

urlpatterns = [path("healthz", healthz), path("", include("jobs.urls"))]
