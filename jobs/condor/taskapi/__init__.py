"""The dialect of seed 000: a task API for HTCondor, at `/api/tasks` and beside it."""
