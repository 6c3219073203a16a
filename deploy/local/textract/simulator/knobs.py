"""The settings of the simulator: read from YAML at the start and from JSON while it runs, checked in one place."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from deploy.local.textract.refusals import Refusal, invalid
from deploy.local.textract.simulator import malformed, rates
from deploy.local.textract.simulator.noise import Noise

Json = dict[str, Any]
T = TypeVar("T")

WEEK_SECONDS = 7 * 24 * 3600.0
DAY_SECONDS = 24 * 3600.0

SYNC = ("AnalyzeDocument", "DetectDocumentText", "AnalyzeExpense", "AnalyzeID")
JOBS = ("TextDetection", "Analysis", "ExpenseAnalysis", "LendingAnalysis")
STARTS = ("StartDocumentTextDetection", "StartDocumentAnalysis", "StartExpenseAnalysis", "StartLendingAnalysis")
GETS = (
    "GetDocumentTextDetection",
    "GetDocumentAnalysis",
    "GetExpenseAnalysis",
    "GetLendingAnalysis",
    "GetLendingAnalysisSummary",
)
OPERATIONS = (*SYNC, *STARTS, *GETS)

WIRE_FAULTS = ("reset_before", "lost_answer", "slow_body", "cut_body", "truncated", "html_200", "html_5xx")
CODES = (
    "ThrottlingException",
    "ProvisionedThroughputExceededException",
    "LimitExceededException",
    "InternalServerError",
    "ServiceUnavailableException",
    "InvalidJobIdException",
    "IdempotentParameterMismatchException",
    "UnsupportedDocumentException",
    "BadDocumentException",
    "DocumentTooLargeException",
    "InvalidParameterException",
    "InvalidS3ObjectException",
    "InvalidKMSKeyException",
    "AccessDeniedException",
    "HumanLoopQuotaExceededException",
    "ConflictException",
    "ResourceNotFoundException",
    "ServiceQuotaExceededException",
    "ValidationException",
    "UnrecognizedClientException",
    "ExpiredTokenException",
)
MALFORMED = "malformed:"
FAULTS = (*WIRE_FAULTS, *CODES, f"{MALFORMED}any", *(MALFORMED + name for name in malformed.VARIANTS))
OUTCOMES = ("SUCCEEDED", "FAILED", "PARTIAL_SUCCESS", "IN_PROGRESS")


@dataclass(frozen=True, slots=True)
class Latency:
    """How long something takes, in seconds: lognormal around `median`, `per_page` more for each page, and now and
    then (`spike_share` of all calls) `spike_seconds` more."""

    median: float
    p95: float
    per_page: float = 0.0
    spike_share: float = 0.0
    spike_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Fault:
    """A rule of what goes wrong. All conditions must hold; `first` counts the calls about one document."""

    fault: str
    operation: str
    key: str
    probability: float
    calls: frozenset[int]
    first: int
    most: int
    http_status: int
    message: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """A rule of how jobs end. `pages` are those that a PARTIAL_SUCCESS lacks and warns of."""

    outcome: str
    operation: str
    key: str
    probability: float
    jobs: frozenset[int]
    message: str
    code: str
    pages: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Throttle:
    """How a call over the quota is answered; `ramp_factor` above 0 refuses more than so many times the calls of the
    second before with ThrottlingException."""

    code: str
    http_status: int
    ramp_factor: float
    ramp_floor: int


@dataclass(frozen=True, slots=True)
class Pages:
    """How many pages a document has: the first glob that matches its key, else what its file says, else `default`."""

    default: int
    keys: tuple[tuple[str, int], ...]
    look_into_files: bool


@dataclass(frozen=True, slots=True)
class Answers:
    """The drawn pages: how many different ones, about how many bytes each, and which share of them has a doubt."""

    count: int
    kilobytes: int
    doubtful_share: float
    kinds: tuple[tuple[str, float], ...]
    noise: Noise


@dataclass(frozen=True, slots=True)
class Notices:
    """Where completion notices go, and what becomes of them on the way; `drop`, `duplicate` and `reorder` are shares."""

    sns_endpoint: str
    queue_url: str
    queue_endpoint: str
    url: str
    delay: float
    drop: float
    duplicate: float
    duplicate_seconds: float
    reorder: float
    reorder_seconds: float
    status_case: str


@dataclass(frozen=True, slots=True)
class Knobs:
    """All settings, checked."""

    seed: int
    latency: Mapping[str, Latency]
    job: Latency
    quotas: Mapping[str, rates.Quota]
    concurrent_jobs: int
    throttle: Throttle
    pages: Pages
    answers: Answers
    faults: tuple[Fault, ...]
    outcomes: tuple[Outcome, ...]
    notices: Notices
    s3_endpoint: str
    identify_bytes: int
    retention_seconds: float
    token_seconds: float
    durable: bool


DEFAULTS: Json = {
    "seed": 1,
    "region": None,
    "quotas": {},
    "concurrent_jobs": None,
    "throttle": {
        "code": "ProvisionedThroughputExceededException",
        "http_status": 400,
        "ramp_factor": 0,
        "ramp_floor": 5,
    },
    "latency": {
        "AnalyzeDocument": {"median": 2.9, "p95": 5.0},
        "DetectDocumentText": {"median": 2.9, "p95": 5.0},
        "AnalyzeExpense": {"median": 2.9, "p95": 5.0},
        "AnalyzeID": {"median": 2.9, "p95": 5.0},
    },
    "other_latency": 0.1,
    "job": {"median": 4.0, "per_page": 0.67},
    "pages": {"default": 1, "keys": {}, "look_into_files": True},
    "answers": {
        "count": 48,
        "kilobytes": 200,
        "doubtful_share": 0.4,
        "kinds": {"invoice": 6, "receipt": 3, "form": 1},
    },
    "noise": {"nulls": 0, "unknown_members": 0, "unknown_blocks": 0, "absent_page": False, "rotation": 0},
    "faults": [],
    "outcomes": [],
    "notices": {
        "sns_endpoint": "",
        "queue_url": "",
        "queue_endpoint": "",
        "url": "",
        "delay": 0,
        "drop": 0,
        "duplicate": 0,
        "duplicate_seconds": 1,
        "reorder": 0,
        "reorder_seconds": 3,
        "status_case": "upper",
    },
    "s3_endpoint": "",
    "identify_bytes": 0,
    "retention_seconds": WEEK_SECONDS,
    "token_seconds": WEEK_SECONDS,
    "durable": True,
}
"""Synchronous calls take what was measured of AWS (median 2.9 s); a job 4 s and 0.67 s a page; Start and Get 0.1 s."""


REPLAY_DEFAULTS: Json = DEFAULTS | {"latency": {}, "other_latency": 0, "job": 0}
"""Recorded answers come at once, unless the settings say otherwise."""


class Settings:
    """The settings in force, as they were written (`wanted`) and as they are used (`knobs`)."""

    def __init__(self, defaults: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
        self._defaults = dict(defaults)
        self.wanted: Json = dict(defaults)
        self.knobs = self.turned(wanted)

    def turn(self, changes: Mapping[str, Any]) -> None:
        """Changes what is named, member by member; lists are replaced and null gives the default back.

        Raises Refusal (InvalidParameterException), and then nothing changed.
        """
        self.knobs = self.turned(changes)

    def turned(self, changes: Mapping[str, Any]) -> Knobs:
        unknown = [name for name in changes if name not in self._defaults]
        if unknown:
            raise invalid(f"There is no knob {unknown[0]!r}. There are: {', '.join(sorted(self._defaults))}.")
        wanted = dict(self.wanted)
        for name, value in changes.items():
            wanted[name] = self._defaults[name] if value is None else _merged(wanted[name], value)
        knobs = parse(wanted)
        self.wanted = wanted
        return knobs


def _merged(old: Any, new: Any) -> Any:
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return new
    return {**old, **{name: _merged(old.get(name), value) for name, value in new.items()}}


def parse(wanted: Mapping[str, Any]) -> Knobs:
    """The settings that these JSON values mean. Raises Refusal (InvalidParameterException) that names the wrong one."""
    throttle = _Members(wanted["throttle"], "throttle")
    region = wanted["region"]
    return Knobs(
        seed=int(_number(wanted["seed"], "seed", least=0, most=2**63)),
        latency=_latencies(wanted),
        job=_latency(wanted["job"], "job"),
        quotas=_quotas(region, wanted["quotas"]),
        concurrent_jobs=_concurrent(region, wanted["concurrent_jobs"]),
        throttle=Throttle(
            code=throttle.one_of("code", CODES),
            http_status=int(throttle.number("http_status", 400, least=400, most=599)),
            ramp_factor=throttle.number("ramp_factor", 0, most=1000),
            ramp_floor=int(throttle.number("ramp_floor", 5, most=1e6)),
        ),
        pages=_pages(_Members(wanted["pages"], "pages")),
        answers=_answers(_Members(wanted["answers"], "answers", known=_ANSWERS), _noise(wanted["noise"])),
        faults=_listed(wanted["faults"], "faults", _fault),
        outcomes=_listed(wanted["outcomes"], "outcomes", _outcome),
        notices=_notices(_Members(wanted["notices"], "notices", known=tuple(DEFAULTS["notices"]))),
        s3_endpoint=_Members(wanted, "").text("s3_endpoint"),
        identify_bytes=int(_number(wanted["identify_bytes"], "identify_bytes", most=1e9)),
        retention_seconds=_number(wanted["retention_seconds"], "retention_seconds", most=10 * WEEK_SECONDS),
        token_seconds=_number(wanted["token_seconds"], "token_seconds", most=10 * WEEK_SECONDS),
        durable=_flag(wanted["durable"], "durable"),
    )


class _Members:
    """The members of one structure; what is asked for and not there takes its default, what nobody asks for is refused."""

    def __init__(self, given: Any, where: str, *, known: Sequence[str] = ()) -> None:
        if not isinstance(given, Mapping):
            raise invalid(f"{where} must be a structure.")
        self._given, self._where = given, where
        unknown = [name for name in given if known and name not in known]
        if unknown:
            raise invalid(f"{where} has no {unknown[0]!r}. There are: {', '.join(known)}.")

    def get(self, name: str, default: Any = None) -> Any:
        value = self._given.get(name)
        return default if value is None else value

    def number(self, name: str, default: float, *, least: float = 0, most: float = DAY_SECONDS) -> float:
        return _number(self.get(name, default), f"{self._where}.{name}", least=least, most=most)

    def text(self, name: str, default: str = "") -> str:
        value = self.get(name, default)
        if not isinstance(value, str):
            raise invalid(f"{self._where}.{name} must be a text.")
        return value

    def one_of(self, name: str, choices: Sequence[str]) -> str:
        value = self.text(name)
        if value not in choices:
            raise invalid(f"{self._where}.{name} cannot be {value!r}. It takes {', '.join(choices)}.")
        return value

    def numbers(self, name: str) -> tuple[int, ...]:
        values = self.get(name, [])
        if not isinstance(values, list) or any(type(value) is not int or value < 1 for value in values):
            raise invalid(f"{self._where}.{name} must be a list of whole numbers from 1.")
        return tuple(values)

    def flag(self, name: str, *, default: bool) -> bool:
        return _flag(self.get(name, default), f"{self._where}.{name}")


def _number(value: Any, where: str, *, least: float = 0, most: float = DAY_SECONDS) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise invalid(f"{where} must be a number from {least:g} to {most:g}.")
    return value


def _flag(value: Any, where: str) -> bool:
    if not isinstance(value, bool):
        raise invalid(f"{where} must be true or false.")
    return value


def _latencies(wanted: Mapping[str, Any]) -> dict[str, Latency]:
    given = _Members(wanted["latency"], "latency", known=OPERATIONS)
    other = _latency(wanted["other_latency"], "other_latency")
    named = {name: given.get(name) for name in OPERATIONS}
    return {name: other if value is None else _latency(value, f"latency.{name}") for name, value in named.items()}


_LATENCY = ("median", "p95", "per_page", "spike_share", "spike_seconds")


def _latency(given: Any, where: str) -> Latency:
    if not isinstance(given, Mapping):
        seconds = _number(given, where)
        return Latency(seconds, seconds)
    members = _Members(given, where, known=_LATENCY)
    median = members.number("median", 0)
    return Latency(
        median=median,
        p95=members.number("p95", median, least=median),
        per_page=members.number("per_page", 0),
        spike_share=members.number("spike_share", 0, most=1),
        spike_seconds=members.number("spike_seconds", 0),
    )


def _quotas(region: Any, given: Any) -> dict[str, rates.Quota]:
    if region is not None and not isinstance(region, str):
        raise invalid("region must be the name of a region, or null for no quotas.")
    quotas = rates.preset(region, OPERATIONS) if region else {}
    members = _Members(given, "quotas", known=OPERATIONS)
    for name in OPERATIONS:
        value = given.get(name)
        if isinstance(value, Mapping):
            wanted = _Members(value, f"quotas.{name}", known=("rate", "burst"))
            rate = wanted.number("rate", 0, least=0.01, most=1e6)
            quotas[name] = rates.Quota(rate, wanted.number("burst", max(rate, 1.0), least=1, most=1e6))
        elif value == "none":
            quotas.pop(name, None)
        elif members.get(name) is not None:
            rate = _number(value, f"quotas.{name}", least=0.01, most=1e6)
            quotas[name] = rates.Quota(rate, max(rate, 1.0))
    return quotas


def _concurrent(region: Any, given: Any) -> int:
    if given is None:
        return rates.preset_jobs(region) if region else 10**9
    return int(_number(given, "concurrent_jobs", least=0, most=1e9))


def _pages(members: _Members) -> Pages:
    keys = _Members(members.get("keys", {}), "pages.keys")
    globs = tuple(
        (glob, int(keys.number(glob, 1, least=1, most=3000)))
        for glob, count in members.get("keys", {}).items()
        if count is not None
    )
    default = int(members.number("default", 1, least=1, most=3000))
    return Pages(default, globs, members.flag("look_into_files", default=True))


KINDS = ("invoice", "receipt", "form")
_ANSWERS = ("count", "kilobytes", "doubtful_share", "kinds")


def _answers(members: _Members, noise: Noise) -> Answers:
    kinds = _Members(members.get("kinds", {}), "answers.kinds", known=KINDS)
    weights = tuple((kind, kinds.number(kind, 0, most=1000)) for kind in KINDS)
    if not any(weight for _, weight in weights):
        raise invalid(f"answers.kinds must give one of {', '.join(KINDS)} a weight above 0.")
    return Answers(
        count=int(members.number("count", 48, least=1, most=2000)),
        kilobytes=int(members.number("kilobytes", 200, least=0, most=20_000)),
        doubtful_share=members.number("doubtful_share", 0.4, most=1),
        kinds=weights,
        noise=noise,
    )


def _noise(given: Any) -> Noise:
    members = _Members(given, "noise", known=tuple(DEFAULTS["noise"]))
    rotation = int(members.number("rotation", 0, most=270))
    if rotation % 90:
        raise invalid("noise.rotation must be 0, 90, 180 or 270.")
    return Noise(
        nulls=members.number("nulls", 0, most=1),
        unknown_members=members.number("unknown_members", 0, most=1),
        unknown_blocks=members.number("unknown_blocks", 0, most=1),
        absent_page=members.flag("absent_page", default=False),
        rotation=rotation,
    )


def _notices(members: _Members) -> Notices:
    return Notices(
        sns_endpoint=members.text("sns_endpoint"),
        queue_url=members.text("queue_url"),
        queue_endpoint=members.text("queue_endpoint"),
        url=members.text("url"),
        delay=members.number("delay", 0),
        drop=members.number("drop", 0, most=1),
        duplicate=members.number("duplicate", 0, most=1),
        duplicate_seconds=members.number("duplicate_seconds", 1),
        reorder=members.number("reorder", 0, most=1),
        reorder_seconds=members.number("reorder_seconds", 3),
        status_case=members.one_of("status_case", ("upper", "lower", "mixed")),
    )


def _listed(given: Any, where: str, read: Callable[[Any, str], T]) -> tuple[T, ...]:
    if not isinstance(given, list):
        raise invalid(f"{where} must be a list.")
    return tuple(read(one, f"{where}[{number}]") for number, one in enumerate(given))


_FAULT = (
    "fault",
    "operation",
    "key",
    "probability",
    "calls",
    "first",
    "most",
    "http_status",
    "message",
    "seconds",
)


def _fault(given: Any, where: str) -> Fault:
    members = _Members(given, where, known=_FAULT)
    fault = members.one_of("fault", FAULTS)
    return Fault(
        fault=fault,
        operation=members.text("operation", "*"),
        key=members.text("key", "*"),
        probability=members.number("probability", 1, most=1),
        calls=frozenset(members.numbers("calls")),
        first=int(members.number("first", 0, most=1e9)),
        most=int(members.number("most", 10**9, most=1e9)),
        http_status=int(members.number("http_status", _status(fault), least=200, most=599)),
        message=members.text("message", f"{fault} as the settings of this endpoint ask."),
        seconds=members.number("seconds", 5),
    )


def _status(fault: str) -> int:
    if fault in CODES:
        return Refusal(fault, "").http_status
    return 503 if fault == "html_5xx" else 200


def _outcome(given: Any, where: str) -> Outcome:
    members = _Members(
        given, where, known=("outcome", "operation", "key", "probability", "jobs", "message", "code", "pages")
    )
    return Outcome(
        outcome=members.one_of("outcome", OUTCOMES),
        operation=members.text("operation", "*"),
        key=members.text("key", "*"),
        probability=members.number("probability", 1, most=1),
        jobs=frozenset(members.numbers("jobs")),
        message=members.text("message", "Job failed as the settings of this endpoint ask."),
        code=members.text("code", "INTERNAL_SERVER_ERROR"),
        pages=members.numbers("pages"),
    )
