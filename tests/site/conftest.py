from tests.ocr.conftest import cast as cast
from tests.ocr.conftest import engine as engine
