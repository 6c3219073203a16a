"""Clients of AWS's services: how many a process makes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

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


def test_only_a_few_answers_stand_parsed_in_memory_at_the_same_time() -> None:
    body = b'{"DocumentMetadata": {"Pages": 1}, "Blocks": []}'
    seated: list[int] = []
    enough, leave = Event(), Event()

    def hold(number: int) -> None:
        with textract.seated():
            textract.checked(body, operation="AnalyzeDocument")
            textract.checked(body, operation="AnalyzeDocument")  # one seat, however many parts
            seated.append(number)
            if len(seated) == textract.SEATS:
                enough.set()
            leave.wait(20)

    with ThreadPoolExecutor(textract.SEATS + 3) as pool:
        held = [pool.submit(hold, number) for number in range(textract.SEATS + 3)]
        assert enough.wait(20)
        assert not leave.wait(0.2) and len(seated) == textract.SEATS
        textract.checked(body, operation="AnalyzeDocument")  # whoever reads one answer on its own needs no seat
        leave.set()
        for each in held:
            each.result(20)
    assert len(seated) == textract.SEATS + 3


def test_the_descriptions_of_services_are_read_once_for_all_clients(engine: Engine) -> None:
    aws.load("textract")
    known = aws._descriptions().load_service_model("textract", "service-2")
    aws.forget()
    client = aws.textract(textract.SYNC)
    assert client.meta.service_model._service_description["shapes"] is known["shapes"]
