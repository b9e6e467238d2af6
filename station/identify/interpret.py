"""What a scan means: every candidate, best first, each with the reason in words.

Order: GS1 (the symbol says what it is) → reserved commands → the site's own RMA, licence plate and badge patterns →
GTIN and SSCC with the right check digit → tracking numbers → the same with a wrong check digit → free text. Nothing is
looked up here; the bench takes the first candidate that it knows, and asks when two survive.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from station.identify import carriers, gtin
from station.identify.commands import BY_BARCODE, PREFIX
from station.identify.gs1 import Gs1Data, looks_like_gs1, read_gs1
from station.identify.profile import DEFAULT, CodeProfile, own_codes
from station.identify.scan import Candidate, CandidateKind, Check
from station.identify.text import decode, is_ascii_digits, is_retail, split_aim

MAX_SCAN = 4096
"""Bytes; a longer scan has no meaning here (and no symbol holds as much)."""

_MAX_FREE = 64
_SERIAL_LABEL = re.compile(r"(?:S/?N|SERIAL(?:\s*(?:NO|NUMBER)\.?)?)\s*[:#]\s*(.+)", re.IGNORECASE)
_BARE_GS1 = re.compile(r"(?:01(\d{14})(?=$|1[0-7]|2[0-2]|24[01]|30|37|\x1d)|00(\d{18})$)", re.ASCII)
_AMAZON = re.compile(r"(?:X00[0-9A-Z]{7}|B0[0-9A-Z]{8})", re.ASCII)
_CHECKED_AIS = {"00": "SSCC", "01": "GTIN", "02": "GTIN of the content", "414": "location number"}


def interpret(scan: bytes | str, *, profile: CodeProfile = DEFAULT) -> tuple[Candidate, ...]:
    """Say what a scan may be.

    Args:
        scan: everything between two terminators, AIM identifier and control characters included.
        profile: what this site's own codes look like.

    Returns:
        Candidates, best first; empty where nothing makes sense. Never raises, whatever the bytes. A number whose check
        digit is wrong has ``check`` bad and is not to be used.

    >>> [(one.kind.value, one.key, one.check.value) for one in interpret("]E04006381333931")]
    [('gtin', '04006381333931', 'ok')]
    >>> [(one.kind.value, one.check.value) for one in interpret("4006381333930")]
    [('gtin', 'bad'), ('serial', 'none')]
    """
    data = scan if isinstance(scan, bytes) else scan.encode("utf-8", "surrogatepass")
    if len(data) > MAX_SCAN:
        return ()
    aim, body = split_aim(data)
    return _unique(_candidates(decode(body), aim, profile))


def prepare() -> None:
    """Load the carriers' table and biip now (some 200 ms), so that the first scan does not wait; any thread."""
    carriers.find_tracking("1Z999AA10123456784")
    read_gs1("(01)04006381333931", None)
    read_gs1("https://id.gs1.org/01/04006381333931", None)


def _unique(found: list[Candidate]) -> tuple[Candidate, ...]:
    seen: dict[tuple[str, str, str | None], Candidate] = {}
    for candidate in found:
        seen.setdefault((candidate.kind, candidate.key, candidate.carrier), candidate)
    return tuple(seen.values())


def _candidates(text: str, aim: str | None, profile: CodeProfile) -> list[Candidate]:
    plain = text.strip(" \t\r\n\0")
    if plain[: len(PREFIX)].upper() == PREFIX:
        return [_command(plain.upper(), profile)]
    if is_retail(aim):
        return _retail(plain, aim)
    data = read_gs1(text, aim)
    if data is not None:
        return _from_gs1(data, plain, aim)
    own = [Candidate(kind, key, f"{why}: {key}") for kind, key, why in own_codes(plain, profile)]
    if own:
        return own
    matches = carriers.find_tracking(plain, aim=aim)
    numbers = [*_numbers(plain), *_trackings(matches)]
    found = [one for one in numbers if one.check is not Check.BAD]
    found += [one for one in numbers if one.check is Check.BAD]
    if not any(match.format.strong and match.check is Check.OK for match in matches):
        found += _free(plain, broken_gs1=looks_like_gs1(text, aim))
    return found


def _command(code: str, profile: CodeProfile) -> Candidate:
    spec = BY_BARCODE.get(code)
    if spec is not None:
        return Candidate(CandidateKind.COMMAND, code, f"command: {spec.label}")
    if code in profile.commands:
        return Candidate(CandidateKind.COMMAND, code, "command: an answer of this site's protocols")
    reason = f"{PREFIX} is reserved for commands, and {code[:40]!r} is none of them: print the command sheet again"
    return Candidate(CandidateKind.COMMAND, code[:_MAX_FREE], reason, check=Check.BAD)


def _retail(text: str, aim: str | None) -> list[Candidate]:
    """An EAN or UPC symbol: an article number or nothing, whatever else its digits might be."""
    if not is_ascii_digits(text) or aim in ("]E1", "]E2"):
        return []
    digits = text
    if aim == "]E3" and len(text) in (15, 18):
        digits = text[:13]  # a two- or five-digit add-on follows: issue number or price
    if len(digits) == 8 and aim != "]E4" and (expanded := gtin.expand_upc_e(digits)):
        return [_gtin(expanded, f"UPC-E {digits}, in full {expanded}")]
    return [_gtin(digits, gtin.gtin_name(digits))] if len(digits) in gtin.GTIN_LENGTHS else []


def _gtin(digits: str, name: str) -> Candidate:
    key = digits.rjust(14, "0")
    right = gtin.check_digit(digits[:-1])
    if right != digits[-1]:
        reason = f"{name} with a wrong check digit: {digits[-1]} where {right} belongs; scan it again"
        return Candidate(CandidateKind.GTIN, key, reason, check=Check.BAD)
    note = "; in-store number, it means something only to the shop that printed it" if gtin.is_in_store(key) else ""
    return Candidate(CandidateKind.GTIN, key, f"{name}, check digit right{note}", check=Check.OK)


def _sscc(digits: str, name: str) -> Candidate:
    right = gtin.check_digit(digits[:-1])
    if right != digits[-1]:
        reason = f"{name} with a wrong check digit: {digits[-1]} where {right} belongs; scan it again"
        return Candidate(CandidateKind.SSCC, digits, reason, check=Check.BAD)
    return Candidate(CandidateKind.SSCC, digits, f"{name}, check digit right", check=Check.OK)


def _numbers(text: str) -> list[Candidate]:
    """GTIN and SSCC by length alone; only zeros are no number."""
    digits = "".join(text.split(" "))
    if not digits or not digits.replace("\x1d", "").strip("0"):
        return []
    if not is_ascii_digits(digits):
        bare = _BARE_GS1.match(text)
        return _bare_gs1(bare) if bare else []
    found: list[Candidate] = []
    if len(digits) in gtin.GTIN_LENGTHS:
        plain = _gtin(digits, f"{len(digits)} digits: {gtin.gtin_name(digits)}")
        expanded = gtin.expand_upc_e(digits)
        if expanded is not None and gtin.has_good_check_digit(expanded):
            short = _gtin(expanded, f"8 digits: UPC-E, in full {expanded}")
            return [plain, short] if plain.check is Check.OK else [short]
        return [plain]
    if len(digits) == 18:
        found.append(_sscc(digits, "18 digits: SSCC"))
    elif bare := _BARE_GS1.match(digits):
        found += _bare_gs1(bare)
    return found


def _bare_gs1(hit: re.Match[str]) -> list[Candidate]:
    """A number behind ``01`` or ``00`` without the proof that it is GS1: taken only with its check digit right."""
    article, parcel = hit.group(1), hit.group(2)
    hint = "behind application identifier {}; switch AIM identifiers on at the scanner to read all of it"
    if article is not None and article.strip("0") and gtin.has_good_check_digit(article):
        return [_gtin(article, f"GTIN {hint.format('01')}")]
    if parcel is not None and parcel.strip("0") and gtin.has_good_check_digit(parcel):
        return [_sscc(parcel, f"SSCC {hint.format('00')}")]
    return []


def _trackings(matches: Sequence[carriers.TrackingMatch]) -> list[Candidate]:
    """One candidate a match; where the number cannot say whose it is, each says so. The store's returns decide."""
    possible = dict.fromkeys(match.carrier for match in matches if match.check is not Check.BAD)
    return [_tracking(match, [other for other in possible if other != match.carrier]) for match in matches]


def _tracking(match: carriers.TrackingMatch, rivals: Sequence[str]) -> Candidate:
    parts = [f"{match.carrier} {match.format.name}"]
    if match.check is Check.OK:
        parts.append("check digit right")
    elif match.check is Check.BAD:
        parts.append(f"check digit wrong, {match.expected} belongs there; scan it again or read the printed number")
    else:
        parts.append("these numbers have no check digit" if match.format.strong else "by its shape only")
    if match.is_return:
        parts.append(f"a return service: {match.service}")
    elif match.service is not None:
        parts.append(match.service)
    if rivals and match.check is not Check.BAD:
        parts.append(f"ambiguous: it may be a number of {' or '.join(rivals)} as well")
    return Candidate(CandidateKind.TRACKING, match.key, ", ".join(parts), carrier=match.carrier, check=match.check)


def _from_gs1(data: Gs1Data, text: str, aim: str | None) -> list[Candidate]:
    """The message as a whole, then the article, parcel and serial number in it."""
    problems = []
    checked = False
    for ai, value in data.elements:
        if ai in _CHECKED_AIS:
            checked = True
            if not gtin.has_good_check_digit(value):
                problems.append(f"the {_CHECKED_AIS[ai]} ({ai}) has a wrong check digit")
    values = dict(reversed(data.elements))
    for ai in dict.fromkeys(ai for ai, value in data.elements if value != values[ai]):
        problems.append(f"({ai}) is there twice with different values")
        del values[ai]  # neither is taken
    verdict = Check.BAD if problems else Check.OK if checked else Check.NONE
    reason = "; ".join((f"{data.form}: {', '.join(f'({ai})' for ai, _ in data.elements)}", *problems))
    found = [Candidate(CandidateKind.GS1, data.hri(), reason, check=verdict, elements=data.elements)]
    if "00" in values:
        found.append(_with(_sscc(values["00"], "SSCC in (00)"), data))
    if "01" in values:
        article = _with(_gtin(values["01"], "GTIN in (01)"), data)
        found.append(article)
        if "21" in values and article.check is Check.OK:
            reason = "serial number in (21), of the GTIN in (01)"
            found.append(Candidate(CandidateKind.SERIAL, values["21"], reason, elements=data.elements))
    elif "21" in values:
        reason = "serial number in (21), without a GTIN"
        found.append(Candidate(CandidateKind.SERIAL, values["21"], reason, elements=data.elements))
    digits = text.strip("\x1d")
    if text.startswith("("):
        digits = "".join(ai + value for ai, value in data.elements)
    return found + _trackings(carriers.find_tracking(digits, aim=aim, gs1_only=True))


def _with(candidate: Candidate, data: Gs1Data) -> Candidate:
    return Candidate(candidate.kind, candidate.key, candidate.reason, check=candidate.check, elements=data.elements)


def _free(text: str, *, broken_gs1: bool) -> list[Candidate]:
    """Text that could be a serial number, SKU or another code of the article."""
    if not 2 < len(text) <= _MAX_FREE or not text.isprintable() or not any(map(str.isalnum, text)):
        return []
    if "://" in text:
        return []
    labelled = _SERIAL_LABEL.fullmatch(text)
    if labelled:
        return [Candidate(CandidateKind.SERIAL, labelled.group(1).strip(), "text that calls itself a serial number")]
    reason = "free text: a serial number, SKU or another code of the article"
    if _AMAZON.fullmatch(text):
        reason = "looks like Amazon's FNSKU or ASIN; free text otherwise"
    elif broken_gs1:
        reason = "not valid GS1 data although it should be; free text at best"
    return [Candidate(CandidateKind.SERIAL, text, reason)]
