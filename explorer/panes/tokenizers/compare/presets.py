"""Example texts by title, on which tokenizers differ."""

from __future__ import annotations

from explorer.panes.tokenizers.draft import FIRST

EXAMPLES = {
    "A bit of everything": FIRST,
    "Why it cannot spell": (
        "strawberry Strawberry STRAWBERRY s-t-r-a-w-b-e-r-r-y\n"
        "The word banana, the word  banana, the word banana."
    ),
    "Numbers": (
        "1 12 123 1234 12345 123456 1234567\n3.14159 2,718,281 1e-9 0x1F 2026-11-25 127.0.0.1"
    ),
    "Code": (
        "def fib(n):\n    if n < 2:\n        return n\n    return fib(n - 1) + fib(n - 2)\n\n"
        "SELECT name, COUNT(*) FROM users WHERE age >= 18 GROUP BY name;\n"
        'const x = {"key": [1, 2, 3]};  // a comment\n'
    ),
    "One sentence, many languages": (
        "All human beings are born free and equal in dignity and rights.\n"
        "Alle Menschen sind frei und gleich an W\u00fcrde und Rechten geboren.\n"
        "\u0412\u0441\u0435 \u043b\u044e\u0434\u0438 \u0440\u043e\u0436\u0434\u0430\u044e\u0442"
        "\u0441\u044f \u0441\u0432\u043e\u0431\u043e\u0434\u043d\u044b\u043c\u0438.\n"
        "\u4eba\u4eba\u751f\u800c\u81ea\u7531\uff0c\u5728\u5c0a\u4e25\u548c\u6743\u5229\u4e0a"
        "\u4e00\u5f8b\u5e73\u7b49\u3002\n"
        "\u064a\u0648\u0644\u062f \u062c\u0645\u064a\u0639 \u0627\u0644\u0646\u0627\u0633"
        " \u0623\u062d\u0631\u0627\u0631\u0627.\n"
        "\u0938\u092d\u0940 \u092e\u0928\u0941\u0937\u094d\u092f \u091c\u0928\u094d\u092e"
        " \u0938\u0947 \u0938\u094d\u0935\u0924\u0928\u094d\u0924\u094d\u0930"
        " \u0939\u0948\u0902\u0964"
    ),
    "Spaces, accents and emoji": (
        "a  b   c    d\tE\r\nna\u00efve nai\u0308ve \ufb01ne \u2460 \uff21\uff22\uff23 "
        "\U0001f642 \U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f1e9\U0001f1ea"
    ),
    "Special tokens in a text": (
        "<|endoftext|> [CLS] [SEP] <s> </s> <|im_start|>user\nHello<|im_end|>"
    ),
}
