"""No test reaches beyond this machine: connections that are not loopback are refused, and so is asking for names."""

from __future__ import annotations

import ipaddress
import sys
from typing import Any

NAMES = {"", "localhost", "ip6-localhost", None}
CONNECTING = {"socket.connect", "socket.sendto", "socket.sendmsg"}
ASKING = {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"}


class BeyondThisMachine(ConnectionRefusedError):
    """Something wanted to leave the machine."""


def is_local(host: Any) -> bool:
    """Whether a host is this machine by name or by number."""
    host = host.decode("ascii", "replace") if isinstance(host, bytes) else host
    if host in NAMES:
        return True
    try:
        return ipaddress.ip_address(str(host).partition("%")[0]).is_loopback
    except ValueError:
        return False


def refuse(event: str, arguments: tuple[Any, ...]) -> None:
    """An audit hook: sees what Python does, whichever library asks for it."""
    if event in CONNECTING and isinstance(arguments[1], tuple):  # an address of another kind is a path
        host = arguments[1][0]
    elif event in ASKING:
        host = arguments[0]
    else:
        return
    if not is_local(host):
        raise BeyondThisMachine(f"tests stay on this machine: {event} to {host!r}")


def stay_here() -> None:
    """Refuse from now on, for the life of the process."""
    sys.addaudithook(refuse)
