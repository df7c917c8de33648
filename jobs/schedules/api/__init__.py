"""REST of schedules and agents, mounted at `/api/schedules/`."""
