"""Downloads one file: it can be watched, stopped and resumed, and it is there whole or not at all.

The bytes go into a hidden file beside the target. Only when the last one has come and the SHA-256
is right is it renamed into place. Stopped, by closing the generator or by a broken line, that file
stays, and the next try asks the server for the rest alone (RFC 9110, section 14, Range).
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
TIMEOUT = 30.0  # seconds without a byte after which the line counts as broken
MAX_DOWNLOAD = 8192 * MEGABYTE
AGENT = "llm-explorer"
BROKEN = (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a download is: bytes there, bytes in all (None where the server does not say)."""

    done: int
    total: int | None
    resumed_from: int = 0
    seconds: float = 0.0

    @property
    def bytes_per_second(self) -> float:
        """Over this try alone; 0 before the first byte."""
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
    """Downloads `address` into the file `target`, a Progress for every 256 kB; returns the path.

    sha256  hexadecimal; what does not match it is thrown away. Without it nothing can be resumed,
            as the rest might be of another version
    size    bytes the file must have, where known

    Raises ValueError, with the remedy, for an address that is no http(s), an answer that is no
    file, too many bytes or the wrong ones; ConnectionError where the line breaks; OSError where the
    disk does. An existing target stays as it was in all these cases.
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
    """Where the bytes wait: one place for each content, so that a later try finds them."""
    return target.with_name(
        f".{target.name}.{sha256[:16] if sha256 else secrets.token_hex(8)}.part"
    )


def _fetch(
    address: str, part: Path, sha256: str | None, limit: int, timeout: float
) -> Generator[Progress, None, Progress]:
    """Brings `part` up to what the server has; returns the last Progress."""
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
        if error.code == 416 and have:  # there is no rest: the whole file may be here already
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
    """Asks for the file, or for what follows the first `have` bytes; web protocols only."""
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
    """The place of the first byte of a partial answer ("bytes 100-199/200"); -1 if not said."""
    unit, _, places = response.headers.get("Content-Range", "").partition(" ")
    first = places.partition("-")[0]
    return int(first) if unit == "bytes" and first.isdecimal() else -1


def _total(response: http.client.HTTPResponse, start: int) -> int | None:
    length = response.headers.get("Content-Length", "")
    return start + int(length) if length.isdecimal() else None


def broken_line(
    address: str, error: Exception, *, kept: bool, begun: bool = False
) -> ConnectionError:
    """A line that was never there, or broke after it had `begun` to send: whose, why, and what to
    do.
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
    """Throws away what is not the file expected; yields after every megabyte that it has read."""
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
    """The SHA-256 of a file in hexadecimal, read in pieces."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _move(part: Path, target: Path) -> None:
    try:
        os.replace(part, target)
    except FileNotFoundError:
        if not target.exists():  # else another process has finished the same download
            raise


def download(address: str, target: str | Path, *, sha256: str | None = None) -> Path:
    """download_steps, to the end."""
    return to_the_end(download_steps(address, target, sha256=sha256))
