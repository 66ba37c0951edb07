"""`python -m core.training --estimate`: the table, and errors of one line with a remedy."""

import json
from pathlib import Path

import pytest

from core.training.__main__ import main
from core.training.config import TrainingConfig
from core.training.estimates import command
from core.transformer import ModelConfig

NANO = ModelConfig(vocab_size=65, block_size=64, n_layer=4, n_head=4, n_embd=128, bias=False)


def config_file(folder: Path) -> str:
    path = folder / "run.json"
    path.write_text(json.dumps(TrainingConfig(model=NANO, batch_size=12, steps=50).to_json()))
    return str(path)


def rows(text: str) -> dict[str, str]:
    """Each row's name and value."""
    split = [[part.strip() for part in line.split("  ") if part.strip()]
             for line in text.splitlines() if line.startswith("  ")]  # fmt: skip
    return {parts[0]: parts[1] for parts in split}


def test_a_config_is_estimated_for_this_machine(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--estimate", "--config", config_file(tmp_path)]) == 0
    found = rows(capsys.readouterr().out)
    assert found["together"] == "804,096"
    assert found["weights"] == "3.22 MB"
    assert {"peak of a step", "step", "run"} <= set(found)
    assert list(tmp_path.iterdir()) == [tmp_path / "run.json"]


@pytest.mark.parametrize(
    ("parallel", "weights", "sent"),
    [("ddp", "3.22 MB", "3.22 MB"), ("fsdp2", "1.61 MB", "4.82 MB")],
)
def test_each_of_two_ranks_holds_its_part_and_sends(
    parallel: str, weights: str, sent: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "run.json"
    config = TrainingConfig(model=NANO, batch_size=12, steps=50, ranks=2, parallel=parallel)
    file.write_text(json.dumps(config.to_json()))
    assert main(["--estimate", "--config", str(file)]) == 0
    text = capsys.readouterr().out
    assert "Memory of each rank" in text and "6 sequences, fp32" in text
    found = rows(text)
    assert found["weights"] == weights and found["sent by each rank"] == sent
    one = rows_of_one_rank(tmp_path, capsys)
    assert "sent by each rank" not in one and one["activations"] != found["activations"]


def rows_of_one_rank(folder: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    assert main(["--estimate", "--config", config_file(folder)]) == 0
    return rows(capsys.readouterr().out)


def test_a_precision_that_a_processor_computes_slowly_is_said_to_be_slow(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "measure_relative", lambda: {"bf16": 0.08, "fp16": 0.08})
    file = tmp_path / "run.json"
    config = TrainingConfig(model=NANO, batch_size=12, steps=50, precision="fp16", device="cpu")
    file.write_text(json.dumps(config.to_json()))
    assert main(["--estimate", "--config", str(file)]) == 0
    assert "computes fp16 in software: about 12 times slower" in capsys.readouterr().out


def test_a_config_is_estimated_for_a_cluster(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["--config", config_file(tmp_path), "--device", "t4", "--devices", "3"]
    assert main(["--estimate", *given]) == 0
    text = capsys.readouterr().out
    assert "3 x T4, fp32" in text
    assert "50 steps of 12" in text


def test_a_preset_is_estimated(capsys: pytest.CaptureFixture[str]) -> None:
    given = ["--device", "A100 SXM 80GB", "--devices", "1024", "--zero", "3", "--batch", "2048"]
    assert main(["--estimate", "gpt3-175b", *given, "--tokens", "300e9", "--price", "2"]) == 0
    found = rows(capsys.readouterr().out)
    assert found["tokens"].replace("\u2009", " ") == "300 B"
    assert found["cost"] != "n/a" and found["MFU"] == "40.0 %"


def test_a_pipeline_has_a_bubble(capsys: pytest.CaptureFixture[str]) -> None:
    given = ["--device", "A100 SXM 80GB", "--devices", "32", "--per-machine", "8"]
    given += ["--pipeline", "4", "--batch", "64", "--network", "100"]
    assert main(["--estimate", "gpt2-xl", *given]) == 0
    text = capsys.readouterr().out
    found = rows(text)
    assert found["pipeline bubble"] == "37.5 %" and "4 stages, 8 micro-batches" in text
    assert found["sent between stages"] != "0 B"
    assert "12.5 GB/s, of a network that 8 devices share" in text
    assert main(["--estimate", "gpt2-xl"]) == 0
    assert "pipeline" not in capsys.readouterr().out


def test_an_unknown_device_has_no_time(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--estimate=gpt2", "--devices", "8"]) == 0
    found = rows(capsys.readouterr().out)
    assert [found[name] for name in ("step", "MFU", "time", "energy", "cost")] == ["n/a"] * 5


@pytest.mark.parametrize(
    ("given", "remedy"),
    [
        (["gpt5"], "the presets are gpt1"),
        ([], "give --config FILE"),
        (["gpt2", "--config", "x.json"], "not both"),
        (["gpt2", "--device", "H1"], "A100 SXM 80GB"),
        (["gpt2", "--devices", "8", "--batch", "12"], "use a batch of 8 or 16"),
        (["gpt2", "--recompute", "all"], "'none', 'selective' or 'full'"),
        (["gpt2", "--precision", "int4"], "'fp32', 'tf32'"),
        (["gpt2", "--efficiency", "40"], "0.4 is usual"),
        (["--config", "no-such.json"], "no-such.json"),
    ],
    ids=str,
)
def test_wrong_arguments_are_one_line_with_a_remedy(
    given: list[str], remedy: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--estimate", *given]) == 2
    said = capsys.readouterr()
    assert said.out == "" and remedy in said.err
    assert len(said.err.splitlines()) == 1 and said.err.startswith("error: ")


@pytest.mark.parametrize(
    "given",
    [
        ["--devices", "0"],
        ["--devices", "²"],
        ["--devices", "1" * 50],
        ["--tokens", "nan"],
        ["--tokens", "-1"],
        ["--zero", "4"],
        ["--price", "cheap"],
        ["--link", "inf"],
    ],
    ids=str,
)
def test_a_number_that_cannot_be_is_refused(
    given: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--estimate", "gpt2", *given])
    assert ended.value.code == 2
    assert f"argument {given[0]}" in capsys.readouterr().err
