"""What is served over HTTP: the API, live updates, probes, the review page."""
