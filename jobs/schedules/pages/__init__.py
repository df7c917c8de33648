"""The pages of schedules and agents, below `/jobs/schedules/`."""
