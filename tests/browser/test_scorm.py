"""A SCORM package in a real browser, inside a learning platform whose side scorm-again plays."""

from __future__ import annotations

import functools
import http.server
import json
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FrameLocator, Page, expect

import npm_packages
from axe import faults
from conftest import ROOT
from errorspan.course import Course
from errorspan.export import parcel as export
from errorspan.export import scorm

pytestmark = pytest.mark.heavy

DPO, OTHER = "dpo-post-training", "async-search-box"
LMS = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>A learning platform</title>
<link rel="icon" href="data:,">
<script src="scorm12.js"></script>
<script>
const calls = [];
const platform = new Scorm12API({{ autocommit: false }});
platform.loadFromFlattenedJSON({kept});
window.API = new Proxy(platform, {{
  get: (target, name) =>
    !name.startsWith("LMS") ? target[name] : (...values) => {{
      const answer = target[name](...values);
      calls.push([name, ...values, String(answer)]);
      return answer;
    }},
}});
</script>
<iframe src="{package}/index.html" title="The course" width="1000" height="700"></iframe>
"""


class Platform:
    """A page with a package inside, and what the package told."""

    def __init__(self, page: Page) -> None:
        self.page = page

    @property
    def sco(self) -> FrameLocator:
        return self.page.frame_locator("iframe")

    @property
    def calls(self) -> list[list[str]]:
        return self.page.evaluate("calls")

    def count(self, name: str) -> int:
        return sum(call[0] == name for call in self.calls)

    def value(self, name: str) -> str | None:
        told = [call[2] for call in self.calls if call[:2] == ["LMSSetValue", name]]
        return told[-1] if told else None

    def leave(self) -> dict[str, str]:
        """End the session as a closed tab would, and return what a platform keeps of it."""
        self.page.evaluate("document.querySelector('iframe').src = 'about:blank'")
        self.page.wait_for_function("calls.some(([name]) => name === 'LMSFinish')")
        names = ("cmi.suspend_data", "cmi.core.lesson_status", "cmi.core.score.raw")
        return {name: value for name in names if (value := self.value(name)) is not None} | {"cmi.core.entry": "resume"}


class Platforms:
    """A server with packages, each opened in a browser of its own."""

    def __init__(self, browser: Browser, root: Path, port: int) -> None:
        self.browser = browser
        self.root = root
        self.address = f"http://127.0.0.1:{port}/"
        self.complaints: list[str] = []

    def page(self, url: str, init: str = "") -> Page:
        context = self.browser.new_context()
        if init:
            context.add_init_script(init)
        page = context.new_page()
        page.on("console", lambda said: said.type in {"error", "warning"} and self.complaints.append(said.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda sent: sent.url.startswith(("http:", "https:")) and not sent.url.startswith(self.address) and self.complaints.append(sent.url))  # fmt: skip  # noqa: E501
        page.goto(url)
        return page

    def open(self, package: str, kept: dict[str, str] | None = None, init: str = "") -> Platform:
        page = self.root / "lms.html"
        page.write_text(LMS.format(kept=json.dumps(kept or {}), package=package), "utf-8")
        platform = Platform(self.page(f"{self.address}lms.html", init))
        expect(platform.sco.locator(".es-count").first).not_to_be_empty()
        return platform


@pytest.fixture(scope="module")
def parcels() -> dict[str, export.Parcel]:
    """Return what the packages of one exercise and of two are made of."""
    course = Course.read(ROOT / "mkdocs.yml", {})
    config = {"site_name": "A course", "site_url": "https://course.example/sub/"}
    return {name: export.parcel(course, config, ids) for name, ids in (("one", [DPO]), ("two", [DPO, OTHER]))}


@pytest.fixture(scope="module")
def lines(parcels: dict[str, export.Parcel]) -> dict[str, list[int]]:
    """Return for each exercise a line of each error."""
    found = [item.exercise for item in parcels["two"].items]
    return {exercise.id: [spans[0].line for spans in exercise.spans.values()] for exercise in found}


@pytest.fixture(scope="module")
def shelf(
    parcels: dict[str, export.Parcel], tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> Path:
    """Return a folder with the platform's script and the packages."""
    root = tmp_path_factory.mktemp("shelf")
    shutil.copy(npm_packages.unpacked("scorm-again", pytestconfig.cache) / "dist" / "scorm12.js", root)
    for name, parcel in parcels.items():
        (root / name).mkdir()
        for file, content in scorm.package(parcel).items():
            (root / name / file).write_text(content, "utf-8")
    return root


@pytest.fixture
def platforms(browser: Browser, shelf: Path) -> Iterator[Platforms]:
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(shelf))
    handler.log_message = lambda *_: None  # type: ignore[attr-defined]
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        found = Platforms(browser, shelf, server.server_port)
        yield found
        for context in browser.contexts:
            context.close()
        server.shutdown()
    assert found.complaints == []


def mark(sco: FrameLocator, exercise: str, *lines: int) -> None:
    rows = sco.locator(f"errorspan-exercise[data-exercise={exercise}] .es-gutter-number")
    for line in lines:
        rows.nth(line - 1).click()


def press(sco: FrameLocator, exercise: str, action: str) -> None:
    sco.locator(f"errorspan-exercise[data-exercise={exercise}] [data-action={action}]").click()


def retry(sco: FrameLocator, exercise: str) -> None:
    part = sco.locator(f"errorspan-exercise[data-exercise={exercise}]")
    part.get_by_role("button", name="Try again").click()
    expect(part.locator("[data-action=check]")).to_be_visible()


def check(sco: FrameLocator, exercise: str, *lines: int) -> None:
    mark(sco, exercise, *lines)
    press(sco, exercise, "check")
    expect(sco.locator(f"errorspan-exercise[data-exercise={exercise}] .es-score")).to_be_visible()


def test_a_check_tells_score_status_and_state_in_one_commit(platforms: Platforms, lines: dict[str, list[int]]) -> None:
    platform = platforms.open("one")
    assert platform.calls[0] == ["LMSInitialize", "", "true"]
    assert platform.value("cmi.core.lesson_status") == "incomplete"
    assert platform.value("cmi.core.score.raw") is None
    check(platform.sco, DPO, *lines[DPO])
    assert platform.count("LMSCommit") == 1
    told = {
        name: platform.value(f"cmi.core.{name}") for name in ("score.raw", "score.min", "score.max", "lesson_status")
    }
    assert told == {"score.raw": "100", "score.min": "0", "score.max": "100", "lesson_status": "completed"}
    assert len(platform.value("cmi.suspend_data")) < 4096
    assert all(call[-1] == "true" for call in platform.calls if call[0] != "LMSGetValue")


def test_only_the_first_attempt_scores_and_each_check_commits(
    platforms: Platforms, lines: dict[str, list[int]]
) -> None:
    platform = platforms.open("one")
    check(platform.sco, DPO, lines[DPO][0])
    first = platform.value("cmi.core.score.raw")
    assert 0 < float(first) < 100
    retry(platform.sco, DPO)
    check(platform.sco, DPO, *lines[DPO])
    assert platform.count("LMSCommit") == 2
    assert platform.value("cmi.core.score.raw") == first


def test_revealed_completes_without_a_score_and_stays_without(
    platforms: Platforms, lines: dict[str, list[int]]
) -> None:
    platform = platforms.open("one")
    press(platform.sco, DPO, "reveal")
    press(platform.sco, DPO, "reveal")
    platform.page.wait_for_function("calls.some(([name]) => name === 'LMSCommit')")
    assert platform.value("cmi.core.lesson_status") == "completed"
    retry(platform.sco, DPO)
    check(platform.sco, DPO, *lines[DPO])
    assert platform.count("LMSCommit") == 2
    assert platform.value("cmi.core.score.raw") is None


def test_leaving_finishes_once_and_the_work_comes_back_elsewhere(
    platforms: Platforms, lines: dict[str, list[int]]
) -> None:
    platform = platforms.open("one")
    check(platform.sco, DPO, lines[DPO][0], 1)
    score = platform.sco.locator(".es-score").inner_text()
    retry(platform.sco, DPO)
    mark(platform.sco, DPO, 3, 7)
    kept = platform.leave()
    assert platform.count("LMSFinish") == 1
    assert platform.calls[-1] == ["LMSFinish", "", "true"]
    assert platform.value("cmi.core.exit") == "suspend"
    assert platform.value("cmi.core.session_time").startswith("0000:00:")
    again = platforms.open("one", kept)
    checked = again.sco.locator(".es-mark").evaluate_all("all => all.flatMap((one, at) => one.checked ? [at + 1] : [])")
    assert checked == [3, 7]
    mark(again.sco, DPO, 3, 7)
    check(again.sco, DPO, *lines[DPO])
    expect(again.sco.locator(".es-history li")).to_have_count(2)
    expect(again.sco.locator(".es-history li").first).to_contain_text(score)
    assert again.value("cmi.core.score.raw") == kept["cmi.core.score.raw"]


def test_the_platform_s_own_verdict_stays(platforms: Platforms, lines: dict[str, list[int]]) -> None:
    platform = platforms.open("one")
    check(platform.sco, DPO, *lines[DPO])
    kept = platform.leave() | {"cmi.core.lesson_status": "passed"}
    again = platforms.open("one", kept)
    retry(again.sco, DPO)
    check(again.sco, DPO, 1)
    again.leave()
    assert again.value("cmi.core.lesson_status") is None


def test_another_student_on_this_machine_finds_nothing(platforms: Platforms, lines: dict[str, list[int]]) -> None:
    platform = platforms.open("one")
    check(platform.sco, DPO, *lines[DPO])
    platform.leave()
    platform.page.goto(f"{platforms.address}lms.html")
    expect(platform.sco.locator(".es-count")).to_have_text("0 lines marked")
    assert platform.page.evaluate("localStorage.length") == 0


def test_it_works_where_storage_is_forbidden(platforms: Platforms, lines: dict[str, list[int]]) -> None:
    forbidden = 'Object.defineProperty(window, "localStorage", { configurable: true, get() { throw new DOMException("no", "SecurityError"); } });'  # fmt: skip  # noqa: E501
    platform = platforms.open("one", init=forbidden)
    check(platform.sco, DPO, *lines[DPO])
    again = platforms.open("one", platform.leave(), init=forbidden)
    expect(again.sco.locator(".es-score")).to_be_visible()


@pytest.mark.parametrize("kept", ["", "null", "{", '{"version":1}', '{"version":1,"first":{},"states":{"x":1}}', '{"version":9}', "x" * 4096])  # fmt: skip  # noqa: E501
def test_suspend_data_of_another_kind_is_no_obstacle(
    platforms: Platforms, lines: dict[str, list[int]], kept: str
) -> None:
    platform = platforms.open("one", {"cmi.suspend_data": kept})
    check(platform.sco, DPO, *lines[DPO])
    assert platform.value("cmi.core.score.raw") == "100"


def test_a_review_changes_nothing(platforms: Platforms, lines: dict[str, list[int]]) -> None:
    platform = platforms.open("one", {"cmi.core.lesson_mode": "review"})
    check(platform.sco, DPO, *lines[DPO])
    platform.leave()
    assert {call[0] for call in platform.calls} == {"LMSInitialize", "LMSGetValue", "LMSFinish"}


def test_a_course_tells_the_mean_and_is_complete_at_the_end(platforms: Platforms, lines: dict[str, list[int]]) -> None:
    platform = platforms.open("two")
    sections = platform.sco.locator(".sco-exercise")
    expect(sections.nth(0)).to_be_visible()
    expect(sections.nth(1)).to_be_hidden()
    check(platform.sco, DPO, *lines[DPO])
    assert platform.value("cmi.core.score.raw") == "50"
    assert platform.value("cmi.core.lesson_status") == "incomplete"
    platform.sco.locator("nav a").nth(1).click()
    expect(sections.nth(0)).to_be_hidden()
    expect(sections.nth(1).get_by_role("heading").first).to_be_focused()
    expect(platform.sco.locator("nav a[aria-current]")).to_have_count(1)
    check(platform.sco, OTHER, *lines[OTHER])
    expect(platform.sco.locator(".sco-mean output")).to_have_text("100%")
    assert platform.value("cmi.core.score.raw") == "100"
    assert platform.value("cmi.core.lesson_status") == "completed"
    again = platforms.open("two", platform.leave())
    expect(again.sco.locator(".sco-mean output")).to_have_text("100%")


def test_without_a_platform_it_is_a_page(platforms: Platforms, lines: dict[str, list[int]]) -> None:
    page = platforms.page((platforms.root / "two" / "index.html").as_uri())
    expect(page.locator(".sco-note")).to_contain_text("No learning platform was found")
    sco = page.main_frame
    check(sco, DPO, *lines[DPO])
    page.reload()
    expect(page.locator(".es-score").first).to_be_visible()
    expect(page.locator(".sco-mean output")).to_have_text("50%")


def test_a_platform_that_refuses_is_named(platforms: Platforms, lines: dict[str, list[int]]) -> None:
    platform = platforms.open("one")
    platform.page.evaluate("platform.LMSCommit = () => 'false'")
    check(platform.sco, DPO, lines[DPO][0])
    expect(platform.sco.locator(".sco-note")).to_contain_text("did not take your results")


def test_a_session_that_is_over_is_not_opened_again(platforms: Platforms) -> None:
    platform = platforms.open("one")
    platform.leave()
    platform.page.evaluate("document.querySelector('iframe').src = 'one/index.html'")
    expect(platform.sco.locator(".sco-note")).to_contain_text("did not open a session")
    assert platforms.complaints
    assert all("already finished" in said for said in platforms.complaints)  # the platform's own words
    platforms.complaints.clear()


def test_an_api_beyond_the_bound_is_not_searched_for_ever(platforms: Platforms) -> None:
    (platforms.root / "loop.html").write_text(
        "<!doctype html><link rel=icon href=data:,><script>"
        "Object.defineProperty(window, 'parent', {get: () => Object.create(window, {})})</script>"
        "<iframe src='one/index.html'></iframe>"
    )
    page = platforms.page(f"{platforms.address}loop.html")
    expect(page.frame_locator("iframe").locator(".sco-note")).to_contain_text("No learning platform")


def test_a_link_to_the_run_leaves_the_session_open(platforms: Platforms, lines: dict[str, list[int]]) -> None:
    platform = platforms.open("one")
    check(platform.sco, DPO, *lines[DPO])
    platform.sco.get_by_role("button", name="Show all answers").click()
    link = platform.sco.locator(".es-note a").last
    assert link.get_attribute("href").startswith("https://course.example/sub/runs/dpo-post-training/assessment/#")
    link.evaluate("link => { link.addEventListener('click', (event) => event.preventDefault()); link.click(); }")
    assert link.get_attribute("target") == "_blank"
    assert link.get_attribute("rel") == "noopener"
    assert platform.count("LMSFinish") == 0


def test_axe_finds_nothing(platforms: Platforms, lines: dict[str, list[int]]) -> None:
    page = platforms.page(f"{platforms.address}two/index.html")
    assert faults(page) == []
    check(page.main_frame, DPO, lines[DPO][0], 1)
    assert faults(page) == []


def test_without_an_address_of_the_course_no_link_leads_nowhere(
    platforms: Platforms, lines: dict[str, list[int]]
) -> None:
    folder = platforms.root / "nowhere"
    folder.mkdir()
    for file, content in scorm.package(export.parcel(Course.read(ROOT / "mkdocs.yml", {}), {}, [DPO])).items():
        (folder / file).write_text(content, "utf-8")
    page = platforms.page(f"{platforms.address}nowhere/index.html")
    check(page.main_frame, DPO, *lines[DPO])
    page.get_by_role("button", name="Show all answers").click()
    expect(page.locator(".es-note").first).to_be_visible()
    seen = page.locator("a").evaluate_all(
        "all => all.filter((a) => a.checkVisibility()).map((a) => a.getAttribute('href'))"
    )
    assert all(target.startswith("#es-") for target in seen), seen


def test_long_corrections_are_cut_before_any_attempt_goes(platforms: Platforms, lines: dict[str, list[int]]) -> None:
    platform = platforms.open("one")
    for _ in range(3):
        check(platform.sco, DPO, lines[DPO][0])
        retry(platform.sco, DPO)
    check(platform.sco, DPO, lines[DPO][0])
    platform.sco.locator(".es-note textarea").first.fill("long " * 1000)
    platform.sco.locator(".es-score").focus()
    kept = platform.leave()
    assert len(kept["cmi.suspend_data"]) < 4096
    again = platforms.open("one", kept)
    expect(again.sco.locator(".es-history li")).to_have_count(4)
    assert again.sco.locator(".es-note textarea").first.input_value() == ("long " * 40)
