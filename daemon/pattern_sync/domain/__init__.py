"""Pure rules and words: no I/O, no clock, the standard library only."""
