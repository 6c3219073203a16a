"""python -m samples DIRECTORY [SEED]: writes the sample documents and says what each is for."""

import sys
from pathlib import Path

from samples import draw


def main(arguments: list[str]) -> int:
    if not 1 <= len(arguments) <= 2:
        sys.stderr.write("Say where to: python -m samples DIRECTORY [SEED]\n")
        return 2
    for sample in draw(Path(arguments[0]), seed=int(arguments[1]) if len(arguments) == 2 else 1):
        sys.stdout.write(f"{sample.path}: {sample.note}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
