"""What all views of the REST API have in common, the core's and those of each room."""

from uuid import UUID

from rest_framework import exceptions

from jobs.access.authentication import BasicLogin, SessionLogin, TokenLogin
from jobs.access.errors import answer_for
from jobs.access.views import CallerView
from jobs.permissions import may_act, visible_job_or_404


class ApiView(CallerView):
    """A view that needs a login: a session, a password or a personal token."""

    authentication_classes = (TokenLogin, BasicLogin, SessionLogin)

    def get_exception_handler(self):
        return answer_for

    def job(self, uuid: UUID, *, to_act: bool = False, polymorphic: bool = True):
        """The job, if the caller may see it, and act on it where that is wanted.

        Raises:
            Http404: there is none, or the caller may not see it.
            PermissionDenied: the caller may see it only.
        """
        job = visible_job_or_404(self.request.user, polymorphic=polymorphic, uuid=uuid)
        if to_act and not may_act(self.request.user, job):
            raise exceptions.PermissionDenied(f"{job.name} is {job.user}'s job; you may look at it, but not change it.")
        return job

    def body(self) -> dict:
        """The body, a JSON object.

        Raises:
            ValidationError: it is none.
        """
        if not isinstance(self.request.data, dict):
            raise exceptions.ValidationError({"body": ["must be a JSON object"]})
        return self.request.data
