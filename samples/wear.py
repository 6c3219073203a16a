"""What scanners, pockets and cameras do to paper. Everything random comes from the generator that is passed in."""

import math
from random import Random

from PIL import Image, ImageChops, ImageDraw, ImageFilter

Picture = Image.Image


def grain(picture: Picture, random: Random, *, strength: float) -> Picture:
    """Sensor noise: `strength` is about the standard deviation in grey values."""
    width, height = picture.size
    raw = Image.frombytes("L", picture.size, random.randbytes(width * height))
    noise = raw.filter(ImageFilter.GaussianBlur(0.7)).point(lambda value: round(128 + (value - 128) * strength / 30))
    return ImageChops.add(picture, Image.merge("RGB", (noise, noise, noise)), scale=1, offset=-128)


def tint(picture: Picture, colour: str) -> Picture:
    """Paper of another colour."""
    return ImageChops.multiply(picture, Image.new("RGB", picture.size, colour))


def uneven_light(picture: Picture, random: Random, *, depth: int) -> Picture:
    """Soft clouds of shade, at most `depth` grey values dark."""
    small = Image.frombytes("L", (5, 6), bytes(255 - random.randrange(depth) for _ in range(30)))
    cloud = small.resize(picture.size, Image.Resampling.BICUBIC)
    return ImageChops.multiply(picture, Image.merge("RGB", (cloud, cloud, cloud)))


def speckle(picture: Picture, random: Random, *, count: int) -> Picture:
    """Dust on the glass: mostly specks, now and then a hair."""
    dirty = picture.copy()
    pen = ImageDraw.Draw(dirty)
    for number in range(count):
        x, y, size = random.uniform(0, picture.width), random.uniform(0, picture.height), random.uniform(0.5, 2.6)
        shade = (random.randrange(30, 140),) * 3
        pen.ellipse((x, y, x + size, y + size), fill=shade)
        if number % 60 == 0:
            pen.arc((x, y, x + random.uniform(20, 70), y + random.uniform(20, 50)), 10, 120, fill=shade, width=1)
    return dirty


def fade(picture: Picture, random: Random, *, remaining: float, streaks: int = 0) -> Picture:
    """Print that has paled to `remaining` of its strength, and to less along vertical streaks."""
    mask = Image.new("L", picture.size, round(255 * (1 - remaining)))
    pen = ImageDraw.Draw(mask)
    for _ in range(streaks):
        x, width = random.uniform(0, picture.width), random.uniform(6, 26)
        pen.rectangle((x, 0, x + width, picture.height), fill=min(255, round(255 * (1 - remaining * 0.55))))
    mask = mask.filter(ImageFilter.GaussianBlur(5))
    return Image.composite(Image.new("RGB", picture.size, "white"), picture, mask)


def skew(picture: Picture, degrees: float, *, around: str) -> Picture:
    """A page laid askew on the glass; `around` is the colour of the lid."""
    return picture.rotate(degrees, Image.Resampling.BICUBIC, fillcolor=around)


def shade(picture: Picture, polygon: list[tuple[float, float]], *, darkness: float, softness: float) -> Picture:
    """A shadow over part of the picture; the polygon is in fractions of its size."""
    cover = Image.new("L", picture.size, 255)
    corners = [(x * picture.width, y * picture.height) for x, y in polygon]
    ImageDraw.Draw(cover).polygon(corners, fill=round(255 * (1 - darkness)))
    cover = cover.filter(ImageFilter.GaussianBlur(softness))
    return ImageChops.multiply(picture, Image.merge("RGB", (cover, cover, cover)))


def crumple(picture: Picture, random: Random, *, folds: int, bend: float) -> Picture:
    """Paper that was a ball once: light and dark sides along its folds, wandering lines, edges that are not straight.

    The answer has an alpha channel: outside the paper's edge it is transparent.
    """
    relief = Image.new("L", picture.size, 128)
    for _ in range(folds):
        relief = ImageChops.add(relief, _fold(picture.size, random), scale=1, offset=-128)
    relief = relief.filter(ImageFilter.GaussianBlur(1.5))
    folded = ImageChops.add(picture, Image.merge("RGB", (relief, relief, relief)), scale=1, offset=-128)
    return _bend(folded.convert("RGBA"), random, bend)


def _fold(size: tuple[int, int], random: Random) -> Picture:
    """One crease as a relief around 128: sharp where the paper broke, soft away from it."""
    angle, x, y = random.uniform(0, math.pi), random.uniform(0, size[0]), random.uniform(0, size[1])
    along = (math.cos(angle) * 2 * size[1], math.sin(angle) * 2 * size[1])
    near, far = (x - along[0], y - along[1]), (x + along[0], y + along[1])
    reach, dark, light = random.uniform(50, 130), random.randrange(26, 60), random.randrange(8, 22)
    side = Image.new("L", size, 128)
    pen = ImageDraw.Draw(side)
    steps = 12
    for step in range(steps):
        distance = reach * (1 - step / steps)
        aside = (-math.sin(angle) * distance, math.cos(angle) * distance)
        part = ((step + 1) / steps) ** 2
        for sign, tone in ((1, 128 - dark * part), (-1, 128 + light * part)):
            outer = [
                (far[0] + sign * aside[0], far[1] + sign * aside[1]),
                (near[0] + sign * aside[0], near[1] + sign * aside[1]),
            ]
            pen.polygon([near, far, *outer], fill=round(tone))
    return side


def _bend(picture: Picture, random: Random, bend: float) -> Picture:
    columns, lines = 7, 14
    xs = [round(picture.width * number / columns) for number in range(columns + 1)]
    ys = [round(picture.height * number / lines) for number in range(lines + 1)]
    moved = {
        (i, j): (x + random.uniform(-bend, bend), y + random.uniform(-bend, bend))
        for i, x in enumerate(xs)
        for j, y in enumerate(ys)
    }
    mesh = []
    for i in range(columns):
        for j in range(lines):
            corners = (moved[i, j], moved[i, j + 1], moved[i + 1, j + 1], moved[i + 1, j])
            mesh.append(((xs[i], ys[j], xs[i + 1], ys[j + 1]), tuple(value for corner in corners for value in corner)))
    return picture.transform(picture.size, Image.Transform.MESH, mesh, Image.Resampling.BICUBIC, fillcolor=(0, 0, 0, 0))


def photograph(picture: Picture, random: Random, *, table: str, degrees: float, margin: int = 90) -> Picture:
    """A slip of paper on a table, seen by a camera: a little turned, with its shadow beneath."""
    size = (picture.width + 2 * margin, picture.height + 2 * margin)
    board = grain(Image.new("RGB", size, table), random, strength=7)
    board = board.filter(ImageFilter.GaussianBlur(0.6))
    slip = Image.new("RGBA", size, (0, 0, 0, 0))
    slip.paste(picture.convert("RGBA"), (margin, margin))
    slip = slip.rotate(degrees, Image.Resampling.BICUBIC)
    cover = slip.getchannel("A")
    below = ImageChops.offset(cover, 10, 14).filter(ImageFilter.GaussianBlur(14)).point(lambda value: value * 0.55)
    board.paste(Image.new("RGB", size, "#15110d"), (0, 0), below)
    board.paste(slip.convert("RGB"), (0, 0), cover)
    return board
