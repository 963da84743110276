"""Only this machine can reach the view, and whatever keeps it from listening is said in words."""

import os
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import LaterError, UsageError, UserError
from reconciler.web import binding
from reconciler.web.binding import Address


@pytest.mark.parametrize(
    ("written", "host", "port"),
    [
        ("127.0.0.1:7071", "127.0.0.1", 7071),
        ("localhost:0", "localhost", 0),
        ("[::1]:65535", "::1", 65535),
        (binding.DEFAULT, "127.0.0.1", 7071),
    ],
)
def test_an_address_is_a_host_and_a_port(written: str, host: str, port: int) -> None:
    address = binding.parse(written)
    assert address == Address(host, port)
    assert str(address) == written


@pytest.mark.parametrize(
    "written", ["", "7071", ":7071", "localhost", "localhost:", "::1:7071", "a:65536", "a:٣", "a b:1"]
)
def test_what_is_no_address_is_a_usage_error(written: str) -> None:
    with pytest.raises(UsageError, match="is no address"):
        binding.parse(written)


@given(st.text(max_size=30))
def test_any_text_is_an_address_or_a_usage_error(written: str) -> None:
    try:
        address = binding.parse(written)
    except UsageError:
        return
    assert str(address) == written or written.startswith("[") or written.rpartition(":")[2].startswith("0")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1.2.3"])
def test_loopback_is_listened_to(host: str) -> None:
    with binding.bind(Address(host, 0)) as listener, socket.create_connection(listener.getsockname()[:2], timeout=5):
        assert listener.getsockname()[0].startswith("127.")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "2001:db8::1", "255.255.255.255"])  # noqa: S104 - what must be refused
def test_every_other_address_is_refused_and_says_why(host: str) -> None:
    with pytest.raises(UserError) as refused:
        binding.bind(Address(host, 0))
    assert "can be reached from other machines" in refused.value.what
    assert "tokens" in refused.value.what
    assert "not supported yet" in refused.value.what
    assert "127.0.0.1:7071" in refused.value.todo


def test_a_port_in_use_names_who_has_it() -> None:
    with binding.bind(Address("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(LaterError) as refused:
            binding.bind(Address("127.0.0.1", port))
    name = Path("/proc/self/comm").read_text().strip()
    assert refused.value.what == f"port {port} is in use by {name} (pid {os.getpid()})"
    assert refused.value.where == f"--http 127.0.0.1:{port}"
    assert "--http HOST:PORT" in refused.value.todo


def test_a_host_that_does_not_exist_is_a_user_error() -> None:
    with pytest.raises(UserError, match="is no known host"):
        binding.bind(Address("nowhere.invalid", 0))
