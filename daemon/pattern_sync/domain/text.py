"""Which texts PostgreSQL can store."""


def is_storable(text: str) -> bool:
    """Return whether PostgreSQL can store a text: no NUL, and no half of a surrogate pair, which JSON allows."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)
