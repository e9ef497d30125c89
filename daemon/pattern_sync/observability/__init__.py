"""Subscribers of facts: the log, the status line, health, and the service manager's protocol."""
