"""The agent: runs the commands of schedules on its host. Goes out as one file; needs Python 3.11 and nothing of the site.

It imports no Django, and of the app only `jobs.processes`, which goes with it. `timetable`, `signing` and
`command_line` are what both sides must agree on; the site uses them too.
"""

VERSION = "1"
"""Of the agent, as it tells the site."""
