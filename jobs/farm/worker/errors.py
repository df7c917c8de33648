"""What may go wrong between a worker and the site."""


class FarmError(Exception):
    """Whatever is wrong with a call to the site, or with a task."""


class Refused(FarmError):
    """The site has answered, and asking again would change nothing: a wrong token or address, a run that is gone.

    Attributes:
        status: of HTTP; 0 where there was no answer that could be understood.
    """

    def __init__(self, message: str, status: int = 0):
        super().__init__(message)
        self.status = status


class NotAnswered(FarmError):
    """There was no answer, and the call is not repeated any more because somebody said so."""


class TaskLost(FarmError):
    """The task is not this worker's any more: its lease expired, it was restarted, or the run was stopped."""
