"""What every request passes before a route sees it, and what every answer carries; `app` states the order."""
