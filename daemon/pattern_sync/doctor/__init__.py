"""The doctor: independent checks of an installation, each with what it found and how to mend it. Writes nothing."""
