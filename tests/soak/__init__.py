"""A soak: random faults under traffic, for as long as one likes."""
