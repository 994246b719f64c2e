"""Facts read from the source tree without importing it: tracked files, syntax trees, error codes."""

from __future__ import annotations

import ast
import re
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent.parent
PRODUCT = ("MedSegAILib", "MedSegAI", "training")
ERROR_CLASSES = {
    "UsageError": 2,
    "InputError": 3,
    "PackageError": 4,
    "ResourceError": 5,
    "SetupError": 6,
    "WorkerError": 7,
    "Cancelled": 130,
}
_CODE = re.compile(r"^[a-z0-9_]+(\.[a-z0-9_]+)+$")


@cache
def tracked_files() -> tuple[Path, ...]:
    """Files that git knows or would take, relative to the checkout; all files where there is no git."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
            cwd=CHECKOUT,
            capture_output=True,
            check=True,
        ).stdout.decode()
    except (OSError, subprocess.CalledProcessError):
        return tuple(path.relative_to(CHECKOUT) for path in CHECKOUT.rglob("*") if path.is_file())
    return tuple(Path(name) for name in sorted(set(listed.split("\0")) - {""}) if (CHECKOUT / name).is_file())


@cache
def product_files() -> tuple[Path, ...]:
    """Python files of the product, relative to the checkout."""
    return tuple(path for path in tracked_files() if path.suffix == ".py" and path.parts[0] in PRODUCT)


@cache
def tree_of(path: Path) -> ast.Module:
    """The syntax tree of a file of the checkout."""
    return ast.parse((CHECKOUT / path).read_text(encoding="utf-8"), filename=str(path))


@dataclass(frozen=True)
class RaisedCode:
    """One place that makes an error or a notice: code (``*`` for a part known at run time only), class, sentences."""

    code: str
    kind: str
    message: str
    hint: str


def raised_codes() -> list[RaisedCode]:
    """Every error and notice that the library makes, in the order of their codes; the first place wins."""
    found: dict[tuple[str, str], RaisedCode] = {}
    library = [path for path in product_files() if path.parts[0] != "training"]
    for path in library:
        for entry in _codes_in_calls(path):
            found.setdefault((entry.code, entry.kind), entry)
    for path in library:
        for entry in _codes_in_tables(path, {code.partition(".")[0] for code, _ in found}):
            if entry.code not in {code for code, _ in found}:
                found[(entry.code, entry.kind)] = entry
    found[("run.cancelled", "Cancelled")] = RaisedCode("run.cancelled", "Cancelled", "The run was cancelled.", "")
    return [found[key] for key in sorted(found)]


def _codes_in_calls(path: Path) -> list[RaisedCode]:
    entries = []
    for node in ast.walk(tree_of(path)):
        for call in _calls(node):
            name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
            texts = [_text(argument) for argument in call.args[:3]]
            if not texts:
                continue
            if name not in ERROR_CLASSES and name not in {"Notice", "MedSegAIError"}:
                if not (isinstance(node, ast.Raise) and _CODE.match(texts[0])):
                    continue
                name = _kind_of_helper(path, name)
            if _CODE.match(texts[0].replace("*", "x")) or texts[0] == "defect":
                code, message, hint = (*texts, "", "")[:3]
                entries.append(RaisedCode(code, name, message, hint))
    return entries


def _codes_in_tables(path: Path, families: set[str]) -> list[RaisedCode]:
    """Codes that stand in a table of the file and reach the error by a variable."""
    calls = [node for node in ast.walk(tree_of(path)) if isinstance(node, ast.Call) and node.args]
    kinds = [
        call.func.id
        for call in calls
        if isinstance(call.func, ast.Name) and call.func.id in ERROR_CLASSES and isinstance(call.args[0], ast.Name)
    ]
    if not kinds:
        return []
    texts = {
        node.value for node in ast.walk(tree_of(path)) if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    codes = [text for text in texts if _CODE.match(text) and text.partition(".")[0] in families]
    return [RaisedCode(code, kinds[0], "*", "*") for code in codes]


def _calls(node: ast.AST) -> list[ast.Call]:
    if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
        return [node.exc]
    return [node] if isinstance(node, ast.Call) else []


def _kind_of_helper(path: Path, name: str) -> str:
    """A helper that makes errors is annotated with the class that it gives."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.FunctionDef) and node.name == name and isinstance(node.returns, ast.Name):
            return node.returns.id
    return "MedSegAIError"


def _text(node: ast.expr) -> str:
    """A text constant; parts that are known at run time only become ``*``."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part) if isinstance(part, ast.Constant) else "*" for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _text(node.left) + _text(node.right)
    return "*"
