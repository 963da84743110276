"""Where the view listens: the address is read, refused unless it is loopback, and bound before anything serves."""

import errno
import ipaddress
import re
import socket
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from reconciler.errors import LaterError, UsageError, UserError

DEFAULT = "127.0.0.1:7071"
_ADDRESS = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]{1,253}):(?P<port>[0-9]{1,5})", re.ASCII)
_LARGEST_PORT = 65535
_LISTEN = "0A"
_BACKLOG = 128


@dataclass(frozen=True, slots=True)
class Address:
    """A host as it was written (IPv6 without brackets) and a port; 0 lets the system choose one."""

    host: str
    port: int

    @property
    def name(self) -> str:
        """The host as URLs and Host headers spell it."""
        return f"[{self.host}]" if ":" in self.host else self.host

    def __str__(self) -> str:
        """Write it as ``--http`` reads it."""
        return f"{self.name}:{self.port}"


def parse(written: str) -> Address:
    """Read ``HOST:PORT``; ``UsageError`` where it is none."""
    match = _ADDRESS.fullmatch(written)
    if match is None or int(match["port"]) > _LARGEST_PORT:
        raise UsageError(f"{written!r} is no address", where="--http", todo=f"write HOST:PORT, as in {DEFAULT}")
    return Address(match["host"].strip("[]"), int(match["port"]))


def check(address: Address) -> None:
    """Raise ``UserError`` where ``bind`` would refuse an address whatever else listens on this machine."""
    _resolve(address)


def bind(address: Address) -> socket.socket:
    """Listen at a loopback address.

    ``UserError`` for any other address (there are no tokens yet, so whoever reaches the port may read everything) and
    for one this machine does not have; ``LaterError`` where the port is taken.
    """
    family, resolved = _resolve(address)
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        # A restarted server must not wait for connections of the old one to be forgotten.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((resolved, address.port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise _explain(error, address) from error
    return listener


def _resolve(address: Address) -> tuple[socket.AddressFamily, str]:
    try:
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        raise UserError(f"{address.host} is no known host", where="--http", todo=f"use {DEFAULT}") from error
    for _, _, _, _, target in found:
        if not ipaddress.ip_address(str(target[0]).partition("%")[0]).is_loopback:
            raise UserError(
                f"{address} can be reached from other machines, and tokens, without which that is refused, "
                "are not supported yet",
                where="--http",
                todo=f"use {DEFAULT}, and a tunnel such as `ssh -L 7071:{DEFAULT} HOST` from elsewhere",
            )
    # Most people who write localhost go on to open 127.0.0.1.
    family, _, _, _, target = min(found, key=lambda one: one[0] is not socket.AF_INET)
    return family, str(target[0])


def _explain(error: OSError, address: Address) -> UserError | LaterError:
    if error.errno == errno.EADDRINUSE:
        holder = _holder(address.port) or "another process"
        todo = "stop it, or choose another port with --http HOST:PORT"
        return LaterError(f"port {address.port} is in use by {holder}", where=f"--http {address}", todo=todo)
    if error.errno == errno.EACCES:
        todo = "use a port from 1024 up"
        return UserError(f"port {address.port} needs more rights", where=f"--http {address}", todo=todo)
    return UserError(f"cannot listen there: {error.strerror}", where=f"--http {address}", todo=f"use {DEFAULT}")


def _holder(port: int) -> str | None:
    """Find who listens on a port, as far as this user may see: ``procctl (pid 123)``."""
    wanted = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with suppress(OSError):
            for line in Path(table).read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == _LISTEN and int(fields[1].rpartition(":")[2], 16) == port:
                    wanted.add(f"socket:[{fields[9]}]")
    for process in Path("/proc").glob("[0-9]*"):
        # Processes end while we look, and those of others cannot be looked into.
        with suppress(OSError):
            if any(str(handle.readlink()) in wanted for handle in (process / "fd").iterdir()):
                return f"{(process / 'comm').read_text().strip()} (pid {process.name})"
    return None
