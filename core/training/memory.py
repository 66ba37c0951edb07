"""Checks whether a run fits into this machine's memory, and the messages if it does not."""

from __future__ import annotations

from core.memory import shortage
from core.training.place import LEFT_ALONE_MESSAGE, is_left_alone

OUT_OF_MEMORY = (
    "there is not enough memory for this model; choose fewer layers, a smaller width, a shorter "
    "context or a smaller batch"
)


def too_large(needed: int) -> str:
    """Returns why a run that needs so many bytes does not fit, with a remedy, or "" if it fits."""
    remedy = "choose fewer layers, a smaller width or a smaller batch"
    return shortage("training this model", needed, remedy)


def end_message(error: BaseException) -> str:
    """Returns the message to the user about an error that ended a run."""
    if is_out_of_memory(error):
        return OUT_OF_MEMORY
    if is_left_alone(error):
        return LEFT_ALONE_MESSAGE
    return str(error) or type(error).__name__


def is_out_of_memory(error: BaseException) -> bool:
    """Returns True if an error reports a lack of memory; torch's is a RuntimeError."""
    if isinstance(error, MemoryError):
        return True
    told = str(error).lower()
    return isinstance(error, RuntimeError) and (
        "allocate memory" in told or "out of memory" in told or "not enough memory" in told
    )
