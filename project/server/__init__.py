"""`make run`: the supervisor of web, worker and monitor. Nothing in this room imports Django or `jobs`."""
