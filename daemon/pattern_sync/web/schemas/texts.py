"""What the description says of texts."""

from pydantic.config import JsonDict

# For clients that are generated from the description; the domain's own checks enforce it.
STORABLE: JsonDict = {"pattern": "^[^\\u0000]*$"}
# Python counts five more characters as blank than the expressions of JSON Schema do.
NOT_BLANK: JsonDict = {"pattern": "^[^\\u0000]*[^\\s\\u0000\\u001c-\\u001f\\u0085][^\\u0000]*$"}
