"""All URLs of the site."""

from django.contrib import admin
from django.contrib.auth import views as auth
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from jobs.health import healthz
from project.views import front

urlpatterns = [
    path("", front, name="front"),
    path("", include("jobs.urls")),
    path("", include("jobs.functions.flasktasks.urls")),
    path("api/", include("jobs.condor.taskapi.urls")),
    path("api/", include("jobs.farm.taskfarm.urls")),
    path("api/v1/", include("jobs.schedules.taskscheduler.urls")),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("docs", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
    path("healthz", healthz, name="healthz"),
    path("accounts/login/", auth.LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("accounts/logout/", auth.LogoutView.as_view(), name="logout"),
    path("admin/", admin.site.urls),
]
handler404 = "project.views.not_found"
