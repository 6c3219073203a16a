"""What real answers hold beside what the documentation promises: nulls, unknown members and blocks, turned pages."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Block = dict[str, Any]

_NULLS = ("Confidence", "TextType", "Relationships", "Query", "ColumnSpan")


@dataclass(frozen=True, slots=True)
class Noise:
    """How much of it. Shares are of all blocks; `rotation` is by how many degrees every page is turned."""

    nulls: float = 0.0
    unknown_members: float = 0.0
    unknown_blocks: float = 0.0
    absent_page: bool = False
    rotation: int = 0


def noisy(blocks: Sequence[Block], noise: Noise, source: random.Random) -> list[Block]:
    """The blocks with noise among them."""
    made = [_turned(block, noise.rotation) for block in blocks] if noise.rotation else list(blocks)
    made = [_with_nulls(block, source) if source.random() < noise.nulls else block for block in made]
    made = [
        {**block, "DetectedLanguage": {"Code": "en", "Score": 0.98}}
        if source.random() < noise.unknown_members
        else block
        for block in made
    ]
    return [each for block in made for each in _among(block, noise, source)]


def _among(block: Block, noise: Noise, source: random.Random) -> list[Block]:
    """The block, and at times one of a type that nobody knows after it."""
    if source.random() >= noise.unknown_blocks:
        return [block]
    stamp = {"BlockType": "WATERMARK", "Id": block["Id"][:-12] + "ffff" + block["Id"][-8:]}
    return [block, {**stamp, "Page": block["Page"], "Opacity": 0.4}]


def _with_nulls(block: Block, source: random.Random) -> Block:
    absent = [name for name in _NULLS if name not in block]
    return {**block, source.choice(absent): None} if absent else block


def _turned(block: Block, degrees: int) -> Block:
    geometry = block.get("Geometry")
    if not geometry:
        return block
    points = [_point(each["X"], each["Y"], degrees) for each in geometry["Polygon"]]
    xs, ys = [x for x, _ in points], [y for _, y in points]
    box = {"Height": max(ys) - min(ys), "Left": min(xs), "Top": min(ys), "Width": max(xs) - min(xs)}
    turned: Block = {"BoundingBox": box, "Polygon": [{"X": x, "Y": y} for x, y in points]}
    if block["BlockType"] == "WORD":
        turned["RotationAngle"] = float(degrees)
    return {**block, "Geometry": turned}


def _point(x: float, y: float, degrees: int) -> tuple[float, float]:
    """Where a point of the upright page lies after turning it clockwise."""
    return {90: (1 - y, x), 180: (1 - x, 1 - y), 270: (y, 1 - x)}[degrees]
