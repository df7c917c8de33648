"""The fault points of schedules on the site; `test_agents.py` kills at them, the agent's own are in tests/schedules/agent."""

POINTS = ("schedules.enrol", "schedules.report", "schedules.start_job", "schedules.write_due")
AGENTS = "agent."
"""Begins the names of an agent's own."""
