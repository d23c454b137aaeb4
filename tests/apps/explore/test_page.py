"""The page in a real browser: what a person sees and does with mouse and keys."""

from __future__ import annotations

import dataclasses
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kgrel.apps.explore.reviews import Reviews
from kgrel.apps.explore.server import address_of, listen, make_app
from kgrel.apps.explore.workbench import Workbench

sync_api = pytest.importorskip("playwright.sync_api")
uvicorn = pytest.importorskip("uvicorn")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
MANY = 100_000


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def bench(workbench: Workbench, tmp_path_factory: pytest.TempPathFactory) -> Workbench:
    """The small world's predictions, repeated to a hundred thousand, with one name that would be HTML."""
    p = workbench.predictions
    rows = np.resize(np.arange(len(p)), MANY)
    columns = {field.name: getattr(p, field.name)[rows] for field in dataclasses.fields(p) if field.name != "left_out"}
    columns["scores"] = columns["scores"] - np.arange(MANY) // len(p)  # repetitions of a pair stand far apart
    best = int(p.scores.argmax())
    workbench.scorer.model.entities.names[int(p.heads[best])] = HOSTILE
    reviews = Reviews(tmp_path_factory.mktemp("page") / "reviews.sqlite")
    return dataclasses.replace(workbench, predictions=dataclasses.replace(p, **columns), reviews=reviews)


HOSTILE = "<img src=x onerror=document.title='broken'>"


@pytest.fixture(scope="module")
def address(bench: Workbench) -> Iterator[str]:
    with listen("127.0.0.1", 0) as opened:
        server = uvicorn.Server(uvicorn.Config(make_app(bench), log_level="error"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [opened]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.02)
        yield address_of(opened)
        server.should_exit = True
        thread.join(10)


@pytest.fixture
def page(browser: Any, address: str, bench: Workbench) -> Iterator[Any]:
    """A fresh page whose list and first pair have come; it must end without a complaint in its console."""
    for one in bench.reviews.all():
        bench.reviews.put((one.first, one.second), ("", ""), one.relation, "open")
    opened = browser.new_page(viewport={"width": 1360, "height": 820})
    complaints: list[str] = []
    opened.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.goto(address)
    opened.wait_for_selector("#detail dl")
    yield opened
    opened.close()
    assert complaints == []


def names(page: Any) -> list[str]:
    return [text.partition("\n")[0] for text in page.locator(".row .pair").all_inner_texts()]


def test_the_best_pair_is_shown_with_everything_known_of_it(page: Any) -> None:
    assert page.locator("#count").inner_text() == f"{MANY:,} predictions"
    page.wait_for_selector("#detail svg, #detail .paths, section:has-text('No path')")
    page.wait_for_selector("#detail table")
    titles = page.locator("#detail h3").all_inner_texts()
    assert titles == [
        "Prediction",
        "Sentences",
        "Paths in the graph",
        "Pairs related most alike",
        "Modes of the relation",
    ]
    assert page.locator("#detail mark").count() >= 2
    page.click("text=Look for several relations")
    page.wait_for_selector("#detail ul li")


def test_names_are_text_whatever_they_hold(page: Any) -> None:
    assert HOSTILE in page.locator("#detail h2").inner_text()
    assert page.locator("img").count() == 0
    assert page.title().startswith("kgrel: ")


def test_a_hundred_thousand_rows_cost_what_can_be_seen(page: Any) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "api/predictions" in request.url else None)
    slow = page.evaluate(
        """async () => {
          const list = document.getElementById("list"), took = [];
          for (let i = 1; i <= 100; i += 1) {
            list.scrollTop = (i / 100) * list.scrollHeight;
            const begun = performance.now();
            await new Promise(requestAnimationFrame);
            took.push(performance.now() - begun);
          }
          took.sort((a, b) => a - b);
          return took[50];
        }"""
    )
    page.wait_for_selector("[data-at='99999']")
    assert slow < 200  # milliseconds to the next frame, in half of them; 17 where nothing else runs
    assert page.locator(".row").count() < 60
    assert len(asked) < 20  # of 500 blocks
    assert page.locator("[data-at='99999']").count() == 1


def test_keys_choose_decide_and_go_on(page: Any, bench: Workbench) -> None:
    page.keyboard.press("a")
    page.wait_for_selector(".row.accepted")
    page.wait_for_selector("[data-at='1'].chosen")
    page.wait_for_selector("#detail dl")
    page.keyboard.press("r")
    page.wait_for_selector(".row.rejected")
    assert page.locator("#reviewed").inner_text() == "1 accepted, 1 rejected"
    page.keyboard.press("k")
    page.keyboard.press("k")
    page.wait_for_selector("[data-at='0'].chosen")
    page.wait_for_selector("#comment:not([disabled])")
    page.keyboard.press("c")
    page.keyboard.type("seen in a review")
    page.keyboard.press("Escape")
    page.wait_for_selector("text=commented")
    kept = {one.decision: one.comment for one in bench.reviews.all()}
    assert kept == {"accepted": "seen in a review", "rejected": ""}


def test_filters_narrow_and_an_empty_list_says_why(page: Any) -> None:
    page.select_option("#review", "accepted")
    page.wait_for_selector("#empty:not([hidden])")
    assert page.locator("#empty").inner_text() == "No prediction passes these filters. Clear some of them."
    assert page.locator(".row").count() == 0
    page.click("text=Clear")
    page.wait_for_selector(".row")
    page.keyboard.press("u")
    sync_api.expect(page.locator("#order")).to_have_value("uncertain")
    page.wait_for_selector(".row.chosen")


def test_an_entity_is_searched_ranked_and_left(page: Any, bench: Workbench) -> None:
    entities = bench.scorer.model.entities
    gene = next(row for row, kind in enumerate(entities.types) if kind == "GENE" and entities.names[row] != HOSTILE)
    page.keyboard.press("/")
    page.keyboard.type(entities.names[gene])
    page.wait_for_selector(f"#matches li[aria-selected] >> text={entities.names[gene]}")
    page.keyboard.press("Enter")
    page.wait_for_selector("#scope:not([hidden])")
    page.click("#scope >> text=DISEASE")
    page.wait_for_selector("#scope [aria-pressed=true] >> text=DISEASE")
    page.wait_for_selector(".row")
    assert all(entities.names[gene] in text for text in names(page))
    page.keyboard.press("Escape")
    page.wait_for_selector("#scope[hidden]", state="attached")
    page.keyboard.press("/")
    page.keyboard.type("no such name")
    page.wait_for_selector("#matches .empty")


CUT_OFF = """() => {
  window.connected = window.fetch;
  window.fetch = async () => { throw new TypeError("Failed to fetch"); };
}"""
"""What a page sees of a server that is gone; a browser's own interception may begin after the next request."""


def test_what_fails_is_said_and_the_page_goes_on(page: Any) -> None:
    page.evaluate(CUT_OFF)
    page.keyboard.press("u")
    sync_api.expect(page.locator("#status")).to_contain_text("is it still running")
    page.evaluate("() => { window.fetch = window.connected; }")
    page.keyboard.press("u")
    page.wait_for_selector(".row.chosen")
    sync_api.expect(page.locator("#status")).to_have_text("")


def test_the_page_fits_a_narrow_screen(page: Any, tmp_path: Path) -> None:
    page.set_viewport_size({"width": 600, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert page.locator(".row").first.is_visible()
    assert page.locator("#detail h2").is_visible()
