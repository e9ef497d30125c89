"""The body of an agent's hook: an agent's own, so that fields that are not known here are passed over."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class HookBody(BaseModel):
    """What Claude Code sends to an HTTP hook for a call. Of `tool_input` and `tool_response`, only words are kept."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "examples": [
                {
                    "hook_event_name": "PostToolUse",
                    "session_id": "5b2a7c52-1111-4222-8333-944455556666",
                    "tool_use_id": "toolu_01ABCDEFGHJKMNPQRSTVWXYZ",
                    "tool_name": "Bash",
                    "tool_input": {"command": "pytest -q"},
                }
            ]
        },
    )

    hook_event_name: Literal["PreToolUse", "PostToolUse", "PostToolUseFailure"] = Field(
        description="Whether the call begins, has ended, or has failed."
    )
    session_id: str = Field(min_length=1, description="The agent's session.")
    tool_name: str = Field(min_length=1, description="The tool that is called.")
    tool_use_id: str | None = Field(default=None, description="The call, by which its events are told to be one's.")
    agent_id: str | None = Field(default=None, description="The subagent that calls.")
    tool_input: Any = Field(default=None, description="What the tool is given.")
    tool_response: Any = Field(default=None, description="What it answers.")
    cwd: str | None = Field(default=None, description="The folder in which the agent works.")
