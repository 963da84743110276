"""Secrets never reach a record: whatever form they take, however they are cut (attack class 8)."""

import base64
import json
import urllib.parse
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.runner.masks import Masks, forms
from reconciler.runner.text import Stream
from reconciler.workflow import Phase

SECRET = 'p/a+s s"w\\ö:1?'  # noqa: S105 - nobody's
SECRETS = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=6, max_size=40)


def masked(text: str, *secrets: str) -> str:
    masks = Masks()
    for secret in secrets:
        masks.add(secret)
    return masks.text(text)


def in_base64(secret: str, before: str, after: str) -> str:
    return base64.b64encode(f"{before}{secret}{after}".encode()).decode()


@pytest.mark.parametrize(
    "shown",
    [
        SECRET,
        json.dumps(SECRET)[1:-1],
        json.dumps(SECRET, ensure_ascii=False)[1:-1],
        json.dumps(SECRET)[1:-1].replace("/", "\\/"),
        json.dumps(SECRET)[1:-1].replace("00f6", "00F6"),
        urllib.parse.quote(SECRET),
        urllib.parse.quote(SECRET, safe=""),
        urllib.parse.quote_plus(SECRET),
        urllib.parse.quote(SECRET, safe="").replace("%2F", "%2f").replace("%C3%B6", "%c3%b6").replace("%2B", "%2b"),
        base64.b64encode(SECRET.encode()).decode(),
        base64.b64encode(SECRET.encode()).decode().rstrip("="),
        base64.urlsafe_b64encode(SECRET.encode()).decode(),
        base64.b64encode(SECRET.encode() + b"\n").decode(),
    ],
)
def test_a_secret_is_found_in_every_form(shown: str) -> None:
    lower = masked(f"before {shown} after", SECRET)
    assert lower.startswith("before ***")
    assert lower.endswith(" after")
    assert not any(form in lower for form in forms(SECRET))
    assert len(lower) <= len("before *** after") + 2  # padding of base64 may stay


@given(secret=SECRETS, before=st.text(max_size=5), after=st.text(max_size=5))
def test_base64_is_found_wherever_the_secret_begins_in_it(secret: str, before: str, after: str) -> None:
    shown = in_base64(secret, before, after)
    left = masked(shown, secret)
    assert "***" in left
    # what is left of the secret's own part is less than a group at each end
    assert len(left) - 3 <= len(shown) - (len(secret.encode()) * 8 // 6 - 4)


@given(secret=SECRETS, lines=st.integers(1, 8))
def test_line_breaks_do_not_hide_a_secret(secret: str, lines: int) -> None:
    wrapped = "\n".join(secret[start : start + lines] for start in range(0, len(secret), lines))
    assert masked(f"a\n{wrapped}\nb", secret) == "a\n***\nb"


@given(secret=SECRETS, sizes=st.lists(st.integers(1, 7), min_size=1), tail=st.booleans())
def test_chunk_borders_do_not_hide_a_secret(secret: str, sizes: list[int], tail: bool) -> None:  # noqa: FBT001 - drawn by hypothesis
    masks = Masks()
    masks.add(secret)
    stream = Stream(masks)
    data = f"start {secret} {in_base64(secret, '', '')}\nmiddle\n{secret[: len(secret) // 2] if tail else ''}".encode()
    given_out, place, turn = "", 0, 0
    while place < len(data):
        size = sizes[turn % len(sizes)]
        given_out += stream.feed(data[place : place + size])
        place, turn = place + size, turn + 1
    given_out += stream.feed(b"", final=True)
    assert secret not in given_out
    assert given_out.startswith("start *** ***")
    assert "\nmiddle\n" in given_out


@given(st.text(alphabet="ab*\n", max_size=30), st.text(alphabet="ab", min_size=1, max_size=4), st.integers(1, 5))
def test_a_stream_hides_what_the_whole_text_hides(text: str, secret: str, size: int) -> None:
    """However a text is cut, no part that comes out holds what masking it whole would hide."""
    masks = Masks()
    masks.add(secret)
    held, out = "", ""
    for start in range(0, len(text), size):
        part, held = masks.part(held + text[start : start + size], final=False)
        out += part
    out += masks.part(held, final=True)[0]
    assert secret not in out
    assert out.replace("*", "").count("\n") <= text.count("\n")


def test_a_longer_secret_that_begins_with_a_shorter_one_is_hidden_whole() -> None:
    masks = Masks()
    masks.add("secret")
    masks.add("secret-and-more")
    stream = Stream(masks)
    out = stream.feed(b"x secret") + stream.feed(b"-and-more y\n") + stream.feed(b"", final=True)
    assert out == "x *** y\n"


def test_each_line_of_a_secret_of_many_lines_is_one() -> None:
    key = "-----BEGIN KEY-----\nMIIEvQIBADAN\nBgkqhkiG9w0B\n-----END KEY-----\n"
    assert masked("  MIIEvQIBADAN\n  BgkqhkiG9w0B", key) == "  ***\n  ***"
    assert masked(f"the key:\n{key}end", key) == "the key:\n***\nend"
    assert masked(key.rstrip("\n"), key) == "***"


@pytest.mark.parametrize("secret", ["", " ", "\n\n"])
def test_a_blank_secret_hides_nothing(secret: str) -> None:
    assert masked("a b\n\nc", secret) == "a b\n\nc"


def test_a_short_secret_is_hidden_but_its_encodings_would_be_anything() -> None:
    assert masked("pin 42, YWI0Mg, 4", "42") == "pin ***, YWI0Mg, 4"


def test_controls_within_a_secret_do_not_hide_it(bench: Any) -> None:
    script = bench.script(
        '#!/bin/sh\necho \'{"mask": "hunter2-hunter2"}\' >> "$PROCCTL_REPORT"\n'
        "printf 'hunter2\\033[1m-hun\\000ter2\\nhunter2-\\r\\nhunter2\\nhunter2-hunter2' \n"
    )
    assert bench.run(script).log == ["info ***", "info ***", "info ***", "info Completed MAIN"]


def test_a_mask_holds_from_its_report_on_in_every_place_and_every_later_phase(bench: Any) -> None:
    told = "\n".join(
        json.dumps(line)
        for line in (
            {"mask": "hunter2-hunter2"},
            {"message": "m hunter2-hunter2"},
            {"log": "l hunter2-hunter2"},
            {"log": "l aHVudGVyMi1odW50ZXIy"},
            {"loaderMessage": "o hunter2-hunter2"},
            {"data": {"name": "hunter2-hunter2", "series": {"2021-07-01": ["hunter2-hunter2"]}}},
            {"phase": "hunter2-hunter2", "status": "running"},
            '{"broken": hunter2-hunter2',
        )
    )
    first = bench.sh(f"cat >> \"$PROCCTL_REPORT\" <<'E'\n{told}\nE\necho hunter2-hunter2", "1.sh")
    second = bench.sh("echo hunter2-; echo hunter2-hunter2 >&2; exit 1", "2.sh")
    ran = bench.run(Phase("A", first), Phase("B", second))
    text = ran.job.record.read_text()
    assert "hunter2-hunter2" not in text
    assert "aHVudGVyMi1odW50ZXIy" not in text
    assert ran.record["message"] == "B failed: exit code 1: ***"
    assert ran.record["loaderMessage"] == "o ***"
    assert ran.record["data"]["series"] == {"2021-07-01": ["***"]}


def test_the_whole_log_is_masked_as_well(bench: Any) -> None:
    script = bench.sh(
        'echo \'{"mask": "hunter2-hunter2"}\' >> "$PROCCTL_REPORT"\n'
        'i=0; while [ $i -lt 3000 ]; do echo "line $i hunter2-hunter2"; i=$((i+1)); done'
    )
    ran = bench.run(script)
    text = ran.whole.read_text()
    assert text.count("***") == 3000
    assert "hunter2-" not in text
    assert "hunter2-" not in ran.job.record.read_text()
