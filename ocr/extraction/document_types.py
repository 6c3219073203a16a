"""Document types are data: the named fields to look for, how they are called, and the rules between them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Literal, cast, get_args

from ocr.extraction import sentences

Kind = Literal[
    "text", "amount", "date", "currency", "number", "identifier", "tax_id", "iban", "email", "phone", "percent", "checkbox",
    "signature",
]  # fmt: skip
Sensitivity = Literal["public", "internal", "restricted"]
DateOrder = Literal["day_first", "month_first", "year_first"]
Finder = Literal["company", "sender", "title", "any_date", "largest_amount", "any_currency"]
EyesMode = Literal["none", "second", "blind"]

OPERATIONS = ("DetectDocumentText", "AnalyzeDocument", "AnalyzeExpense", "AnalyzeID", "StartLendingAnalysis")
FEATURES = ("TABLES", "FORMS", "QUERIES", "SIGNATURES", "LAYOUT")
DEFAULT_THRESHOLD = 90.0  # Source: AWS suggests 90 or more for financial use
MAX_QUERIES = 15  # Source: Textract quota, queries per page of a synchronous call

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}\Z")
# Source: the characters Textract accepts in a query's text
_QUERY_TEXT = re.compile(r"[a-zA-Z0-9\s!\"\#\$%'&\(\)\*\+\,\-\./:;=\?@\[\\\]\^_`\{\|\}~><]{1,200}\Z")


class InvalidType(ValueError):
    """A document type's description cannot be used; the sentence names the key that is wrong and what to write."""

    code = "invalid_type"


@dataclass(frozen=True, slots=True)
class Query:
    """A question for Textract's QUERIES feature; its answer comes back under `alias`."""

    text: str
    alias: str
    pages: tuple[str, ...] = ("1",)


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One field to look for.

    `labels` are the names it is printed under, strongest first; `negative_labels` are longer names that must not be
    taken for it. `finder` says how to look when no label leads to a value. Of two values that are as likely the one that stands with the
    likeliest value of the field `belongs_to` is chosen. `expense`, `identity` and `lending` list
    the types that AnalyzeExpense, AnalyzeID and the lending analysis give it. `threshold` is the least word confidence
    (percent) that needs no person. `choices` are the only values it may have; `printed_choices` are other names under
    which one of them is printed, each with the choice. `lane` allows it to be confirmed across many documents, one after the other.
    """

    name: str
    label: str
    group: str = ""
    kind: Kind = "text"
    labels: tuple[str, ...] = ()
    negative_labels: tuple[str, ...] = ()
    query: str | None = None
    expense: tuple[str, ...] = ()
    identity: tuple[str, ...] = ()
    lending: tuple[str, ...] = ()
    finder: Finder | None = None
    belongs_to: str | None = None
    required: bool = False
    threshold: float = DEFAULT_THRESHOLD
    sensitivity: Sensitivity = "internal"
    choices: tuple[str, ...] = ()
    printed_choices: tuple[tuple[str, str], ...] = ()
    lane: bool = False

    def __hash__(self) -> int:
        return hash(
            (self.name, self.kind)
        )  # types are the keys of what is made once for each; they hold hundreds of labels


@dataclass(frozen=True, slots=True)
class SumRule:
    """The terms add up to `equals`. A term written '-name' is subtracted, whatever sign is printed with it.

    A field that is a term of its own sum (total and rounding) is not checked: of its values the one that another leads
    to counts. Checked when every term and `equals` are present. `optional` terms join when present. The amounts in
    `may_be_included` may already be part of the others (tax in gross prices): without them is right too. The terms `in_parts` may be
    printed in two to four amounts (a tax at each rate): their sum is a value of the field where the rule comes out with it.
    """

    name: str
    terms: tuple[str, ...]
    equals: str
    optional: tuple[str, ...] = ()
    may_be_included: tuple[str, ...] = ()
    in_parts: tuple[str, ...] = ()
    tolerance: Decimal = Decimal("0.02")


@dataclass(frozen=True, slots=True)
class ItemsRule:
    """A column of the line items adds up to one of `equals`: to the subtotal, or to the total where prices contain the tax.

    The amounts in `may_be_added` may come on top of the items (tax, when only the total is printed).
    """

    name: str
    column: str
    equals: tuple[str, ...]
    may_be_added: tuple[str, ...] = ()
    tolerance: Decimal = Decimal("0.02")


@dataclass(frozen=True, slots=True)
class OrderRule:
    """The date `later` is not before the date `earlier`; checked when both are present."""

    name: str
    later: str
    earlier: str


Rule = SumRule | ItemsRule | OrderRule


@dataclass(frozen=True, slots=True)
class FourEyes:
    """How more than one person sees a document before it is approved.

    `second`: a second person looks at what the first one said, where `amount` is more than `above` (or not known) or one of
    `fields` has a value. `blind`: two people key `fields` without seeing what anybody, the machine included, made of them. Where
    the two differ, a third person decides.
    """

    mode: EyesMode
    fields: tuple[str, ...] = ()
    amount: str = ""
    above: Decimal | None = None


@dataclass(frozen=True, slots=True)
class DocumentType:
    """Everything that is particular to one kind of document.

    `line_items` are the columns of its item table (None: it has none). `every_pair` is the pattern after which
    each form pair becomes a field of its own, for types without fixed fields; with `every_cell` the cells of tables do so too, named after
    their columns.
    """

    name: str
    version: int
    label: str
    operation: str
    features: tuple[str, ...] = ()
    queries: tuple[Query, ...] = ()
    fields: tuple[FieldSpec, ...] = ()
    line_items: tuple[FieldSpec, ...] | None = None
    every_pair: FieldSpec | None = None
    every_cell: bool = False
    rules: tuple[Rule, ...] = ()
    date_order: DateOrder = "day_first"
    four_eyes: FourEyes | None = None

    def __hash__(self) -> int:
        return hash((self.name, self.version))


def document_type(data: Mapping[str, object]) -> DocumentType:
    """The document type that a YAML mapping describes.

    Raises InvalidType with a sentence that names the first key that is wrong, for example
    "fields[2].kind must be one of text, amount, ...".
    """
    at = _Mapping(data, "")
    made = DocumentType(
        name=at.name("name"),
        version=at.integer("version"),
        label=at.text("label"),
        operation=at.choice("operation", OPERATIONS, default="AnalyzeDocument"),
        features=at.choices("features", FEATURES),
        queries=tuple(_query(each) for each in at.mappings("queries")),
        fields=tuple(_field(each) for each in at.mappings("fields")),
        line_items=_line_items(at),
        every_pair=_every_pair(at),
        every_cell=at.flag("every_cell"),
        rules=tuple(_rule(each) for each in at.mappings("rules")),
        date_order=cast(DateOrder, at.choice("date_order", get_args(DateOrder), default="day_first")),
        four_eyes=_four_eyes(at),
    )
    at.refuse_unknown()
    _check_whole(made)
    return made


class _Mapping:
    """Reads one mapping key by key and remembers which keys were read, so that the rest can be refused."""

    def __init__(self, data: object, path: str) -> None:
        self.path = path
        if not isinstance(data, Mapping):
            raise InvalidType(sentences.NO_MAPPING(path=path.rstrip(".") or "The document type"))
        self.data: Mapping[str, object] = data
        self.read: set[str] = set()

    def wrong(self, key: str, must: str) -> InvalidType:
        return InvalidType(sentences.MUST(path=f"{self.path}{key}", must=must))

    def get(self, key: str) -> object:
        self.read.add(key)
        return self.data.get(key)

    def refuse_unknown(self) -> None:
        for key in self.data:
            if key not in self.read:
                known = ", ".join(sorted(self.read))
                raise InvalidType(sentences.UNKNOWN_KEY(path=f"{self.path}{key}", names=known))

    def text(self, key: str, *, default: str | None = None) -> str:
        found = self.get(key)
        if found is None and default is not None:
            return default
        if not isinstance(found, str) or not found.strip():
            raise self.wrong(key, "be a text that is not empty")
        return found.strip()

    def name(self, key: str, *, default: str | None = None) -> str:
        found = self.text(key, default=default)
        if not _NAME.match(found):
            raise self.wrong(key, "be lower-case letters, digits and _, beginning with a letter")
        return found

    def integer(self, key: str) -> int:
        found = self.get(key)
        if not isinstance(found, int) or isinstance(found, bool) or found < 1:
            raise self.wrong(key, "be a whole number from 1")
        return found

    def flag(self, key: str) -> bool:
        found = self.get(key)
        if found is not None and not isinstance(found, bool):
            raise self.wrong(key, "be true or false")
        return bool(found)

    def percent(self, key: str, *, default: float) -> float:
        found = self.get(key)
        if found is None:
            return default
        if isinstance(found, bool) or not isinstance(found, int | float) or not 0 <= found <= 100:
            raise self.wrong(key, "be a number from 0 to 100")
        return float(found)

    def amount(self, key: str, *, default: Decimal) -> Decimal:
        found = self.get(key)
        if found is None:
            return default
        try:
            amount = Decimal(str(found))
        except InvalidOperation:
            amount = Decimal(-1)
        if not amount.is_finite() or amount < 0:
            raise self.wrong(key, "be an amount that is not negative, for example '0.02'")
        return amount

    def choice(self, key: str, allowed: Sequence[str], *, default: str) -> str:
        found = self.get(key)
        if found is None:
            return default
        if found not in allowed:
            raise self.wrong(key, sentences.ONE_OF(names=", ".join(allowed)))
        return str(found)

    def texts(self, key: str) -> tuple[str, ...]:
        found = self.get(key)
        if found is None:
            return ()
        if not isinstance(found, list) or not all(isinstance(each, str) and each.strip() for each in found):
            raise self.wrong(key, "be a list of texts")
        return tuple(each.strip() for each in found)

    def choices(self, key: str, allowed: Sequence[str]) -> tuple[str, ...]:
        found = self.texts(key)
        if any(each not in allowed for each in found) or len(set(found)) != len(found):
            raise self.wrong(key, sentences.SOME_OF(names=", ".join(allowed)))
        return found

    def mappings(self, key: str) -> list[_Mapping]:
        found = self.get(key)
        if found is None:
            return []
        if not isinstance(found, list):
            raise self.wrong(key, "be a list")
        return [_Mapping(each, f"{self.path}{key}[{index}].") for index, each in enumerate(found)]


def _query(at: _Mapping) -> Query:
    query = Query(text=at.text("text"), alias=at.name("alias"), pages=at.texts("pages") or ("1",))
    at.refuse_unknown()
    if not _QUERY_TEXT.match(query.text):
        raise at.wrong("text", "be at most 200 plain English characters")
    return query


def _field(at: _Mapping) -> FieldSpec:
    name = at.name("name")
    finder = at.get("finder")
    if finder is not None and finder not in get_args(Finder):
        raise at.wrong("finder", sentences.ONE_OF(names=", ".join(get_args(Finder))))
    choices = _choices(at)
    spec = FieldSpec(
        name=name,
        label=at.text("label", default=name.replace("_", " ").capitalize()),
        group=at.text("group", default="Fields"),
        kind=cast(Kind, at.choice("kind", get_args(Kind), default="text")),
        labels=at.texts("labels"),
        negative_labels=at.texts("negative_labels"),
        query=at.name("query") if at.get("query") is not None else None,
        expense=at.texts("expense"),
        identity=at.texts("identity"),
        lending=at.texts("lending"),
        finder=cast(Finder | None, finder),
        belongs_to=at.name("belongs_to") if at.get("belongs_to") is not None else None,
        required=at.flag("required"),
        threshold=at.percent("threshold", default=DEFAULT_THRESHOLD),
        sensitivity=cast(Sensitivity, at.choice("sensitivity", get_args(Sensitivity), default="internal")),
        choices=tuple(choices),
        printed_choices=tuple((name, choice) for choice, names in choices.items() for name in names),
        lane=at.flag("lane"),
    )
    at.refuse_unknown()
    return spec


def _choices(at: _Mapping) -> dict[str, tuple[str, ...]]:
    """Each choice with the other names it is printed under: a list has none, a mapping names them."""
    found = at.get("choices")
    if not isinstance(found, Mapping):
        return dict.fromkeys(at.texts("choices"), ())
    if not all(isinstance(each, str) and each.strip() for each in found):
        raise at.wrong("choices", "be a list of texts, or a mapping from each choice to the names it is printed under")
    inner = _Mapping(found, f"{at.path}choices.")
    return {str(choice).strip(): inner.texts(choice) for choice in found}


def _line_items(at: _Mapping) -> tuple[FieldSpec, ...] | None:
    columns = tuple(_field(each) for each in at.mappings("line_items"))
    return columns or None


def _every_pair(at: _Mapping) -> FieldSpec | None:
    found = at.get("every_pair")
    if found is None:
        return None
    pattern = _Mapping(found, "every_pair.")
    spec = FieldSpec(
        name="pair",
        label="Pair",
        group=pattern.text("group", default="Fields"),
        threshold=pattern.percent("threshold", default=DEFAULT_THRESHOLD),
        sensitivity=cast(Sensitivity, pattern.choice("sensitivity", get_args(Sensitivity), default="internal")),
    )
    pattern.refuse_unknown()
    return spec


def _four_eyes(at: _Mapping) -> FourEyes | None:
    found = at.get("four_eyes")
    if found is None:
        return None
    inner = _Mapping(found, "four_eyes.")
    eyes = FourEyes(
        mode=cast(EyesMode, inner.choice("mode", get_args(EyesMode), default="none")),
        fields=inner.texts("fields"),
        amount=inner.name("amount") if inner.get("amount") is not None else "",
        above=inner.amount("above", default=Decimal(0)) if inner.get("above") is not None else None,
    )
    inner.refuse_unknown()
    return None if eyes.mode == "none" else eyes


def _sum_rule(at: _Mapping) -> Rule:
    return SumRule(
        name=at.name("name"),
        terms=_present(at, "terms"),
        equals=at.name("equals"),
        optional=at.texts("optional"),
        may_be_included=at.texts("may_be_included"),
        in_parts=at.texts("in_parts"),
        tolerance=at.amount("tolerance", default=Decimal("0.02")),
    )


def _items_rule(at: _Mapping) -> Rule:
    return ItemsRule(
        name=at.name("name"),
        column=at.name("column"),
        equals=_present(at, "equals"),
        may_be_added=at.texts("may_be_added"),
        tolerance=at.amount("tolerance", default=Decimal("0.02")),
    )


def _order_rule(at: _Mapping) -> Rule:
    return OrderRule(name=at.name("name"), later=at.name("later"), earlier=at.name("earlier"))


_RULES: dict[str, Callable[[_Mapping], Rule]] = {"sum": _sum_rule, "items": _items_rule, "order": _order_rule}


def _rule(at: _Mapping) -> Rule:
    rule = _RULES[at.choice("kind", tuple(_RULES), default="sum")](at)
    at.refuse_unknown()
    return rule


def _present(at: _Mapping, key: str) -> tuple[str, ...]:
    found = at.texts(key)
    if not found:
        raise at.wrong(key, "be a list with at least one field name")
    return found


def _check_whole(made: DocumentType) -> None:
    _refuse_doubles("fields", [spec.name for spec in made.fields])
    _refuse_doubles("line_items", [spec.name for spec in made.line_items or ()])
    _refuse_doubles("queries", [query.alias for query in made.queries])
    _refuse_doubles("rules", [rule.name for rule in made.rules])
    if not made.fields and made.every_pair is None:
        raise InvalidType("fields must name at least one field, or every_pair must be given.")
    if made.every_cell and (made.every_pair is None or made.line_items or "TABLES" not in made.features):
        raise InvalidType("every_cell needs every_pair, TABLES among the features, and no line_items.")
    if made.queries and "QUERIES" not in made.features:
        raise InvalidType("features must contain QUERIES when there are queries.")
    signed = next((at for at, spec in enumerate(made.fields) if spec.kind == "signature" and not spec.lending), None)
    if signed is not None and "SIGNATURES" not in made.features:
        raise InvalidType(sentences.UNSIGNED_FEATURE(path=f"fields[{signed}]"))
    if len(made.queries) > MAX_QUERIES:
        raise InvalidType(sentences.TOO_MANY_QUERIES(count=str(MAX_QUERIES)))
    aliases = {query.alias for query in made.queries}
    for index, spec in enumerate(made.fields):
        if spec.query is not None and spec.query not in aliases:
            raise InvalidType(sentences.UNKNOWN_ALIAS(path=f"fields[{index}].query"))
    _check_belonging(made)
    for index, spec in enumerate(made.line_items or ()):
        if spec.lane:
            raise InvalidType(sentences.LANE_OF_ROWS(path=f"line_items[{index}].lane"))
    for index, rule in enumerate(made.rules):
        _check_rule(made, rule, f"rules[{index}]")
    if made.four_eyes:
        _check_four_eyes(made, made.four_eyes)


def _check_belonging(made: DocumentType) -> None:
    names = {spec.name for spec in made.fields}
    for index, spec in enumerate(made.fields):
        if spec.belongs_to is not None and spec.belongs_to not in names - {spec.name}:
            raise InvalidType(sentences.UNKNOWN_OWNER(path=f"fields[{index}].belongs_to"))
    column = next((at for at, spec in enumerate(made.line_items or ()) if spec.belongs_to), None)
    if column is not None:
        raise InvalidType(sentences.OWNER_OF_ROWS(path=f"line_items[{column}].belongs_to"))


def _check_four_eyes(made: DocumentType, eyes: FourEyes) -> None:
    kinds = {spec.name: spec.kind for spec in made.fields}
    if any(name not in kinds for name in eyes.fields):
        raise InvalidType("four_eyes.fields must name fields of the type; columns of the item table are none.")
    if (eyes.amount == "") != (eyes.above is None):
        raise InvalidType("four_eyes.above must stand together with amount: the field, and what it may be at most.")
    if eyes.mode == "blind" and (not eyes.fields or eyes.amount):
        raise InvalidType(
            "four_eyes.fields must name at least one field when the mode is blind, without amount and above."
        )
    if not eyes.fields and not eyes.amount:
        raise InvalidType("four_eyes.fields must name at least one field, or amount and above must be given.")
    if eyes.amount and kinds.get(eyes.amount) not in ("amount", "number"):
        raise InvalidType("four_eyes.amount must name a field of the kind amount or number.")


def _refuse_doubles(key: str, names: Sequence[str]) -> None:
    for index, name in enumerate(names):
        if name in names[:index]:
            raise InvalidType(sentences.NAMED_TWICE(path=f"{key}[{index}]", name=name))


def _check_rule(made: DocumentType, rule: Rule, path: str) -> None:
    kinds = {spec.name: spec.kind for spec in made.fields}
    columns = {spec.name: spec.kind for spec in made.line_items or ()}
    match rule:
        case SumRule():
            terms = [name.removeprefix("-") for name in (*rule.terms, *rule.optional, *rule.may_be_included)]
            _need(kinds, [*terms, rule.equals], ("amount", "number"), path)
            summed = {name: kinds.get(name, "") for name in (term.removeprefix("-") for term in rule.terms)}
            _need(summed, rule.in_parts, ("amount", "number"), f"{path}.in_parts")
        case ItemsRule():
            _need(columns, [rule.column], ("amount", "number"), f"{path}.column")
            _need(kinds, rule.equals, ("amount", "number"), f"{path}.equals")
            added = [name.removeprefix("-") for name in rule.may_be_added]
            _need(kinds, added, ("amount", "number"), f"{path}.may_be_added")
        case _:
            _need(kinds, [rule.later, rule.earlier], ("date",), path)


def _need(kinds: Mapping[str, str], names: Sequence[str], wanted: Sequence[str], path: str) -> None:
    for name in names:
        if kinds.get(name) not in wanted:
            raise InvalidType(sentences.WRONG_KIND(path=path, kinds=" or ".join(wanted), name=name))
