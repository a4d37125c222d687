"""Small drawings as SVG. Their colors are the page's own, so that one drawing serves the light and the dark page."""

from __future__ import annotations

from xml.etree import ElementTree

INK, LINE = "currentColor", "var(--rosetta-bar)"


class Drawing:
    """An SVG element that grows as things are added to it; coordinates are CSS pixels, y runs downwards."""

    def __init__(self, width: float | None, name: str) -> None:
        """width: None for as wide as the column, with x in percent. name: said to those who do not see it."""
        self.width, self.name = width, name
        self.root = ElementTree.Element("svg")

    def add(self, tag: str, content: str = "", /, **attributes: str | float) -> None:
        """Add an element; `_` in an attribute's name stands for `-`."""
        named = {
            name.rstrip("_").replace("_", "-"): value if isinstance(value, str) else f"{value:.4g}"
            for name, value in attributes.items()
        }
        ElementTree.SubElement(self.root, tag, named).text = content or None

    def text(self, x: float | str, y: float, content: str, **attributes: str | float) -> None:
        self.add("text", content, x=x, y=y, fill=INK, **attributes)

    def path(self, *steps: str | float, **attributes: str | float) -> None:
        """A path of SVG's commands and numbers."""
        self.add("path", d=" ".join(step if isinstance(step, str) else f"{step:.4g}" for step in steps), **attributes)

    def arrow(self, x: float, top: float, bottom: float) -> None:
        """A line down, with its head."""
        self.path("M", x, top, "V", bottom - 4, stroke=INK, stroke_width=1.2, fill="none")
        self.path("M", x - 3.5, bottom - 5, "h", 7, "l", -3.5, 5, "z", fill=INK)

    def html(self, height: float) -> str:
        """The element as it stands in a page."""
        self.root.attrib |= {"role": "img", "aria-label": self.name, "font-family": "inherit", "font-size": "13"}
        self.root.attrib |= {"width": "100%" if self.width is None else f"{self.width:g}", "height": f"{height:g}"}
        if self.width is not None:
            self.root.set("viewBox", f"0 0 {self.width:g} {height:g}")
        return ElementTree.tostring(self.root, encoding="unicode")
