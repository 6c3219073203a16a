"""The only place where the bytes of a foreign file are parsed or drawn: by a decoder always in a limited child process.

A file that eats memory, time or crashes its library costs one child, never the web server or a queue worker.
All functions use one sandbox per calling process; both may be called from any thread and after a fork.
"""

from ocr.sandbox.answers import Box, Inspection, PageSize, PageText, PrintedWord, Rendering, Sheet
from ocr.sandbox.client import Limits, Sandbox, is_box
from ocr.sandbox.refusals import SandboxFailed, Unacceptable

__all__ = [
    "Box",
    "Inspection",
    "Limits",
    "PageSize",
    "PageText",
    "PrintedWord",
    "Rendering",
    "Sandbox",
    "SandboxFailed",
    "Sheet",
    "Unacceptable",
    "crops",
    "cut",
    "inspect",
    "is_box",
    "render",
    "text",
]

_sandbox = Sandbox()
crops = _sandbox.crops
cut = _sandbox.cut
inspect = _sandbox.inspect
render = _sandbox.render
text = _sandbox.text
