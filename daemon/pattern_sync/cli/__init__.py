"""The command pattern-sync."""
