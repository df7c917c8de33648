"""The site's addresses, and bare ones that answer clients of taskfarm always the same."""

from collections.abc import Callable

from django.http import HttpResponse, JsonResponse
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt


def _always(status: int, body: dict | None) -> Callable:
    @csrf_exempt
    def view(request, **names):
        len(request.body)  # a body that nobody reads ends the connection
        return HttpResponse(status=204) if body is None else JsonResponse(body, status=status)

    return view


TASK = {"id": 1, "task": 0, "percentCompleted": 0.0, "status": "computing"}


@csrf_exempt
def _task(request, **names):
    len(request.body)
    return HttpResponse(status=204) if request.method == "PUT" else JsonResponse({"percentCompleted": 0.0})


urlpatterns = [
    path("bare/token", _always(200, {"token": "x"})),
    path("bare/runs/<str:uuid>", _always(200, {"id": 1, "uuid": "0" * 32, "numTasks": 1_000_000})),
    path("bare/worker", _always(201, {"uuid": "x", "id": 1})),
    path("bare/runs/<str:uuid>/task", _always(201, TASK)),
    path("bare/runs/<str:uuid>/tasks/<int:number>", _task),
    path("", include("project.urls")),
]
