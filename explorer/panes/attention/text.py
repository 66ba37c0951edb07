"""All sentences of Attention. No Qt."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from core.inference.heads import followers
from core.numbers import MINUS, TIMES, format_number, format_percent, format_share
from core.substitution import Arithmetic
from core.tokenization.telling import count, visible
from explorer.panes.attention import scene as steps
from explorer.panes.attention.comparison import Comparison
from explorer.panes.attention.compute import Head, Heads, Prompt, piece_text
from explorer.panes.attention.scene import Downstream, Likely, Scene

if TYPE_CHECKING:
    from core.tokenization import Tokenizer

# -- the panel of all heads -------------------------------------------------------------------

SCORES = {
    "induction": "Induction",
    "previous_token": "Previous token",
    "duplicate": "Duplicate token",
    "first_token": "First token",
    "entropy": "Entropy",
}
MEANINGS = {
    "induction": "how much this head looks at what came after earlier copies of the same token",
    "previous_token": "how much this head looks at the token just before",
    "duplicate": "how much this head looks at earlier copies of the same token",
    "first_token": "how much this head looks at the first token, where many heads rest when they "
    "find nothing to read",
    "entropy": "how evenly this head spreads its attention: 0 is all on one token, 1 is uniform",
}
DIFFERENCE = "Difference"
WHICH_SCORE = "Choose the score that the bars in the small maps show"
COMPARED_SCORE = "In a comparison, the bars show how much each head changes"
SORT, DIM = "Sort the heads of each layer by this score", "Dim heads with a low score"
DIMMED = "Heads that score below {:.1f} are dimmed"
LOCKED, FIRST_HIDDEN = "locked", "first token hidden; each row is rescaled to sum to 1"
OFF = "Head off"
OFF_HELP = "Switch this head off and see what the model predicts without it (Ctrl+Shift+X)"
ALL_ON, ALL_ON_HELP = "All on", "Switch all heads on again"
ALL_HEADS_ON = "All heads on"
TRAINS = "Heads can be switched off once the run has ended"
UPDATE, UPDATE_HELP = "Update", "Run the model as it is now (F5)"

# -- the chosen head --------------------------------------------------------------------------

VIEWS = {"map": "Heat map", "arcs": "Arcs", "steps": "Steps", "compare": "Compare"}
HIDE = "Hide first token"
HIDE_HELP = (
    "Many heads look at the first token when they find nothing to read. If it is hidden, the rest "
    "of each row is rescaled to sum to 1."
)
WALK, STOP = "Walk", "Stop walking"
WALK_HELP = "Play the steps, token by token (Ctrl+Shift+W)"
APPEND_HELP = "Add this token to the end of the text (Ctrl+Shift+A)"
ENDS = "The model expects the text to end here"
PART = "This token is only a part of a character, so a text cannot end with it"

# -- states -----------------------------------------------------------------------------------

TEACHES = "Which earlier tokens each head reads"
EMPTY = "Type some text above to see which earlier tokens each head reads."
EXAMPLE, BUNDLED = "Use the example", "Show the bundled model instead"
NO_TEXT, FAILED = "There is no text to read yet", "The model could not be run"
READING = "Running {} to see its heads"
CHANGE_PROMPT = "Change prompt"
UNPINNED = "The query follows the end of the text."
PINNED = "The query is pinned to {}. Esc unpins it."
HEAD_LOCKED = "Layer {}, head {} is locked. Esc unlocks it."
UNLOCKED = "No head is locked now. Point at a head to see it."

# -- a comparison -----------------------------------------------------------------------------

OTHERS = {"text": "Another text", "base": "Before fine-tuning"}
LAYOUTS = {"difference": "Difference", "sides": "Side by side"}
SECOND, SECOND_HELP = "second text", "The text to compare with; leave it empty for a suggestion"
UNALIGNED = "Maps of texts with different lengths cannot be subtracted"
COMPARING = "Running the model for the comparison"
SAME = "Both texts are the same. Change a word in the second one."


def unanswered(name: str, step: int) -> tuple[str, str]:
    """Headline and explanation while a run has not given its first heads yet."""
    return (
        f"{name} has not shown its heads yet",
        f"{name} is at step {step:,}. Its heads appear as soon as it finishes the current step.",
    )


def quoted(label: str) -> str:
    """Quotes a token for a sentence: \u201cMira\u201d. Whitespace becomes visible signs; an empty
    token is called that.
    """
    return f"\u201c{label.strip() or visible(label)}\u201d" if label else "an empty token"


def head_name(layer: int, head: int) -> str:
    return f"Layer {layer}, head {head}"


def cut_warning(prompt: Prompt | None) -> str:
    """Says how many tokens do not fit into the model; "" if all do."""
    if prompt is None or not prompt.cut:
        return ""
    tokens = "token is" if prompt.cut == 1 else f"{prompt.cut} tokens are"
    return f"This model reads at most {prompt.limit} tokens, so the first {tokens} left out"


def switched(head: Head, off: Sequence[Head]) -> str:
    """Name for undo of switching a head off or on."""
    return f"{head_name(*head)} {'off' if head in off else 'on'}"


def heads_off(off: Sequence[Head], is_later: bool = False) -> str:
    """2 heads off: L0 H3, L1 H2. With `is_later`, they are off only once the run has ended."""
    names = ", ".join(f"L{layer} H{head}" for layer, head in off)
    when = " once the run has ended" if is_later else ""
    return f"{count(len(off), 'head')} off{when}: {names}" if off else ""


def version(
    heads: Heads | None, is_live: bool, newer: int | None, kept: int | None, mode: str
) -> str:
    """Names the step of the run that is shown; `newer` is the step that a live run has reached
    since. For recorded heads, steps and comparisons need queries, keys and values, which only the
    run's checkpoint at step `kept` has.
    """
    if heads is None:
        return ""
    if is_live:
        now = f"; the run is at step {newer:,}" if newer is not None else ""
        return f"heads at step {heads.version:,}{now}"
    if kept is None:
        return ""
    if heads.off:
        return f"heads from the checkpoint at step {kept:,}, with some off"
    if heads.vectors is None:
        return f"heads on another text, from the checkpoint at step {kept:,}"
    if mode == "compare":
        return f"heads from the checkpoint at step {kept:,}"
    if mode == "steps":
        return f"from the nearest checkpoint, step {kept:,} (not {heads.version:,})"
    return f"heads recorded at step {heads.version:,}"


def append(token: str) -> str:
    return f"Append {token}"


# -- what a head does -------------------------------------------------------------------------

CLEAR = 0.5  # of a row's weight: at least this much for a sentence to say what the head does
FAINT = 0.2


def head_sentence(heads: Heads, place: tuple[int, int, int], hide_first: bool = False) -> str:
    """Describes what this head does for this query, from the weights as shown.

    It speaks of the head in general only if the head's score supports that.
    """
    layer, head, query = place
    labels, ids = heads.prompt.labels, heads.prompt.ids
    row = heads.weights(layer, head, hide_first)[query, : query + 1]
    me = quoted(labels[query])
    if query == 0:
        return f"Nothing comes before the first token, {me}, so all its attention stays on itself."
    if not row.any():
        return f"All the attention of {me} rests on the first token, which is hidden."
    follow = followers(ids)[query, : query + 1]
    same = np.array([ids[j] == ids[query] for j in range(query)] + [False])
    best = int(np.argmax(row))
    share = f"{_percent(row[best])} {_part(hide_first)}"
    if row[follow].sum() >= CLEAR and follow[best]:
        return f"This head finds an earlier {me} and looks at what came after it."
    if same.any() and row[same].sum() >= CLEAR:
        return f"This head finds an earlier {me} and looks at that token itself."
    if row[best] < FAINT:
        return f"This head spreads its attention: no token gets more than {share}."
    if best == query:
        return f"Here {me} looks at itself ({share})."
    if best == query - 1:
        before = quoted(labels[best])
        if heads.score("previous_token")[layer, head] < CLEAR:
            return f"Here {me} looks at the token just before, {before} ({share})."
        return f"This head looks at the token just before: {me} gives {before} {share}."
    if best == 0:
        return f"This head finds nothing to read for {me} and looks at the first token ({share})."
    return f"For {me}, this head looks most at {quoted(labels[best])}: {share} goes there."


def _part(hide_first: bool) -> str:
    """What a share is of."""
    return f"of its attention{' beyond the first token' if hide_first else ''}"


def announced(heads: Heads, place: tuple[int, int, int], score: str, hide: bool) -> str:
    """Describes one head and one query for screen readers."""
    layer, head, query = place
    labels = heads.prompt.labels
    value = float(heads.score(score)[layer, head])
    row = heads.weights(layer, head, hide)[query]
    best, part = int(np.argmax(row)), _part(hide)
    return (
        f"{head_name(layer, head)}: {SCORES[score].lower()} {format_number(value)}. "
        f"{quoted(labels[query])} looks most at {quoted(labels[best])} "
        f"({_percent(row[best])} {part})."
    )


def view_name(mode: str, hide_first: bool, comparison: Comparison | None) -> str:
    """Title of the picture when it shows no step; "" for the steps."""
    if mode == "compare":
        of_base = comparison is not None and comparison.of_base
        return f"This head {'before and after fine-tuning' if of_base else 'on two texts'}"
    if mode == "steps":
        return ""
    rest = ", without the first token" if hide_first else ""
    picture = {"map": "Heat map", "arcs": "Arc diagram"}[mode]
    return f"{picture} of the weights after softmax{rest}"


# -- the steps --------------------------------------------------------------------------------


def step_sentence(scene: Scene, step: int) -> str:
    """Describes a step with the tokens that it involves."""
    me = quoted(scene.labels[scene.query])
    best = quoted(scene.labels[scene.target])
    ends = "" if scene.downstream else " While the run trains, the steps end here."
    return (
        f"The token {me} asks with its query q; every token offers a key k and a value v.",
        f"Multiply the query of {me} by every key, dimension by dimension.",
        "Add up each row's products to get one score for each token.",
        f"Divide each score by \u221a{scene.size}, so that scores do not grow with the head size.",
        _mask_sentence(scene, me),
        f"Softmax turns scores into weights that sum to 1; the largest weight goes to {best}.",
        "Multiply the value of each token by its weight.",
        f"The sum of the weighted values is what this head reads for {me}, above all "
        f"from {best}.{ends}",
        *_last_sentences(scene, me),
    )[step]


def _mask_sentence(scene: Scene, me: str) -> str:
    """Names the tokens hidden from the query: all later ones, and with a window also far ones."""
    later = scene.n_tokens - 1 - scene.query
    far = sum(scene.hidden(key) for key in range(scene.query))
    if far:
        before = f"the {far} tokens that are" if far > 1 else "the token that is"
        after = f" and the {'one' if later == 1 else later} after it" if later else ""
        return f"Hide {before} too far before {me}{after}, as this layer sees only a window."
    if not later:
        return f"Nothing is hidden: {me} is the last token, so it may look at every token."
    what = f"the {later} tokens" if later > 1 else "the token"
    return f"Hide {what} after {me}: the model must not see what it has to predict."


def _last_sentences(scene: Scene, me: str) -> tuple[str, ...]:
    one = scene.downstream
    if one is None:
        return ()
    others = len(one.by_head) - 1
    mixed = (
        f"The output matrix W_O turns the {scene.size} numbers that this head has read into "
        f"{one.written.size}, one for each dimension of the residual stream."
    )
    if one.is_off:
        mixed = "This head is off, so nothing that it reads reaches the residual stream."
    rest = f" and the {others} others" if others > 1 else " and the other one"
    heads = f"outputs of this head{rest}" if others else "output of this head"
    return mixed, f"Add the {heads} to the residual stream of {me}.", _prediction(one)


def _prediction(one: Downstream) -> str:
    """Names the expected token, and compares it with the text, or with all heads on."""
    if one.top.before is not None:
        return _changed_prediction(one)
    left = one.layers_left
    later = f"After {count(left, 'more layer')}" if left else "After this last layer"
    expects = f"{later}, the model's likeliest next token is {likely_name(one.top)} "
    expects += f"({format_percent(one.top.share)})"
    if one.came is None:
        return f"{expects}."
    if one.came is one.top:
        return f"{expects}, and the text does continue with it."
    came = f"{likely_name(one.came)} ({format_share(one.came.share)})"
    return f"{expects}; the text continues with {came}."


def _changed_prediction(one: Downstream) -> str:
    """Says how the heads that are off change the token that is likeliest with all heads on."""
    favorite, before = one.favorite, one.favorite.before or 0.0
    now, was = format_percent(favorite.share), format_percent(before)
    moved = f"{'falls' if favorite.share < before else 'rises'} from {was} to {now}"
    moved = f"stays at {now}" if now == was else moved
    off = count(one.n_off, "head")
    said = f"With {off} off, the probability of {likely_name(favorite)} {moved}"
    if favorite is one.top:
        return f"{said}."
    best = format_percent(one.top.share)
    ahead = "is now just ahead of it" if best == now else f"now comes first, with {best}"
    return f"{said}; {likely_name(one.top)} {ahead}."


def likely_name(one: Likely) -> str:
    """Quotes a candidate for the next token in a sentence."""
    return quoted(piece_text(one.piece))


def appended(one: Likely, tokenizer: Tokenizer) -> tuple[str, str]:
    """Returns the text that a token appends, and the reason if it cannot be appended."""
    if one.token in tokenizer.special_tokens.values():
        return "", ENDS
    try:
        return one.piece.decode(), ""
    except UnicodeDecodeError:
        return "", PART


def why_hidden(scene: Scene, key: int) -> str:
    return "comes later" if key > scene.query else "is too far back"


# -- a line of live numbers below the steps ---------------------------------------------------

Piece = tuple[str, str]  # text, color role
ROLES = {
    **dict.fromkeys(("q", "query"), "q"),
    **dict.fromkeys(("k", "keys"), "k"),
    **dict.fromkeys(("v", "values"), "v"),
    **dict.fromkeys(("scores", "masked", "weights", "weight"), "attention"),
}
LAST_ROLES = {
    **dict.fromkeys(("heads", "written"), "attention"),
    **dict.fromkeys(("weights", "residual", "others", "scaled"), "text"),  # weights of W_O
}


def _arithmetic(
    told: Arithmetic, role: str = "attention", roles: Mapping[str, str] = ROLES
) -> Iterator[Piece]:
    """Yields each number in the color of its name in the code."""
    for piece in told.pieces:
        yield piece.text, roles.get(piece.name, "muted")
    yield f" {told.sign} ", "muted"
    yield told.result, role


@lru_cache(maxsize=64)
def live_line(scene: Scene, step: int, key: int) -> tuple[Piece, ...]:
    """Returns the arithmetic of `step` for one key; cached, as every frame draws it."""
    name: Piece = (f"{quoted(scene.labels[key])}  ", "text")
    hidden = scene.hidden(key)
    match step:
        case steps.PROJECT:
            return (
                (f"Each has {scene.size} numbers: ", "muted"),
                ("q ", "q"), ("asks, ", "muted"),
                ("k ", "k"), ("is compared with it, and ", "muted"),
                ("v ", "v"), ("is what the head can read", "muted"),
            )  # fmt: skip
        case steps.PRODUCTS | steps.SCORES:
            product = ("q", "q"), ("\u00b7", "muted"), ("k", "k"), (" = ", "muted")
            return (name, *product, *_arithmetic(scene.told(steps.SCORES, key)))
        case steps.SCALE:
            divided: Piece = (f"q\u00b7k \u00f7 \u221a{scene.size} = ", "muted")
            return (name, divided, *_arithmetic(scene.told(step, key)))
        case steps.MASK if hidden:
            why: Piece = (f"{why_hidden(scene, key)}, so its score becomes ", "muted")
            return (name, why, (f"{MINUS}\u221e", "attention"), (" and its weight 0", "muted"))
        case steps.MASK:
            stays: Piece = ("can be seen, so its score stays ", "muted")
            return (name, stays, (format_number(scene.masked[key]), "attention"))
        case steps.SOFTMAX if hidden:
            return (name, (f"e^{MINUS}\u221e = 0, so its weight is ", "muted"), ("0", "attention"))
        case steps.SOFTMAX:
            return (name, *_arithmetic(scene.told(step, key)))
        case steps.WEIGH:
            largest = int(np.argmax(np.abs(scene.v[key])))
            return (
                name,
                (format_number(scene.weights[key]), "attention"),
                (f" {TIMES} ", "muted"), ("v", "v"),
                (f", in dimension {largest}: ", "muted"),
                *_arithmetic(scene.told(step, key, largest), "text"),
            )  # fmt: skip
        case steps.OUTPUT:
            return _output_line(scene)
    assert scene.downstream is not None
    return _last_line(scene, scene.downstream, step)


def _output_line(scene: Scene) -> tuple[Piece, ...]:
    """Returns the weighted sum: its two largest terms, then the rest."""
    best = np.argsort(-scene.weights, kind="stable")[:2]
    pieces: list[Piece] = [("o", "attention"), (" = ", "muted")]
    for place, one in enumerate(int(index) for index in best if scene.weights[index] > 0):
        pieces += [
            (" + " if place else "", "muted"),
            (format_number(scene.weights[one]), "attention"),
            (" v", "v"),
            (f" of {quoted(scene.labels[one])}", "muted"),
        ]
    if np.count_nonzero(scene.weights) > len(best):
        rest = format_number(max(0.0, 1.0 - float(scene.weights[best].sum())))
        pieces += [(" + the others", "muted"), (f" (total weight {rest})", "muted")]
    return tuple(pieces)


def _last_line(scene: Scene, one: Downstream, step: int) -> tuple[Piece, ...]:
    """Returns the line of the dimension that the head writes most to, or the likeliest token."""
    if step == steps.PREDICT:
        told = _arithmetic(scene.told(step, one.top.token), "text", LAST_ROLES)
        return ((f"{likely_name(one.top)}  ", "text"), *told)
    if step == steps.MIX and one.is_off:
        return (("this head is off, so its output is ", "muted"), ("0", "attention"),
                (" in every dimension", "muted"))  # fmt: skip
    largest = int(np.argmax(np.abs(one.written)))
    where: Piece = (f"dimension {largest} of the stream  ", "text")
    role = "attention" if step == steps.MIX else "text"
    return (where, *_arithmetic(scene.told(step, largest), role, LAST_ROLES))


def cut_to(
    pieces: Sequence[Piece], width: float, advance: Callable[[str], float]
) -> Sequence[Piece]:
    """Returns the pieces that fit, and always the last two: sign and result."""
    if sum(advance(text) for text, _ in pieces) <= width:
        return pieces
    end = (("\u2026", "muted"), *pieces[-2:])
    room, kept = width - sum(advance(text) for text, _ in end), []
    for piece in pieces[:-2]:
        room -= advance(piece[0])
        if room < 0:
            break
        kept.append(piece)
    return (*kept, *end)


# -- a comparison -----------------------------------------------------------------------------


def reading_names(found: Comparison) -> tuple[str, str]:
    """Names of both readings in the inspector and in tables."""
    return ("before", "after") if found.of_base else ("first text", "second text")


def captions(found: Comparison) -> tuple[str, str]:
    """Captions of the two maps."""
    if found.of_base:
        return (
            f"before fine-tuning: {found.first.source}",
            f"after fine-tuning: {found.second.source}",
        )
    return found.first.prompt.text, found.second.prompt.text


def difference_note(found: Comparison) -> str:
    """Note below the difference map."""
    return "{1} minus {0}".format(*reading_names(found))


def comparison_notes(found: Comparison) -> str:
    """Notes on the second reading: cut tokens, another step; "" if there are none."""
    notes = [cut_warning(found.second.prompt)]
    if found.second.version != found.first.version:
        notes.append(f"The second text was read at step {found.second.version:,}")
    return ". ".join(filter(None, notes))


def comparison_sentence(found: Comparison, layer: int, head: int) -> str:
    """Says how much this head changes between the readings, and which head changes most."""
    if found.is_same_text and not found.of_base:
        return SAME
    at = np.unravel_index(int(found.difference.argmax()), found.difference.shape)
    most, here = found.difference[at], found.difference[layer, head]
    other = f"layer {at[0]}, head {at[1]}"
    if not found.is_aligned:
        sizes = f"{found.first.n_tokens} and {found.second.n_tokens} tokens"
        begins = f"On texts of {sizes}, only the scores of heads can be compared"
        if at == (layer, head):
            return f"{begins}: this head differs most, by {format_number(most)}."
        return (
            f"{begins}: {other} differs most, by {format_number(most)}; this head differs by "
            f"{format_number(here)}."
        )
    what = "Fine-tuning" if found.of_base else "The other text"
    if not most:
        return f"{what} changes the attention of no head on this text."
    row = found.query(layer, head)
    change = found.change(layer, head, False)[row]
    if not change.any():
        return f"{what} changes nothing in this head; {other} changes most, by {_percent(most)}."
    places = row, int(change.argmin()), int(change.argmax())
    query, *ends = (quoted(found.labels[place]) for place in places)
    loser, winner = (
        "itself" if place == row else name for place, name in zip(places[1:], ends, strict=True)
    )
    moves = f"{query} moves {_percent(here)} of its attention, mostly from {loser} to {winner}"
    if at == (layer, head):
        begins = "Fine-tuning changes this head" if found.of_base else "This head changes"
        return f"{begins} most: {moves}."
    return f"In this head, {moves}; {other} changes most, by {_percent(most)}."


def _percent(share: float) -> str:
    return format_percent(float(share))
