"""The page as it is seen: Debian's Chromium, light and dark, narrow and wide."""

from pathlib import Path

import pytest

from regraft.report import write

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]

# pairs of texts in one figure whose boxes share more than a hair
OVERLAPS = """() => [...document.querySelectorAll("svg")].flatMap((svg) => {
  const texts = [...svg.querySelectorAll("text")];
  const boxes = texts.map((text) => text.getBoundingClientRect());
  const found = [];
  for (let i = 0; i < boxes.length; i++)
    for (let j = 0; j < i; j++) {
      const [a, b] = [boxes[i], boxes[j]];
      const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (wide > 0.5 && high > 0.5) found.push([texts[i].textContent, texts[j].textContent]);
    }
  return found;
})"""
# what is beyond the right or left edge, outside the boxes that scroll
OUTSIDE = """() => [...document.body.querySelectorAll("*")].filter((element) => {
  const box = element.getBoundingClientRect();
  const out = box.width > 0 && (box.right > innerWidth + 0.5 || box.left < -0.5);
  return out && !element.closest(".scroll");
}).map((element) => element.outerHTML.slice(0, 200))"""
# texts of blocks that follow each other and lie upon each other
PILED = """(BLOCKS) => [...document.querySelectorAll(BLOCKS)].filter((one) => {
  const next = one.nextElementSibling;
  if (!next) return false;
  const [a, b] = [one.getBoundingClientRect(), next.getBoundingClientRect()];
  return a.bottom > b.top + 1 && a.right > b.left + 1 && b.bottom > a.top + 1 && b.right > a.left + 1;
}).map((element) => element.textContent.slice(0, 100))"""
BLOCKS = "main > section, .cards > li, dt, dd, tr, figure"
COLOUR = "() => getComputedStyle(document.body).backgroundColor"


@pytest.fixture(scope="session")
def chromium():
    playwright = pytest.importorskip("playwright.sync_api")
    if not CHROMIUM.exists():
        pytest.skip("Debian's chromium is not installed")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def written(tmp_path_factory):
    """written(study) -> its page, written once."""
    known = {}

    def call(study):
        if id(study) not in known:
            known[id(study)] = write(study, tmp_path_factory.mktemp("page") / "report.html")
        return known[id(study)]

    return call


@pytest.fixture
def opened(chromium, written):
    """opened(study, ...) -> the page in a window; in the end it has asked for nothing and not complained."""
    contexts, complaints = [], []

    def call(study, width=1100, scheme="light", **how):
        file = written(study)
        window = {"width": width, "height": 800}
        contexts.append(chromium.new_context(viewport=window, color_scheme=scheme, **how))
        page = contexts[-1].new_page()
        asked = file.resolve().as_uri()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append(dialog.message))
        page.on(
            "request",
            lambda request: (
                request.url == asked or request.url.startswith("data:") or complaints.append(request.url)
            ),
        )
        page.goto(asked)
        return page

    yield call
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1600])
def test_nothing_overlaps_or_sticks_out(width, scheme, opened, nasty):
    must_be_in_order(opened(nasty, width, scheme), scheme)


@pytest.mark.parametrize("width", [360, 1600])
@pytest.mark.parametrize("which", ["two", "thirty"])
def test_few_classes_and_many(which, width, opened, request):
    must_be_in_order(opened(request.getfixturevalue(which), width), "light")


def must_be_in_order(page, scheme):
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate(OUTSIDE) == []
    assert page.evaluate(OVERLAPS) == []
    assert page.evaluate(PILED, BLOCKS) == []
    red = int(page.evaluate(COLOUR).removeprefix("rgb(").split(",")[0])
    assert (red > 200) == (scheme == "light")


def test_the_checks_above_can_fail(opened, two):
    page = opened(two, 360)
    page.evaluate("document.querySelectorAll('svg.gain text').forEach((text) => text.setAttribute('x', 0))")
    page.evaluate("document.querySelectorAll('svg.gain text').forEach((text) => text.setAttribute('y', 9))")
    page.evaluate("document.querySelector('h1').style.whiteSpace = 'pre'")
    page.evaluate("document.querySelector('h1').textContent = 'w'.repeat(99)")
    page.evaluate("document.querySelector('main > section').style.marginBottom = '-30rem'")
    assert page.evaluate(OVERLAPS)
    assert page.evaluate(PILED, BLOCKS)
    assert page.evaluate("document.documentElement.scrollWidth > innerWidth")


def test_names_are_only_text(opened, nasty):
    page = opened(nasty)
    assert page.evaluate("window.pwned") is None
    assert page.evaluate("document.querySelectorAll('script').length") == 2
    assert page.evaluate("document.querySelectorAll('style').length") == 1
    assert page.evaluate("document.querySelectorAll('img:not([src^=\"data:\"])').length") == 0
    assert page.evaluate("document.querySelectorAll('[onerror], [style*=display]').length") == 0
    assert "<img src=x onerror=" in page.inner_text("#classes")


def test_the_policy_would_stop_what_came_through(chromium, written, nasty, tmp_path):
    """Even unescaped, a name neither runs nor asks for anything."""
    text, file = written(nasty).read_text(encoding="utf-8"), tmp_path / "report.html"
    image = '<img src="https://example.invalid/x.png" onerror="window.pwned=1">'
    canary = f"{image}<script>window.pwned=2</script>"
    file.write_text(text.replace("<main>", f"<main>{canary}"), encoding="utf-8")
    page, stopped, answered = chromium.new_page(), [], []
    page.on("requestfailed", lambda request: stopped.append((request.url, request.failure)))
    page.on("response", lambda response: answered.append(response.url))
    page.goto(file.resolve().as_uri())
    page.wait_for_timeout(200)
    assert page.evaluate("window.pwned") is None
    assert stopped == [("https://example.invalid/x.png", "csp")]
    assert not [url for url in answered if url.startswith("http")]
    page.close()


def test_the_map_tells_what_is_under_the_pointer(opened, nasty):
    page = opened(nasty)
    canvas = page.locator("svg.map")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    x, y, name, *_ = page.evaluate("JSON.parse(document.getElementById('map-data').textContent).points[0]")
    unit = box["width"] / 640
    page.mouse.move(box["x"] + x * unit, box["y"] + y * unit)
    tip = page.locator(".tip")
    assert tip.is_visible()
    assert tip.locator(".name").inner_text().startswith("sample ")
    assert tip.locator("img").count() == 1
    page.mouse.move(box["x"] - 5, box["y"] - 5)
    assert not tip.is_visible()
    canvas.focus()
    page.keyboard.press("ArrowRight")
    assert tip.locator(".name").inner_text() == name
    assert page.evaluate("window.pwned") is None


def test_a_class_can_be_singled_out(opened, two):
    page = opened(two)
    page.locator(".legend button").first.click()
    assert page.locator("svg.map .dim").count() == 1
    assert page.locator(".legend [aria-pressed=true]").count() == 1
    page.locator(".legend button").first.click()
    page.mouse.move(0, 0)
    assert page.locator("svg.map .dim").count() == 0


def test_tables_are_sorted_by_number_and_by_name(opened, thirty):
    page = opened(thirty)

    def column(i):
        return page.locator(f"#classes tbody tr > :nth-child({i})").all_inner_texts()

    page.locator("#classes thead button", has_text="recall").first.click()
    recalls = [float(text.split()[0]) for text in column(4)]
    assert recalls == sorted(recalls)
    assert len(set(recalls)) > 1
    page.locator("#classes thead button", has_text="recall").first.click()
    assert [float(text.split()[0]) for text in column(4)] == sorted(recalls, reverse=True)
    page.locator("#classes thead button", has_text="class").first.click()
    assert column(1)[0] == "species number 0 of the genus"


def test_everything_is_there_without_the_script(opened, nasty):
    page = opened(nasty, java_script_enabled=False)
    for anchor in ("verdict", "candidates", "classes", "confusion", "wrong", "map", "doctor", "reproduce"):
        assert page.locator(f"#{anchor}").is_visible()
    assert page.locator("svg.map path").first.is_visible()


def test_it_prints(opened, two, tmp_path):
    page = opened(two)
    page.pdf(path=tmp_path / "report.pdf")
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")
