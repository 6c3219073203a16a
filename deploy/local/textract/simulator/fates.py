"""What becomes of a call or a job: the rules in force, and which of them applies now."""

from collections import Counter
from fnmatch import fnmatchcase

from deploy.local.textract.simulator.chance import Chance, lognormal
from deploy.local.textract.simulator.knobs import MALFORMED, Fault, Knobs, Latency, Outcome
from deploy.local.textract.simulator.malformed import malform
from deploy.local.textract.simulator.replies import HTML, HTML_TYPE, Reply


class Fates:
    """Draws by the number of the call, so that the n-th call of an operation has the same fate in every run."""

    def __init__(self, knobs: Knobs) -> None:
        self.knobs = knobs
        self.chance = Chance(knobs.seed)
        self._about: Counter[tuple[str, str]] = Counter()
        self._struck: Counter[int] = Counter()

    def turn(self, knobs: Knobs) -> None:
        """Other rules from now on; how often a rule struck counts anew when the rules changed."""
        if knobs.faults != self.knobs.faults:
            self._struck.clear()
        if knobs.seed != self.knobs.seed:
            self.chance = Chance(knobs.seed)
        self.knobs = knobs

    def forget(self) -> None:
        """Counts from one again."""
        self._about.clear()
        self._struck.clear()

    def of_call(self, operation: str, number: int, *, key: str) -> Fault | None:
        """What goes wrong with the `number`-th call of an operation, about this document; None when nothing does."""
        if not self.knobs.faults:
            return None
        self._about[operation, key] += 1
        nth = self._about[operation, key]
        for place, rule in enumerate(self.knobs.faults):
            if self._strikes(rule, place, operation, number, key, nth):
                self._struck[place] += 1
                return rule
        return None

    def _strikes(self, rule: Fault, place: int, operation: str, number: int, key: str, nth: int) -> bool:
        return (
            fnmatchcase(operation, rule.operation)
            and fnmatchcase(key, rule.key)
            and (not rule.calls or number in rule.calls)
            and (not rule.first or nth <= rule.first)
            and self._struck[place] < rule.most
            and self._falls(rule.probability, "fault", place, operation, number)
        )

    def of_job(self, operation: str, number: int, *, key: str) -> Outcome | None:
        """How the `number`-th job of an operation ends; None when no rule says so."""
        for place, rule in enumerate(self.knobs.outcomes):
            if (
                fnmatchcase(operation, rule.operation)
                and fnmatchcase(key, rule.key)
                and (not rule.jobs or number in rule.jobs)
                and self._falls(rule.probability, "outcome", place, operation, number)
            ):
                return rule
        return None

    def seconds(self, latency: Latency, operation: str, number: int, *, pages: int = 1) -> float:
        """How long the `number`-th call of an operation, or its job, takes."""
        source = self.chance.draw("latency", operation, number)
        spike = latency.spike_seconds if source.random() < latency.spike_share else 0.0
        return lognormal(source, median=latency.median, p95=latency.p95) + latency.per_page * pages + spike

    def strike(self, reply: Reply, fault: Fault, operation: str, number: int) -> Reply:
        """The answer after a fault has struck it on its way; the work behind it was done."""
        match fault.fault:
            case "lost_answer":
                reply.reset = True
            case "slow_body":
                reply.seconds = fault.seconds
            case "cut_body":
                reply.sent_bytes = len(reply.body) // 2
            case "truncated":
                reply.body = reply.body[: len(reply.body) // 2]
            case "html_200":
                reply.body, reply.content_type = HTML % 200, HTML_TYPE
            case variant:
                source = self.chance.draw("malformed", operation, number)
                if not malform(reply, variant.removeprefix(MALFORMED), source):
                    return reply
        reply.outcome = fault.fault
        return reply

    def _falls(self, probability: float, *about: object) -> bool:
        return probability >= 1 or self.chance.draw(*map(str, about)).random() < probability
