"""Who may see and manage agents; who may see a schedule is asked of `Schedule.objects.visible_to`."""

from django.http import Http404

from jobs.errors import UnknownJobType
from jobs.permissions import RUN_COMMANDS
from jobs.schedules.models import Schedule
from jobs.types import get_type

MANAGE_AGENTS = "jobs_schedules.manage_agents"
_HIDDEN = frozenset({"environment", "attributes"})


def may_see_agents(user) -> bool:
    """Whether `user` may see which agents there are and how they do: who may run commands on them, and who manages them."""
    return user.is_active and (user.has_perm(RUN_COMMANDS) or may_manage_agents(user))


def may_manage_agents(user) -> bool:
    """Whether `user` may let agents in, change and remove them."""
    return user.is_active and (user.is_staff or user.has_perm(MANAGE_AGENTS))


def may_have_run(user, job_type: str) -> bool:
    """Whether `user` may have jobs of that type made, or with an empty one, have commands run by agents."""
    if not job_type:
        return user.is_active and user.has_perm(RUN_COMMANDS)
    try:
        return user.is_active and get_type(job_type).may_make(user)
    except UnknownJobType:
        return False


def shown_values(schedule: Schedule, user) -> dict:
    """The values of the jobs that it starts, without what may hold secrets where `user` is not its author."""
    if schedule.user_id == user.pk:
        return schedule.job_values
    return {name: value for name, value in schedule.job_values.items() if name not in _HIDDEN}


def visible_schedule_or_404(user, **lookup) -> Schedule:
    """The schedule that `lookup` names (`pk=` or `uuid=`), if `user` may see it, and so act on it.

    Raises:
        Http404: there is none, or it is somebody else's; both answers are the same to the letter.
    """
    schedule = Schedule.objects.visible_to(user).select_related("user").filter(**lookup).first()
    if schedule is None:
        raise Http404("No such schedule.")
    return schedule
