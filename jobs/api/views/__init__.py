"""The REST API's views."""
