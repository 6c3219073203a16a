"""Sample documents for a first look at the product: all companies, people and numbers are invented and drawn here.

`draw` writes the same bytes for the same seed and the same Pillow; the files carry no dates of their own.
"""

from samples.documents import Sample, draw

__all__ = ["Sample", "draw"]
