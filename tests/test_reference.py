"""What picks a version of a process, as people write it."""

import pytest

from reconciler.errors import UsageError
from reconciler.reference import Kind, Reference, parse_reference


def test_references() -> None:
    assert parse_reference("ECB_FX") == parse_reference("ECB_FX@~LATEST") == Reference("ECB_FX")
    assert parse_reference("ECB_FX@3") == Reference("ECB_FX", Kind.NUMBER, "3")
    assert parse_reference("ECB_FX@0012").number == 12
    assert parse_reference("ECB_FX@1234567").kind is Kind.NUMBER, "digits are a number first"
    assert parse_reference("ECB_FX@0123456") == Reference("ECB_FX", Kind.NAMED, "0123456"), "no number is written so"
    assert parse_reference("ECB_FX@0123abc") == Reference("ECB_FX", Kind.NAMED, "0123abc")
    assert parse_reference("ECB_FX@" + "1" * 40).kind is Kind.NAMED, "nothing has so many versions"
    assert parse_reference("ECB_FX@" + "a" * 64).number is None
    for text in ("ECB_FX", "ECB_FX@3", "ECB_FX@0123abc", "ECB_FX@PROD"):
        assert str(parse_reference(text)) == text


@pytest.mark.parametrize("value", ["PROD", "abcdef", "v1.2", "1.2", "2021-07-01", "LATEST", "deadbeeg", "_", "a" * 128])
def test_a_tag_is_a_name(value: str) -> None:
    assert parse_reference(f"ECB_FX@{value}") == Reference("ECB_FX", Kind.NAMED, value)


@pytest.mark.parametrize(
    "text",
    [
        *("", "@", "@3", "ECB_FX@", "ECB_FX@0", "ECB_FX@000", "a b@3", "../x", "-x", "private", "ECB_FX@~PROD"),
        *("ECB_FX@a/b", "ECB_FX@3@4", "ECB_FX@-1", "ECB_FX@٣", "ECB_FX@3\n", "ECB_FX\n", "ECB_FX@--x"),
        *(
            "ECB_FX@a..b",
            "ECB_FX@a.",
            "ECB_FX@a.lock",
            "ECB_FX@all",
            "ECB_FX@Private",
            "ECB_FX@.a",
            "ECB_FX@" + "a" * 129,
        ),
        *("ECB_FX@PROD^", "ECB_FX@PROD:x", "ECB_FX@PROD~1", "ECB_FX@*", "ECB_FX@@{u}", "ECB_FX@PROD\n"),
    ],
)
def test_what_is_no_reference_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_reference(text)
    assert caught.value.exit_code == 2
    assert caught.value.todo or "count from 1" in caught.value.what
