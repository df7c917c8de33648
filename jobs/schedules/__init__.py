"""Commands that run again and again on hosts with an agent, and jobs that are started again and again (seed 004)."""
