"""The steps of a forward pass, from the config alone: what happens, in which line, and in which
shapes. Loads no torch.

Steps are nested, from coarse to fine: model, block, attention or MLP, a single matrix or norm.
`core.inference.forward_trace` adds their values.

Letters in shapes: T tokens, C width of the residual stream, H heads, G key and value heads, D
dimensions a head, F width of the MLP's hidden layer, V pieces in the vocabulary.
"""

from __future__ import annotations

from dataclasses import replace

from core.inference.outline_parts import Outline, Part
from core.numbers import format_count
from core.tokenization.telling import count
from core.transformer.config import EncoderDecoderConfig, ModelConfig

SHOWN = 20  # rows of the output head to multiply one by one: those of the likeliest tokens

_ATTENTION = "core.transformer.attention"
_CROSS = "core.transformer.cross_attention:CrossAttention.forward"
_GPT = "core.transformer.gpt:GPT"
_ENCODER_DECODER = "core.transformer.encoder_decoder:EncoderDecoder"
_STACK = "core.transformer.stack:Stack"
_LAYERS = "core.transformer.layers"
_PLAIN = "core.transformer.plain"
_SAMPLING = "core.inference.sampling"
_PRODUCT = r"y_i = \sum_j x_j W_{ij}"


def outline(config: ModelConfig, tokens: int) -> tuple[Part, ...]:
    """Returns the whole forward pass for a text of this many tokens.

    Raises ValueError if they do not fit into the model's context.
    """
    if not 0 < tokens <= config.block_size:
        raise ValueError(
            f"{tokens} tokens do not fit: this model reads 1 to {config.block_size}; "
            "give it a text of that length"
        )
    made = Outline(config, tokens)
    _stack(made)
    _ends(made)
    return tuple(made.parts)


def outline_encoder_decoder(
    config: EncoderDecoderConfig, source: int, target: int
) -> tuple[Part, ...]:
    """Returns the forward pass of an encoder-decoder: the encoder reads this many tokens of a
    source, then the decoder, which reads the encoder's output, this many of a target.
    """
    encoder = Outline(config.encoder, source, "encoder")
    decoder = Outline(config.decoder, target, "decoder", source)
    _stack(encoder)
    _stack(decoder)
    _ends(decoder)
    first = len(encoder.parts)
    moved = (replace(part, parent=None if part.parent is None else part.parent + first)
             for part in decoder.parts)  # fmt: skip
    return (*encoder.parts, *moved)


def outline_of(config: ModelConfig | EncoderDecoderConfig) -> tuple[Part, ...]:
    """Returns the outline for a full context; for an encoder-decoder, of source and target."""
    if isinstance(config, ModelConfig):
        return outline(config, config.block_size)
    lengths = config.encoder.block_size, config.decoder.block_size
    return outline_encoder_decoder(config, *lengths)


def _stack(made: Outline) -> None:
    """Adds the embedding, the blocks, and the norm after them."""
    config, T, C = made.config, made.tokens, made.config.n_embd
    made.add(
        "embed",
        f"Embedding: each token's id picks a vector of {format_count(C)} numbers",
        r"x_t = "
        + (r"\sqrt{C}\, " if config.embedding_scale else "")
        + r"E_{\mathrm{token}(t)}"
        + ("" if config.positions == "rope" else " + P_t"),
        f"{_STACK}.run#embed",
        {"x": (T, C)},
    )
    with made.inside():
        _embedding(made)
    for layer in range(config.n_layer):
        made.layer = layer
        made.add(
            "block",
            f"Block {layer}: attention mixes tokens, then an MLP processes each one",
            rf"x \leftarrow \mathrm{{Block}}_{{{layer}}}(x)",
            f"{_STACK}.run#block",
            {"x": (T, C)},
        )
        with made.inside():
            _block(made)
    made.layer = None
    if config.norm_placement == "pre":
        made.add(
            "norm",
            "Final norm: normalize each token's vector, then apply learned weights",
            r"\hat{x} = \mathrm{norm}(x)",
            f"{_STACK}.run#norm",
            {"x": (T, C), "normed": (T, C)},
        )
        with made.inside():
            _norm(made)


def _ends(made: Outline) -> None:
    """Adds the steps from the residual stream to the next token."""
    T, C, V = made.tokens, made.config.n_embd, made.config.vocab_size
    here = f"{_GPT}.forward" if made.source is None else f"{_ENCODER_DECODER}.decode"
    made.add(
        "unembed",
        f"Unembedding: give each of {format_count(V)} possible tokens a score (logit)",
        r"z = W_U\, \hat{x}",
        f"{here}#unembed",
        {"normed": (T, C), "logits": (T, V)},
    )
    with made.inside():
        made.add(
            "product",
            "Take the dot product of the last token's vector with each of "
            f"{format_count(V)} matrix rows; the {min(SHOWN, V)} largest are shown",
            _PRODUCT,
            f"{_PLAIN}:linear#product",
            {"x": (1, C), "weight": (min(SHOWN, V), C), "products": (1, min(SHOWN, V))},
        )
    made.add(
        "softmax",
        f"Softmax: turn the {format_count(V)} scores into probabilities",
        r"p_i = \frac{e^{z_i}}{\sum_j e^{z_j}}",
        f"{_SAMPLING}:temper#softmax",
        {"scaled": (V,), "probabilities": (V,)},
    )
    made.add(
        "next",
        "Choose the likeliest token as the next one",
        r"\arg\max_i z_i",
        f"{_SAMPLING}:temper#greedy",
        {"logits": (V,), "likeliest": ()},
    )


def _embedding(made: Outline) -> None:
    T, C, V = made.tokens, made.config.n_embd, made.config.vocab_size
    made.add(
        "token",
        f"Look up each token's vector: its id picks one of {format_count(V)} rows",
        r"x_t = E_{\mathrm{token}(t)}",
        f"{_STACK}.embed#token",
        {"ids": (T,), "x": (T, C)},
    )
    if made.config.embedding_scale:
        made.add(
            "embed.scale",
            "Multiply by \u221aC, so that token vectors weigh as much as position vectors",
            r"\sqrt{C}\, x_t",
            f"{_STACK}.embed#scale",
            {"x": (T, C), "root": (), "scaled": (T, C)},
        )
    if made.config.positions != "rope":
        how = {"learned": "a learned vector", "sinusoidal": "a vector of sines and cosines"}
        made.add(
            "position",
            f"Add {how[made.config.positions]} for each token's position",
            r"x_t + P_t",
            f"{_STACK}.embed#position",
            {"x": (T, C), "position": (T, C), "placed": (T, C)},
        )


def _block(made: Outline) -> None:
    """Adds attention, cross-attention (in a decoder that reads a source) and the MLP, with a norm
    before each of them, or after each sum.
    """
    T, C, pre = made.tokens, made.config.n_embd, made.config.norm_placement == "pre"
    post, whom = (
        "" if pre else "post.",
        "itself and earlier tokens" if made.stack == "decoder" else "all tokens",
    )
    mid = "residual_mid"
    # Norm, part, its name, its name in a sentence, its effect, input, output, next stream.
    parts = [
        ("ln_1", "attention", "attention", "attention", f"each token reads from {whom}",
         "x", "attention_output", mid),
    ]  # fmt: skip
    if made.source is not None:
        parts.append(("ln_cross", "cross", "cross-attention", "cross-attention",
                      "each token reads from the source",
                      mid, "cross_output", "residual_cross" if pre else mid))  # fmt: skip
    parts.append(("ln_2", "mlp", "MLP", "the MLP",
                  "a small network processes each token by itself",
                  mid, "mlp_output", "residual_out"))  # fmt: skip
    inside = {"attention": _attention, "cross": _cross_attention, "mlp": _mlp}

    def step(name: str, title: str, formula: str, *names: str) -> None:
        code = f"{_LAYERS}:Block.forward#{post}{name}"
        made.add(name, title, formula, code, dict.fromkeys(names, (T, C)))

    for norm, part, label, noun, does, x, output, after in parts:
        name, given = label[:1].upper() + label[1:], r"\hat{x}" if pre else "x"
        symbol = rf"\mathrm{{{label}}}({given})"
        if pre:
            title = f"Normalize each token's vector before {noun}"
            step(norm, title, r"\hat{x} = \mathrm{norm}(x)", x, "normed")
            with made.inside():
                _norm(made)
        step(part, f"{name}: {does}", symbol, "normed" if pre else x, output)
        with made.inside():
            inside[part](made)
        title = f"Add the output of {noun} to the residual stream"
        formula = rf"x \leftarrow x + {symbol}"
        step(f"add_{part}", title, formula, x, output, after if pre else "residual_sum")
        if not pre:
            title = f"Normalize each token's vector after {noun}"
            step(norm, title, r"x \leftarrow \mathrm{norm}(x)", "residual_sum", after)
            with made.inside():
                _norm(made)


def _attention(made: Outline) -> None:
    config, T = made.config, made.tokens
    C, H, G, D = config.n_embd, config.n_head, config.kv_heads, config.head_width
    title = "Each head turns every token into a query, a key and a value"
    if G != H:
        title = f"Each token becomes {H} queries, {count(G, 'key')} and {count(G, 'value')}"
    turned = R = ""
    query, key = "x W_Q", "x W_K"
    if config.positions == "rope":
        turned, R = "; positions rotate queries and keys", r"R_t\, "
    if config.qk_norm:
        turned = f"; queries and keys are normalized{', then rotated by position' if R else ''}"
        query, key = rf"\mathrm{{norm}}({query})", rf"\mathrm{{norm}}({key})"
    made.add(
        "project",
        f"{title}{turned}",
        rf"q = {R}{query} \quad k = {R}{key} \quad v = x W_V",
        f"{_ATTENTION}:Attention.project#project",
        {"x": (T, C), "q": (H, T, D), "k": (G, T, D), "v": (G, T, D)},
    )
    with made.inside():
        _projection(made)
    _heads(made, T, masks=made.stack == "decoder")


def mask_words(window: int | None, score: str) -> tuple[str, str]:
    """Returns title and formula of the mask; `score` is the index of a score: "ij", or "j" for a
    single query i.
    """
    seen, hides = r"j \le i", "the tokens that come later"
    if window is not None:
        seen, hides = (
            rf"i - {window} < j \le i",
            f"{hides} or are more than {count(window - 1, 'position')} back",
        )
    formula = (
        rf"m_{{{score}}} = \tilde{{s}}_{{{score}}} \; \text{{if }} {seen}, \; \text{{else}} -\infty"
    )
    return f"Hide {hides}", formula


def _cross_attention(made: Outline) -> None:
    config, T, Ts = made.config, made.tokens, made.source or 0
    C, H, G, D = config.n_embd, config.n_head, config.kv_heads, config.head_width
    made.add(
        "queries",
        "Each head turns every token into a query",
        r"q = x W_Q",
        f"{_CROSS}#queries",
        {"x": (T, C), "q": (H, T, D)},
    )
    with made.inside():
        _matrix(made, T, H * D, C, config.has_qkv_bias)
    made.add(
        "keys_and_values",
        "Each head turns every token of the source into a key and a value",
        r"k = s W_K \quad v = s W_V",
        f"{_CROSS}#keys_and_values",
        {"vectors": (Ts, C), "k": (G, Ts, D), "v": (G, Ts, D)},
    )
    with made.inside():
        _matrix(made, Ts, 2 * G * D, C, config.has_qkv_bias)
    _heads(made, Ts, masks=False)


def _heads(made: Outline, n_keys: int, masks: bool) -> None:
    """Adds the steps from queries, keys and values to the output; `masks`: hides later keys."""
    config, T, attend = made.config, made.tokens, f"{_ATTENTION}:attend"
    C, H, D = config.n_embd, config.n_head, config.head_width
    q, k, pairs = (H, T, D), (H, n_keys, D), (H, T, n_keys)
    score = "m" if masks else r"\tilde{s}"
    made.add(
        "scores",
        "Compare every query with every key to get one score per pair",
        r"s_{ij} = q_i \cdot k_j",
        f"{attend}#scores",
        {"q": q, "k": k, "scores": pairs},
    )
    made.add(
        "scale",
        "Divide the scores by the square root of the head size",
        r"\tilde{s}_{ij} = \frac{s_{ij}}{\sqrt{d}}",
        f"{attend}#scale",
        {"scores": pairs, "root": (), "scaled": pairs},
    )
    if masks:
        made.add(
            "mask",
            *mask_words(config.window_of(made.layer or 0), "ij"),
            f"{attend}#mask",
            {"scaled": pairs, "visible": (T, T), "masked": pairs},
        )
    made.add(
        "weights",
        "Softmax turns each row of scores into weights that sum to 1",
        rf"a_{{ij}} = \frac{{e^{{{score}_{{ij}}}}}}{{\sum_l e^{{{score}_{{il}}}}}}",
        f"{attend}#softmax",
        {"masked": pairs, "weights": pairs},
    )
    made.add(
        "output",
        "Each head adds up the values, multiplied by their weights",
        r"o_i = \sum_j a_{ij}\, v_j",
        f"{attend}#output",
        {"weights": pairs, "v": k, "output": q},
    )
    made.add(
        "join",
        "Join the outputs of all heads and mix them into one vector per token",
        rf"W_O\,[o^1 \ldots o^{{{H}}}]",
        f"{_ATTENTION}:Heads.join#join",
        {"joined": (T, H * D), "output": (T, C)},
    )
    with made.inside():
        _matrix(made, T, C, H * D, config.has_o_bias)


def _projection(made: Outline) -> None:
    config, T = made.config, made.tokens
    wide = (config.n_head + 2 * config.kv_heads) * config.head_width
    _matrix(made, T, wide, config.n_embd, config.has_qkv_bias)
    if config.positions == "rope":
        half = (config.n_head, T, config.head_width // 2)
        angles = half[1:]
        made.add(
            "rotate",
            "Rotate each pair of dimensions by an angle that grows with the position",
            r"q'_1 = q_1 \cos t\theta - q_2 \sin t\theta",
            "core.transformer.positions:rotate#rotate",
            {"first": half, "cos": angles, "second": half, "sin": angles, "turned_first": half},
        )


def _mlp(made: Outline) -> None:
    config, T = made.config, made.tokens
    C, F, here = config.n_embd, config.inner_width, f"{_LAYERS}:MLP.forward"
    hidden = (T, F)
    made.add(
        "c_fc",
        f"Widen each token's vector from {format_count(C)} to {format_count(F)} numbers",
        r"u = W_1 x + b_1" if config.bias else r"u = W_1 x",
        f"{here}#c_fc",
        {"x": (T, C), "up": hidden},
    )
    with made.inside():
        _matrix(made, T, F, C, config.bias)
    if config.mlp == "swiglu":
        made.add(
            "gate",
            "Compute the gate: how much of each hidden number passes",
            r"g = \mathrm{silu}(W_g x + b_g)" if config.bias else r"g = \mathrm{silu}(W_g x)",
            f"{here}#gate",
            {"x": (T, C), "gate": hidden},
        )
        with made.inside():
            _gate(made)
        made.add(
            "swiglu",
            "Multiply each hidden number by its gate",
            r"h = g \odot u",
            f"{here}#swiglu",
            {"gate": hidden, "up": hidden, "hidden": hidden},
        )
    elif config.mlp == "relu":
        shapes = {"up": hidden, "hidden": hidden}
        made.add(
            "relu", "ReLU: negative numbers become 0", r"h = \max(0, u)", f"{here}#relu", shapes
        )
    else:
        made.add(
            "gelu",
            "GELU: negative numbers shrink toward 0, large positive ones pass through",
            r"h = u\, \Phi(u)",
            f"{here}#gelu",
            {"up": hidden, "hidden": hidden},
        )
        if config.mlp == "gelu_tanh":
            with made.inside():
                _gelu(made)
    made.add(
        "c_proj",
        f"Narrow each vector back from {format_count(F)} to {format_count(C)} numbers",
        r"W_2 h + b_2" if config.bias else r"W_2 h",
        f"{here}#c_proj",
        {"hidden": hidden, "output": (T, C)},
    )
    with made.inside():
        _matrix(made, T, C, F, config.bias)


def _gate(made: Outline) -> None:
    T, C, F = made.tokens, made.config.n_embd, made.config.inner_width
    _matrix(made, T, F, C, made.config.bias)
    made.add(
        "silu",
        "SiLU: multiply each number by its own sigmoid",
        r"\mathrm{silu}(x) = \frac{x}{1 + e^{-x}}",
        f"{_PLAIN}:silu#silu",
        {"x": (T, F), "gate": (T, F)},
    )


def _gelu(made: Outline) -> None:
    shape = (made.tokens, made.config.inner_width)
    here = f"{_PLAIN}:gelu_tanh"
    made.add(
        "gelu.inner",
        "Compute the input of tanh, which decides how much of each number passes",
        r"y = \sqrt{2 / \pi}\,(x + 0.0447\, x^3)",
        f"{here}#inner",
        {"x": shape, "root": (), "inner": shape},
    )
    made.add(
        "gelu.hidden",
        "Multiply each number by the share of it that passes",
        r"h = \tfrac{1}{2} x\,(1 + \tanh y)",
        f"{here}#gelu",
        {"x": shape, "inner": shape, "hidden": shape},
    )


def _matrix(made: Outline, T: int, rows: int, columns: int, bias: bool) -> None:
    """Adds a linear layer: a matrix (rows, columns), and its bias."""
    products = (T, rows)
    made.add(
        "product",
        "Take the dot product of each token's vector with each of "
        f"{format_count(rows)} matrix rows",
        _PRODUCT,
        f"{_PLAIN}:linear#product",
        {"x": (T, columns), "weight": (rows, columns), "products": products},
    )
    if bias:
        made.add(
            "bias",
            "Add the bias, one number for each row",
            r"y_i + b_i",
            f"{_PLAIN}:linear#bias",
            {"products": products, "bias": (rows,), "output": products},
        )


def _norm(made: Outline) -> None:
    T, C = made.tokens, made.config.n_embd
    vector, single = (T, C), (T, 1)
    is_rms = made.config.norm == "rms_norm"
    here = f"{_PLAIN}:{made.config.norm}"

    def step(name: str, title: str, formula: str, shapes: dict[str, tuple[int, ...]]) -> None:
        made.add(f"norm.{name}", title, formula, f"{here}#{name}", shapes)

    if is_rms:
        step(
            "square", "Compute the mean of each token's squared numbers",
            r"m = \frac{1}{C} \sum_i x_i^2",
            {"x": vector, "square": single},
        )  # fmt: skip
        step(
            "norm", "Divide by its square root: all vectors get the same size",
            r"\hat{x}_i = \frac{x_i}{\sqrt{m + \epsilon}}",
            {"x": vector, "square": single, "eps": (), "normed": vector},
        )  # fmt: skip
    else:
        step(
            "mean", "Compute the mean of each token's numbers", r"\mu = \frac{1}{C} \sum_i x_i",
            {"x": vector, "mean": single},
        )  # fmt: skip
        step(
            "center", "Subtract the mean", r"x_i - \mu",
            {"x": vector, "mean": single, "centered": vector},
        )  # fmt: skip
        step(
            "variance", "Compute the variance: the mean of the squares",
            r"\sigma^2 = \frac{1}{C} \sum_i (x_i - \mu)^2",
            {"centered": vector, "variance": single},
        )  # fmt: skip
        step(
            "norm", "Divide by the standard deviation: all vectors get the same size",
            r"\hat{x}_i = \frac{x_i - \mu}{\sqrt{\sigma^2 + \epsilon}}",
            {"centered": vector, "variance": single, "eps": (), "normed": vector},
        )  # fmt: skip
    step(
        "scale", "Scale each dimension by a learned number", r"\hat{x}_i\, \gamma_i",
        {"normed": vector, "weight": (C,), "scaled": vector},
    )  # fmt: skip
    if not is_rms and made.config.bias:
        step(
            "shift", "Shift each dimension by a learned number", r"\hat{x}_i\, \gamma_i + \beta_i",
            {"scaled": vector, "bias": (C,), "shifted": vector},
        )  # fmt: skip
