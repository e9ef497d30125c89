"""Reads plans of EXPLAIN (FORMAT JSON): whether their cost grows with the square of the tables."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

Node = Mapping[str, Any]

LARGE = frozenset({"operation_patterns", "pattern_approvals", "pattern_occurrences", "written", "refusals"})
_SINGLE = frozenset({"settings", "migrations"})
_SCANS_OF_ALL = frozenset({"Seq Scan", "CTE Scan", "Index Scan", "Index Only Scan"})


def quadratic_parts(plan: Node) -> list[str]:
    """Return, in words, each part that is read as a whole for every row of another."""
    return sorted(set(_found(plan, plan)))


def _found(node: Node, whole: Node) -> Iterator[str]:
    for child in node.get("Plans", ()):
        yield from _found(child, whole)
        name = child.get("Subplan Name", "")
        if child.get("Parent Relationship") == "SubPlan" and f"hashed {name}" not in json.dumps(whole):
            yield from (f"{scan} in {name}, for each row of {node['Node Type']}" for scan in _scans(child, whole))
    if node["Node Type"] == "Nested Loop":
        outer, inner = (_child(node, side) for side in ("Outer", "Inner"))
        if not _is_bounded(outer, whole):
            yield from (f"{scan} in a nested loop over {outer['Node Type']}" for scan in _scans(inner, whole))


def _child(node: Node, side: str) -> Node:
    (found,) = (child for child in node["Plans"] if child.get("Parent Relationship") == side)
    return found  # type: ignore[no-any-return]


def _scans(node: Node, whole: Node) -> Iterator[str]:
    if node["Node Type"] == "Hash":
        return  # built once, however often it is probed
    scans_all = node["Node Type"] in _SCANS_OF_ALL and "Index Cond" not in node
    if scans_all and _is_large(node, whole) and not _is_bounded(node, whole):
        yield f"{node['Node Type']} of {node.get('Relation Name') or node['CTE Name']}"
    for child in node.get("Plans", ()):
        if child.get("Parent Relationship") not in ("InitPlan", "SubPlan"):
            yield from _scans(child, whole)


def _is_bounded(node: Node, whole: Node) -> bool:
    """Return whether a node's number of rows is bounded, whatever is in the tables."""
    kind = node["Node Type"]
    if kind in ("Materialize", "Subquery Scan", "Nested Loop", "Gather", "ModifyTable", "Sort"):
        return all(_is_bounded(child, whole) for child in node["Plans"])
    if kind == "Aggregate":
        return bool(node.get("Strategy") == "Plain")
    if kind == "CTE Scan":
        return all(_is_bounded(each, whole) for each in _nodes(whole) if _is_named(each, node["CTE Name"]))
    # A list in the statement does not grow with the tables.
    return kind == "Values Scan" or (kind == "Result" and not node.get("Plans")) or node.get("Relation Name") in _SINGLE


def _is_large(node: Node, whole: Node) -> bool:
    """Return whether a scan's rows grow with the tables; a CTE that reads only catalogs does not."""
    if "CTE Name" not in node:
        return node.get("Relation Name") in LARGE
    parts = [part for each in _nodes(whole) if _is_named(each, node["CTE Name"]) for part in _nodes(each)]
    return any(part is not node and _is_large(part, whole) for part in parts)


def _is_named(node: Node, name: str) -> bool:
    return bool(node.get("Subplan Name") == f"CTE {name}")


def _nodes(node: Node) -> Iterator[Node]:
    yield node
    for child in node.get("Plans", ()):
        yield from _nodes(child)
