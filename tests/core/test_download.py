"""Downloads from a server on this machine: whole, cut, stopped, resumed, wrong."""

import hashlib
import io
import itertools
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from core.download import (
    CHUNK,
    Progress,
    broken_line,
    download,
    download_steps,
    file_sha256,
    partial_path,
)
from core.files import MEGABYTE

CONTENT = bytes(range(256)) * 4096  # 1 MiB
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Server(ThreadingHTTPServer):
    """Serves CONTENT; what else it does is set by the test."""

    daemon_threads = True
    content = CONTENT
    status = 200
    ranges = True  # answers Range requests
    cut_at: int | None = None  # breaks the line after so many bytes of the file
    tells_length = True
    wrong_range = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[str | None] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/file"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is what these tests are about."""


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        server, content = self.server, self.server.content
        wanted = self.headers.get("Range")
        server.asked.append(wanted)
        if self.path == "/elsewhere":
            self.send_response(302)
            self.send_header("Location", "ftp://127.0.0.1/file")
            self.end_headers()
            return
        if server.status != 200:
            self.send_error(server.status)
            return
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and server.ranges else 0
        if start >= len(content):
            self.send_error(416)
            return
        self.send_response(206 if wanted and server.ranges else 200)
        if start:
            place = 0 if server.wrong_range else start
            self.send_header("Content-Range", f"bytes {place}-{len(content) - 1}/{len(content)}")
        if server.tells_length:
            self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        self.wfile.write(content[start : server.cut_at])

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@contextmanager
def serving() -> Iterator[Server]:
    """A server on this machine, in a thread that ends with the block."""
    with Server() as made:
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield made
        finally:
            made.shutdown()
            thread.join()


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as made:
        yield made


def visible(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


def test_a_file_arrives_whole_and_its_progress_is_told(server: Server, tmp_path: Path) -> None:
    target = tmp_path / "deep" / "file.bin"
    told = list(download_steps(server.address, target, sha256=SHA256, size=len(CONTENT)))
    assert target.read_bytes() == CONTENT
    assert [name.name for name in target.parent.iterdir()] == ["file.bin"]
    assert told[0] == Progress(0, len(CONTENT))
    assert [step.done for step in told] == sorted(step.done for step in told)
    assert told[-1].done == told[-1].total == len(CONTENT)
    assert told[-1].bytes_per_second > 0
    assert all(b.done - a.done <= CHUNK for a, b in itertools.pairwise(told))


def test_a_cut_line_is_told_and_the_next_try_asks_for_the_rest(
    server: Server, tmp_path: Path
) -> None:
    target = tmp_path / "file.bin"
    server.cut_at = 700_000
    with pytest.raises(ConnectionError, match="700,000 of 1,048,576 bytes: try again"):
        download(server.address, target, sha256=SHA256)
    assert visible(tmp_path) == []
    server.cut_at = None
    told = list(download_steps(server.address, target, sha256=SHA256))
    assert server.asked == [None, "bytes=700000-"]
    assert told[0] == Progress(700_000, len(CONTENT), 700_000)
    assert target.read_bytes() == CONTENT
    assert os.listdir(tmp_path) == ["file.bin"]


def test_a_line_cut_without_a_length_is_noticed_by_the_size(server: Server, tmp_path: Path) -> None:
    server.tells_length = False
    server.cut_at = 100_000
    steps = download_steps(server.address, tmp_path / "a", sha256=SHA256, size=len(CONTENT))
    with pytest.raises(ConnectionError, match="100,000 of 1,048,576"):
        list(steps)
    assert visible(tmp_path) == []


def test_stopped_at_any_moment_nothing_half_written_is_there(
    server: Server, tmp_path: Path
) -> None:
    target = tmp_path / "file.bin"
    target.write_bytes(b"the old one")
    for _ in range(3):
        steps = download_steps(server.address, target, sha256=SHA256)
        next(steps)
        next(steps)
        steps.close()
        assert target.read_bytes() == b"the old one"
        assert partial_path(target, SHA256).stat().st_size > 0
    list(download_steps(server.address, target, sha256=SHA256))
    assert target.read_bytes() == CONTENT
    assert server.asked[0] is None
    assert len(set(server.asked)) == 4  # each try went on where the one before had ended


def test_stopped_while_the_whole_file_is_checked_it_waits_for_the_next_try(
    server: Server, tmp_path: Path
) -> None:
    target = tmp_path / "file.bin"
    steps = download_steps(server.address, target, sha256=SHA256)
    checks = sum(step.done == len(CONTENT) for step in steps) - 1  # the first is its last piece
    assert checks == -(-len(CONTENT) // MEGABYTE)
    target.unlink()
    steps = download_steps(server.address, target, sha256=SHA256)
    while next(steps).done < len(CONTENT):
        pass
    next(steps)
    steps.close()
    assert not target.exists()
    assert partial_path(target, SHA256).stat().st_size == len(CONTENT)
    list(download_steps(server.address, target, sha256=SHA256))
    assert target.read_bytes() == CONTENT


def test_without_a_hash_nothing_is_kept_for_later(server: Server, tmp_path: Path) -> None:
    steps = download_steps(server.address, tmp_path / "file.bin")
    next(steps)
    next(steps)
    steps.close()
    assert os.listdir(tmp_path) == []
    assert download(server.address, tmp_path / "file.bin").read_bytes() == CONTENT


def test_a_server_that_knows_no_ranges_sends_everything_again(
    server: Server, tmp_path: Path
) -> None:
    target = tmp_path / "file.bin"
    partial_path(target, SHA256).write_bytes(b"\0" * 1000)
    server.ranges = False
    assert download(server.address, target, sha256=SHA256).read_bytes() == CONTENT


def test_a_part_that_is_the_whole_file_is_recognized(server: Server, tmp_path: Path) -> None:
    target = tmp_path / "file.bin"
    partial_path(target, SHA256).write_bytes(CONTENT)
    assert download(server.address, target, sha256=SHA256).read_bytes() == CONTENT


@pytest.mark.parametrize("rest", [b"\0" * 1000, b"\0" * len(CONTENT)])
def test_a_wrong_part_is_thrown_away_and_the_next_try_succeeds(
    server: Server, tmp_path: Path, rest: bytes
) -> None:
    target = tmp_path / "file.bin"
    partial_path(target, SHA256).write_bytes(rest)
    with pytest.raises(ValueError, match="not the file that was expected.*try again"):
        download(server.address, target, sha256=SHA256)
    assert os.listdir(tmp_path) == []
    assert download(server.address, target, sha256=SHA256).read_bytes() == CONTENT


def test_the_wrong_content_never_takes_the_place(server: Server, tmp_path: Path) -> None:
    target = tmp_path / "file.bin"
    target.write_bytes(b"the old one")
    server.content = CONTENT[:-1] + b"!"
    with pytest.raises(ValueError, match="thrown away"):
        download(server.address, target, sha256=SHA256)
    assert target.read_bytes() == b"the old one"
    assert os.listdir(tmp_path) == ["file.bin"]


@pytest.mark.parametrize("tells_length", [True, False])
def test_a_file_that_is_too_large_is_refused(
    server: Server, tmp_path: Path, tells_length: bool
) -> None:
    server.tells_length = tells_length
    with pytest.raises(ValueError, match="more than the 500,000"):
        list(download_steps(server.address, tmp_path / "a", sha256=SHA256, size=500_000))
    assert visible(tmp_path) == []


@pytest.mark.parametrize(
    ("status", "remedy"),
    [(401, "signed in"), (403, "signed in"), (404, "no longer there"), (500, "try again later")],
)
def test_an_answer_that_is_no_file_says_what_to_do(
    server: Server, tmp_path: Path, status: int, remedy: str
) -> None:
    server.status = status
    with pytest.raises(ValueError, match=f"answered {status}.*{remedy}"):
        download(server.address, tmp_path / "a", sha256=SHA256)
    assert os.listdir(tmp_path) == []


def test_another_part_than_asked_for_is_refused(server: Server, tmp_path: Path) -> None:
    server.wrong_range = True
    target = tmp_path / "file.bin"
    partial_path(target, SHA256).write_bytes(CONTENT[:1000])
    with pytest.raises(ValueError, match="another part"):
        download(server.address, target, sha256=SHA256)
    assert partial_path(target, SHA256).read_bytes() == CONTENT[:1000]


def test_no_server_and_no_web_address(server: Server, tmp_path: Path) -> None:
    server.server_close()
    with pytest.raises(ConnectionError, match="check the network"):
        download(server.address, tmp_path / "a", sha256=SHA256)
    for address in ("file:///etc/hostname", "ftp://127.0.0.1/x", "/etc/hostname", ""):
        with pytest.raises(ValueError, match="no web address"):
            download(address, tmp_path / "a")


def test_a_redirect_leads_to_web_addresses_only(server: Server, tmp_path: Path) -> None:
    with pytest.raises((ValueError, ConnectionError)):
        download(server.address.replace("/file", "/elsewhere"), tmp_path / "a")
    assert os.listdir(tmp_path) == []


def test_the_hash_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(CONTENT)
    assert file_sha256(tmp_path / "a") == SHA256


def test_a_line_that_was_never_there_names_the_host_and_the_reason() -> None:
    error = OSError(-3, "Temporary failure in name resolution")
    said = str(broken_line("https://example.org/a/b.bin", error, kept=False))
    assert said.startswith("example.org does not answer (Temporary failure in name resolution): ")
    assert said.endswith("try again")
    assert "already downloaded is kept" in str(broken_line("https://a.org/b", error, kept=True))


class BrokenAnswer(io.BytesIO):
    """The head of an answer, so many bytes, and then a line that breaks."""

    status = 200
    headers: ClassVar[dict[str, str]] = {}

    def read1(self, size: int | None = -1) -> bytes:
        if chunk := super().read1(size):
            return chunk
        raise ConnectionResetError(104, "Connection reset by peer")


@pytest.mark.parametrize(("sent", "verb"), [(0, "does not answer"), (9, "stopped answering")])
def test_a_line_that_breaks_while_it_sends_is_not_told_to_have_been_silent(
    sent: int, verb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.download._answer", lambda *_: BrokenAnswer(CONTENT[:sent]))
    with pytest.raises(ConnectionError) as caught:
        download("https://example.org/a", tmp_path / "a", sha256=SHA256)
    assert str(caught.value).startswith(f"example.org {verb} (Connection reset by peer): ")
    assert str(caught.value).endswith("already downloaded is kept") == (sent > 0)
