"""What a scan means: ranking, gates, check digits, and that no bytes whatever are too much."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.errors import InvalidInput
from station.identify.checks import mod10
from station.identify.gtin import check_digit, expand_upc_e, parse_gtin
from station.identify.interpret import MAX_SCAN, interpret
from station.identify.profile import CodeProfile
from station.identify.scan import Candidate, CandidateKind, Check
from station.identify.text import decode, split_aim

GS = "\x1d"
EAN = "4006381333931"
GTIN = "0" + EAN


def brief(scan: bytes | str, **options: CodeProfile) -> list[tuple[str, str, str]]:
    return [(one.kind.value, one.key, one.check.value) for one in interpret(scan, **options)]


def kinds(scan: bytes | str) -> list[str]:
    return [one.kind.value for one in interpret(scan)]


@pytest.mark.parametrize(
    ("scan", "first"),
    [
        (EAN, ("gtin", GTIN, "ok")),
        (" 4006381333931\r", ("gtin", GTIN, "ok")),
        ("]E0" + EAN, ("gtin", GTIN, "ok")),
        ("]E4" + "96385074", ("gtin", "00000096385074", "ok")),
        ("96385074", ("gtin", "00000096385074", "ok")),
        ("036000291452", ("gtin", "00036000291452", "ok")),
        ("]E0" + "0036000291452", ("gtin", "00036000291452", "ok")),
        ("04252614", ("gtin", "00042100005264", "ok")),
        ("]E0" + "04252614", ("gtin", "00042100005264", "ok")),
        ("]E3" + EAN + "52495", ("gtin", GTIN, "ok")),
        ("]I114006381333938", ("gtin", "14006381333938", "ok")),
        ("340433836442636597", ("sscc", "340433836442636597", "ok")),
        ("00340433836442636597", ("sscc", "340433836442636597", "ok")),
        ("rma-2026-004711", ("rma", "RMA-2026-004711", "none")),
        ("LPN-7F3K2Q9A", ("lpn", "LPN-7F3K2Q9A", "none")),
        ("LPNHE623894851", ("lpn", "LPNHE623894851", "none")),
        ("BDG-0017", ("badge", "BDG-0017", "none")),
        ("RSC-CLEAN", ("command", "RSC-CLEAN", "none")),
        ("]C0rsc-clean", ("command", "RSC-CLEAN", "none")),
        ("1Z 999 AA1 01 2345 6784", ("tracking", "1Z999AA10123456784", "ok")),
        ("RB473124829GB", ("tracking", "RB473124829GB", "ok")),
        ("X001ABCDEF", ("serial", "X001ABCDEF", "none")),
        ("S/N: HD7-22941", ("serial", "HD7-22941", "none")),
    ],
)
def test_first_candidate(scan: str, first: tuple[str, str, str]) -> None:
    assert brief(scan)[0] == first


@pytest.mark.parametrize("scan", ["", " ", GS, "\x00\x01\x02", "!?", "ab", "https://example.com/r/1", "]E1" + "12"])
def test_no_meaning_is_an_empty_answer(scan: str) -> None:
    assert interpret(scan) == ()


def test_gs1_keeps_everything_and_derives_article_and_serial() -> None:
    found = interpret(f"]d201{GTIN}21HD7-22941{GS}17261231{GS}10LOT 7".replace(" ", "-"))
    elements = (("01", GTIN), ("21", "HD7-22941"), ("17", "261231"), ("10", "LOT-7"))
    assert [(one.kind, one.key) for one in found] == [
        (CandidateKind.GS1, f"(01){GTIN}(21)HD7-22941(17)261231(10)LOT-7"),
        (CandidateKind.GTIN, GTIN),
        (CandidateKind.SERIAL, "HD7-22941"),
    ]
    assert {one.elements for one in found} == {elements}
    assert found[0].element("10") == "LOT-7"
    assert found[0].element("99") is None


@pytest.mark.parametrize(
    "scan",
    [
        f"]C101{GTIN}21A1",
        f"]e001{GTIN}21A1",
        f"]d201{GTIN}21A1",
        f"]Q301{GTIN}21A1",
        f"{GS}01{GTIN}21A1",
        f"(01){GTIN}(21)A1",
        f"(01) {GTIN} (21) A1",
        f"https://id.gs1.org/01/{GTIN}/21/A1",
        f"HTTPS://example.com/some/path/01/{EAN}/21/A1",
        f"]Q1https://id.gs1.org/01/{GTIN}/21/A1",
    ],
)
def test_the_gate_is_open_for_gs1(scan: str) -> None:
    assert brief(scan)[1:3] == [("gtin", GTIN, "ok"), ("serial", "A1", "none")]
    assert kinds(scan)[0] == "gs1"


@pytest.mark.parametrize(
    "scan",
    [
        "4006381333930",  # biip: "customer order number" (400)6381333930
        "]X0" + EAN,  # biip: the same, beside the GTIN
        "]E0" + EAN,
        "]C001" + GTIN,
        "]X04006381333930",
        f"01{GTIN}21A1",
        "10123456",
    ],
)
def test_the_gate_is_shut_for_everything_else(scan: str) -> None:
    assert "gs1" not in kinds(scan)


def test_biip_itself_would_walk_into_the_trap() -> None:
    """The negative control of the gate: without it the number below is read as an order number."""
    import biip

    result = biip.parse("4006381333930")
    assert result.gtin is None
    assert result.gs1_message is not None
    assert result.gs1_message.as_hri().startswith("(400)")


def test_an_unknown_symbology_raises_in_biip_and_not_here() -> None:
    import biip

    with pytest.raises(biip.ParseError):
        biip.parse("]J0" + EAN)
    assert brief("]J0" + EAN)[0] == ("gtin", GTIN, "ok")


def test_half_a_message_is_no_message() -> None:
    from biip.gs1_messages import GS1Message

    assert GS1Message.parse_hri("(01)04006381333931(21)AB(C)D").as_hri() == "(01)04006381333931(21)AB"
    assert "gs1" not in kinds("(01)04006381333931(21)AB(C)D")


def test_a_gs1_number_without_proof_gives_its_article_only() -> None:
    assert brief(f"01{GTIN}21A1")[0] == ("gtin", GTIN, "ok")
    wrong = brief("0104006381333930" + "21A1")
    assert all(kind != "gtin" for kind, _, _ in wrong)


def test_wrong_check_digits_inside_gs1() -> None:
    assert brief("]C10104006381333930" + "21A1") == [
        ("gs1", "(01)04006381333930(21)A1", "bad"),
        ("gtin", "04006381333930", "bad"),
    ]
    assert brief("]C100340433836442636598")[:2] == [
        ("gs1", "(00)340433836442636598", "bad"),
        ("sscc", "340433836442636598", "bad"),
    ]


def test_a_date_of_zeros_does_not_hide_the_article() -> None:
    assert brief(f"]d201{GTIN}17000000")[1] == ("gtin", GTIN, "ok")


def test_a_retail_symbol_is_never_a_tracking_number() -> None:
    upc_and_fedex = "123456789012"
    assert {"gtin", "tracking"} <= set(kinds(upc_and_fedex))
    assert brief("]E0" + upc_and_fedex) == [("gtin", "00123456789012", "ok")]
    assert brief("]E0" + "4006381333930") == [("gtin", "04006381333930", "bad")]


def test_a_reserved_prefix_is_a_command_or_nothing() -> None:
    (unknown,) = interpret("RSC-4711")
    assert (unknown.kind, unknown.check) == (CandidateKind.COMMAND, Check.BAD)
    assert "'RSC-4711'" in unknown.reason
    profile = CodeProfile(rma=(r"RSC-\d+",), commands=frozenset({"RSC-GRADE-A"}))
    assert brief("RSC-4711", profile=profile) == [("command", "RSC-4711", "bad")]
    assert brief("RSC-GRADE-A", profile=profile) == [("command", "RSC-GRADE-A", "none")]


def test_a_site_brings_its_own_codes() -> None:
    profile = CodeProfile(rma=(r"R\d{8}",), badge=(r"EMP\d+",), lpn=(r"T-\d{6}",))
    assert brief("r00004711", profile=profile) == [("rma", "R00004711", "none")]
    assert brief("EMP7", profile=profile) == [("badge", "EMP7", "none")]
    assert brief("T-000001", profile=profile) == [("lpn", "T-000001", "none")]
    assert brief("RMA-2026-1", profile=profile)[0][0] == "serial"
    with pytest.raises(InvalidInput, match=r"'\('"):
        CodeProfile(rma=("(",))


def test_an_amazon_order_is_an_rma() -> None:
    assert brief("114-1234567-1234567") == [("rma", "114-1234567-1234567", "none")]


def test_carriers_that_print_gs1_are_found_inside_it() -> None:
    def tracking(scan: str) -> list[tuple[str, str | None]]:
        return [(one.key, one.carrier) for one in interpret(scan) if one.kind is CandidateKind.TRACKING]

    assert tracking(f"]C142078745{GS}9400111206206406260787") == [("9400111206206406260787", "USPS")]
    assert tracking("]C1420787459400111206206406260787") == [("9400111206206406260787", "USPS")]
    assert tracking("]C19622001560000000000000794808390594") == [("794808390594", "FedEx")]
    assert tracking("]C100340433836442636597") == [("00340433836442636597", "DHL")]
    assert tracking("(00)340433836442636597") == [("00340433836442636597", "DHL")]
    # An SSCC of somebody else is no tracking number, although USPS' 20 digits would sometimes fit.
    others = ["00" + body + check_digit(body) for body in (f"1400638100000{n:04d}" for n in range(300))]
    assert all(tracking("]C1" + scan) == [] for scan in others)


def test_the_reason_names_the_digit_and_the_return_service() -> None:
    wrong = interpret("4006381333930")[0]
    assert "0 where 1 belongs" in wrong.reason
    body = "12345E901234567"
    assert "a return service: Returns" in interpret("1Z" + body + mod10(body, 1, 2, False))[0].reason


def test_only_zeros_are_no_article() -> None:
    assert "gtin" not in kinds("0000000000000")
    assert "sscc" not in kinds("0" * 18)


def test_split_aim_and_decode_keep_every_byte() -> None:
    assert split_aim(b"]d2\x1d01") == ("]d2", b"\x1d01")
    assert split_aim(b"]") == (None, b"]")
    assert split_aim(b"]\xff1x") == (None, b"]\xff1x")
    assert decode(b"a\x1db") == "a\x1db"
    assert decode(b"\xe9") == "é"


@given(st.binary(max_size=MAX_SCAN))
def test_total_on_any_bytes(data: bytes) -> None:
    for one in interpret(data):
        assert one.reason
        assert one.key


@given(
    st.sampled_from(["]C1", "]d2", "]Q3", "]e0", GS, "(", "https://id.gs1.org/01/", "RSC-", "1Z", "420", "00"]),
    st.text(),
)
def test_total_behind_every_door(prefix: str, rest: str) -> None:
    assert all(one.reason and one.kind in CandidateKind for one in interpret(prefix + rest))


def test_longer_than_any_symbol_is_refused_at_once() -> None:
    assert interpret(b"9" * (MAX_SCAN + 1)) == ()
    assert interpret(b"9" * 50_000_000) == ()
    assert interpret(b"]C1" + b"10" + b"A" * 4000) == ()


digits = st.text("0123456789", min_size=1)


@given(st.sampled_from([7, 11, 12, 13]).flatmap(lambda size: st.text("0123456789", min_size=size, max_size=size)))
def test_every_right_gtin_is_found(body: str) -> None:
    number = body + check_digit(body)
    if not number.strip("0"):
        return
    expected = Candidate(CandidateKind.GTIN, number.rjust(14, "0"), "", check=Check.OK)
    assert (expected.kind.value, expected.key, "ok") in brief(number)
    assert parse_gtin(number) == expected.key


@given(
    st.sampled_from([11, 12, 13]).flatmap(lambda size: st.text("0123456789", min_size=size, max_size=size)),
    st.integers(0, 13),
    st.integers(1, 9),
)
def test_one_wrong_digit_is_always_noticed(body: str, place: int, change: int) -> None:
    number = body + check_digit(body)
    place %= len(number)
    wrong = number[:place] + str((int(number[place]) + change) % 10) + number[place + 1 :]
    found = [one for one in brief(wrong) if one[0] == "gtin"]
    assert [verdict for _, _, verdict in found] == (["bad"] if wrong.strip("0") else [])
    assert brief("]E0" + wrong)[0][2] == "bad"


@given(st.text("0123456789", min_size=17, max_size=17), st.integers(0, 17), st.integers(1, 9))
def test_sscc_right_and_wrong(body: str, place: int, change: int) -> None:
    number = body + check_digit(body)
    if not body.strip("0"):
        return
    assert ("sscc", number, "ok") in brief(number)
    assert brief("]C100" + number)[1] == ("sscc", number, "ok")
    wrong = number[:place] + str((int(number[place]) + change) % 10) + number[place + 1 :]
    assert ("sscc", wrong, "ok") not in brief(wrong)


@given(st.sampled_from("01"), st.text("0123456789", min_size=6, max_size=6))
def test_upc_e_expands_as_biip_does(system: str, body: str) -> None:
    from biip.upc import Upc

    expanded = expand_upc_e(system + body + "0")
    assert expanded is not None
    code = system + body + check_digit(expanded[:-1])
    assert expand_upc_e(code) == Upc.parse(code).as_upc_a()


SERIAL = st.text("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789-/._", min_size=1, max_size=20)


@given(st.text("0123456789", min_size=13, max_size=13), SERIAL, SERIAL)
def test_gs1_round_trip(body: str, serial: str, lot: str) -> None:
    gtin = body + check_digit(body)
    found = interpret(f"]d201{gtin}21{serial}{GS}10{lot}")
    assert found[0].elements == (("01", gtin), ("21", serial), ("10", lot))
    assert interpret(found[0].key)[0].elements == found[0].elements


def test_import_is_cheap() -> None:
    """biip costs 180 ms to import and the carriers' table some more: neither is touched before it is needed."""
    code = (
        "import sys, station.identify.interpret as room; from station.identify.carriers import formats; "
        "room.interpret('RSC-CLEAN'); room.interpret('RMA-2026-1'); room.interpret(']E04006381333931'); "
        "sys.exit('biip' in sys.modules or formats.cache_info().currsize)"
    )
    root = Path(__file__).resolve().parents[3]
    subprocess.run([sys.executable, "-c", code], check=True, cwd=root)
