"""The engine of farm runs: numbered tasks that workers anywhere pull over HTTP."""
