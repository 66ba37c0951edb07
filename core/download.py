"""Downloads one file with progress; it can be stopped and resumed, and appears only when complete.

The bytes go into a hidden file in the same folder. It is renamed to the target only when it is
complete and its SHA-256 matches. If the generator is closed or the connection breaks, the hidden
file stays, and the next try requests only the rest (RFC 9110, section 14, Range).
"""

import hashlib
import http.client
import os
import secrets
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

from core.files import MEGABYTE
from core.jobs import to_the_end

CHUNK = 256 << 10  # bytes read between two yields
TIMEOUT = 30.0  # seconds without a byte after which the connection counts as broken
MAX_DOWNLOAD = 8192 * MEGABYTE
AGENT = "llm-explorer"
BROKEN = (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError)


@dataclass(frozen=True, slots=True)
class Progress:
    """Progress of a download: bytes received, total bytes (None if the server omits them)."""

    done: int
    total: int | None
    resumed_from: int = 0
    seconds: float = 0.0

    @property
    def bytes_per_second(self) -> float:
        """Speed of this try alone; 0 before the first byte."""
        return (self.done - self.resumed_from) / self.seconds if self.seconds > 0 else 0.0


def download_steps(
    address: str,
    target: str | Path,
    *,
    sha256: str | None = None,
    size: int | None = None,
    max_bytes: int = MAX_DOWNLOAD,
    timeout: float = TIMEOUT,
) -> Generator[Progress, None, Path]:
    """Downloads `address` to the file `target`; yields a Progress every 256 kB, returns the path.

    sha256  hexadecimal; a file that does not match is discarded. Without it, downloads cannot be
            resumed, since the rest might be of another version
    size    bytes of the file, if known

    Raises ValueError, with a remedy, for an address that is not http(s), an answer that is not a
    file, too many bytes or wrong ones; ConnectionError if the connection breaks; OSError if the
    disk fails. An existing target is unchanged in all these cases.
    """
    if not address.startswith(("https://", "http://")):
        raise ValueError(f"{address!r} is no web address: it must start with https://")
    target = Path(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = partial_path(target, sha256)
    limit = max_bytes if size is None else size
    try:
        whole = yield from _fetch(address, part, sha256, limit, timeout)
        if size is not None and whole.done != size:
            raise ConnectionError(
                f"{address} ended after {whole.done:,} of {size:,} bytes: try again, the rest "
                "will be added"
            )
        yield from _check(address, part, sha256, whole)
        if target.exists():
            part.chmod(target.stat().st_mode & 0o777)
        _move(part, target)
    finally:
        if sha256 is None:
            part.unlink(missing_ok=True)
    return target


def partial_path(target: Path, sha256: str | None) -> Path:
    """Returns the partial file's path: fixed for each content, so that a later try finds it."""
    return target.with_name(
        f".{target.name}.{sha256[:16] if sha256 else secrets.token_hex(8)}.part"
    )


def _fetch(
    address: str, part: Path, sha256: str | None, limit: int, timeout: float
) -> Generator[Progress, None, Progress]:
    """Downloads the rest of `part` from the server; returns the last Progress."""
    have = part.stat().st_size if sha256 and part.exists() else 0
    if have > limit:
        part.unlink()
        have = 0
    begun = time.monotonic()
    done = start = have
    try:
        with _answer(address, have, timeout) as response:
            start = have if response.status == 206 else 0
            if start and _first_byte(response) != start:
                raise ValueError(f"{address} answered with another part than asked for: try again")
            total = _total(response, start)
            if total is not None and total > limit:
                raise ValueError(
                    f"{address} is {total:,} bytes, more than the {limit:,} expected: the file has "
                    "changed there; get it by hand, or update LLM Explorer"
                )
            done = start
            yield Progress(done, total, start)
            with part.open("r+b" if part.exists() else "w+b") as file:
                file.truncate(start)
                file.seek(start)
                while chunk := response.read1(CHUNK):
                    done += len(chunk)
                    if done > limit:
                        raise ValueError(
                            f"{address} sends more than the {limit:,} bytes expected: get the file "
                            "by hand, or update LLM Explorer"
                        )
                    file.write(chunk)
                    yield Progress(done, total, start, time.monotonic() - begun)
                file.flush()
                os.fsync(file.fileno())
    except urllib.error.HTTPError as error:
        if error.code == 416 and have:  # there is no rest: the file may already be complete
            return Progress(have, have, have)
        message = f"{address} answered {error.code} ({error.reason}): {_remedy(error.code)}"
        raise ValueError(message) from None
    except BROKEN as error:
        kept = sha256 is not None and done > 0
        raise broken_line(address, error, kept=kept, begun=done > start) from error
    if total is not None and done < total:
        raise ConnectionError(
            f"{address} ended after {done:,} of {total:,} bytes: try again, the rest will be added"
        )
    return Progress(done, total, start, time.monotonic() - begun)


def _answer(address: str, have: int, timeout: float) -> http.client.HTTPResponse:
    """Requests the file, or its part after the first `have` bytes; web protocols only."""
    headers = {"User-Agent": AGENT, "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    director = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler,
        urllib.request.HTTPHandler,
        urllib.request.HTTPSHandler,
        urllib.request.HTTPRedirectHandler,
        urllib.request.HTTPErrorProcessor,
        urllib.request.HTTPDefaultErrorHandler,
        urllib.request.UnknownHandler,
    ):
        director.add_handler(handler())
    return director.open(urllib.request.Request(address, headers=headers), timeout=timeout)


def _first_byte(response: http.client.HTTPResponse) -> int:
    """Returns the start of a partial answer ("bytes 100-199/200"), or -1 if not stated."""
    unit, _, places = response.headers.get("Content-Range", "").partition(" ")
    first = places.partition("-")[0]
    return int(first) if unit == "bytes" and first.isdecimal() else -1


def _total(response: http.client.HTTPResponse, start: int) -> int | None:
    length = response.headers.get("Content-Length", "")
    return start + int(length) if length.isdecimal() else None


def broken_line(
    address: str, error: Exception, *, kept: bool, begun: bool = False
) -> ConnectionError:
    """Returns the error for a connection that failed, or broke after it had `begun` to send: with
    host, reason and remedy.
    """
    reason = getattr(error, "reason", None) or error
    why = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
    host = urllib.parse.urlsplit(address).hostname or address
    rest = "; the part already downloaded is kept" if kept else ""
    what = "stopped answering" if begun else "does not answer"
    return ConnectionError(
        f"{host} {what} ({why}): check the network connection and try again{rest}"
    )


def _remedy(code: int) -> str:
    if code in (401, 403):
        return (
            "the file is given only to people who signed in there; get it with your browser and "
            "open it from disk"
        )
    if code in (404, 410):
        return "the file is no longer there; get it from another place and open it from disk"
    return "the server has a problem; try again later"


def _check(
    address: str, part: Path, sha256: str | None, whole: Progress
) -> Generator[Progress, None, None]:
    """Checks the SHA-256, yielding every megabyte; if it differs, deletes the file and raises."""
    if sha256 is None:
        return
    digest = hashlib.sha256()
    with part.open("rb") as file:
        while chunk := file.read(MEGABYTE):
            digest.update(chunk)
            yield whole
    found = digest.hexdigest()
    if found != sha256.lower():
        part.unlink()
        raise ValueError(
            f"what {address} sent is not the file that was expected (SHA-256 {found[:12]}… instead "
            f"of {sha256[:12]}…), so it was thrown away: try again; if it happens twice the file "
            "has changed there, get it by hand"
        )


def file_sha256(path: str | Path) -> str:
    """Returns the SHA-256 of a file in hexadecimal, read in chunks."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _move(part: Path, target: Path) -> None:
    try:
        os.replace(part, target)
    except FileNotFoundError:
        if not target.exists():  # otherwise another process finished the same download
            raise


def download(address: str, target: str | Path, *, sha256: str | None = None) -> Path:
    """Runs `download_steps` to the end."""
    return to_the_end(download_steps(address, target, sha256=sha256))
