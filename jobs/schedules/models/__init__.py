"""Schedule, Agent, Execution and what lies between them."""

from jobs.schedules.models.agent import Agent, EnrolToken
from jobs.schedules.models.execution import Execution
from jobs.schedules.models.schedule import Assignment, Schedule

__all__ = ["Agent", "Assignment", "EnrolToken", "Execution", "Schedule"]
