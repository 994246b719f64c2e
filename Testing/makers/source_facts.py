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
    for path in product_files():
        if path.parts[0] == "training":
            continue
        for node in ast.walk(tree_of(path)):
            for call in _calls(node):
                name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
                texts = [_text(argument) for argument in call.args[:3]]
                if texts and (name in ERROR_CLASSES or name in {"Notice", "MedSegAIError"}):
                    kind = name
                elif texts and isinstance(node, ast.Raise) and _CODE.match(texts[0]):
                    kind = _kind_of_helper(path, name)
                else:
                    continue
                if texts[0] and (_CODE.match(texts[0].replace("*", "x")) or texts[0] == "defect"):
                    code, message, hint = (*texts, "", "")[:3]
                    found.setdefault((code, kind), RaisedCode(code, kind, message, hint))
    found[("run.cancelled", "Cancelled")] = RaisedCode("run.cancelled", "Cancelled", "The run was cancelled.", "")
    return [found[key] for key in sorted(found)]


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
