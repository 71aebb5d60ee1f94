"""`/docs` in a real browser, against the local system."""
# mypy: disable-error-code="import-not-found"

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from local.system import System
from tests import kinds
from tests.serving import ROOT, digits_manifest, store_version

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

pytestmark = pytest.mark.check

FETCHES = [
    block
    for page in ("README.md", "docs/clients.md")
    for block in re.findall(r"^```js\n(.*?)^```", (ROOT / page).read_text(), re.DOTALL | re.MULTILINE)
]
SCREENSHOT = ROOT / "build/check/docs.png"
QUIET = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
"""options with which the browser runs as any user, on any machine, and sends no requests of its own"""


@dataclass
class Recorded:
    """What a page did while a test used it."""

    page: "Page"
    errors: list[str] = field(default_factory=list)
    """messages of the console, and exceptions"""
    requests: list[str] = field(default_factory=list)
    """URLs of all requests"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A system that serves the digits, and orders: a table and a text."""
    store = tmp_path_factory.mktemp("docs") / "store"
    store_version(store, digits_manifest())
    store_version(store, kinds.ORDERS)
    with System(store=store.as_uri()) as system:
        yield system.url


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator["Browser"]:
    """The browser, with an empty profile; it is closed before other tests need an event loop."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 (`make test`, which only reads this, has none)

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(QUIET))
        yield browser
        browser.close()


@pytest.fixture
def recorded(browser: "Browser", server: str) -> Iterator[Recorded]:
    """The page in the browser, with a record of what it does."""
    page = browser.new_page(viewport={"width": 1280, "height": 1024})
    record = Recorded(page)
    page.on("console", lambda message: record.errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: record.errors.append(str(error)))
    page.on("request", lambda request: record.requests.append(request.url))
    page.goto(f"{server}/docs")
    page.locator(".opblock").first.wait_for()
    page.locator("#predict form").wait_for()
    yield record
    page.close()


def _opened(page: "Page", path: str) -> "Locator":
    """Unfold an operation and press "Try it out"."""
    operation = page.locator(".opblock-post").filter(has=page.locator(f'[data-path="{path}"]'))
    operation.locator(".opblock-summary-control").click()
    operation.get_by_role("button", name="Try it out").click()
    return operation


def _executed(operation: "Locator") -> tuple[str, str]:
    """Press "Execute" and return the status and the body that the page shows."""
    operation.get_by_role("button", name="Execute").click()
    answer = operation.locator(".live-responses-table .response")
    return answer.locator(".response-col_status").inner_text().strip(), answer.locator("pre").first.inner_text()


def _loaded(server: str) -> set[str]:
    """List what the page requests when it is loaded."""
    described = f"{server}/cascade/v2/models/mnist-sample"
    return {f"{server}/docs", f"{server}/openapi.json", f"{server}/v1/models", described}


def _predicted(page: "Page") -> tuple[str, list[str]]:
    """Press "Predict" and return what the page says, and its bars."""
    page.locator("#predict").get_by_role("button", name="Predict").click()
    status = page.locator("#predict").get_by_role("status").locator("p")
    status.wait_for()
    return status.inner_text(), [bar.inner_text() for bar in page.locator("#predict .bar").all()]


def test_a_form_has_a_field_for_each_column_and_text(recorded: Recorded) -> None:
    """Numbers, the vocabulary as choices, dates and texts; the answer is bars, and the path that the row took."""
    page, form = recorded.page, recorded.page.locator("#predict")
    form.get_by_label("Model").select_option("orders")
    form.get_by_label("age").wait_for()
    choices = form.get_by_label("plan").locator("option").all_inner_texts()
    assert choices == ["(none)", "basic", "gold"]
    form.get_by_label("age").fill("35")
    form.get_by_label("plan").select_option("gold")
    form.get_by_label("since").fill("2026-01-31T09:30")
    form.locator("textarea").fill("<b>never again</b>")
    said, bars = _predicted(page)
    page.screenshot(path=SCREENSHOT.with_name("form.png"))
    assert said == "leaves, confidence 95.3 %, answered by the level cheap: cheap 0.9526 >= 0.9500"
    assert bars == ["leaves\n95.3 %", "stays\n4.7 %"]
    form.get_by_label("Answered by").select_option("the end-to-end model")
    form.locator("textarea").fill("!!")
    assert _predicted(page) == ("leaves", ["leaves\n99.3 %", "stays\n0.7 %"])
    assert not recorded.errors


def test_a_picture_is_chosen_in_the_form(recorded: Recorded, tmp_path: Path) -> None:
    """It is shown, and sent as it is; the form shows errors, too."""
    Image.new("L", (28, 28)).save(tmp_path / "blank.png")
    recorded.page.locator("#predict input[type=file]").set_input_files(tmp_path / "blank.png")
    recorded.page.locator("#predict .drop img").wait_for()
    said, bars = _predicted(recorded.page)
    assert re.match(r"\d, confidence [\d.]+ %, answered by the level only: only [\d.]+$", said)
    assert len(bars) == 10
    (tmp_path / "broken.png").write_bytes(b"no picture")
    recorded.page.locator("#predict input[type=file]").set_input_files(tmp_path / "broken.png")
    assert _predicted(recorded.page)[0].startswith("a picture is a whole PNG or JPEG. Got: ")


def test_the_page_shows_every_operation(recorded: Recorded, server: str) -> None:
    """Every operation is listed, without an error and without a request to another host."""
    paths = recorded.page.request.get(f"{server}/openapi.json").json()["paths"]
    assert recorded.page.title() == "Weir"
    assert recorded.page.locator(".opblock").count() == sum(len(verbs) for verbs in paths.values())
    assert not recorded.errors
    assert set(recorded.requests) == _loaded(server)


@pytest.mark.parametrize(
    ("mount", "outputs"),
    [
        ("/cascade", ["probabilities", "label", "exit_level", "confidence", "path"]),
        ("", ["probabilities", "label"]),
    ],
    ids=["cascade", "end-to-end"],
)
def test_the_example_gives_a_prediction(recorded: Recorded, server: str, mount: str, outputs: list[str]) -> None:
    """The example of the page gives a prediction unchanged; a screenshot is kept."""
    status, body = _executed(_opened(recorded.page, f"{mount}/v2/models/{{model}}/infer"))
    SCREENSHOT.parent.mkdir(parents=True, exist_ok=True)
    recorded.page.screenshot(path=SCREENSHOT, full_page=True)
    assert status == "200"
    answer = json.loads(body)
    assert answer["model_name"] == "mnist-sample"
    assert [output["name"] for output in answer["outputs"]] == outputs
    assert not recorded.errors
    assert set(recorded.requests) - _loaded(server) == {f"{server}{mount}/v2/models/mnist-sample/infer"}


def test_a_picture_gives_a_prediction(recorded: Recorded, tmp_path: Path) -> None:
    """A picture that is chosen in the page gives a prediction."""
    Image.new("L", (28, 28)).save(tmp_path / "blank.png")
    operation = _opened(recorded.page, "/v2/models/{model}/infer")
    operation.get_by_label("Request content type").select_option("image/png")
    operation.locator("input[type=file]").set_input_files(tmp_path / "blank.png")
    status, body = _executed(operation)
    assert (status, json.loads(body)["outputs"][0]["shape"]) == ("200", [1, 10])
    assert not recorded.errors


@pytest.mark.parametrize("block", FETCHES, ids=["README", "clients"])
def test_fetch_gives_a_prediction(recorded: Recorded, block: str) -> None:
    """The JavaScript of the documents gives a prediction, run on a page of the same origin."""
    with recorded.page.expect_console_message() as printed:
        recorded.page.evaluate(f"async () => {{{block}}}")
    value = printed.value.args[0].json_value()
    outputs = value["outputs"] if isinstance(value, dict) else [{"name": "label", "data": value}]
    assert {output["name"]: output["data"] for output in outputs}["label"][0] in "0123456789"
    assert not recorded.errors


@pytest.mark.parametrize(
    ("model", "body", "status", "message"),
    [
        ("nobody", None, "404", "the model is published under the alias champion. Got: nobody"),
        ("mnist-sample", '{"inputs": []}', "400", "the inputs are image. Got: []"),
    ],
)
def test_an_error_is_shown(recorded: Recorded, model: str, body: str | None, status: str, message: str) -> None:
    """The page shows the status of an error and our message."""
    operation = _opened(recorded.page, "/v2/models/{model}/infer")
    operation.get_by_placeholder("model").fill(model)
    if body:
        operation.locator("textarea.body-param__text").fill(body)
    shown, text = _executed(operation)
    assert shown.startswith(status)
    assert json.loads(text) == {"error": message}
