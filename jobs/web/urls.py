"""The dashboard's pages."""

app_name = "jobs"
urlpatterns = []
