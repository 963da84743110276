"""TRANSFORM: the ECB's document, its relatives, and what is none."""

import json
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
DAILY = (ROOT / "demo" / "eurofxref-2021-07-01.xml").read_text()
LATER = Path(__file__).with_name("eurofxref-2026-10-30.xml").read_text()
HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01"'
    ' xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">'
)


def document(*cubes: str) -> str:
    return f"{HEAD}<Cube>{''.join(cubes)}</Cube></gesmes:Envelope>"


def day(time: str, *rates: tuple[str, str]) -> str:
    inner = "".join(f'<Cube currency="{currency}" rate="{rate}"/>' for currency, rate in rates)
    return f'<Cube time="{time}">{inner}</Cube>'


def observations(phases: Any) -> Any:
    return json.loads((phases.work / "observations.json").read_bytes())


def test_every_currency_becomes_one_observation_on_the_files_own_date(phases: Any) -> None:
    ran = phases.transform(DAILY)
    assert (ran.code, ran.printed) == (0, "")
    assert ran.lines == [{"output": {"observations": "observations.json"}}]
    found = observations(phases)
    assert list(found) == ["2021-07-01"]
    assert len(found["2021-07-01"]) == 32
    assert found["2021-07-01"]["#ECB_FX.EURUSD:SPOT"] == "1.1884"


def test_rates_stay_the_text_that_was_published(phases: Any) -> None:
    phases.transform(document(day("2021-07-01", ("IDR", "17259.710"), ("ISK", "136"), ("XTS", "0.100000000001"))))
    assert list(observations(phases)["2021-07-01"].values()) == ["17259.710", "136", "0.100000000001"]


def test_currencies_may_come_and_go(phases: Any) -> None:
    phases.transform(LATER)
    (found,) = observations(phases).values()
    assert len(found) == 29
    assert "#ECB_FX.EURHRK:SPOT" not in found


def test_a_history_has_many_dates(phases: Any) -> None:
    assert phases.transform(document(day("2021-07-02", ("USD", "2")), day("2021-07-01", ("USD", "1")))).code == 0
    assert observations(phases) == {
        "2021-07-02": {"#ECB_FX.EURUSD:SPOT": "2"},
        "2021-07-01": {"#ECB_FX.EURUSD:SPOT": "1"},
    }


def test_a_day_without_rates_is_empty_and_no_failure(phases: Any) -> None:
    ran = phases.transform(document(day("2021-12-25")))
    assert ran.code == 0
    assert ran.all("exit") == ["empty"]
    assert ran.all("log") == ["no rates on 2021-12-25"]
    assert observations(phases) == {"2021-12-25": {}}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no well-formed XML"),
        ("not found", "no well-formed XML"),
        (DAILY[:700], "no well-formed XML"),
        ("<html><body>Maintenance</body></html>", "its root is html"),
        (DAILY.replace("eurofxref", "other"), "no Cube in it has a time"),
        (f"{HEAD}</gesmes:Envelope>", "no Cube in it has a time"),
        (document(day("2021-13-01", ("USD", "1"))), "time='2021-13-01' is no date"),
        (document(day("20210701", ("USD", "1"))), "time='20210701' is no date"),
        (document(day("\u0662021-07-01", ("USD", "1"))), "is no date"),
        (document('<Cube><Cube currency="USD" rate="1"/></Cube>'), "time='' is no date"),
        (document(day("2021-07-01"), day("2021-07-01")), "2021-07-01 stands in it twice"),
        (document(day("2021-07-01", ("USD", "1"), ("USD", "2"))), "USD stands twice under 2021-07-01"),
        (document(day("2021-07-01", ("us", "1"))), "currency='us' on 2021-07-01 is no currency code"),
        (document(day("2021-07-01", ("../", "1"))), "is no currency code"),
        *[
            (document(day("2021-07-01", ("USD", rate))), f"rate={rate!r} of USD on 2021-07-01 is no positive number")
            for rate in (
                "NaN",
                "inf",
                "N/A",
                "",
                "-1",
                "0",
                "0.000",
                "1e5",
                "1,5",
                "1.",
                ".5",
                "0x1",
                "1" * 13,
                "\u0661",
            )
        ],
    ],
)
def test_what_is_no_document_of_rates_fails_and_says_why(phases: Any, text: str, said: str) -> None:
    ran = phases.transform(text)
    assert (ran.code, ran.printed) == (1, "")
    (failure,) = ran.all("fail")
    assert failure.startswith("document.xml: ")
    assert said in failure
    assert not (phases.work / "observations.json").exists()


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
BOMB = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "ha">{LAUGHS}]><x>&l11;</x>'
FILE = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/hostname">]><x>&f;</x>'


@pytest.mark.parametrize("text", [BOMB, FILE, "<!DOCTYPE html><html/>", "\ufeff" + FILE])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "utf-32"])
def test_a_document_type_is_refused_before_it_is_parsed(phases: Any, text: str, encoding: str) -> None:
    ran = phases.transform(text.replace("?>", f' encoding="{encoding}"?>', 1).encode(encoding))
    assert ran.code == 1
    (failure,) = ran.all("fail")
    assert any(reason in failure for reason in ("declares a document type", "not UTF-8", "holds a NUL"))
    assert Path("/etc/hostname").read_text().strip() not in failure


def test_an_encoding_declared_inside_cannot_hide_a_document_type(phases: Any) -> None:
    hidden = FILE.replace('"1.0"', '"1.0" encoding="utf-7"').replace("<!DOCTYPE", "+ADw-!DOCTYPE")
    assert "no well-formed XML" in phases.transform(hidden).all("fail")[0]


def test_deep_nesting_ends_in_an_answer(phases: Any) -> None:
    ran = phases.transform("<a>" * 200_000 + "</a>" * 200_000)
    assert ran.code == 1
    assert ran.all("fail")
