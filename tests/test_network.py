"""The tests stay on this machine, and so does the library: nothing of it opens a connection but the Bolt driver."""

from __future__ import annotations

import socket

import pytest

from tests.network import BeyondThisMachine, is_local
from tests.test_layers import SOURCES, imported_modules, parsed

TALKING = {"socket", "http", "urllib", "requests", "aiohttp", "httpx", "ftplib", "smtplib", "telnetlib", "xmlrpc",
           "asyncio", "ssl", "socketserver", "webbrowser"}  # fmt: skip
"""Modules with which a program reaches others."""
SPEAKING = {"kgrel/apps/explore/server.py": {"socket"}, "kgrel/export/connection.py": {"neo4j"},
            "kgrel/score/ray_engine.py": {"ray"}}  # fmt: skip
"""Sources that reach a server which the user named, or serve this machine."""


def test_a_connection_beyond_this_machine_is_refused() -> None:
    with socket.socket() as out, pytest.raises(BeyondThisMachine):
        out.connect(("192.0.2.1", 80))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out, pytest.raises(BeyondThisMachine):
        out.sendto(b"x", ("192.0.2.1", 53))
    with pytest.raises(BeyondThisMachine):
        socket.getaddrinfo("example.org", 443)


def test_loopback_is_reached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as there:
        there.sendall(b"x")
    assert all(map(is_local, ("127.0.0.1", "127.8.8.8", "::1", "localhost", None, b"localhost")))
    assert not any(map(is_local, ("10.0.0.1", "0.0.0.0.example.org", "2001:db8::1", b"example.org")))


def test_no_source_reaches_out_but_those_that_speak_to_a_given_server() -> None:
    found = {}
    for path in SOURCES:
        names = {name for name in imported_modules(parsed(path)) if not name.startswith("urllib.parse")}
        used = {name.split(".")[0] for name in names} & (TALKING | {"neo4j", "ray"})
        if used:
            found[path.as_posix().rpartition("/kgrel/")[2]] = used
    assert {f"kgrel/{name}": used for name, used in found.items()} == SPEAKING
