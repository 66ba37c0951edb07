"""The house rules that a program can check: CONTRIBUTING.md says why they are there."""

import ast
import importlib.util
import re
import subprocess
import sys
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest
import system_setup

import dev
from tests.patience import HANGS

ROOT = Path(__file__).resolve().parents[1]
CORE = sorted((ROOT / "core").rglob("*.py"))
EXPLORER = sorted((ROOT / "explorer").rglob("*.py"))
TESTS = sorted((ROOT / "tests" / "explorer").rglob("*.py"))
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
LONGEST = 600


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def nodes(path: Path) -> list[ast.AST]:
    return list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


@cache
def calls(path: Path) -> list[tuple[str, int]]:
    """Every call as it is written up to the parenthesis ("threading.Thread"), with its line."""
    return [(ast.unparse(one.func), one.lineno) for one in nodes(path) if isinstance(one, ast.Call)]


def found(paths: list[Path], pattern: str) -> list[str]:
    """ "file:line: text" of every line that matches."""
    lines = []
    for path in paths:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if re.search(pattern, line):
                lines.append(f"{name_of(path)}:{number}: {line.strip()}")
    return lines


def called(paths: list[Path], pattern: str, allowed: tuple[str, ...] = ()) -> list[str]:
    return [
        f"{name_of(path)}:{line}: {call}("
        for path in paths
        if name_of(path) not in allowed
        for call, line in calls(path)
        if re.fullmatch(pattern, call)
    ]


def imported(paths: list[Path], names: set[str], allowed: tuple[str, ...] = ()) -> list[str]:
    hits = []
    for path in paths:
        if name_of(path) in allowed:
            continue
        for node in nodes(path):
            modules = []
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                modules = [node.module or ""]
            hits += [f"{name_of(path)}: {m}" for m in modules if m.split(".")[0] in names]
    return hits


def test_no_file_is_too_long_to_read():
    paths = [*CORE, *EXPLORER, *sorted((ROOT / "packaging").glob("*.py")), ROOT / "dev.py"]
    long = {name_of(p): len(p.read_text(encoding="utf-8").splitlines()) for p in paths}
    assert {name: lines for name, lines in long.items() if lines > LONGEST} == {}


def test_nothing_is_left_to_do():
    assert found(CORE + EXPLORER, r"\b(TODO|FIXME|XXX|HACK)\b|NotImplementedError") == []


def test_nothing_is_evaluated_or_unpickled():
    assert called(CORE + EXPLORER, r"eval|exec|compile|__import__|torch\.load|torch\.save") == []
    assert imported(CORE + EXPLORER, {"pickle", "shelve", "marshal", "dill", "joblib"}) == []


def test_no_event_loop_inside_an_event_loop():
    assert called(EXPLORER, r".*\.processEvents|.*\.exec|.*\.exec_") == []


def test_scroll_areas_come_to_rest():
    """Qt's own may change the size of its page without end: explorer/widgets/scroll_area.py."""
    assert called(EXPLORER, r"QScrollArea|\w+\.QScrollArea") == []


def test_no_widget_is_taken_for_the_child_of_another():
    """As PySide takes what these return: explorer/shell/focus.py."""
    asks = r".*\.(nextInFocusChain|previousInFocusChain|focusProxy|buddy|sender)"
    assert called(EXPLORER, asks) == []


@cache
def privates() -> set[str]:
    """The names that begin with one underscore, of all functions and attributes of the program."""
    found = set()
    for node in (node for path in CORE + EXPLORER for node in nodes(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Attribute | ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.attr if isinstance(node, ast.Attribute) else node.id)
    return {name for name in found if re.fullmatch(r"_[^_]\w*", name)}


def test_tests_touch_only_what_is_public():
    """Else a change inside breaks the tests of what people see: use what a caller has, or give it
    a public name. "monkeypatch" takes names as text, or as the end of a path in dots.
    """
    touched = []
    for path in TESTS:
        for node in nodes(path):
            names: list[str] = []
            if isinstance(node, ast.Attribute):
                owner = node.value.id if isinstance(node.value, ast.Name) else ""
                names = [node.attr] if owner not in ("self", "cls") else []
            elif isinstance(node, ast.ImportFrom):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                names = [node.value.rpartition(".")[2]]
            touched += [f"{name_of(path)}:{node.lineno}: {n}" for n in names if n in privates()]
    assert touched == []


def test_only_the_engine_owns_threads():
    kinds = r"(threading\.)?(Thread|Timer)|QThread|(\w+\.)?QThreadPool.*|(\w+\.)*ThreadPoolExecutor"
    assert (
        called(EXPLORER, kinds, allowed=("explorer/engine/engine.py", "explorer/engine/lookout.py"))
        == []
    )
    # launch.py: a training process watches whether its parent still lives.
    assert called(CORE, kinds, allowed=("core/training/launch.py",)) == []


def test_drafts_computations_scenes_and_sentences_load_no_qt():
    """The contract of import-linter is about what they name; this, about what comes along."""
    roles = {"draft.py", "compute.py", "scene.py", "text.py"}
    paths = [path for path in EXPLORER if "panes" in path.parts and path.name in roles]
    modules = [name_of(path).removesuffix(".py").replace("/", ".") for path in paths]
    assert len(modules) > len(roles)
    listing = """
import importlib, sys
for module in sys.argv[1:]:
    importlib.import_module(module)
    if found := sorted({"PySide6", "pyqtgraph", "qasync"} & set(sys.modules)):
        sys.exit(f"{module} loads {', '.join(found)}")
"""
    command = [sys.executable, "-c", listing, *modules]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=HANGS)
    assert told.returncode == 0, told.stderr


# What opens a file otherwise than through `core.files`, and why it may.
OPENS = {
    "core/files.py": ("open", "os.open", "np.memmap", "np.fromfile", "json.loads"),
    "core/tensor_files.py": ("safe_open",),  # a file that `core.files` has opened and checked
    # Writes, and reads again what it has just written.
    "core/download.py": ("part.open", "director.open", "Path(path).open"),
    "core/tokenization/getting.py": ("temporary.open", "wheel.open", "tarfile.open"),
    "core/data/text.py": ("(folder / f'tokens-{split}.bin').open",),
    "core/training/bundled_run.py": ("shutil.copyfile",),
    "core/finetuning/bundled_questions.py": ("shutil.copyfile",),
    "explorer/panes/training/run/compute.py": ("part.open",),
    "explorer/widgets/encoding.py": ("part.open",),
    "explorer/engine/errors.py": ("self.path.open", "self.path.read_text"),  # its own log
    "explorer/app.py": ("open",),
    # Files of the program, and of the system.
    "core/tokenization/known.py": ("Path(__file__).with_name('known.toml').read_text",),
    "explorer/theme/icons.py": ("path.read_text",),
    "core/memory.py": ("Path(path).read_text",),
    "core/training/records.py": ("open", "Path(f'/proc/{pid}/stat').read_text"),
    "explorer/studio/hang_detector.py": (
        *("path.read_text", "(task / 'stat').read_text", "(task / 'children').read_text"),
    ),
    # What another rank has said, and another instance of the app.
    "core/training/ranks.py": ("json.loads",),
    "core/training/steering.py": ("json.loads",),
    "explorer/shell/instance.py": ("json.loads",),
}
READS = (
    r"open|(\w+\.)?(os|io|gzip|tarfile)\.open|safe_open|(?!files\.).*\.read_(text|bytes)|json\.loads?"
    r"|np\.(memmap|fromfile|load|loadtxt|genfromtxt)|shutil\.(copy|copy2|copyfile|copytree|move)"
)


def is_mode(node: ast.expr) -> bool:
    """Whether this may be a file's mode: other things have a method `open`, too."""
    if isinstance(node, ast.IfExp):
        return is_mode(node.body)
    given = node.value if isinstance(node, ast.Constant) else None
    return isinstance(given, str) and re.fullmatch(r"[rwxa]b?\+?b?", given) is not None


def opens_a_file(call: ast.Call) -> bool:
    name = ast.unparse(call.func)
    modes = [*call.args[:1], *(one.value for one in call.keywords if one.arg == "mode")]
    return re.fullmatch(READS, name) is not None or (
        name.endswith(".open") and (any(map(is_mode, modes)) or "encoding=" in ast.unparse(call))
    )


def test_files_from_elsewhere_are_opened_in_one_way():
    """A pipe is waited for and a device has no end: `core.files` opens neither of them."""
    others = [
        f"{name_of(path)}:{node.lineno}: {ast.unparse(node.func)}("
        for path in CORE + EXPLORER
        for node in nodes(path)
        if isinstance(node, ast.Call)
        and opens_a_file(node)
        and ast.unparse(node.func) not in OPENS.get(name_of(path), ())
    ]
    assert others == []


@pytest.mark.parametrize(
    "line",
    [
        *("open(path)", "path.open('rb')", "path.open(mode='r')", "path.read_bytes()"),
        *("np.memmap(path)", "np.load(path)", "np.fromfile(path)", "shutil.copytree(a, b)"),
        *("path.open(encoding='utf-8')", "self.folder.joinpath('x').read_text()", "os.open(a, 0)"),
    ],
)
def test_a_file_that_is_opened_in_another_way_is_found(line):
    (call,) = (node for node in ast.walk(ast.parse(line)) if isinstance(node, ast.Call)
               and not ast.unparse(node.func).endswith("joinpath"))  # fmt: skip
    assert opens_a_file(call)
    assert not opens_a_file(ast.parse("dialog.open()").body[0].value)


def test_up_to_training_no_module_of_core_imports_itself_through_others():
    """Also not when a function is called, or for a type alone: a reader has to begin somewhere."""
    names = {name_of(path).removesuffix(".py").replace("/", "."): path for path in CORE}
    imports = {
        name: {
            module
            for node in nodes(path)
            if isinstance(node, ast.ImportFrom)
            for one in node.names
            for module in (f"{node.module}.{one.name}", node.module)
            if module in names
        }
        for name, path in names.items()
        if not name.startswith("core.finetuning")
    }
    assert "core.autograd.tensor" in imports["core.autograd.graph"]
    TopologicalSorter(imports).prepare()  # raises CycleError, with the circle


def test_core_takes_no_open_ended_arguments():
    """But for the names of a formula, which are the person's: `expression("w * x", w=2, x=3)`, and
    for what a chat template calls its functions with.
    """
    assert [
        f"{name_of(path)}:{node.lineno}"
        for path in CORE
        for node in nodes(path)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.args.kwarg
        and node.name not in ("expression", "call", "counted")
    ] == []


def test_core_prints_only_where_it_is_a_program():
    programs = (
        "__main__.py",
        "bundled.py",
        "bundled_run.py",
        "command.py",
        "estimate_command.py",
        "rank_processes.py",
    )
    allowed = tuple(name_of(path) for path in CORE if path.name in programs)
    assert called(CORE, r"print", allowed) == []


def test_colors_are_the_themes_alone():
    views = [path for path in EXPLORER if path.parent.name != "theme"]
    assert (
        found(views, r"[\"']#[0-9a-fA-F]{3,8}[\"']|QColor\(\d|GlobalColor|Qt\.(red|black|white)\b")
        == []
    )


def test_names_are_spelled_the_fields_way():
    british = r"(?i)colour|optimis[ei]|normalis[ei]|initialis[ei]|tokenis[ei]|visualis[ei]|\bcentre"
    assert found(CORE + EXPLORER, british) == []


def test_marked_lines_fit_the_inspector():
    """Without its marker and the function's indentation such a line has at most 72 columns."""
    wide = []
    for path in CORE:
        lines = path.read_text(encoding="utf-8").splitlines()
        for node in nodes(path):
            if not isinstance(node, ast.FunctionDef):
                continue
            body = lines[node.lineno - 1 : node.end_lineno]
            for number, line in enumerate(body, node.lineno):
                if re.search(r"# step: [\w.-]+\s*$", line):
                    shown = re.sub(r"\s*# step: .*$", "", line)[node.col_offset :]
                    if len(shown) > 72:
                        wide.append(f"{name_of(path)}:{number}: {len(shown)} columns")
    assert wide == []


# -- documents --------------------------------------------------------------------------------


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_command_of_the_documents_is_there(document):
    text = document.read_text(encoding="utf-8")
    commands = set(re.findall(r"python3 dev\.py (\S+)", text))
    assert commands
    assert commands <= set(dev.COMMANDS)
    for module in re.findall(r"python3? -m ([\w.]+)", text):
        assert importlib.util.find_spec(module) is not None, module
    options = set(re.findall(r"llm-explorer (--[\w-]+)", text))
    sources = "".join(path.read_text(encoding="utf-8") for path in EXPLORER)
    assert [option for option in options if option not in sources] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_file_that_a_document_names_is_there(document):
    text = document.read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", text)
    named = re.findall(r"`((?:core|explorer|tests|resources|packaging)/[\w./]+)`", text)
    assert [path for path in links + named if not (ROOT / path).exists()] == []


def test_dev_describes_each_of_its_commands():
    assert set(re.findall(r"dev\.py ([\w-]+)", dev.__doc__)) == set(dev.COMMANDS)


def test_the_list_of_system_libraries_can_be_read():
    rows = [
        line.split()
        for line in system_setup.LIBRARIES.read_text(encoding="utf-8").splitlines()
        if line and not line.startswith(("#", "["))
    ]
    assert len(rows) > 20
    assert [row for row in rows if len(row) != 4] == []


def test_no_formula_lets_parentheses_grow_around_a_sum():
    r"""ziamath draws `\left( \sum x \right)` a hundred times too tall: `\Big(` is right."""
    grown = []
    for path in [*CORE, *EXPLORER]:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if re.search(r"\\left[^a].*\\(sum|prod|int)", line):
                grown.append(f"{name_of(path)}:{number}")
    assert grown == []
