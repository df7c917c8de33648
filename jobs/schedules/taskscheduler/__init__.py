"""The API of taskscheduler (seed 004): periodic commands on many agents, made and asked for with two calls."""
