"""The company that wrote a document: the rows at the top of its first page that look like a firm's name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import chain
from typing import NamedTuple

from ocr.extraction import dates, numbers, values
from ocr.extraction.blocks import Span
from ocr.extraction.candidates import LEAST_SCORE, Candidate, Context
from ocr.extraction.document_types import FieldSpec
from ocr.extraction.reading import Word
from ocr.extraction.rows import Line, box_of
from ocr.extraction.trades import lists_wares, says_only_what_it_is

SCORES = {
    "legal_form": 0.78,  # a line at the top with 'Ltd', 'GmbH', 'Sdn Bhd'
    "registered": 0.7,  # the line above a firm's registration number
    "trade_word": 0.65,  # ... with 'Restaurant', 'Trading', 'Enterprise'
    "prominent": 0.55,  # the tallest print at the top
    "first_line": 0.5,
    "top_line": 0.3,
}
_MOST_CANDIDATES = 7
_LATER = 0.02  # what each further place down the page costs
_BELOW_THE_HEAD = 0.12  # what a name costs that stands under an address or a telephone number
_UNDER_A_RECEIVER = 0.3  # ... and under 'Bill to'
_AT_THE_END = 0.57  # what a firm scores that the last rows of a receipt name, where the first ones name none: a bit more than a brand
TOP_ROWS = 14
_MORE_ROWS = 2  # that a name goes on over
_WORDS_MORE = 3  # of a row behind a trade word
LONGEST_NAME = 120  # letters; longer rows are sentences
_GAP = 2.0  # line heights: pieces of one name in a row stand no further apart

_LEGAL_FORMS = (
    r"sdn\.?\s?bhd|s/b|sb|bhd|berhad|plt|pte\.?\s?ltd|pty\.?\s?ltd|pvt\.?\s?ltd|co\.?,?\s?ltd|ltd|limited|llc|llp|plc|inc"
    r"|incorporated|corp|corporation|gmbh(?:\s?&\s?co\.?\s?kg)?|mbh|ohg|gbr|e\.\s?k|e\.\s?v|s\.?a\.?r\.?l"
    r"|(?<!\d )(?-i:AG|(?<![A-Z] )KG|UG|SE|AB|Ag)(?=\s*(?:[^\w\s./]|\Z))"  # not 'Kg. Sungai Isap', nor 'SCALE 2 kg' or 'TOMATO KG'
    r"|s\.?a\.?s|sasu|eurl|s\.a|s\.?r\.?l|s\.r\.i|s\.?p\.?a|s\.?l|b\.?v|n\.?v|a/s|aps|oy|lda|ltda|v\.o\.f|s[.\-]?n\.?c|company"
    r"|(?-i:\A(?:PT|CV)\.?(?=\s[A-Z]{3}))"  # Indonesian ones stand first
    r"|sp\.?\s?z\.?\s?[o0]\.?\s?[o0]\b\.?|s\.\s?r\.\s?[o0]|spol\.\s?s\s?r\.\s?[o0]|d\.\s?[o0]\.\s?[o0]|kft|zrt|oyj|uab|sia|s\.a\.u|s\.l\.u|s\.c|sp\.\s?j|a\.ş|şti"
)
_TRADE_WORDS = (
    r"enterprises?|trading|restaurants?|restoran|caf[eé]|bistro|pub|kopitiam|bakery|hotel|pharmacy|farmasi|apotheke"
    r"|pharmacie|hardware|machinery|marketing|supermarket|minimarket|mart|market|stores?|shop|kedai|perniagaan"
    r"|stationery|stationers|books?|services|industries|international|holdings|group|solutions|consulting"
    r"|technologies|petrol|petro|station|motors?|garage|clinic|klinik|electrical|electronics|furniture|gifts?"
    r"|decoration|boutique|stesen|optik|optical|pasaraya|syarikat|salon|laundry|bank|warung|bengkel|perusahaan|butik|foods?|catering|cash\s?(?:&|and)\s?carry"
    r"|dobi|gerai(?!\W+(?:no\b|\w?\d))|florists?|wholesale(?:rs?)?|booksellers?|book(?:store|shop)s?|seafood|car\s?wash|workshop|tyres?"
    r"|computers?|jewell?ers|barbers?|steamboat|kafe|kantin|pet\s?shop|emporium|mini\s?market|winery|brewery|delicatessen|butchers?"
)
# Trade words that are more often the end of a name than what a shop says about itself.
_CALLED = re.compile(
    r"(?<!\w)(?:enterprises?|trading|industries|holdings|marketing|hardware|services|group|corporation)(?!\w)",
    re.IGNORECASE,
)
# In Malay it comes before the name, in whatever letters.
_BEFORE_A_NAME = re.compile(
    r"(?:kedai|pasaraya|restoran|perniagaan|pusat|syarikat|klinik|farmasi|bengkel|warung|stesen|gerai|butik)\b",
    re.IGNORECASE,
)
# Such words at the beginning of the row above a registration number.
_CALLED_LAST = re.compile(r"(?:service station|station|cent(?:re|er))(?!\w)", re.IGNORECASE)
# Legal forms with a letter misread, and how they are written.
_MISREAD_FORMS = (
    (re.compile(r"(?<!\w)[S5][DO0B][NMH](\.?\s?)(?:[BDEHR8][HNM]D|BH[DO0B])(?!\w)"), r"SDN\1BHD"),
    (re.compile(r"(?<= )5(/?)[B8](?=\s*(?:\(.*)?$)"), r"S\1B"),
)
# What stands between two parts of one name at the end of a row or the beginning of the next.
_AND = re.compile(
    r"(?:&|\b(?:and|und|et|dan|y|of|de|del|van|von|der|di))\s*\n|\n\s*(?:&|(?:and|und|et|dan)\b)", re.IGNORECASE
)
LEGAL_FORM = re.compile(rf"(?<!\w)(?:{_LEGAL_FORMS})(?!\w)\.?", re.IGNORECASE)
_TRADE_WORD = re.compile(rf"(?<!\w)(?:{_TRADE_WORDS})(?!\w)", re.IGNORECASE)
# What may stand beside a legal form or a trade word without making a name of it.
_NO_NAME = re.compile(
    rf"(?<!\w)(?:{_LEGAL_FORMS}|{_TRADE_WORDS}|suppl(?:y|ies)|management|resources|development|construction|engineering|ventures|logistics|cent(?:re|er)|m|malaysia|singapore|co|and|und|et|the)(?!\w)|\W",
    re.IGNORECASE,
)
# What a firm's name stands behind, and what stands behind it: 'Operated by: ...', '(A unit of ...)', '... t/as The Yard'.
_RUN_BY = re.compile(
    r"\W*(?:(?:owned\s(?:&|and)\s)?(?:operated|managed|run)\s?by|(?:published|edited)\s(?:\w+\s)?by|éditée?\spar|(?:an?\s)?(?:unit|division|member|subsidiary)\sof|licen[cs]ee)\b\W*",
    re.IGNORECASE,
)
# Behind it stands a brand's firm.
_OF_ANOTHER = re.compile(r"\b(?:franchis\w*|dealer|distributor|agent|stockist)\s(?:of|for|by)\W*\Z", re.IGNORECASE)
_OPERATED = re.compile(r"\b(?:owned|operated|managed|run)\s?by\W*\Z", re.IGNORECASE)
_BY = re.compile(r"\W*by\s+(?=[A-Z])")  # a firm: 'by Daun Hijau Beverage Sdn Bhd'
_KNOWN_AS = re.compile(r"\s\W?(?:t/as?|trading\sas|d/?b/?a)\W.*", re.IGNORECASE | re.DOTALL)
_TITLE_BEHIND = re.compile(
    r"\W*(?:(?:sales|tax|cash|official)\s)?(?:invoice|receipt|bill|statement|invois|resit)\W*\Z", re.IGNORECASE
)
_ADDRESS = re.compile(
    r"(?<!\d)\d{4,6}(?!\d)|\d\s*,|,\s*\d|^\W*(?:no\.?\s*)?\d|jalan|\bjln\b|\blot\b|street|\bstr\.|strasse|straße|\broad\b"
    r"|^\W*(?:via|viale|corso|piazza(?:le)?|p\.zza|calle|avenida|avda|rua|(?:ul|al|os|pl)\.)\s.*\d|\brue\b|avenue|\btaman\b|\bfloor\b|lorong|persiaran|kampung|bandar\b|^\W*kg\.?\s",
    re.IGNORECASE,
)
_LOT = re.compile(
    r"\W*(?:stall|lot|unit|shop|kiosk|gerai|booth|counter|level|block|blk)\W{0,2}(?:no\W*)?[A-Z]?-?\d", re.IGNORECASE
)
# A British one, or its first half behind a comma: it ends an address, whatever words stand before it.
_POSTCODE = re.compile(r"\b[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}\b|,[\w ]* [A-Z]{1,2}\d{1,2}\Z")
_CONTACT = re.compile(
    r"\btel\b|phone|\bfax\b|telefon|www\.|https?:|\w@|\.com\b|hotline|careline\s*(?:no\b|[:.+\d])|\bmobile\s*(?:no\b|phone|[:.+\d])",
    re.IGNORECASE,
)
# What may begin within a word stands first; the others share one look whether a word begins, at every letter of a page's head.
OTHER_HEAD = re.compile(
    r"invoice|receipt|rechnung|facture|quittung|statement|resit|invois|cash\s?sales?|welcome|thank|customer|kunde"
    r"|client\b|franchis|amount|cashier|quantity|description|dine.?in|take.?away|owned by|member|salesperson"
    r"|\b(?:bill\b|gst\b|sst\b|vat\b|tax\b|ust\b|reg\b|no\s?[.:#]|date\b|datum\b|page\b|seite\b|copy\W*\Z|due\b|total\b|order\b|time\b"
    r"|(?:since|seit|depuis|dal|est\.?|estd\.?)\W{0,2}\d{4}\b"
    r"|table\b|qty\b|price\b|desc\b|items?\b|disc\b|(?:ship|sold) to\b|advice\b|terms\b|documento\b)",
    re.IGNORECASE,
)
_REGISTRATION = re.compile(
    r"\s*\(\s*(?:co\.?\s?(?:reg)?|reg|roc|company)?\W*(?:no\W*)?\w*\d[\w\s\-]*\)?(?:\s+f\.?k\.?a\b.*)?\s*\Z",
    re.IGNORECASE,
)
# A firm's registration number that begins a row: '(002218834-T)', 'Company No.: 221954-M', '(202003118827 / SA0551882-V)'.
_REGISTERED = re.compile(
    r"\W*(?:no\W+)?(?:(?:co|company|reg|registration|roc|ssm|brn|business|pendaftaran|syarikat)\b\W*)*(?:no\b\W*)?(?:[A-Z]{0,3}\s?\d{5,12}-?[A-Z]\b|\d{12}\b)",
    re.IGNORECASE,
)
_REGISTERED_BEHIND = re.compile(r"\(\D{0,12}\d{5,12}-?[A-Z]\)\W*\Z")  # 'BREW ATTIC VENTURES (002910447-D)'
_IN_CHINESE = re.compile(r"[\u3000-\u9fff\uf900-\uff00\W\d]+")  # a name in Chinese stands beside one in Latin letters
_CODE_BEFORE = re.compile(r"\W*\d{5,}\s")  # of an article
_RECEIVER = re.compile(
    r"\b(?:(?:bill(?:ed)?|ship(?:ped)?|sold|invoiced?|deliver(?:ed)?)\s?to\b|customer\b|kunde\b|client[ei]?\b|to:|owned by|invoice for\b"
    r"|facturé(?:e|s)?\s?à|destinat[aá]rio\b|klant\b|spett(?:\.|abile)|exm[ao]s?\b|doit\b|booked by\b|c/o\b|guest\b|nabywca\b"
    r"|factuuradres\b|buyer\b|consignee\b|acheteur\b|destinataire\b|acquirente\b|cessionario\b|intestat[ao] a\b|comprador\b"
    r"|rechnungsempf[aä]nger\b|k[aä]ufer\b|k[øo]ber\b|kj[øo]per\b|k[öo]pare\b|best[äa]llare\b|odb[eěé]rate[lľ]\b|vev[öőõ]\b"
    r"|cump[aăāã]r[aăāã]tor\b|kupac\b|kupec\b|naro[cč]nik\b|ostaja\b|asiakas\b|maksaja\b|alıcı\b|say[iı]n\b)|\A\W*firma\W*\Z|\A(?:an|att|attn):",
    re.IGNORECASE,
)


class Head(NamedTuple):
    """A row of print at the top of the first page, pieces that stand close together joined."""

    line: Line
    text: str
    spans: tuple[Span, ...]

    @property
    def words(self) -> tuple[Word, ...]:
        return tuple(chain.from_iterable(span.words for span in self.spans))


def _remembered(tells: Callable[[str], bool]) -> Callable[[str], bool]:
    """The same, asked once for each text: several rules ask the same of a page's head."""
    known = lru_cache(maxsize=512)(tells)
    return lambda text: known(text) if len(text) <= LONGEST_NAME else tells(text)


class Named(NamedTuple):
    """Rows that may name the firm: `score` grades it, and `is_below` tells that it stands under an address or a telephone number."""

    head: Head
    name: str
    why: str
    score: float
    is_below: bool


def companies(context: Context, spec: FieldSpec) -> Iterator[Candidate]:
    """The names that the first page may begin with, each with how likely it is the firm's; and where none of them is a firm's whole
    name, the one that its last rows say runs the shop."""
    found = [each._replace(score=each.score - _BELOW_THE_HEAD * each.is_below) for each in names(context)]
    if not any(each.why in ("legal_form", "registered") for each in found):
        found += _operators(context.rows.on_page(1))
    yield from candidates(spec, found)


def _operators(rows: Sequence[Sequence[Line]]) -> Iterator[Named]:
    """The firms with a legal form below the head that stand with their registration number or behind 'operated by'."""
    below = rows[TOP_ROWS:]
    for above, row, after in zip([None, *below], below, [*below[1:], None], strict=False):
        head = next(iter(heads_of(row)), None)
        form = LEGAL_FORM.search(head.text[:LONGEST_NAME]) if head is not None else None
        if head is None or form is None:
            continue
        behind, ahead = head.text[form.end() :], " ".join(line.span.text for line in above or ())
        registered = _REGISTERED.match(behind) or (
            after and not behind.strip() and _REGISTERED.match(after[0].span.text)
        )
        name = name_of(head.text)
        if (registered or _OPERATED.search(ahead) or _RUN_BY.match(head.text)) and not (
            is_no_name(name) or OTHER_HEAD.search(name)
        ):
            yield Named(head, name, "legal_form", _AT_THE_END, is_below=False)


def names(context: Context) -> Iterator[Named]:
    """The rows at the top of the first page that may name the firm, from the top."""
    heads = [head for row in context.rows.on_page(1)[:TOP_ROWS] for head in heads_of(row)]
    receivers = [head for head in heads if _names_a_receiver(head.text)]
    last = _above_registration(heads)
    found = _possible(context, heads, last)
    kinds = {id(head): kind for head in found if (kind := _kind_above(heads, head)) is not None}
    found = [head for head in found if not any(head is kind for kind in kinds.values())]
    tallest = max((head.line.box.height for head in found), default=0.0)
    address_row = next((head.line.row for head in heads if _is_place(head, head.text)), TOP_ROWS)
    for place, head in enumerate(found):
        whole = _completed(heads, head, last)
        if (kind := kinds.get(id(head))) is not None:
            whole = Head(whole.line, f"{kind.text} {whole.text}", (*kind.spans, *whole.spans))
        is_last = last is not None and last.spans[-1] is whole.spans[-1] and whole.text.isupper()
        is_registered = is_last or _REGISTERED_BEHIND.search(whole.text) is not None
        is_tall = head.line.box.height >= 0.95 * tallest
        why = _company_reason(whole.text, place, is_tall=is_tall, is_registered=is_registered)
        if _stands_beside_a_name(whole, found):
            why = "top_line"
        receives = _is_below(receivers, head) or _RECEIVER.match(head.text) is not None
        score = SCORES[why] - _LATER * place - _UNDER_A_RECEIVER * receives
        yield Named(whole, name_of(whole.text), why, score, head.line.row > address_row)


def _possible(context: Context, heads: list[Head], last: Head | None) -> list[Head]:
    """The rows that may be a name or the first one of it: not a brand's firm, nor in Chinese beside one in Latin letters."""
    others = {head.line.row + 1 for head in heads if _OF_ANOTHER.search(head.text)}
    found = [head for head in heads if head.line.row not in others and _may_name_a_company(context, head)]
    found = [head for head in found if not _IN_CHINESE.fullmatch(head.text)] or found
    found = [head for place, head in enumerate(found) if not _is_continued_by(found[:place], head, last)]
    return [head for head, after in zip(found, [*found[1:], None], strict=False) if not _is_repeated_by(head, after)]


def _stands_beside_a_name(whole: Head, found: Sequence[Head]) -> bool:
    """Whether it says only what a shop is, and the row above or below is how it is called."""
    if not says_only_what_it_is(whole.text):
        return False
    beside = [each for each in found if abs(each.line.row - whole.line.row) == 1]
    return any(not says_only_what_it_is(each.text) for each in beside)


def _repaired(text: str) -> str:
    """The text with its legal form as it is written: 'SDN 8HD' is 'SDN BHD'."""
    for misread, written in _MISREAD_FORMS:
        text = misread.sub(written, text)
    return text


def heads_of(row: Sequence[Line]) -> list[Head]:
    """The row's pieces, joined where they stand close; a single letter beside a name is a logo or a flaw."""
    heads: list[Head] = []
    for line in row:
        if len(line.span.text) < 2:
            continue
        is_title = _TITLE_BEHIND.fullmatch(line.span.text) is not None
        if heads and not is_title and line.box.left - heads[-1].line.box.right <= _GAP * line.box.height:
            last = heads.pop()
            box = last.line.box.joined(line.box)
            text, spans = f"{last.text} {_repaired(line.span.text)}", (*last.spans, line.span)
            heads.append(Head(last.line._replace(box=box), text, spans))
        else:
            heads.append(Head(line, _repaired(line.span.text), (line.span,)))
    return heads


def name_of(text: str) -> str:
    """The firm's name without the registration number, an address or a title behind the legal form, and what it is run as."""
    plain = _without_registration(text)
    forms = list(LEGAL_FORM.finditer(plain))
    if forms:
        behind = plain[forms[-1].end() :]
        if any(map(str.isdigit, behind)) or _TITLE_BEHIND.fullmatch(behind):
            plain = plain[: forms[-1].end()]
        plain = _KNOWN_AS.sub("", plain)
    if (run_by := _RUN_BY.match(plain) or (_BY.match(plain) if forms else None)) is not None:
        plain = plain[run_by.end() :]
        plain = plain.removesuffix(")") if plain.count(")") > plain.count("(") else plain
    return plain.strip(" ,;-·•|@*~=")


def _words_of(name: str, whole: Head) -> tuple[Word, ...]:
    """The words that make the name, which begins somewhere in the row."""
    before = len(whole.text[: max(0, whole.text.find(name))].split())
    return whole.words[before : before + len(name.split())]


def _without_registration(text: str) -> str:
    return _REGISTRATION.sub("", text) if "(" in text else text


@_remembered
def _is_address(text: str) -> bool:
    text = text[:LONGEST_NAME]
    if _CONTACT.search(text) is not None or _LOT.match(text) is not None:
        return True
    if has_legal_form(text):
        return False
    return _POSTCODE.search(text) is not None or (_ADDRESS.search(text) is not None and not _has_trade_word(text))


@_remembered
def _names_a_receiver(text: str) -> bool:
    return _RECEIVER.search(text) is not None


@_remembered
def has_legal_form(text: str) -> bool:
    return LEGAL_FORM.search(text) is not None


@_remembered
def _has_trade_word(text: str) -> bool:
    """Whether a trade word stands there as in a name: 'Riverside pub & kitchen' says what a shop is."""
    lower = text.islower()
    return any(lower or not match[0][0].islower() for match in _TRADE_WORD.finditer(text))


@_remembered
def is_no_name(text: str) -> bool:
    """Whether nothing is left besides legal forms and trade words."""
    return not _NO_NAME.sub("", text)


def _may_name_a_company(context: Context, head: Head) -> bool:
    if len(head.text) > LONGEST_NAME or _CODE_BEFORE.match(head.text) or _has_a_label(context, head):
        return False
    text = _without_registration(head.text)
    says_other = OTHER_HEAD.search(text) is not None
    if ":" in text or says_other:
        text = name_of(text)  # without 'Licensee:' before the name, or a title behind it
        says_other = OTHER_HEAD.search(text) is not None
    letters = sum(map(str.isalpha, text))
    if letters < 3 or letters < 0.5 * len(text.replace(" ", "")) or text.strip() in numbers.CODES:
        return False
    if says_other or (":" in text and not has_legal_form(text)) or dates.find(text):
        return False
    return not (is_no_name(text) or _is_place(head, text) or lists_wares(text))


def _is_place(head: Head, text: str) -> bool:
    """Whether it is an address. What a paper begins with is none without a number: 'Harbour Street Newsagency'."""
    begins = head.line.row == 0 and not any(map(str.isdigit, text)) and _CONTACT.search(text) is None
    return _is_address(text) and not begins


def _above_registration(heads: list[Head]) -> Head | None:
    """The row right above the firm's registration number: there its name ends. What stands in brackets says what the firm does."""
    above = None
    for head in heads:
        if _REGISTERED.match(head.text):
            return above
        aside = (head.text.startswith("(") and head.text.endswith(")")) or lists_wares(head.text)
        if not aside or has_legal_form(head.text) or _has_trade_word(head.text):
            above = head
    return None


def _has_a_label(context: Context, head: Head) -> bool:
    """Whether a field's label stands in the row. What is one but for a letter may belong to a name: 'Mee Tarik House Sdn Bhd', 'Warung'."""
    text = head.line.span.text
    found = context.mentions_in(head.line.span)
    labels = [each for each in found if not _TRADE_WORD.fullmatch(text, each.start, each.end)]
    return bool(labels) and not (labels[0].start > 0 and has_legal_form(head.text))


def _company_reason(text: str, place: int, *, is_tall: bool, is_registered: bool) -> str:
    if has_legal_form(text):
        return "legal_form"
    if is_registered:
        return "registered"
    if _has_trade_word(text):
        return "trade_word"
    if is_tall:
        return "prominent"
    return "first_line" if place == 0 else "top_line"


def _completed(heads: list[Head], head: Head, last: Head | None) -> Head:
    """The name together with what goes on with it in the next lines: 'Co. (M) Sdn Bhd', 'Trading', '& Sons'. `last` is the row that
    ends the name for certain."""
    for row in range(head.line.row + 1, head.line.row + 1 + _MORE_ROWS):
        after = next((each for each in heads if each.line.row == row), None)
        if after is None or not (
            _goes_on(head.text, _without_registration(after.text)) or _is_one_name(head, after, last)
        ):
            break
        head = Head(head.line, f"{head.text} {after.text}", (*head.spans, *after.spans))
    return head


def _kind_above(heads: list[Head], head: Head) -> Head | None:
    """The row right above in letters as wide that says nothing but what a shop is, and this one says what it is called."""
    above = next((each for each in heads if each.line.row == head.line.row - 1), None)
    if above is None or not says_only_what_it_is(above.text) or says_only_what_it_is(head.text):
        return None
    if has_legal_form(head.text) and _has_a_brand_above(heads, above):
        return None
    most = 1.6 if _BEFORE_A_NAME.match(above.text) else 1.14
    is_alike = (
        above.text.isupper() == head.text.isupper() and 0.88 <= _letter_width(head) / _letter_width(above) <= most
    )
    return above if is_alike and _says_nothing_twice(above.text, head.text) else None


def _has_a_brand_above(heads: list[Head], kind: Head) -> bool:
    """Whether a row above says how the shop is called: 'GOLDEN POT', 'STEAMBOAT & GRILL', 'JUMBO FLAME SDN BHD'."""
    before = next((each.text for each in heads if each.line.row == kind.line.row - 1), "")
    return sum(map(str.isalpha, before)) > 2 and not (_is_address(before) or OTHER_HEAD.search(before))


def _is_continued_by(above: list[Head], head: Head, last: Head | None) -> bool:
    """Whether the row is the second one of a name: it begins with what ends a name."""
    first = next((each for each in reversed(above) if each.line.row == head.line.row - 1), None)
    if first is None or has_legal_form(first.text):
        return False
    joined_by_and = _AND.search(f"{first.text}\n{head.text}") is not None and _says_nothing_twice(first.text, head.text)
    return _ends_a_name(head.text) or joined_by_and or _is_one_name(first, head, last)


def _is_repeated_by(head: Head, after: Head | None) -> bool:
    """Whether the next row says the same and more: a brand over the name that holds it."""
    return (
        after is not None and f" {head.text.lower()} " in f" {after.text.lower()} " and len(after.text) > len(head.text)
    )


def _says_nothing_twice(name: str, after: str) -> bool:
    """Whether the second of two rows repeats no word of the first, as a firm's name under its brand does."""
    return set(name.lower().split()).isdisjoint(after.lower().split())


def _is_one_name(head: Head, after: Head, last: Head | None) -> bool:
    """Whether a row goes on with a name, up to its legal form or behind its trade word: both are printed in capitals of one size, which
    a brand over the firm's name is not, and say nothing twice. The row above the registration number, or one that says nothing but
    what a shop is ("BOOKSELLERS"), may be a bit smaller."""
    name, rest = head.text, _without_registration(after.text)
    if after.line.row != head.line.row + 1 or not rest.isupper() or not _says_nothing_twice(name, rest):
        return False
    if has_legal_form(name) or name.endswith(")") or any(map(str.isdigit, rest)) or lists_wares(rest):
        return False
    width, height = _letter_width(after) / _letter_width(head), after.line.box.height / head.line.box.height
    has_trade_word = _has_trade_word(name)
    if is_no_name(rest) and not has_trade_word and 0.7 <= width <= 1.3:
        return True
    may_differ = (0.65, 1.3) if after is last else (0.88, 1.14)
    if says_only_what_it_is(rest) and not says_only_what_it_is(name) and name.isupper():
        return may_differ[0] <= width <= may_differ[1]
    is_last = after is last and 0.65 <= width <= 1.3 and 0.75 <= height <= 1.3
    if not name.isupper() or not (is_last or 0.9 <= width <= 1.13):
        return False
    if has_legal_form(rest) or (is_last and _ends_a_last_name(rest) and not has_trade_word):
        return has_trade_word or 0.95 <= width <= 1.07
    return (has_trade_word or is_last) and _is_more_of_a_name(rest)


def _ends_a_last_name(text: str) -> bool:
    """Whether the row above a registration number says what a firm is as ends a name."""
    return _CALLED.search(text) is not None or _CALLED_LAST.match(text) is not None


def _is_more_of_a_name(text: str) -> bool:
    """Whether a row under a trade word may be the rest of the name: a few words that say nothing else."""
    if is_no_name(text):
        return True
    other = ":" in text or "," in text or _is_address(text) or OTHER_HEAD.search(text) or _has_trade_word(text)
    return len(text.split()) <= _WORDS_MORE and not other


def _letter_width(head: Head) -> float:
    return head.line.box.width / len(head.text) or 1.0


def _ends_a_name(text: str) -> bool:
    if _CALLED.match(text) is None or ":" in text:
        return False
    return not any(other.search(text) for other in (_ADDRESS, _CONTACT, OTHER_HEAD))


def _goes_on(name: str, after: str) -> bool:
    """Whether the line under a name belongs to it: it holds none itself or begins with what ends one, or an 'and' stands between."""
    if _AND.search(f"{name}\n{after}") is not None and _says_nothing_twice(name, after):
        return not (_is_address(after) or OTHER_HEAD.search(after))
    if not has_legal_form(name) and _ends_a_name(after):
        return True
    return is_no_name(after) and (has_legal_form(after) or _CALLED.search(after) is not None)


def _is_below(receivers: list[Head], head: Head) -> bool:
    above = [each for each in receivers if head.line.row - 3 <= each.line.row < head.line.row]
    return any(abs(each.line.box.left - head.line.box.left) < 0.1 for each in above)


def candidates(spec: FieldSpec, found: Sequence[Named]) -> Iterator[Candidate]:
    """The likeliest of them, in their order: nobody is shown more, and each has words to be found."""
    least = min(sorted((each.score for each in found), reverse=True)[:_MOST_CANDIDATES], default=0.0)
    return (_candidate(spec, each) for each in found if each.score >= least)


def _candidate(spec: FieldSpec, named: Named) -> Candidate:
    value, line = values.fold(named.name), named.head.line
    words = _words_of(named.name, named.head)
    printed = " ".join(word.text for word in words) or value
    box, score = box_of(words, line.box), max(LEAST_SCORE, named.score)
    return Candidate(spec.name, value, printed, words, line.span.page, box, named.why, score, "rule")
