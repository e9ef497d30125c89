"""What a service is, and how one is run: waiting, working or in an outage."""
