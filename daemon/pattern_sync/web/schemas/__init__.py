"""The HTTP schemas beyond the domain's own classes: requests, and answers with derived fields."""
