"""Chat templates in the styles of several families, written for tests."""

CHATML = """\
{%- if messages[0].role != 'system' -%}
{{ '<|im_start|>system\\nYou are a helpful assistant.<|im_end|>\\n' }}
{%- endif -%}
{%- for message in messages -%}
{{ '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}
{%- endfor -%}
{%- if add_generation_prompt -%}{{ '<|im_start|>assistant\\n' }}{%- endif -%}
"""

HEADERS = """\
{{- bos_token }}
{%- set date = strftime_now("%d %b %Y") if strftime_now is defined else "26 Jul 2024" %}
{%- if messages[0]['role'] == 'system' %}
    {%- set system = messages[0]['content'] | trim %}
    {%- set messages = messages[1:] %}
{%- else %}
    {%- set system = "" %}
{%- endif %}
{{- "<|start|>system<|end|>\\n\\nToday: " + date + "\\n\\n" + system + "<|eot|>" }}
{%- for message in messages %}
    {%- if not (message.role == 'ipython' or 'tool_calls' in message) %}
    {{- '<|start|>' + message['role'] + '<|end|>\\n\\n' + message['content'] | trim + '<|eot|>' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|start|>assistant<|end|>\\n\\n' }}
{%- endif %}
"""

TAGS = """\
{% for message in messages %}
{% if message['role'] == 'user' %}
{{ '<|user|>\\n' + message['content'] + eos_token }}
{% elif message['role'] == 'system' %}
{{ '<|system|>\\n' + message['content'] + eos_token }}
{% elif message['role'] == 'assistant' %}
{{ '<|assistant|>\\n'  + message['content'] + eos_token }}
{% endif %}
{% if loop.last and add_generation_prompt %}
{{ '<|assistant|>' }}
{% endif %}
{% endfor %}
"""

BRACKETS = """\
{% set ns = namespace(system='') %}{% for m in messages if m.role == 'system' %}\
{% set ns.system = '<<SYS>>\\n' ~ m.content ~ '\\n<</SYS>>\\n\\n' %}{% endfor %}\
{% for message in messages | rejectattr('role', 'equalto', 'system') | list %}\
{% if (message.role == 'user') != (loop.index0 % 2 == 0) %}\
{{ raise_exception('roles must take turns') }}{% endif %}\
{% if message.role == 'user' %}{{ bos_token }}[INST] {{ ns.system if loop.first }}\
{{ message.content | trim }} [/INST]{% else %}{% generation %} {{ message.content.strip() }}\
{{ eos_token }}{% endgeneration %}{% endif %}{% endfor %}"""

THOUGHTS = """\
{%- macro turn(role, text) -%}{{ '<|im_start|>' ~ role ~ '\\n' ~ text ~ '<|im_end|>\\n' }}
{%- endmacro -%}
{%- set ns = namespace(last=messages | length - 1) -%}
{%- for message in messages[::-1] -%}
  {%- set index = (messages | length - 1) - loop.index0 -%}
  {%- if message.role == 'user' and message.content is string -%}
    {%- set ns.last = index -%}{%- break -%}
  {%- endif -%}
{%- endfor -%}
{%- for message in messages -%}
  {%- if not message.content -%}{%- continue -%}{%- endif -%}
  {%- set text = message.content -%}
  {%- if message.role == 'assistant' and '</think>' in text -%}
    {%- set text = text.split('</think>')[-1].lstrip('\\n') -%}
  {%- endif -%}
  {{ turn(message.role, text) }}
{%- endfor -%}
{{ {'last': ns.last, 'roles': messages | map(attribute='role') | list} | tojson }}
{%- if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif -%}
"""

TEMPLATES = {
    "chatml": CHATML,
    "headers": HEADERS,
    "tags": TAGS,
    "brackets": BRACKETS,
    "thoughts": THOUGHTS,
}
SPECIALS = (
    *("<s>", "</s>", "<|im_start|>", "<|im_end|>", "<|start|>", "<|end|>", "<|eot|>"),
    *("<|user|>", "<|system|>", "<|assistant|>", "<|endoftext|>"),
)
NAMES = (("bos_token", "<s>"), ("eos_token", "</s>"))
