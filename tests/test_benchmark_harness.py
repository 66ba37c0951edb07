"""The benchmark harness is believed, so it is tested."""

import asyncio
import time
from pathlib import Path

import pytest

from tests.benchmarks import __main__ as runner
from tests.benchmarks.harness import (
    Report,
    interleaved,
    machine_line,
    percentile,
    shared_data,
    timed,
)


def test_interleaved_takes_both_in_turn_and_compares_pair_by_pair():
    calls = []
    pair = interleaved(lambda: calls.append("a"), lambda: calls.append("b"), repeats=4, warm_up=0)
    assert calls == ["a", "b", "b", "a", "a", "b", "b", "a"]
    assert len(pair.a_times) == len(pair.b_times) == 4


def test_interleaved_ratio_is_a_over_b():
    pair = interleaved(lambda: time.sleep(0.004), lambda: time.sleep(0.001), repeats=5, warm_up=0)
    assert pair.a >= 0.004
    assert pair.b >= 0.001
    assert pair.ratio > 1


def test_a_row_knows_whether_it_reached_its_target():
    report = Report(area="x")
    assert report.at_most("time", 1.0, 1.0, "ms").passed is True
    assert report.at_least("share", 0.4, 0.5).passed is False
    assert report.equal("parameters", 804_096, 804_096).passed is True
    assert report.tell("size", 3.0, "MB").passed is None
    assert [row.name for row in report.missed] == ["share"]
    assert report.rows[0].target == "<= 1 ms"


def test_percentile_by_nearest_rank():
    assert percentile(list(range(100)), 0.99) == 99
    assert percentile([3.0, 1.0, 2.0], 0.5) == 2.0
    with pytest.raises(ValueError, match="at least one"):
        percentile([], 0.5)


def test_timed_gives_one_time_a_call():
    assert len(timed(lambda: None, repeats=3)) == 3


def test_the_variable_names_the_folder_that_contains_data(monkeypatch, tmp_path):
    monkeypatch.setenv("LLM_EXPLORER_SHARED", str(tmp_path))
    assert shared_data() == tmp_path / "data"
    monkeypatch.delenv("LLM_EXPLORER_SHARED")
    checkout = Path(__file__).parents[1]
    assert shared_data() == checkout.parent / "shared" / "data"


def test_machine_line_names_the_libraries():
    assert "torch" in machine_line()


def test_the_watch_of_stalls_sees_a_loop_that_stands_still_and_no_other(run_async):
    from tests.benchmarks.stall_watch import LIMIT, Stalls, StallWatch

    still, quiet = Stalls(), Stalls()
    watch = StallWatch()

    async def body():
        with watch.watching(still):
            await asyncio.sleep(0.02)
            time.sleep(LIMIT + 0.1)
            await asyncio.sleep(0.02)
        time.sleep(LIMIT + 0.1)  # nobody watches
        with watch.watching(quiet):
            pass

    run_async(body())
    watch.close()
    assert still.longest > LIMIT and still.long >= 1
    assert quiet.longest < still.longest


def test_unknown_benchmark_is_refused_by_name(capsys):
    assert runner.main(["--only", "no-such-area"]) == 2
    assert "no-such-area" in capsys.readouterr().out


def test_the_unigram_figures_need_no_text_that_is_not_ours(tmp_path, monkeypatch):
    from tests.benchmarks import bench_unigram

    monkeypatch.setenv("LLM_EXPLORER_SHARED", str(tmp_path))
    text, name = bench_unigram.corpus()
    assert name == "stories"
    pieces, _ = bench_unigram.train(text[: bench_unigram.PART], min(bench_unigram.VOCAB_SIZES))
    assert len(pieces) == min(bench_unigram.VOCAB_SIZES)
