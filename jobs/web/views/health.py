"""Health for operators: what is stuck and why, who lives, which schedulers answer."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from jobs import clock
from jobs.access.pages import by_htmx, login_needed
from jobs.conf import conf
from jobs.health import MOST_STUCK, processes, schedulers, stuck
from jobs.types import plugins


@require_safe
@login_needed
def health(request: HttpRequest) -> HttpResponse:
    """The page, or for its own script the part that changes. 403 for whoever is not staff, with who may."""
    if not request.user.is_staff:
        if by_htmx(request):
            return HttpResponse("Only staff of this site may see its health.", status=403, content_type="text/plain")
        return render(request, "jobs/health_not_allowed.html", status=403)
    alive = processes()
    rows = schedulers()
    found = stuck(alive, rows)
    context = {
        "stuck": found[:MOST_STUCK],
        "stuck_cut": len(found) > MOST_STUCK,
        "processes": alive,
        "missing": [kind for kind in ("worker", "monitor") if not any(one.alive for one in alive if one.kind == kind)],
        "schedulers": rows,
        "facts": [(plugin.name, plugin.health()) for plugin in plugins() if plugin.health is not None],
        "age": conf.HEARTBEAT_AGE,
        "now": clock.now(),
    }
    return render(request, "jobs/health_live.html" if by_htmx(request) else "jobs/health.html", context)
