"""Everything that is served over HTTP: the API, live updates, probes and the review page."""
