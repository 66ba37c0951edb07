"""The choice of one token, step by step: logits, temperature, cuts, and the draw.

Steps without an effect are omitted: no penalty, no cut. At temperature 0, the choice of the
likeliest token replaces temperature and softmax.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from torch import Tensor

from core.inference.sampling import NextToken, Sampling, draw, next_token
from core.numbers import format_count, format_number, format_share
from core.trace import Step, Trace

_HERE = "core.inference.sampling"
FORMULAS = {
    "logits": r"z = W_U \, \mathrm{norm}(x)",
    "penalty": r"z_i \leftarrow z_i / \theta \ \ (z_i > 0), \quad z_i \theta \ \ (z_i \le 0)",
    "temperature": r"s_i = \frac{z_i - \max z}{T}",
    "greedy": r"p_i = 1 \ \ (i = \arg\max z)",
    "softmax": r"p_i = \frac{e^{s_i}}{\sum_j e^{s_j}}",
    "top_k": r"\{ i : p_i \ge p_{(k)} \}",
    "top_p": r"\{ i : \sum_{p_j > p_i} p_j < p \}",
    "min_p": r"\{ i : p_i \ge m \max p \}",
    "rescale": r"p_i \leftarrow \frac{p_i}{\sum_{\mathrm{kept}} p_j}",
    "draw": r"\min \{ i : \sum_{j \le i} p_j > u \}",
    "append": r"x \leftarrow (x, \, i)",
}


def trace_next_token(
    logits: Tensor,
    sampling: Sampling | None = None,
    seen: Sequence[int] = (),
    drawn: float | None = None,
    came: int | None = None,
) -> Trace:
    """Traces the choice of one token from logits (V,); `seen`: the text so far; `came`: the token
    that the text already has there.

    `about` has "next" (the NextToken), "sampling", the random number "drawn", and the "token" that
    it selects, or else `came`: without a random number, the Trace ends before the draw.
    """
    sampling = sampling or Sampling()
    found = next_token(logits, sampling, seen)
    token = came if drawn is None else draw(found.kept, drawn)
    trace = Trace({"next": found, "sampling": sampling, "token": token, "drawn": drawn})
    for step in _steps(found, sampling, drawn, token):
        trace.append(step)
    return trace.finish()


def _steps(
    found: NextToken, sampling: Sampling, drawn: float | None, token: int | None
) -> Iterator[Step]:
    logits, probabilities = found.penalized.numpy(), found.probabilities.numpy()
    count = format_count(len(logits))
    yield _step(
        "logits",
        f"Logits: the model's scores for all {count} possible tokens",
        "core.inference.generation:generate_steps#logits",
        {"logits": found.logits.numpy()},
    )
    if sampling.repetition_penalty != 1.0:
        penalty = f"{sampling.repetition_penalty:g}"
        title = f"Repetition penalty {penalty}: lower the scores of earlier tokens"
        given = {"logits": found.logits.double().numpy()}
        yield _step("penalty", title, "penalize#penalty", given)
    if sampling.temperature == 0:
        values = {"logits": logits, "likeliest": np.asarray(logits.argmax())}
        title = "Temperature 0: give the likeliest token all the probability"
        yield _step("greedy", title, "temper#greedy", values)
    else:
        scaled = (logits - logits.max()) / sampling.temperature
        values = {"logits": logits, "largest": np.asarray(logits.max()),
                  "temperature": np.asarray(sampling.temperature), "scaled": scaled}  # fmt: skip
        title = f"Temperature {sampling.temperature:g}: {_bent(sampling.temperature)}"
        yield _step("temperature", title, "temper#temperature", values)
        values = {"scaled": scaled, "probabilities": probabilities}
        title = "Softmax: turn the scores into probabilities"
        yield _step("softmax", title, "temper#softmax", values)
    yield from _cuts(found, sampling)
    if drawn is not None and token is not None:
        kept, total = found.kept.numpy(), float(found.kept.cumsum(-1)[-1])
        values = {"drawn": np.asarray(drawn), "total": np.asarray(total), "kept": kept,
                  "place": np.asarray(drawn * total)}  # fmt: skip
        number, share = format_number(drawn), _share(kept[token])
        title = f"Draw: the number {number} falls on a token with probability {share}"
        yield _step("draw", title, "draw#draw", values)
        yield _step(
            "append",
            "Append the chosen token to the text",
            "core.inference.generation:generate_steps#append",
            {"chosen": np.asarray(token)},
        )


def _cuts(found: NextToken, sampling: Sampling) -> Iterator[Step]:
    """Yields the effect of each cut, then rescaling to a sum of 1."""
    left = found.probabilities
    for name, mask, told in (
        ("top_k", found.top_k, sampling.top_k),
        ("top_p", found.top_p, sampling.top_p),
        ("min_p", found.min_p, sampling.min_p),
    ):
        if not told or (name == "top_p" and told >= 1):  # keeps all tokens
            continue
        before, left = left, left.where(mask, 0.0)
        probabilities, kept = before.numpy(), mask.numpy()
        stays = int((left > 0).sum())
        values = {"probabilities": probabilities}
        if name == "top_k":
            values |= {"kept": kept, "smallest": np.asarray(probabilities[kept].min())}
        elif name == "top_p":
            values["top_p"] = np.asarray(told)
        else:
            largest = probabilities.max()
            values |= {"min_p": np.asarray(told), "largest": np.asarray(largest),
                       "smallest": np.asarray(told * largest)}  # fmt: skip
        which = f"{stays:,} tokens remain" if stays != 1 else "one token remains"
        whole = "the probability"
        if before is not found.probabilities:
            whole += " that was left"
        share = _share(float(left.sum() / before.sum()))
        title = f"{name[:3].capitalize()}-{name[4:]} {told:g}: {which}, with {share} of {whole}"
        yield _step(name, title, f"{name}_of#{name}", values)
    if bool((left != found.probabilities).any()):  # something was cut
        total = np.asarray(float(left.sum()))
        values = {"probabilities": left.numpy(), "total": total, "kept": found.kept.numpy()}
        title = "Rescale the remaining probabilities so that they sum to 1"
        yield _step("rescale", title, "rescale#rescale", values)


def _step(name: str, title: str, code: str, values: dict[str, np.ndarray]) -> Step:
    where = code if code.startswith("core.") else f"{_HERE}:{code}"
    return Step(f"sampling.{name}", title, FORMULAS[name], where, values)


def _bent(temperature: float) -> str:
    if temperature == 1:
        return "differences between scores stay the same"
    return f"differences between scores {'grow' if temperature < 1 else 'shrink'}"


def _share(share: float) -> str:
    return format_share(float(share))
