"""Templates become PDF, the same everywhere, beside the event loop."""

from __future__ import annotations

import asyncio
import io
import subprocess
import sys
import time
import unicodedata
import zipfile
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from threading import BoundedSemaphore

import pytest
from pypdf import PdfReader

from app.infra import typesetting

AT = datetime(2026, 3, 1, 9, tzinfo=UTC)
LETTER = """
#let data = json(bytes(sys.inputs.data))
#set text(font: ("Noto Sans", "Noto Sans CJK SC"))
#data.text
"""
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def letter(tmp_path: Path) -> Path:
    return written(tmp_path, LETTER)


def written(directory: Path, source: str) -> Path:
    (directory / "letter.typ").write_text(source, encoding="utf-8")
    return directory / "letter.typ"


def words(document: bytes) -> str:
    """The text of a PDF; radicals that look the same as a character are that character."""
    pages = PdfReader(io.BytesIO(document)).pages
    return unicodedata.normalize("NFKC", "\n".join(page.extract_text() for page in pages))


class TestPdf:
    async def test_has_the_text_in_latin_and_in_chinese(self, letter: Path) -> None:
        made = await typesetting.pdf(letter, {"text": "Müller & Łódź owe €1,234.50; 上海华星贸易有限公司"}, at=AT)
        assert made.startswith(b"%PDF")
        assert "Müller & Łódź owe €1,234.50; 上海华星贸易有限公司" in words(made)

    async def test_takes_nothing_in_the_data_for_markup(self, letter: Path) -> None:
        made = await typesetting.pdf(letter, {"text": "#panic() *bold* $x$ <b>"}, at=AT)
        assert "#panic() *bold* $x$ <b>" in words(made)

    async def test_writes_decimals_as_texts(self, letter: Path) -> None:
        assert "12.50" in words(await typesetting.pdf(letter, {"text": Decimal("12.50")}, at=AT))

    async def test_is_the_same_for_the_same_template_data_and_instant(self, letter: Path) -> None:
        first, second = [await typesetting.pdf(letter, {"text": "again"}, at=AT) for _ in range(2)]
        assert first == second

    async def test_is_made_at_any_instant(self, letter: Path) -> None:
        made = await typesetting.pdf(letter, {"text": "now"}, at=AT.replace(microsecond=123_456))
        assert made == await typesetting.pdf(letter, {"text": "now"}, at=AT)

    async def test_embeds_the_fonts_that_come_with_the_program(self, letter: Path) -> None:
        page = PdfReader(io.BytesIO(await typesetting.pdf(letter, {"text": "a 好"}, at=AT))).pages[0]
        fonts = {str(font.get_object()["/BaseFont"]) for font in page["/Resources"]["/Font"].values()}  # type: ignore[index]
        assert sorted(name.partition("+")[2] for name in fonts) == [
            "NotoSans-Regular",
            "NotoSansCJKsc-Regular-Identity-H",
        ]

    async def test_knows_the_characters_of_gbk(self, tmp_path: Path) -> None:
        pairs = (bytes([high, low]) for high in range(0x81, 0xFF) for low in range(0x40, 0xFF))
        characters = [text for pair in pairs if (text := pair.decode("gbk", "ignore")) and text.isprintable()]
        assert len(characters) > 21_000
        made = await typesetting.pdf(written(tmp_path, LETTER), {"text": " ".join(characters[::10])}, at=AT)
        assert len(set(words(made))) > 2_000

    async def test_reads_no_file_outside_the_template_s_directory(self, tmp_path: Path) -> None:
        (tmp_path / "secret.txt").write_text("secret")
        (tmp_path / "own").mkdir()
        with pytest.raises(typesetting.TemplateFailed, match="escape"):
            await typesetting.pdf(written(tmp_path / "own", '#read("../secret.txt")'), {}, at=AT)

    @pytest.mark.parametrize("source", ["#data.missing", "#let", "#while true { }", '#read("none.txt")'])
    async def test_names_the_template_that_fails(self, tmp_path: Path, source: str) -> None:
        with pytest.raises(typesetting.TemplateFailed, match=r"^letter\.typ: "):
            await typesetting.pdf(written(tmp_path, source), {}, at=AT)

    async def test_says_so_when_there_is_no_such_template(self, tmp_path: Path) -> None:
        with pytest.raises(typesetting.TemplateFailed):
            await typesetting.pdf(tmp_path / "none.typ", {}, at=AT)

    async def test_refuses_more_data_than_is_bounded(self, letter: Path) -> None:
        with pytest.raises(typesetting.TemplateFailed, match="bytes of data"):
            await typesetting.pdf(letter, {"text": "x" * typesetting.DATA_BYTES_MAX}, at=AT)


SLOW = """
#let data = json(bytes(sys.inputs.data))
#let sum = 0
#for i in range(data.n) { for j in range(1000) { sum = calc.rem(sum + i * j, 97) } }
#sum
"""


class TestConcurrency:
    async def test_leaves_the_event_loop_free(self, tmp_path: Path) -> None:
        work = asyncio.create_task(typesetting.pdf(written(tmp_path, SLOW), {"n": 800}, at=AT))
        beats = 0
        while not work.done():
            await asyncio.sleep(0)
            beats += 1
        assert (await work).startswith(b"%PDF")
        assert beats > 10

    async def test_gives_up_after_the_deadline(self, tmp_path: Path) -> None:
        began = time.monotonic()
        with pytest.raises(typesetting.TypesetterBusy, match="not ready"):
            await typesetting.pdf(written(tmp_path, SLOW), {"n": 3000}, at=AT, deadline_seconds=0.01)
        assert time.monotonic() - began < 5

    async def test_is_bounded_and_refuses_what_is_too_much(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(typesetting, "_ROOM", BoundedSemaphore(2))
        template = written(tmp_path, SLOW)
        made = await asyncio.gather(
            *(typesetting.pdf(template, {"n": 50 + i}, at=AT) for i in range(6)), return_exceptions=True
        )
        assert sum(isinstance(each, bytes) for each in made) == 2
        assert sum(isinstance(each, typesetting.TypesetterBusy) for each in made) == 4
        assert (await typesetting.pdf(template, {"n": 1}, at=AT)).startswith(b"%PDF")


class TestWheel:
    @pytest.mark.slow
    def test_contains_the_fonts_and_their_licence(self, tmp_path: Path) -> None:
        subprocess.run(
            [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", str(tmp_path), "."],
            cwd=ROOT,
            check=True,
        )
        names = zipfile.ZipFile(next(tmp_path.glob("headroom-*.whl"))).namelist()
        files = ("NotoSans-Bold.ttf", "NotoSans-Regular.ttf", "NotoSansCJKsc-Regular.otf", "OFL.txt")
        assert {f"app/infra/fonts/{file}" for file in files} <= set(names)
