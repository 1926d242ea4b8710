"""The page in a real browser: no complaint, nothing fetched, filters that filter, keys that reach, print, no script."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from reconciler.cli.html import load_pages
from reconciler.render import machine
from reconciler.render.html import drift_html, plan_html
from tests.render import conftest as toys
from tests.render.browser import Browser, Page, find_browser, started
from tests.render.test_html import BUSY, MARKUP, chain, golden

BROWSER: Final = find_browser()
pytestmark = pytest.mark.skipif(
    BROWSER is None, reason="no browser: RECONCILER_BROWSER names none, and no chromium is found"
)
VISIBLE: Final = "[...document.querySelectorAll('.change')].filter(one => one.checkVisibility()).length"
COUNT: Final = "document.getElementById('count').textContent"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    assert BROWSER is not None
    with started(BROWSER, tmp_path_factory.mktemp("profile")) as one:
        yield one


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A page with every action, labels, several providers, and a name that is markup."""
    data = machine.plan_json(toys.every_action())
    for number, change in enumerate(data["changes"]):
        change["labels"] = {"team": "a" if number % 2 else MARKUP[1]}
    first = data["changes"][0]
    first["address"] = f"other/Engine/{''.join(MARKUP[:9])}"
    first["notices"] = list(MARKUP)
    data["resources"] = chain(4)["resources"]
    place = tmp_path / "plan.html"
    place.write_text(plan_html(data, load_pages()), encoding="utf-8")
    return place


def type_in(page: Page, field: str, value: str) -> None:
    page.run(
        f"(one => {{ one.value = {value!r}; one.dispatchEvent(new Event('input', {{bubbles: true}})); }})"
        f"(document.getElementById({field!r}))"
    )


def test_it_opens_in_peace_and_a_hostile_name_is_text(browser: Browser, file: Path) -> None:
    page = browser.open(file)
    assert page.run("document.querySelectorAll('script, img, iframe, b').length") == 1
    assert page.run("document.querySelectorAll('.change').length") == 7
    assert MARKUP[0] in page.run("document.body.innerText")
    assert page.complaints() == []
    assert page.fetched() == [file.as_uri()]


def test_filters_leave_what_is_asked_for_and_say_how_much(browser: Browser, file: Path) -> None:
    page = browser.open(file)
    assert (page.run(VISIBLE), page.run(COUNT)) == (7, "7 changes")
    type_in(page, "text", " DELETED ")
    assert (page.run(VISIBLE), page.run(COUNT)) == (1, "1 of 7 changes")
    type_in(page, "text", "")
    type_in(page, "provider", "0")
    assert page.run("document.querySelector('.change:not([hidden])').dataset.address").startswith("other/Engine/")
    assert page.run(VISIBLE) == 1
    type_in(page, "provider", "")
    type_in(page, "label", "1")
    assert page.run(VISIBLE) == 3
    page.run("document.querySelector('input[value=delete]').click()")
    assert page.run(COUNT) == f"{page.run(VISIBLE)} of 7 changes"
    page.run("document.querySelector('button[type=reset]').click(); new Promise(done => setTimeout(done, 20))")
    assert (page.run(VISIBLE), page.run(COUNT)) == (7, "7 changes")
    page.run("document.getElementById('close').click()")
    assert page.run("document.querySelectorAll('.change[open]').length") == 0
    page.run("document.getElementById('open').click()")
    assert page.run("document.querySelectorAll('.change[open]').length") == 7
    assert page.complaints() == []


def test_the_keyboard_reaches_all_and_a_link_opens_what_it_leads_to(browser: Browser, file: Path) -> None:
    page = browser.open(file)
    page.press("Tab", 9)
    assert page.run("document.activeElement.className") == "skip"
    assert page.run("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.run("document.getElementById('close').click()")
    type_in(page, "text", "nothing of that name")
    assert page.run(VISIBLE) == 0
    page.run("document.querySelector('.steps a').click(); new Promise(done => setTimeout(done, 50))")
    assert page.run("document.activeElement.closest('.change').open")
    assert page.run(VISIBLE) == 7, "what is led to was hidden by a filter"
    page.press("Enter", 13)
    assert page.run("document.activeElement.closest('.change').open") is False


def test_without_script_there_are_no_filters_and_all_the_rest(browser: Browser, file: Path) -> None:
    page = browser.open(file, script=False)
    told = browser.call("Accessibility.getFullAXTree", page.session)["nodes"]
    names = {(node["role"]["value"], node.get("name", {}).get("value", "")) for node in told if "role" in node}
    assert ("heading", "Changes") in names
    assert ("heading", "Filter") not in names


def test_print_shows_what_is_folded_and_no_filters(browser: Browser, file: Path) -> None:
    page = browser.open(file)
    page.run("document.getElementById('close').click()")
    page.run("dispatchEvent(new Event('beforeprint'))")
    assert page.run("document.querySelectorAll('details:not([open])').length") == 0
    page.run("dispatchEvent(new Event('afterprint'))")
    assert page.run("document.querySelectorAll('.change[open]').length") == 0
    dark = [{"name": "prefers-color-scheme", "value": "dark"}]
    browser.call("Emulation.setEmulatedMedia", page.session, media="print", features=dark)
    assert page.run("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)", "paper is white"
    assert page.run("document.getElementById('filters').checkVisibility()") is False


@pytest.mark.parametrize("width", [360, 390, 1600])
def test_nothing_is_cut_off_at_any_width(width: int, browser: Browser, file: Path, tmp_path: Path) -> None:
    drift = tmp_path / "drift.html"
    drift.write_text(drift_html(golden(BUSY, "drift"), load_pages()), encoding="utf-8")
    for place in (file, drift):
        page = browser.open(place, width=width, height=844, dark=width == 390)
        page.run("document.getElementById('open').click()")
        assert page.run("document.documentElement.scrollWidth") <= width
        assert page.complaints() == []
