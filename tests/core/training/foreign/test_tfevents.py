"""TensorBoard's event files: what TensorBoard wrote, what torch and TensorFlow write, damage."""

import base64
import math
import struct
from pathlib import Path

import numpy as np
import pytest

from core.training.foreign import ForeignRun, open_run
from core.training.foreign import tfevents as module
from core.training.foreign.tfevents import crc32c, masked_crc
from tests.core.training.foreign.event_files import (
    FIRST,
    START,
    event,
    histogram,
    of_bytes,
    record,
    scalar,
    tensor,
    varint,
    write_events,
)

# Written by tensorboard 2.21: "train/loss" 2.5 at step 1 as a simple_value, "lr" 0.25 at step 2 as
# a tensor.
BY_TENSORBOARD = base64.b64decode(
    "SAAAAAAAAAD+kkidCQ1SgjHewtpBGg1icmFpbi5FdmVudDoyUi4KLHRlbnNvcmJvYXJkLnN1bW1hcnkud3JpdGVyLmV2"
    "ZW50X2ZpbGVfd3JpdGVyj1+b0SAAAAAAAAAAKe2pUAkAACBA/FTZQRABKhMKEQoKdHJhaW4vbG9zcxUAACBAFiT64CwA"
    "AAAAAAAA9K7MRQkAAGBA/FTZQRACKh8KHQoCbHJCCggBEgAqBAAAgD5KCwoJCgdzY2FsYXJzjb64KA=="
)
NAME = "events.out.tfevents.1700000000.host.1.0"


def found(run: ForeignRun) -> dict[str, list[tuple[int, float]]]:
    return {
        name: list(zip(series.steps.tolist(), series.values.tolist(), strict=True))
        for name, series in run.series.items()
    }


def opened(path: Path) -> ForeignRun:
    run = open_run(path)
    assert isinstance(run, ForeignRun)
    return run


def test_the_checksum_is_that_of_its_standard() -> None:
    """RFC 3720, appendix B.4."""
    assert crc32c(b"123456789") == 0xE3069283
    assert crc32c(bytes(32)) == 0x8A9136AA
    assert crc32c(bytes(range(32))) == 0x46DD794E


def test_what_tensorboard_wrote_is_read(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(BY_TENSORBOARD)
    run = opened(tmp_path)
    assert found(run) == {"train/loss": [(1, 2.5)], "lr": [(2, 0.25)]}
    assert run.series["lr"].times.tolist() == [1700000001.5]
    assert run.damaged == 0


def test_scalars_of_torch_and_tensorflow_are_read_and_other_summaries_passed_over(
    tmp_path: Path,
) -> None:
    write_events(
        tmp_path / NAME,
        event(1, scalar("loss", 3.0), time=10.0),
        event(1, histogram("weights")),
        event(2, tensor("loss", 2.5)),
        event(3, tensor("loss", 0.1, double=True)),
        event(4, scalar("loss", math.nan)),
        event(5, tensor("loss", math.inf)),
    )
    run = opened(tmp_path)
    series = run.series["loss"]
    assert series.steps.tolist() == [1, 2, 3, 4, 5]
    np.testing.assert_equal(series.values, [3.0, 2.5, 0.1, math.nan, math.inf])
    assert list(run.series) == ["loss"] and run.damaged == 0


def test_a_run_that_was_taken_up_again_replaces_what_came_after(tmp_path: Path) -> None:
    write_events(tmp_path / NAME, *(event(step, scalar("loss", step)) for step in range(6)))
    later = [event(3, START), event(3, scalar("loss", 30)), event(4, scalar("loss", 40))]
    write_events(tmp_path / NAME.replace("17", "18"), *later)
    run = opened(tmp_path)
    assert found(run) == {"loss": [(0, 0), (1, 1), (2, 2), (3, 30), (4, 40)]}


def test_of_two_values_of_a_step_the_later_counts_and_steps_rise(tmp_path: Path) -> None:
    steps = [(5, 1.0), (2, 2.0), (5, 3.0), (1, 4.0)]
    write_events(tmp_path / NAME, *(event(step, scalar("loss", value)) for step, value in steps))
    assert found(opened(tmp_path)) == {"loss": [(1, 4.0), (2, 2.0), (5, 3.0)]}


def test_a_growing_file_is_read_on_and_a_torn_record_waits(tmp_path: Path) -> None:
    path = write_events(tmp_path / NAME, event(1, scalar("loss", 1.0)))
    run = opened(tmp_path)
    assert not run.refresh()
    whole = path.read_bytes()
    more = record(event(2, scalar("loss", 2.0)))
    for end in (3, 13, len(more) - 1):
        path.write_bytes(whole + more[:end])
        run.refresh()
        assert found(run) == {"loss": [(1, 1.0)]} and run.damaged == 0
    with path.open("ab") as file:
        file.write(more[len(more) - 1 :])
    assert run.refresh()
    assert found(run) == {"loss": [(1, 1.0), (2, 2.0)]}
    write_events(tmp_path / NAME.replace("17", "18"), event(3, scalar("loss", 3.0)))
    assert run.refresh()
    assert run.step == 3


def test_a_file_that_was_put_back_is_read_from_its_beginning(tmp_path: Path) -> None:
    path = write_events(tmp_path / NAME, *(event(step, scalar("loss", step)) for step in range(6)))
    run = opened(tmp_path)
    write_events(path, event(1, scalar("loss", 7.0)))
    assert run.refresh()
    assert found(run) == {"loss": [(1, 7.0)]}


DAMAGE = {
    "data": lambda whole: whole[:-5] + bytes([whole[-5] ^ 1]) + whole[-4:],
    "check": lambda whole: whole[:-1] + bytes([whole[-1] ^ 1]),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_record_is_left_out_and_counted(tmp_path: Path, damage) -> None:
    first, second, third = (record(event(step, scalar("loss", step))) for step in (1, 2, 3))
    (tmp_path / NAME).write_bytes(FIRST + first + damage(second) + third)
    run = opened(tmp_path)
    assert found(run) == {"loss": [(1, 1.0), (3, 3.0)]}
    assert run.damaged == 1


def test_a_damaged_length_ends_the_file_there(tmp_path: Path) -> None:
    first, second, third = (record(event(step, scalar("loss", step))) for step in (1, 2, 3))
    (tmp_path / NAME).write_bytes(FIRST + first + b"\xff" + second[1:] + third)
    run = opened(tmp_path)
    assert found(run) == {"loss": [(1, 1.0)]}
    assert run.damaged == 1


@pytest.mark.parametrize(
    "data",
    [
        b"\x2a\xff\x01",  # a summary that ends beyond the record
        b"\x80" * 11,  # a number without an end
        b"\x0b",  # a group: protobuf 1, no wire type any more
        event(-1, scalar("loss", 1.0)),
        event(1 << 60, scalar("loss", 1.0)),
    ],
    ids=bytes.hex,
)
def test_a_record_that_holds_no_event_is_left_out(tmp_path: Path, data: bytes) -> None:
    write_events(tmp_path / NAME, data, event(1, scalar("loss", 1.0)))
    run = opened(tmp_path)
    assert found(run) == {"loss": [(1, 1.0)]}
    assert run.damaged == 1


def test_a_large_record_is_passed_over_unread(tmp_path: Path) -> None:
    """Its checksum would take a second; pictures and graphs are of no use here."""
    graph = event(0, of_bytes(4, bytes(module.MOST_READ)))
    length = struct.pack("<Q", len(graph))
    head = length + struct.pack("<I", masked_crc(length))
    (tmp_path / NAME).write_bytes(
        FIRST + head + graph + b"????" + record(event(1, scalar("loss", 1.0)))
    )
    assert found(opened(tmp_path)) == {"loss": [(1, 1.0)]}


@pytest.mark.parametrize("content", [b"hello, this is text", bytes(100), b"\xff" * 50])
def test_what_is_no_event_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / NAME).write_bytes(content)
    with pytest.raises(ValueError, match="no TensorBoard event file"):
        open_run(tmp_path)


def test_a_file_without_scalars_says_so(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(FIRST)
    with pytest.raises(ValueError, match="no numbers over steps"):
        open_run(tmp_path)


def test_bounds_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_events(tmp_path / NAME, *(event(step, scalar("loss", step)) for step in range(6)))
    for name, limit, told in (
        ("MOST_RECORDS", 5, "more than 5 records"),
        ("MOST_BYTES", 100, "more than the 100"),
        ("MOST_FILES", 0, "more than 0"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(module, name, limit)
            with pytest.raises(ValueError, match=told):
                open_run(tmp_path)


def test_a_varint_of_the_writer_has_seven_bits_a_byte() -> None:
    assert (varint(1), varint(300), len(varint(-1))) == (b"\x01", b"\xac\x02", 10)


@pytest.mark.peers
def test_tensorboard_reads_the_same(tmp_path: Path) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    values = [(step, float(np.float32(1 / (step + 1)))) for step in range(20)]
    write_events(tmp_path / NAME, *(event(step, scalar("loss", value)) for step, value in values))
    theirs = accumulator.EventAccumulator(str(tmp_path)).Reload()
    assert [(one.step, one.value) for one in theirs.Scalars("loss")] == values
    assert found(opened(tmp_path)) == {"loss": values}
