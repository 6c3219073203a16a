"""Clients of AWS's services: how many a process makes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from ocr import aws, textract
from tests.engine import Engine


def test_many_threads_that_need_a_client_at_once_share_one(engine: Engine) -> None:
    aws.forget()
    barrier = Barrier(16)

    def ask(_number: int) -> int:
        barrier.wait(20)
        return id(aws.textract(textract.SYNC))

    with ThreadPoolExecutor(16) as pool:
        assert len(set(pool.map(ask, range(16)))) == 1
    assert aws.textract(textract.SYNC) is not aws.textract(textract.START)
