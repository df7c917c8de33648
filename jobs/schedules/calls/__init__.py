"""What agents call: let in, session, what is to be run, what came of it (docs/reference/agent-protocol.md)."""
