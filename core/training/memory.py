"""Whether a run fits into this machine's memory, and what is said where it does not."""

from __future__ import annotations

from core.memory import shortage
from core.training.place import LEFT_ALONE_MESSAGE, is_left_alone

OUT_OF_MEMORY = (
    "there is not enough memory for this model; choose fewer layers, a smaller width, a shorter "
    "context or a smaller batch"
)


def too_large(needed: int) -> str:
    """Why a run that needs so many bytes cannot be, with the remedy; "" where it fits."""
    remedy = "choose fewer layers, a smaller width or a smaller batch"
    return shortage("training this model", needed, remedy)


def end_message(error: BaseException) -> str:
    """An error that ended a run, for people: torch tells of missing memory by a RuntimeError."""
    if is_out_of_memory(error):
        return OUT_OF_MEMORY
    if is_left_alone(error):
        return LEFT_ALONE_MESSAGE
    return str(error) or type(error).__name__


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory is used up, however torch puts it."""
    if isinstance(error, MemoryError):
        return True
    told = str(error).lower()
    return isinstance(error, RuntimeError) and (
        "allocate memory" in told or "out of memory" in told or "not enough memory" in told
    )
