"""Processes of this machine: looked at, named, and ended as a whole tree. Imports no Django and is quickly imported."""
