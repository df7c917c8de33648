"""All URLs of the site."""

from django.contrib import admin
from django.contrib.auth import views as auth
from django.urls import include, path

from jobs.health import healthz
from project.views import front

urlpatterns = [
    path("", front, name="front"),
    path("", include("jobs.urls")),
    path("healthz", healthz, name="healthz"),
    path("accounts/login/", auth.LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("accounts/logout/", auth.LogoutView.as_view(), name="logout"),
    path("admin/", admin.site.urls),
]
