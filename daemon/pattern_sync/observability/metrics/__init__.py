"""Metrics for Prometheus: what facts add up to, and what the daemon knows when it is scraped."""
