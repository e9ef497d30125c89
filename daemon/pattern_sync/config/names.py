"""How settings are spelled."""

PREFIX = "PATTERN_SYNC_"
ENV_FILE_VARIABLE = "PATTERN_SYNC_ENV_FILE"


def variable(name: str) -> str:
    """Return the environment variable of a setting."""
    return PREFIX + name.upper()
