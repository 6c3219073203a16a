"""RapidOCR with the settings and repairs that measured best. Imported by OCR children only."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from onnxruntime import InferenceSession, SessionOptions
from rapidocr import RapidOCR
from rapidocr.main import RapidOCRError, root_dir
from rapidocr.utils.process_img import ResizeImgError, map_boxes_to_original

from deploy.local.textract.calibration import calibrated
from deploy.local.textract.cells import cells_of
from deploy.local.textract.grey import shrunk
from deploy.local.textract.reading import Line, PageReading, Point, Quad, Tick, Word
from deploy.local.textract.strokes import strokes_of
from deploy.local.textract.ticks import ticks_of

Picture = npt.NDArray[np.uint8]
"""Height x width x 3, blue first, as OpenCV has it."""
Box = npt.NDArray[np.float32]
"""Four corners in pixels, from the picture's top left, clockwise."""

SETTINGS = {
    "Global.log_level": "critical",
    # The library drops lines under its own threshold: exactly those a person must look at.
    "Global.text_score": 0.0,
    "Global.max_side_len": 4000,
    # The per-line classifier turns good lines upside down more often than it helps; pages are turned as a whole.
    "Global.use_cls": False,
    "Global.return_word_box": True,
    "EngineConfig.onnxruntime.intra_op_num_threads": 1,
    "EngineConfig.onnxruntime.inter_op_num_threads": 1,
    "Det.limit_type": "max",
    "Det.limit_side_len": 1280,
    "Rec.rec_batch_num": 1,
    "Rec.rec_img_shape": [3, 48, 96],
}
SMALLEST_MODEL = root_dir / "models" / "ch_ppocr_mobile_v2.0_cls_mobile.onnx"
TALL = 1.5
"""Height to width above which the library turns a crop by 90 degrees counter-clockwise."""
WIDE = 0xFEE0
"""From a character of ASCII to its full-width form."""
AMOUNT_BLANK = re.compile(r"(?<=\d[.,]) (?=\d\d(?![\d.,/:\-]))")
LOST_POINT = re.compile(r"[^\d\s]{0,3}\d{1,6}( )\d\d")
"""A line that is an amount, with a blank where its point should be: "47 80"."""
NARROW = 1.4
"""From one digit's middle to the next one's, in digits: a blank is wider."""
SURE_OF_POINT = 0.9
"""The score of a point that was not seen; a person is to look at it."""
SAMPLE, MOST_SAMPLED = 8, 3
"""Lines that are read to see which way up the page is, and how many times as many are looked at until so many tell it."""
FEWEST_CHARACTERS = 4
"""Different characters of a line that tells it."""
SURELY_UPRIGHT = 0.97
FRAMES = "□☐▢☑☒"
"""What the frame of a check box is read as: it is no text."""
LONGEST_TICK = 2
"""Letters of what is read in a check box."""


@dataclass(frozen=True, slots=True)
class _Text:
    """What the recogniser saw in one crop: characters, their scores, their columns (of `columns` in all)."""

    characters: str
    scores: tuple[float, ...]
    positions: tuple[int, ...]
    columns: float

    @property
    def mean(self) -> float:
        return sum(self.scores) / len(self.scores) if self.characters.strip() else 0.0


@dataclass(frozen=True, slots=True)
class _Found:
    box: Box
    crop: Picture

    @property
    def tall(self) -> bool:
        width, height = _sides(self.box)
        return height >= TALL * width

    @property
    def length(self) -> float:
        return max(_sides(self.box))


def without_denormals() -> None:
    """Have this thread count numbers next to zero as zero from now on: the networks make millions of them, and processors take a
    hundred times as long over each. Call it before the first engine: the runtime listens to the first session of a process only.

    For processes that do nothing else: all arithmetic of the thread changes, whoever does it.
    """
    options = SessionOptions()
    options.log_severity_level = 4
    options.add_session_config_entry("session.set_denormal_as_zero", "1")
    InferenceSession(str(SMALLEST_MODEL), options, providers=["CPUExecutionProvider"])


class Engine:
    """One OCR engine. Never share it between threads: options are kept on the library's object."""

    def __init__(self) -> None:
        self._ocr = RapidOCR(params=SETTINGS)
        # Models load at first use; a blank picture makes that happen now rather than with somebody waiting.
        blank = np.full((64, 64, 3), 255, dtype=np.uint8)
        self._detect(blank)
        self._recognise([blank])

    def read(self, picture: Picture) -> PageReading:
        """The words of one page, whichever of the four ways it is turned.

        A page of a size that the engine cannot scale (a strip a few pixels wide) has no text; it is no error.
        """
        found = self._detect(picture)
        rotation, known = self._rotation(found)
        if rotation:
            picture, known = np.ascontiguousarray(np.rot90(picture, rotation // 90)), {}
            found = self._detect(picture)
        height, width = picture.shape[:2]
        grey = shrunk(picture)
        ticks = ticks_of(grey)
        lines = [_without(ticks, self._line(item, text, width, height)) for item, text in self._texts(found, known)]
        lines = [line for line in lines if line.words]
        return PageReading(width, height, rotation, tuple(lines), strokes_of(grey), ticks, cells_of(grey))

    def _detect(self, picture: Picture) -> list[_Found]:
        height, width = picture.shape[:2]
        try:
            scaled, record = self._ocr.preprocess_img(picture)
            crops, found = self._ocr.detect_and_crop(scaled, record)
        except (ResizeImgError, RapidOCRError):
            return []
        # The library keeps only the last of two scalings, which misplaces boxes on very long pages.
        record["preprocess"] = {"ratio_h": height / scaled.shape[0], "ratio_w": width / scaled.shape[1]}
        if found.boxes is None:
            return []
        boxes = map_boxes_to_original(found.boxes, record, height, width)
        return [_Found(box, crop) for box, crop in zip(boxes, crops, strict=True)]

    def _recognise(self, crops: list[Picture]) -> list[_Text]:
        if not crops:
            return []
        answer = self._ocr.recognize_txt(crops)
        return [_text(*item) for item in zip(answer.txts or (), answer.word_results, strict=True)]

    def _rotation(self, found: list[_Found]) -> tuple[int, dict[int, _Text]]:
        """Degrees clockwise by which the page is turned: by the shape of its lines, and some of them read both ways. And what these say
        as they stand, by their number."""
        lying = sum(item.length for item in found if not item.tall)
        standing = sum(item.length for item in found if item.tall)
        sideways = standing > lying
        numbers = sorted((n for n, item in enumerate(found) if item.tall == sideways), key=lambda n: -found[n].length)
        known = self._telling(found, numbers)
        telling = [number for number, text in known.items() if _is_telling(text)]
        straight, turned = _certainty([known[number] for number in telling]), 0.0
        if telling and straight < SURELY_UPRIGHT:
            crops = [np.ascontiguousarray(np.rot90(found[number].crop, 2)) for number in telling]
            turned = _certainty(self._recognise(crops))
        if sideways:
            return (270 if turned > straight else 90), known
        return (180 if turned > straight else 0), known

    def _telling(self, found: list[_Found], numbers: Sequence[int]) -> dict[int, _Text]:
        """What the first of these lines say, as many as are looked at before SAMPLE of them tell which way up they are."""
        known: dict[int, _Text] = {}
        for number in numbers[: MOST_SAMPLED * SAMPLE]:
            [known[number]] = self._recognise([found[number].crop])
            if sum(map(_is_telling, known.values())) == SAMPLE:
                break
        return known

    def _texts(self, found: list[_Found], known: Mapping[int, _Text]) -> list[tuple[_Found, _Text]]:
        """Each box with its text, which may be known; a tall box is read lying and standing, since a lone upright digit is tall too."""
        unread = [number for number in range(len(found)) if number not in known]
        texts = {**known, **dict(zip(unread, self._recognise([found[number].crop for number in unread]), strict=True))}
        answer = []
        for number, item in enumerate(found):
            text = texts[number]
            if not item.tall:
                answer.append((item, text))
                continue
            standing = self._recognise([np.ascontiguousarray(np.rot90(item.crop, -1))])[0]
            if standing.mean >= text.mean:
                answer.append((item, standing))
            else:
                answer.append((_Found(np.roll(item.box, -1, axis=0), item.crop), text))
        return answer

    def _line(self, found: _Found, text: _Text, width: int, height: int) -> Line:
        text = _with_point(text)
        words = tuple(
            Word(
                text=text.characters[start:end].replace(" ", "").lstrip(FRAMES),
                confidence=round(calibrated(min(text.scores[start:end])), 4),
                quad=_fractions(_slice(found.box, left, right), width, height),
            )
            for start, end, left, right in _words(text)
        )
        return Line(_fractions(found.box, width, height), words)


def _without(ticks: Sequence[Tick], line: Line) -> Line:
    """The line without what was read in a check box: a frame looks like an O or a D, a tick like a V."""
    words = tuple(
        word
        for word in line.words
        if word.text and (len(word.text) > LONGEST_TICK or not any(_in(word, tick) for tick in ticks))
    )
    return line if len(words) == len(line.words) else Line(line.quad, words)


def _in(word: Word, tick: Tick) -> bool:
    x, y = (sum(corner[axis] for corner in word.quad) / 4 for axis in (0, 1))
    (left, top), _, (right, bottom), _ = tick.quad
    return left <= x <= right and top <= y <= bottom


def _is_wide(character: str) -> bool:
    return len(character) == 1 and 0xFF01 <= ord(character) <= 0xFF5E


def _is_telling(text: _Text) -> bool:
    """Whether a line looks otherwise upside down: one of asterisks or dashes does not."""
    return len(set(text.characters) - {" "}) >= FEWEST_CHARACTERS


def _certainty(texts: list[_Text]) -> float:
    return sum(text.mean for text in texts) / len(texts) if texts else 0.0


def _sides(box: Box) -> tuple[float, float]:
    width = max(np.linalg.norm(box[0] - box[1]), np.linalg.norm(box[2] - box[3]))
    height = max(np.linalg.norm(box[0] - box[3]), np.linalg.norm(box[1] - box[2]))
    return max(float(width), 1.0), max(float(height), 1.0)


def _text(characters: str, seen: Any) -> _Text:
    """The library's answer for one crop; full-width forms, which its alphabet has too, become the plain ones."""
    plain = "".join(chr(ord(c) - WIDE) if _is_wide(c) else c for c in characters)
    positions = tuple(column for word in seen.word_cols or () for column in word)
    return _Text(plain, tuple(float(score) for score in seen.confs or (0.0,)), positions, float(seen.line_txt_len or 1))


def _with_point(text: _Text) -> _Text:
    """The text with the point of an amount where it was too faint to be seen, and only a blank too narrow for one is left of it."""
    lost = LOST_POINT.fullmatch(text.characters)
    if lost is None:
        return text
    at, centres = lost.start(1), _centres(text)
    if centres[at + 1] - centres[at - 1] > NARROW * _character_width(centres):
        return text
    before = sum(not c.isspace() for c in text.characters[:at])
    return _Text(
        f"{text.characters[:at]}.{text.characters[at + 1 :]}",
        (*text.scores[:at], min(SURE_OF_POINT, text.scores[at]), *text.scores[at + 1 :]),
        (*text.positions[:before], *text.positions[before - 1 : before], *text.positions[before:]),
        text.columns,
    )


def _words(text: _Text) -> list[tuple[int, int, float, float]]:
    """First and last-but-one character of each word, and where it begins and ends along its line (0-1).

    The library pairs word k with the score of character k; cutting the character scores here avoids that.
    """
    spans = _spans(text.characters)
    centres = _centres(text)
    width = _character_width(centres)
    edges = [[centres[start] - width / 2, centres[end - 1] + width / 2] for start, end in spans]
    for left, right in zip(edges, edges[1:], strict=False):
        if left[1] > right[0]:
            left[1] = right[0] = (left[1] + right[0]) / 2
    return [(*span, max(edge[0], 0.0), min(edge[1], 1.0)) for span, edge in zip(spans, edges, strict=True)]


def _spans(characters: str) -> list[tuple[int, int]]:
    """Where the words are: cut at blanks and after the colon of a label ("Total:9.00" is two, "10:30" one).

    An underscore at a word's end is the ruled line that the word stands upon. A blank inside "47. 80" is none: the
    recogniser sees one where the print is wide.
    """
    spans, start = [], 0
    inside = {match.start() for match in AMOUNT_BLANK.finditer(characters)}
    for end in range(len(characters) + 1):
        blank = end == len(characters) or (characters[end].isspace() and end not in inside)
        if (blank or _after_label(characters, end)) and end > start:
            spans.append(_without_rule(characters, start, end))
            start = end
        if blank:
            start = end + 1
    return [(start, end) for start, end in spans if start < end]


def _without_rule(characters: str, start: int, end: int) -> tuple[int, int]:
    while start < end and characters[start] == "_":
        start += 1
    while start < end and characters[end - 1] == "_":
        end -= 1
    return start, end


def _after_label(characters: str, at: int) -> bool:
    if at == 0 or characters[at - 1] not in ":#" or characters[at] in "/:":
        return False
    before = characters[at - 2] if at >= 2 else ""
    if characters[at - 1] == "#":
        return before.isalpha() and characters[at] in "+0123456789"
    return not (before.isdigit() and characters[at].isdigit())


def _centres(text: _Text) -> list[float]:
    """The middle of each character along its line (0-1); blanks take their left neighbour's."""
    length = len(text.characters)
    if sum(not c.isspace() for c in text.characters) != len(text.positions):
        return [(index + 0.5) / length for index in range(length)]
    columns, answer, last = iter(text.positions), [], 0.0
    for character in text.characters:
        if not character.isspace():
            last = min((next(columns) + 0.5) / text.columns, 1.0)
        answer.append(last)
    return answer


def _character_width(centres: list[float]) -> float:
    steps = sorted(b - a for a, b in zip(centres, centres[1:], strict=False) if b > a)
    return steps[len(steps) // 2] if steps else 0.5


def _slice(box: Box, left: float, right: float) -> Box:
    top, bottom = box[1] - box[0], box[2] - box[3]
    return np.array([box[0] + top * left, box[0] + top * right, box[3] + bottom * right, box[3] + bottom * left])


def _fractions(box: Box, width: int, height: int) -> Quad:
    def point(corner: Any) -> Point:
        return (
            round(min(max(float(corner[0]) / width, 0.0), 1.0), 6),
            round(min(max(float(corner[1]) / height, 0.0), 1.0), 6),
        )

    return (point(box[0]), point(box[1]), point(box[2]), point(box[3]))
