"""The carriers' table against an oracle: the public formats, checked by code that shares nothing with ours."""

import json
import random
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from station.errors import InvalidInput
from station.identify.carriers import find_tracking, formats, posts, tracking_key
from station.identify.checks import CheckRule, algorithm, mod10
from station.identify.gtin import check_digit
from station.identify.interpret import interpret
from station.identify.scan import CandidateKind, Check
from station.inspection.finding import find_parcel

OURS = {
    ("Amazon", "Amazon Logistics"): "amazon_logistics",
    ("Amazon", "Amazon International"): "amazon_international",
    ("Canada Post", "Canada Post (16)"): "canada_post_16",
    ("Canpar", "Canpar (22)"): "canpar_22",
    ("DHL", "DHL Express"): "dhl_express",
    ("DHL", "DHL Express (Piece ID)"): "dhl_express_piece",
    ("DHL", "DHL E-Commerce"): "dhl_ecommerce",
    ("DHL", "DHL E-Commerce (14)"): "dhl_ecommerce_14",
    ("DPD", "DPD (28)"): "dpd_28",
    ("DPD", "DPD (14)"): "dpd_14",
    ("FedEx", "FedEx Express (12)"): "fedex_12",
    ("FedEx", "FedEx Express (34)"): "fedex_34",
    ("FedEx", "FedEx ASTRA (32)"): "fedex_astra_32",
    ("FedEx", "FedEx Ground"): "fedex_ground_15",
    ("FedEx", "FedEx Ground (SSCC-18)"): "fedex_ground_sscc_18",
    ("FedEx", "FedEx Ground 96 (22)"): "fedex_ground_96",
    ("FedEx", "FedEx Ground GSN"): "fedex_ground_gsn",
    ("GOFO Express", "GOFO Express (US)"): "gofo_us",
    ("Landmark Global LTN", "Landmark Global LTN"): "landmark",
    ("LaserShip", "LaserShip LX"): "lasership_lx",
    ("LaserShip", "LaserShip 1LS7 (15)"): "lasership_1ls7_15",
    ("LaserShip", "LaserShip 1LS7 (18)"): "lasership_1ls7_18",
    ("LaserShip", "LaserShip 1LSCX (15)"): "lasership_1lscx",
    ("Old Dominion Freight Line", "Old Dominion"): "old_dominion",
    ("Old Dominion Freight Line", "Old Dominion Guaranteed Shipment"): "old_dominion_guaranteed",
    ("OnTrac", "OnTrac"): "ontrac_c",
    ("OnTrac", "OnTrac D"): "ontrac_d",
    ("Purolator", "Purolator (12)"): "purolator_12",
    ("Purolator", "Purolator (alpha + 9)"): "purolator_alpha",
    ("S10 International Standard", "S10"): "s10",
    ("Spee-Dee Delivery", "Spee-Dee (20)"): "spee_dee_20",
    ("UPS", "UPS"): "ups_1z",
    ("UPS", "UPS Waybill"): "ups_waybill",
    ("United States Postal Service", "USPS 20"): "usps_20",
    ("United States Postal Service", "USPS IMpb N"): "usps_impb_n",
    ("United States Postal Service", "USPS Legacy"): "usps_91",
    ("United States Postal Service", "USPS IMpb C"): "usps_impb_c",
    ("Yodel", "Yodel"): "yodel",
    ("YunExpress", "YunExpress"): "yunexpress",
}
"""Public format → ours: all 39."""

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def the_one(number: str, format_id: str) -> Check | None:
    """Our verdict on a number under one format, the others left aside."""
    found = {match.format.id: match.check for match in find_tracking(number)}
    return found.get(format_id)


@pytest.fixture(scope="module")
def public(shared_data: Path) -> dict[str, dict[str, Any]]:
    rows = json.loads((shared_data / "tracking" / "formats.json").read_text("utf-8"))
    return {OURS[row["courier"], row["name"]]: row for row in rows}


def test_every_public_format_is_claimed(public: dict[str, dict[str, Any]]) -> None:
    assert len(public) == 39
    assert set(public) <= {row.id for row in formats()}


def test_every_published_valid_number_is_recognised(shared_data: Path) -> None:
    table = json.loads((shared_data / "tracking" / "valid_numbers.json").read_text("utf-8"))
    checked = 0
    for name, numbers in table.items():
        courier, _, form = name.partition(" / ")
        for number in numbers:
            for written in (number, number.lower(), f" {number}\r"):
                assert the_one(written, OURS[courier, form]) in (Check.OK, Check.NONE), (name, written)
            checked += 1
    assert checked >= 90


def test_posts_are_those_of_the_standard(public: dict[str, dict[str, Any]]) -> None:
    lookup = next(one["lookup"] for one in public["s10"]["additional"] if one["name"] == "Courier")
    assert {row["matches"] for row in lookup} <= set(posts())


# --- the oracle -------------------------------------------------------------------------------------------------------


def oracle_pattern(row: dict[str, Any]) -> str:
    regex = row["regex"] if isinstance(row["regex"], str) else "".join(row["regex"])
    return (
        regex.replace(r"\s*", "")
        .replace(r"\s", "")
        .replace("(?<", "(?P<")
        .replace("(?P<=", "(?<=")
        .replace("(?P<!", "(?<!")
    )


def oracle_accepts(row: dict[str, Any], number: str) -> bool:
    hit = re.fullmatch(oracle_pattern(row), number, re.ASCII)
    if hit is None:
        return False
    if row["validation"].get("additional") and hit["CountryCode"] not in posts():
        return False
    rule = row["validation"].get("checksum")
    if not rule:
        return True
    serial = hit["SerialNumber"]
    prepend = row["validation"].get("serial_number_format", {}).get("prepend_if")
    if prepend and re.match(prepend["matches_regex"], serial):
        serial = prepend["content"] + serial
    return oracle_digit(rule, serial) == hit["CheckDigit"]


def oracle_digit(rule: dict[str, Any], serial: str) -> str:
    name = rule["name"]
    if name == "mod10":
        order = serial[::-1] if rule.get("reverse") else serial
        total = 0
        for index in range(len(order)):
            value = int(order[index]) if order[index].isdigit() else (ord(order[index]) - 3) % 10
            total += value * (rule["odds_multiplier"] if index % 2 == 1 else rule["evens_multiplier"])
        return str((10 - total % 10) % 10)
    if name == "mod7":
        return str(int(serial) % 7)
    if name == "luhn":
        for digit in "0123456789":
            number = [int(char) for char in serial + digit][::-1]
            if sum(number[0::2] + [sum(divmod(2 * one, 10)) for one in number[1::2]]) % 10 == 0:
                return digit
    if name == "s10":
        rest = sum(int(a) * b for a, b in zip(serial, rule["weightings"], strict=True)) % 11
        return {0: "5", 1: "0"}.get(rest) or str(11 - rest)
    if name == "mod_37_36":
        state = 36
        for char in serial:
            state += ALPHABET.index(char)
            state = state - 36 if state > 36 else state
            state = state * 2 - (37 if state * 2 >= 37 else 0)
        return ALPHABET[(37 - state) % 36]
    assert name == "sum_product_with_weightings_and_modulo", name
    total = sum(int(a) * b for a, b in zip(serial, rule["weightings"], strict=True))
    return str(total % rule["modulo1"] % rule["modulo2"])


def shapes(format_id: str, row: dict[str, Any]) -> st.SearchStrategy[str]:
    """Numbers of a format's shape, their check digit not cared for."""
    if format_id == "dhl_ecommerce":
        return st.from_regex(re.compile("(?:GM|LX|RX|UV|CN|SG|TH|IN|HK|MY)[0-9A-Z]{10,39}", re.ASCII), fullmatch=True)
    if format_id not in ("usps_impb_n", "usps_impb_c"):
        return st.from_regex(re.compile(oracle_pattern(row), re.ASCII), fullmatch=True)
    # hypothesis cannot build what the look-aheads of these ask for.
    digits = st.integers(0, 10**30).map("{:031d}".format)
    routes = st.sampled_from([0, 5, 9])
    heads = st.sampled_from(["94"] if format_id == "usps_impb_n" else ["92", "93", "95"])
    mailers = st.sampled_from(["9", "0", "8"])
    sizes = st.sampled_from([20, 22, 26, 30])

    def build(text: str, route: int, head: str, mailer: str, size: int) -> str:
        label = (head + text[:3] + mailer + text[3:])[:size]
        return (("420" + text[-route:]) if route else "") + label

    return st.builds(build, digits, routes, heads, mailers, sizes)


FEDEX_CONTAINERS = ("00", "01", "02", "04")
S10_SHAPE = re.compile(r"[A-Z]{2}\d{9}[A-Z]{2}")


def agreed_exception(format_id: str, number: str) -> bool:
    """Where we are stricter on purpose: any SSCC would be a FedEx number, and any S10 number DHL's."""
    if format_id == "fedex_ground_sscc_18":
        return number[:2] not in FEDEX_CONTAINERS
    return format_id == "dhl_ecommerce" and bool(S10_SHAPE.fullmatch(number))


@pytest.mark.parametrize("format_id", sorted(OURS.values()))
def test_same_verdict_as_the_public_rule(format_id: str, public: dict[str, dict[str, Any]]) -> None:
    """Numbers of the right shape with every check digit, and the shape broken in one place."""
    row = public[format_id]
    ours = next(one for one in formats() if one.id == format_id)
    seen = {"yes": 0, "no": 0}

    @settings(max_examples=15)
    @given(shapes(format_id, row), st.data())
    def compare(number: str, data: st.DataObject) -> None:
        numbers = [number[:-1] + char for char in ALPHABET] + [number]
        hit = re.fullmatch(oracle_pattern(row), number, re.ASCII)
        rule = row["validation"].get("checksum")
        if hit is not None and rule:
            place = hit.start("CheckDigit")
            numbers += [number[:place] + digit + number[place + 1 :] for digit in ALPHABET]
        place = data.draw(st.integers(0, len(number) - 1))
        numbers += [
            number[:place] + data.draw(st.sampled_from(ALPHABET)) + number[place + 1 :],
            number[1:],
            number + "0",
        ]
        for one in numbers:
            if agreed_exception(format_id, one) or not one.strip() or one != "".join(one.split()):
                continue
            mine = next((match.check for match in every_match(one) if match.format is ours), None)
            assert (mine in (Check.OK, Check.NONE)) == oracle_accepts(row, one), one
            seen["yes" if mine in (Check.OK, Check.NONE) else "no"] += 1

    def every_match(text: str) -> list[Any]:
        from station.identify import carriers

        return list(carriers._shapes(carriers.normalise(text), None, False))

    compare()
    assert seen["yes"]
    assert seen["no"]


# --- our own additions ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "carrier", "key"),
    [
        ("1Z 999 AA1 01 2345 6784", "UPS", "1Z999AA10123456784"),
        ("9622001560000000000000794808390594", "FedEx", "794808390594"),
        ("420 78745 9400 1112 0620 6406 2607 87", "USPS", "9400111206206406260787"),
        ("%008182709980000020033350276C", "DPD", "09980000020033"),
        ("00340433836442636597", "DHL", "00340433836442636597"),
        ("rb473124829gb", "Royal Mail (S10)", "RB473124829GB"),
        ("JJD1410302937991", "DHL", "JJD1410302937991"),
    ],
)
def test_numbers_come_out_as_the_carrier_prints_them(written: str, carrier: str, key: str) -> None:
    match = find_tracking(written)[0]
    assert (match.carrier, match.key) == (carrier, key)
    assert tracking_key(written) == key


def test_the_long_barcode_and_the_printed_number_meet() -> None:
    assert tracking_key("9622001560001234567100794808390594") == tracking_key("7948 0839 0594")


def test_an_identcode_needs_its_symbol() -> None:
    assert "dhl_identcode" not in {match.format.id for match in find_tracking("201298452277")}
    assert "dhl_identcode" in {match.format.id for match in find_tracking("201298452277", aim="]I0")}


def test_a_return_service_is_named() -> None:
    body = "999AA190" + "1234567"
    match = find_tracking("1Z" + body + mod10(body, 1, 2, False))[0]
    assert match.is_return
    assert match.service == "Returns, UPS prints and mails the label"


@given(st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=15, max_size=15), st.integers(2, 17), st.integers(1, 9))
def test_1z_right_and_one_digit_wrong(body: str, place: int, change: int) -> None:
    number = "1Z" + body + mod10(body, 1, 2, False)
    assert [(match.carrier, match.check) for match in find_tracking(number)] == [("UPS", Check.OK)]
    if number[place].isdigit() and (place == 17 or place % 2 == 0 or change != 5):
        wrong = number[:place] + str((int(number[place]) + change) % 10) + number[place + 1 :]
        assert [match.check for match in find_tracking(wrong)] == [Check.BAD]


def test_the_rate_of_retail_codes_taken_for_parcels() -> None:
    """DEVICES §2.7: with the AIM identifier it is none; without, only what the check digits cannot tell apart."""
    codes = [f"{n * 7919 % 10**11:011d}" for n in range(1, 1001)]
    upc = [code + check_digit(code) for code in codes]
    taken = sum(any(one.kind.value == "tracking" for one in interpret(code)) for code in upc)
    assert 0 < taken < 250  # FedEx 12 and Purolator 12, one in ten each
    assert not any(one.kind.value == "tracking" for code in upc for one in interpret("]E0" + code))
    ean = ["4" + code + check_digit("4" + code) for code in codes]
    assert not any(one.kind.value == "tracking" for code in ean for one in interpret(code))


def test_every_published_number_is_its_carriers_or_says_that_it_is_ambiguous(shared_data: Path) -> None:
    """Through the whole interpretation, as the desk sees it: no AIM identifier, no profile."""
    table = json.loads((shared_data / "tracking" / "valid_numbers.json").read_text("utf-8"))
    by_id = {row.id: row for row in formats()}
    ambiguous = 0
    for name, numbers in table.items():
        courier, _, form = name.partition(" / ")
        row = by_id[OURS[courier, form]]
        for number in numbers:
            candidates = [one for one in interpret(number) if one.check is not Check.BAD]
            parcels = [one for one in candidates if one.kind is CandidateKind.TRACKING]
            assert any(row.carrier in str(one.carrier) for one in parcels), (name, number)
            assert candidates[0].kind in (CandidateKind.TRACKING, CandidateKind.SSCC, CandidateKind.GTIN), number
            whose = {one.carrier for one in parcels}
            assert all(("ambiguous" in one.reason) is (len(whose) > 1) for one in parcels), number
            ambiguous += len(whose) > 1
            # what the file of the shop says and what the label says meet, however either is written
            spaced = " ".join(number.replace(" ", "").lower())
            assert tracking_key(spaced) == tracking_key(number), number
            assert tracking_key(number) in {one.key for one in parcels}, number
    assert 0 < ambiguous < 10


def test_every_published_number_with_another_check_digit_is_refused(shared_data: Path) -> None:
    table = json.loads((shared_data / "tracking" / "valid_numbers.json").read_text("utf-8"))
    by_id = {row.id: row for row in formats()}
    refused = named = 0
    for name, numbers in table.items():
        courier, _, form = name.partition(" / ")
        row = by_id[OURS[courier, form]]
        if row.compute is None:
            continue
        for text in numbers:
            number = "".join(text.split()).upper().removeprefix("%")
            hit = row.pattern.fullmatch(number)
            assert hit is not None, number
            place = hit.start("check")
            for digit in "0123456789":
                wrong = number[:place] + digit + number[place + 1 :]
                if digit == hit["check"]:
                    continue
                matches = [match for match in find_tracking(wrong) if match.format is row]
                assert all(match.check is Check.BAD and match.expected == hit["check"] for match in matches), wrong
                assert row.strong is bool(matches) or wrong[:place] != number[:place], wrong
                refused += 1
                named += bool(matches)
    assert refused > 500
    assert named > 300


@pytest.mark.parametrize("length", [10, 11, 12, 13, 14, 15, 16, 18, 20, 22, 34])
def test_only_zeros_are_nobodys_number(length: int) -> None:
    assert find_tracking("0" * length) == ()
    assert all(one.kind is not CandidateKind.TRACKING for one in interpret("0" * length))


@pytest.mark.parametrize(
    ("body", "service"),
    [("999AA190", "Returns, UPS prints"), ("999AA178", "one pickup"), ("999AA122", "three pickup")],
)
def test_the_return_services_of_ups(body: str, service: str) -> None:
    number = "1Z" + body + "1234567"
    number += mod10(number[2:], 1, 2, False)
    (match,) = find_tracking(number)
    assert match.is_return
    assert service in str(match.service)
    (candidate,) = interpret("]C0" + number)
    assert "a return service" in candidate.reason


def test_a_return_service_of_usps_and_none_of_others() -> None:
    for code, is_return in (("82", True), ("83", True), ("85", True), ("70", False)):
        serial = code + "1234567890123456" + "7"
        number = serial + mod10(serial, 3, 1, False)
        match = next(one for one in find_tracking(number) if one.format.id == "usps_20")
        assert match.is_return is is_return
    assert not any(one.is_return for one in find_tracking("1Z999AA10123456784"))


class Expected:
    """A store that knows some returns, by kind and key."""

    def __init__(self, **known: str) -> None:
        self._known = known

    def returns_by(self, kind: CandidateKind, key: str) -> tuple[str, ...]:
        return (f"return of {kind.value} {key}",) if self._known.get(kind.value) == key else ()


@pytest.mark.parametrize("scan", ["287809468872", "2878 0946 8872", "9622001900000000000000287809468872"])
def test_what_the_store_expects_settles_an_ambiguous_number(scan: str) -> None:
    assert len({one.carrier for one in interpret("287809468872") if one.carrier}) == 2
    found = find_parcel(interpret(scan), scan, Expected(tracking="287809468872"))  # type: ignore[arg-type]
    assert found.returns == ("return of tracking 287809468872",)
    assert find_parcel(interpret(scan), scan, Expected()).returns == ()  # type: ignore[arg-type]


def test_a_parcel_number_that_is_a_valid_upc_too_is_found_where_a_return_is_expected() -> None:
    both = next(
        upc
        for n in range(10**10, 10**10 + 1000)
        for upc in [f"{n:011d}" + check_digit(f"{n:011d}")]
        if any(one.kind is CandidateKind.TRACKING for one in interpret(upc))
    )
    first, *others = interpret(both)
    assert (first.kind, first.check) == (CandidateKind.GTIN, Check.OK)
    assert any(one.kind is CandidateKind.TRACKING for one in others)
    found = find_parcel(interpret(both), both, Expected(tracking=both))  # type: ignore[arg-type]
    assert len(found.returns) == 1
    symbol = interpret("]E0" + both)
    assert [one.kind for one in symbol] == [CandidateKind.GTIN]
    assert find_parcel(symbol[:1], "]E0" + both, Expected(tracking=both)).returns == ()  # type: ignore[arg-type]


def retail_codes(length: int, count: int, prefix: str = "") -> list[str]:
    """Random numbers of that length with their right check digit; always the same ones."""
    chance = random.Random(length)
    bodies = (prefix + "".join(chance.choices("0123456789", k=length - 1 - len(prefix))) for _ in range(count))
    return [body + check_digit(body) for body in bodies]


@pytest.mark.parametrize(
    ("length", "aim", "kind", "at_most"),
    [
        (8, "]E4", CandidateKind.GTIN, 0.0),
        (12, "]E0", CandidateKind.GTIN, 0.20),  # FedEx 12 (1 in 10), Purolator 12 (6 of 10 first digits, 1 in 10): 0.16
        (13, "]E0", CandidateKind.GTIN, 0.0),
        (14, "]I1", CandidateKind.GTIN, 1.0),  # every 14 digits may be DHL eCommerce's, which has no check digit
        (18, "]C1", CandidateKind.SSCC, 0.05),  # FedEx Ground 18
    ],
)
def test_how_many_retail_codes_could_be_parcels_and_where_they_rank(
    length: int, aim: str, kind: CandidateKind, at_most: float
) -> None:
    """DEVICES §2.7. Without the AIM identifier the retail reading is always the first; with one it is the only one."""
    codes = retail_codes(length, 600)
    taken = 0
    for code in codes:
        candidates = interpret(code)
        assert (candidates[0].kind, candidates[0].check) == (kind, Check.OK), code
        taken += any(one.kind is CandidateKind.TRACKING for one in candidates)
        if aim.startswith("]E"):
            assert [one.kind for one in interpret(aim + code)] == [kind], code
    assert taken <= at_most * len(codes)


def test_an_unknown_algorithm_is_named() -> None:
    with pytest.raises(InvalidInput, match=r"'mod11'.*expected one of"):
        algorithm(CheckRule("mod11"))


def test_absurd_input_is_passed_over() -> None:
    assert find_tracking("") == ()
    assert find_tracking("9" * 10_000) == ()
    assert find_tracking("٣" * 12) == ()
    assert tracking_key("order 17") == "ORDER17"
