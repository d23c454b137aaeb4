"""A database behind Bolt: one statement at a time, each in a transaction that is repeated where that helps."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kgrel.data.errors import KgrelError
from kgrel.export.settings import BoltSettings

_SERVER_TIMEOUT = 15.0
"""Seconds until a server counts as not reachable."""
_ADDRESS = re.compile(r"(bolt|neo4j)(\+s|\+ssc)?://[^\s/]+/?")
_COUNTERS = ("nodes_created", "relationships_created", "relationships_deleted", "properties_set")


class Database:
    """An open session; see :meth:`open`."""

    def __init__(self, session: Any, errors: tuple[type[Exception], ...]) -> None:
        self._session, self._errors = session, errors
        self.retries = 0
        """Transactions that were repeated."""

    @classmethod
    @contextmanager
    def open(cls, settings: BoltSettings, password: str) -> Iterator[Database]:
        """Connect and log in.

        Raises:
            KgrelError: the driver is not installed; no server there, a wrong login, or a statement that fails; each
                names the address and never the password.
        """
        neo4j = _driver()
        failures = (neo4j.exceptions.DriverError, neo4j.exceptions.Neo4jError)
        if not _ADDRESS.fullmatch(settings.uri):
            raise KgrelError(f"{settings.uri!r} is no address of a database; one looks like bolt://localhost:7687")
        try:
            driver = neo4j.GraphDatabase.driver(
                settings.uri,
                auth=(settings.user, password),
                connection_timeout=_SERVER_TIMEOUT,
                max_transaction_retry_time=2 * _SERVER_TIMEOUT,
                notifications_min_severity="OFF",
            )
        except (ValueError, neo4j.exceptions.ConfigurationError) as error:
            raise KgrelError(f"{settings.uri!r} is no address of a database ({_first_line(error)})") from None
        with driver:
            try:
                driver.verify_connectivity()
                with driver.session(database=settings.database or None) as session:
                    yield cls(session, failures)
            except neo4j.exceptions.AuthError:
                raise KgrelError(
                    f"{settings.uri}: the login of {settings.user} was refused; check the password"
                ) from None
            except neo4j.exceptions.ServiceUnavailable as error:
                raise KgrelError(
                    f"{settings.uri}: the database cannot be reached ({_first_line(error)}); start it and repeat the "
                    "command, which goes on where it stopped"
                ) from None
            except failures as error:
                raise KgrelError(f"{settings.uri}: {_first_line(error)} ({_code(error)})") from None

    def run(self, cypher: str) -> None:
        """A statement about the schema, which takes no part in a transaction of data."""
        self._session.run(cypher).consume()

    def rows(self, cypher: str, **parameters: Any) -> list[dict[str, Any]]:
        """The answer to a reading statement."""
        return list(self._repeated(self._session.execute_read, cypher, parameters)[0])

    def count(self, cypher: str, **parameters: Any) -> dict[str, int]:
        """What a writing statement changed, and the numbers that it returns."""
        rows, counters = self._repeated(self._session.execute_write, cypher, parameters)
        return counters | (rows[0] if rows else {})

    def accepts(self, cypher: str, **parameters: Any) -> bool:
        """Whether the database takes a writing statement."""
        try:
            self.count(cypher, **parameters)
        except self._errors as error:
            if getattr(error, "code", None) is None or error.is_retryable():  # type: ignore[attr-defined]
                raise
            return False
        return True

    def _repeated(self, execute: Any, cypher: str, parameters: dict[str, Any]) -> tuple[list[Any], dict[str, int]]:
        """Run in a managed transaction: the driver repeats it after a deadlock or a lost connection."""
        tries = 0

        def work(transaction: Any) -> tuple[list[Any], dict[str, int]]:
            nonlocal tries
            tries += 1
            answer = transaction.run(cypher, parameters)
            rows = answer.data()
            counters = answer.consume().counters
            return rows, {name: getattr(counters, name) for name in _COUNTERS}

        try:
            found: tuple[list[Any], dict[str, int]] = execute(work)
        finally:
            self.retries += max(0, tries - 1)
        return found


def _driver() -> Any:
    try:
        import neo4j
        import neo4j.exceptions
    except ImportError:
        raise KgrelError("loading a database needs the extra: pip install 'kgrel[neo4j]'") from None
    # The driver reports what it repeats; the summary does.
    logging.getLogger("neo4j").setLevel(logging.CRITICAL)
    return neo4j


def _code(error: Exception) -> str:
    return getattr(error, "code", None) or type(error).__name__


def _first_line(error: Exception) -> str:
    text = getattr(error, "message", None) or str(error)
    return str(text).strip().partition("\n")[0].rstrip(".")
