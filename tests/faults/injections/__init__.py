"""What the fault suite does to a world: each function is a context in which one fault lasts."""
