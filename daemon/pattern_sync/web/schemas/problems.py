"""Why a request failed."""

from pydantic import BaseModel, ConfigDict, Field

from pattern_sync.domain.entry import QueueEntry


class Problem(BaseModel):
    """Why a request failed."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)

    detail: str = Field(description="A sentence that can be shown to a person.")
    request_id: str = Field("", description="The request's name in the daemon's log, as in `X-Request-ID`.")


class Conflict(Problem):
    """Why nothing was written."""

    # Some refusals are about no entry, and leave it out.
    model_config = ConfigDict(json_schema_serialization_defaults_required=False)

    entry: QueueEntry | None = Field(
        None, description="The entry as it is now; null if the application or the database refused the request."
    )


class InvalidField(BaseModel):
    """One fault of a request."""

    loc: list[str | int] = Field(
        description="Where the fault is: `path`, `query`, `header` or `body`, then the names inside."
    )
    msg: str = Field(description="What is wrong.")
    type: str = Field(description="The kind of fault, for programs.")


class Invalid(Problem):
    """What is wrong with a request."""

    fields: list[InvalidField] = Field(description="Every fault; `detail` names the first few.")
