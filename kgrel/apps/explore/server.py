"""The page and its questions over HTTP (extra ``web``).

It is for one person at one machine: it listens on the loopback address, answers only requests that were made to the
host it listens on (a page elsewhere cannot reach it under another name), and sends no cross-origin permission, so that
a page elsewhere can neither read nor write.
"""

from __future__ import annotations

import contextlib
import importlib
import socket
from importlib import resources
from typing import TYPE_CHECKING, Any

from kgrel.apps.explore.predictions import ORDERS, View
from kgrel.apps.explore.workbench import Workbench
from kgrel.data.errors import KgrelError

if TYPE_CHECKING:
    from fastapi import FastAPI

FILES = {
    "": ("index.html", "text/html"),
    "style.css": ("style.css", "text/css"),
    "main.js": ("main.js", "text/javascript"),
    "list.js": ("list.js", "text/javascript"),
    "detail.js": ("detail.js", "text/javascript"),
    "dom.js": ("dom.js", "text/javascript"),
}
"""Address → file of the page and its kind."""
POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'"
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


def web_library(name: str) -> Any:
    """A module of the extra ``web``.

    Raises:
        KgrelError: it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError:
        raise KgrelError("the page needs FastAPI and uvicorn: pip install 'kgrel[web]'") from None


def make_app(workbench: Workbench, hosts: tuple[str, ...] = LOOPBACK) -> FastAPI:
    """The application.

    Args:
        hosts: names under which it answers; ``*`` = any.

    Raises:
        KgrelError: the extra is not installed.
    """
    fastapi, responses = web_library("fastapi"), web_library("fastapi.responses")
    trusted = web_library("starlette.middleware.trustedhost").TrustedHostMiddleware
    app: FastAPI = fastapi.FastAPI(title="kgrel explore", docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(trusted, allowed_hosts=[host.strip("[]") for host in hosts] + list(hosts))

    def stated(request: Any, error: KgrelError) -> Any:
        return responses.JSONResponse({"error": str(error)}, 400)

    def refused(request: Any, error: Any) -> Any:
        told = "; ".join(f"{one['loc'][-1]}: {one['msg']}" for one in error.errors())
        return responses.JSONResponse({"error": told}, 422)

    async def headers(request: Any, answer: Any) -> Any:
        response = await answer(request)
        response.headers["Content-Security-Policy"] = POLICY
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Cache-Control"] = "no-store"
        return response

    app.add_exception_handler(KgrelError, stated)
    app.add_exception_handler(web_library("fastapi.exceptions").RequestValidationError, refused)
    app.middleware("http")(headers)
    for address, (name, kind) in FILES.items():
        app.get(f"/{address}")(page_file(responses, name, kind))
    add_questions(app, workbench)
    return app


def page_file(responses: Any, name: str, kind: str) -> Any:
    """What serves one file of the page."""
    content = resources.files("kgrel.apps.explore").joinpath("page", name).read_bytes()
    return lambda: responses.Response(content, media_type=kind)


def add_questions(app: FastAPI, workbench: Workbench) -> None:
    """The addresses under ``/api``; each is one method of the workbench."""

    def about() -> dict[str, Any]:
        return workbench.about()

    def entities(q: str = "", limit: int = 20) -> list[dict[str, Any]]:
        return workbench.find_entities(q, max(0, min(limit, 100)))

    def predictions(
        entity: str | None = None, relation: str | None = None, types: str | None = None, least: float | None = None,
        most: float | None = None, in_text: bool | None = None, known: bool | None = None, review: str | None = None,
        order: str = "score", ranked: str | None = None, offset: int = 0, limit: int = 200,
    ) -> dict[str, Any]:  # fmt: skip
        if order not in ORDERS:
            raise KgrelError(f"the order is one of {', '.join(ORDERS)}, not {order!r}")
        row = workbench.entity_row(entity) if entity else None
        view = View(row, relation, types, least, most, in_text, known, review, order)
        return workbench.page(view, max(0, offset), max(0, limit), ranked)

    def pair(source: str, target: str) -> dict[str, Any]:
        return workbench.pair(source, target)

    def sentences(source: str, target: str, offset: int = 0) -> dict[str, Any] | None:
        return workbench.sentences(source, target, max(0, offset))

    def neighbours(source: str, target: str) -> list[dict[str, Any]] | None:
        return workbench.neighbours(source, target)

    def paths(source: str, target: str) -> list[dict[str, Any]] | None:
        return workbench.paths_between(source, target)

    def modes(source: str, target: str) -> dict[str, Any]:
        return workbench.modes(source, target)

    def review(given: dict[str, str]) -> dict[str, Any]:
        lacking = [name for name in ("source", "target", "relation", "decision") if name not in given]
        if lacking:
            raise KgrelError(f"a review needs {', '.join(lacking)}")
        written = workbench.review(
            given["source"], given["target"], given["relation"], given["decision"], given.get("comment")
        )
        return {"review": written, "reviews": workbench.review_counts()}

    for question in (about, entities, predictions, pair, sentences, neighbours, paths, modes):
        app.get(f"/api/{question.__name__}")(question)
    app.put("/api/review")(review)


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens already, so that a browser which comes before the server is ready waits.

    Raises:
        KgrelError: the port is taken, or the address is none of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    opened = socket.socket(family)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        opened.bind((host, port))
        opened.listen()
    except (OSError, OverflowError) as error:
        opened.close()
        reason = getattr(error, "strerror", None) or error
        raise KgrelError(f"cannot listen on {host}, port {port} ({reason}); choose another --port or --host") from None
    return opened


def address_of(opened: socket.socket) -> str:
    """Where a browser finds the page."""
    host, port = opened.getsockname()[:2]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def serve(workbench: Workbench, opened: socket.socket) -> None:
    """Answer until interrupted, which is how it ends and no failure."""
    uvicorn = web_library("uvicorn")
    host = opened.getsockname()[0]
    hosts = LOOPBACK if host in ("127.0.0.1", "::1") else ("*",)
    config = uvicorn.Config(make_app(workbench, hosts), log_level="warning", access_log=False)
    with contextlib.suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[opened])
