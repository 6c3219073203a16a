"""The tree that the browser hands to a screen reader: what is called what, what has the focus, what is said aloud."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from playwright.sync_api import Page

# What somebody who hears the page must be told the name of.
ROLES = """
    alertdialog button checkbox combobox dialog grid heading image img link listbox menuitem meter progressbar radio
    searchbox slider spinbutton switch tab table textbox treegrid
"""
NAMED = frozenset(ROLES.split())


class Tree:
    """The page as it stands now; `nodes` are those of Chromium's Accessibility.getFullAXTree that it does not leave out."""

    def __init__(self, page: Page) -> None:
        self._session = page.context.new_cdp_session(page)
        self._session.send("Accessibility.enable")
        found: list[dict[str, Any]] = self._session.send("Accessibility.getFullAXTree")["nodes"]
        self._all = {node["nodeId"]: node for node in found}
        self.nodes = [node for node in found if not node.get("ignored")]

    def nameless(self) -> Iterator[str]:
        """The controls, pictures, headings and tables that would be called nothing, as they stand in the page."""
        for node in self.nodes:
            if role(node) in NAMED and not name(node).strip():
                told = self._session.send("DOM.getOuterHTML", {"backendNodeId": node["backendDOMNodeId"]})
                yield f"{role(node)} without a name: {told['outerHTML'][:200]}"

    @property
    def focused(self) -> dict[str, Any]:
        """What has the focus: the innermost node that says so, since the document around it does too."""
        return [node for node in self.nodes if prop(node, "focused")][-1]

    def aloud(self) -> str:
        """What the regions that are read out when they change say now."""
        regions = [
            node for node in self.nodes if prop(node, "live") in {"polite", "assertive"} and self._is_outermost(node)
        ]
        return " | ".join(filter(None, (self._text(node).strip() for node in regions)))

    def _is_outermost(self, node: dict[str, Any]) -> bool:
        parent = self._all.get(node.get("parentId", ""))
        return parent is None or prop(parent, "live") not in {"polite", "assertive"}

    def _text(self, node: dict[str, Any]) -> str:
        if role(node) == "StaticText":
            return f"{name(node)} "
        children = (self._all.get(child) for child in node.get("childIds", []))
        return "".join(self._text(child) for child in children if child)


def role(node: dict[str, Any]) -> str:
    return str(node.get("role", {}).get("value", ""))


def name(node: dict[str, Any]) -> str:
    return str(node.get("name", {}).get("value", ""))


def description(node: dict[str, Any]) -> str:
    return str(node.get("description", {}).get("value", ""))


def prop(node: dict[str, Any], wanted: str) -> Any:
    """One property of a node, None where it has none of that name."""
    return next((each["value"].get("value") for each in node.get("properties", []) if each["name"] == wanted), None)
