"""The middleware: checks on every request, and headers for every answer; `app` defines the order."""
