"""What the description says of texts."""

from pydantic.config import JsonDict

# For clients that are generated from the description; the domain's own checks enforce it.
STORABLE: JsonDict = {"pattern": "^[^\\u0000]*$"}
NOT_BLANK: JsonDict = {"pattern": "^[^\\u0000]*[^\\s\\u0000][^\\u0000]*$"}
