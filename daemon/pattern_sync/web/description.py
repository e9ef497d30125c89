"""The API's description, with the nulls of its examples."""

from collections.abc import Iterator, Sequence
from typing import Any

from fastapi import FastAPI


class DescribedApi(FastAPI):
    """An API whose examples keep their nulls: FastAPI leaves them out, and then they lack what their schemas require.

    `whole_examples` are the examples as they should be; they may be parts of others.
    """

    def __init__(self, whole_examples: Sequence[dict[str, Any]], **how: Any) -> None:  # noqa: ANN401 - as in FastAPI
        super().__init__(**how)
        self._whole = [part for example in whole_examples for part in _parts(example)]

    def openapi(self) -> dict[str, Any]:
        """Return the description."""
        if self.openapi_schema is None:
            self.openapi_schema = _restored(super().openapi(), [(_without_nulls(each), each) for each in self._whole])
        return self.openapi_schema


def _parts(node: object) -> Iterator[dict[str, Any]]:
    if isinstance(node, list):
        for item in node:
            yield from _parts(item)
    elif isinstance(node, dict):
        for item in node.values():
            yield from _parts(item)
        if None in node.values():
            yield node


def _without_nulls(node: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(node, dict):
        return {name: _without_nulls(item) for name, item in node.items() if item is not None}
    return [_without_nulls(item) for item in node] if isinstance(node, list) else node


def _restored(node: Any, pairs: list[tuple[Any, Any]]) -> Any:  # noqa: ANN401 - JSON
    if isinstance(node, list):
        return [_restored(item, pairs) for item in node]
    if not isinstance(node, dict):
        return node
    for bare, whole in pairs:
        if node == bare:
            return whole
    return {name: _restored(item, pairs) for name, item in node.items()}
