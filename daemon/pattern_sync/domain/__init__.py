"""Pure rules and types: no I/O, no clock, only the standard library."""
