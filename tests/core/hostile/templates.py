"""Chat templates that were made to fill the memory or to take forever."""

from __future__ import annotations

from pathlib import Path


def open_template(path: Path) -> None:
    """As a conversation does."""
    from core.files import read_text
    from core.inference.chat_template import fill_in

    said = [{"role": "user", "content": "Hello " * 100}, {"role": "assistant", "content": "Hi"}]
    fill_in(read_text(path), [said, said], {"bos_token": "<s>"})


def repeated(inside: str, times: int = 99_999) -> str:
    return f"{{% for a in range({times}) %}}{inside}{{% endfor %}}"


BIG = "{% set big = 'ab' * 450000 %}"  # a text as long as it may be
LONG = "{% set long = range(24000) | list * 2 %}"  # a list as long as it may be, several times
# What a list holds 100,000 times, in no list that could have been measured.
OFTEN = "range(100000) | map(attribute='x', default=WHAT)"
KEPT = "{% set n = namespace(x=[]) %}"
HEX = "0x" + "f" * 60_000

TEMPLATES: dict[str, str] = {
    "bytes of a number": "{{ (5).to_bytes(4*10**9, 'big') }}",
    "bytes of true": "{{ true.to_bytes(4*10**9, 'big') }}",
    "a fraction's method": "{{ 1.5.hex() }}{{ (1.5).as_integer_ratio() }}",
    "a method of a loop": repeated("{{ loop.__init__() }}", 1),
    "a method of a function": "{{ range.mro() }}{{ dict.fromkeys(range(99999), 1) }}",
    "a method of a macro": "{% macro f() %}{% endmacro %}{{ f.name * 10**10 }}",
    "a text many times": "{{ 'x' * 10**10 }}",
    "a list many times": "{{ [1] * 10**10 }}",
    "many times a text": "{{ 10**10 * 'x' }}",
    "a long range": "{{ range(10**15) | list }}",
    "powers of powers": "{{ 9 ** 64 ** 64 }}",
    "powers of a long number": "{{ " + HEX + " ** 64 }}",
    "products of long numbers": repeated("{{ " + HEX + " * " + HEX + " }}"),
    "a long number read": "{% set x = ('f' * 900000) | int(0, 16) %}{{ x ** 64 }}",
    "numbers read again and again": repeated("{{ ('9' * 4000) | int ** 64 }}"),
    "a long fraction read": repeated("{{ ('1' * 900000) | float }}"),
    "a width in percent": "{{ '%1000000000d' % 1 }}",
    "a width in braces": "{{ '{:1000000000}'.format(1) }}{{ '{0:>9999999999}'.format(1) }}",
    "braces of a dict": "{{ '{a:1000000000}'.format_map({'a': 1}) }}",
    "center": "{{ 'x'.center(10**10) }}",
    "ljust": "{{ 'x'.ljust(10**10) }}",
    "rjust": "{{ 'x'.rjust(10**10) }}",
    "zfill": "{{ 'x'.zfill(10**10) }}",
    "tabs": "{{ ('\\t' * 1000).expandtabs(10**9) }}",
    "a table of letters": "{{ ('x' * 900000).translate({120: 'y' * 900000}) }}",
    "the center filter": "{{ 'x' | center(10**10) }}",
    "the format filter": "{{ '%1000000000d' | format(1) }}",
    "the batch filter": "{{ [1] | batch(10**9, 'x') | list }}",
    "the round filter": "{{ 1.5 | round(10**9) }}",
    "the filesizeformat filter": "{{ 10**9 | filesizeformat }}",
    "the wordwrap filter": "{{ ('x' * 900000) | wordwrap(1) }}",
    "the indent filter": "{{ ('\\n' * 900000) | indent(160, true, true) }}",
    "indent, a wide text": "{{ ('\\n' * 900000) | indent('x' * 160, true, true) }}",
    "replace": "{{ ('x' * 99999).replace('x', 'y' * 99999) }}",
    "replace nothing": "{{ ('x' * 99999).replace('', 'y' * 99999) }}",
    "join": "{{ ('x' * 99999).join('y' * 99999) }}",
    "a wide date": "{{ strftime_now('%99999999999d' * 7) }}",
    "a date of a date": "{{ strftime_now('%c' * 50000) }}",
    "a long refusal": "{{ raise_exception('x' * 999999) }}",
    "a refusal of a list": "{{ raise_exception(['x' * 90000] * 10) }}",
    "loops in loops": repeated(repeated(repeated("x"))),
    "loops of nothing": repeated(repeated(repeated(""))),
    "macros in macros": "{% macro f(n) %}{% if n %}{{ f(n-1) }}{{ f(n-1) }}{% endif %}"
    "{% endmacro %}{{ f(99) }}",
    "a macro of itself": "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    "a macro of its caller": "{% macro f() %}{% call f() %}{{ caller() }}{% endcall %}"
    "{% endmacro %}{{ f() }}",
    "a loop of itself": KEPT
    + repeated("{% set n.x = [n.x] %}", 900)
    + "{% for a in n.x recursive %}{{ loop(a) }}{% endfor %}",
    "JSON, nested deep": KEPT + repeated("{% set n.x = [n.x] %}") + "{{ n.x | tojson }}",
    "JSON, as deep as may be": KEPT
    + repeated("{% set n.x = [n.x] %}", 1300)
    + "{{ n.x | tojson }}",
    "text, as deep as may be": KEPT + repeated("{% set n.x = [n.x] %}", 1300) + "{{ n.x }}",
    "equal, as deep as may be": KEPT
    + repeated("{% set n.x = [n.x] %}", 900)
    + "{% set a = n.x %}{% set n.x = [] %}"
    + repeated("{% set n.x = [n.x] %}", 900)
    + "{{ a == n.x }}",
    "JSON, wide and deep": "{% set n = namespace(x=[0] * 900) %}"
    + repeated("{% set n.x = [n.x, 1] %}", 300)
    + "{{ n.x | tojson(indent=16) }}" * 99,
    "JSON, indented by a billion": "{{ [1] | tojson(indent=10**9) }}",
    "JSON, separated by a text": BIG + "{{ [1, 2] | tojson(separators=(big, big)) }}",
    "a text in no list": BIG + "{{ " + OFTEN.replace("WHAT", "big") + " | join }}",
    "texts in no list, in a list": BIG + "{{ " + OFTEN.replace("WHAT", "big") + " | list }}",
    "lists in no list, sorted": LONG + "{{ " + OFTEN.replace("WHAT", "long") + " | sort | first }}",
    "lists in no list, the largest": LONG + "{{ " + OFTEN.replace("WHAT", "long") + " | max }}",
    "lists in no list, each once": LONG
    + "{{ "
    + OFTEN.replace("WHAT", "long")
    + " | unique | list }}",
    "lists in no list, in a dict": LONG + "{{ dict(" + OFTEN.replace("WHAT", "long") + ") }}",
    "lists in no list, in a loop": LONG
    + "{% for a in "
    + OFTEN.replace("WHAT", "long")
    + " %}{{ a == long }}{% endfor %}",
    "texts compared": BIG
    + "{% set c = big ~ 'c' %}{% set d = big ~ 'd' %}"
    + repeated("{{ c < d }}"),
    "texts searched": BIG + repeated("{{ big.count('a' * 9999 ~ 'b') }}{{ big.find('c') }}"),
    "texts split": BIG + repeated("{{ big.split('a') | length }}"),
    "letters in capitals": repeated("{{ ('\u0390' * 400000).upper().upper() }}"),
    "names without end": "{% set x = namespace() %}{% set x.y = x %}{{ x" + ".y" * 20_000 + " }}",
    "sums without end": "{{ 1" + "+1" * 25_000 + " }}",
    "brackets without end": "{{ " + "[" * 30_000 + "]" * 30_000 + " }}",
    "no, no, no": "{{ " + "not " * 15_000 + "1 }}",
    "minus without end": "{{ " + "-" * 60_000 + "1 }}",
    "filters without end": "{{ 1" + "|abs" * 15_000 + " }}",
    "texts without end": "{{ 1" + "~1" * 30_000 + "~ 'x' * 10**10 }}",
    "ifs without end": "{% if 1 %}" * 3_000 + "{% endif %}" * 3_000,
    "elifs without end": "{% if 0 %}" + "{% elif 0 %}" * 5_000 + "{{ 'x' * 10**10 }}{% endif %}",
    "blocks without end": "".join(f"{{% block b{n} %}}{{% endblock %}}" for n in range(1_900))
    + "{{ 'x' * 10**10 }}",
    "sets without end": "{% set a = 'x' %}" * 3_800 + "{{ a * 10**10 }}",
    "a comment without end": "{#" * 30_000,
    "quotes without end": "{{ " + "'\\" * 20_000,
    "spaces without end": "{%- " + " " * 60_000 + "x",
}
