"""Which texts a database can hold."""


def is_storable(text: str) -> bool:
    """Return whether PostgreSQL can hold a text: no NUL, and no half of a surrogate pair, which JSON lets through."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)
