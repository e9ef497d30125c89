"""Requests made from the description of the API, and checks that their responses match it."""

import re
import uuid
from collections import Counter
from collections.abc import Sequence
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, assume, given, settings
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import ignored_auth

EXAMPLES = 25
# Unknown query parameters are allowed, the client adds the token itself, and an overlong value may be too large
# even to be parsed.
_CONFIG = schemathesis.Config.from_dict(
    {
        "generation": {"allow-extra-parameters": False, "with-security-parameters": False},
        "checks": {"negative_data_rejection": {"expected-statuses": ["400", "404", "405", "409", "413", "422"]}},
    }
)

# Of these the test has made the first, or the one with this name.
RULE = "proven"
_MADE = {"batch_id": 1, "message_id": 1, "name": RULE}
# There, any name is one of a new rule.
_NAMES_ANEW = "POST /api/v1/rules/{name}"
_KEY = re.compile(r"[!-~]{1,255}")

Case = schemathesis.Case[Any]


class Described:
    """Sends a daemon valid and invalid requests by its description; every other one names a known pattern."""

    def __init__(self, http_url: str, token: str, known: Sequence[str]) -> None:
        self._schema = schemathesis.openapi.from_url(f"{http_url}/openapi.json", config=_CONFIG)
        self._headers = {"Authorization": f"Bearer {token}"}
        self._known = known
        # Without a session, each request would read all certificate authorities of this machine.
        self._session = requests.Session()
        # Each check sends requests without a token, and a daemon takes its time for the answer to many of these.
        self._checked_without_token: set[str] = set()
        self.answered: Counter[str] = Counter()  # how often, by operation and status

    def ask_as_described(self, operation: str) -> None:
        self._ask_all(operation, GenerationMode.POSITIVE)

    def ask_otherwise(self, operation: str) -> None:
        self._ask_all(operation, GenerationMode.NEGATIVE)

    def _ask_all(self, operation: str, mode: GenerationMode) -> None:
        method, path = operation.split()

        @settings(
            max_examples=EXAMPLES,
            derandomize=True,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(self._schema[path][method].as_strategy(generation_mode=mode))
        def ask(case: Case) -> None:
            if mode == GenerationMode.NEGATIVE:
                assume(not _says_nothing(case))
            if mode.is_positive:
                _leave_out_what_no_schema_can_say(case)
                case.path_parameters.update(_made(operation, case))
            if _KEY.fullmatch(str(case.headers.get("Idempotency-Key", ""))):
                case.headers["Idempotency-Key"] = uuid.uuid4().hex  # of two requests with one key, one is refused
            asked = self.answered.total()
            if asked % 2 == 0:
                if made := _made(operation, case):
                    case.path_parameters.update(made)
                elif "pattern_id" in case.path_parameters:
                    case.path_parameters["pattern_id"] = self._known[asked % len(self._known)]
            response = case.call(session=self._session, headers=self._headers)
            self.answered[f"{operation} {response.status_code}"] += 1
            unneeded = [ignored_auth] if operation in self._checked_without_token else []
            self._checked_without_token.add(operation)
            case.validate_response(response, excluded_checks=unneeded)

        ask()


def _made(operation: str, case: Case) -> dict[str, object]:
    """Return the parameters of a path that name what the test has made."""
    if operation == _NAMES_ANEW:
        return {}
    return {name: value for name, value in _MADE.items() if name in case.path_parameters}


def _says_nothing(case: Case) -> bool:
    """Return whether a body that may be left out is null, which is taken though it is not described."""
    return case.body is None and not case.operation.definition.raw["requestBody"].get("required", False)


def _leave_out_what_no_schema_can_say(case: Case) -> None:
    """Skip what no schema can express: which cursors exist, what a query can say, which lists contradict each other."""
    case.query.pop("cursor", None)
    for name in ("q", "group_by", "group_key"):
        case.query.pop(name, None)
    if case.path.endswith("/snooze") and isinstance(case.body, dict):
        case.body.pop("until", None)  # it has to be soon
        case.body["until_doubled"] = True
    if case.path.endswith("/revert") and isinstance(case.body, dict):
        case.body.pop("since", None)  # it has to be of the last seven days
    if case.operation.label == _NAMES_ANEW and isinstance(case.body, dict):
        # It has to say what a new rule decides, and nothing that contradicts itself.
        for name in ("exclude_kinds", "without_tools", "min_savings", "min_confidence"):
            case.body.pop(name, None)
        case.body["verdict"] = "reject"
    if isinstance(case.body, dict) and {"only_types", "exclude_types"} <= case.body.keys():
        del case.body["exclude_types"]
