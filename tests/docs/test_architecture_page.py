"""The architecture page names code that exists: `file.py:function` or `file.py:Class.method`."""

import ast

from tests.support.pages import ROOT, inline


def names_in(body: list[ast.stmt], prefix: str = "") -> set[str]:
    """Dotted names of the classes and functions defined here, those of classes included."""
    found = set()
    for node in body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            found.add(prefix + node.name)
        if isinstance(node, ast.ClassDef):
            found |= names_in(node.body, f"{prefix}{node.name}.")
    return found


def test_every_function_that_the_page_names_exists():
    places = [code.split(":") for code in inline("docs/architecture.md") if ".py:" in code]
    lost = [
        f"{file}:{name}"
        for file, name in places
        if not (ROOT / file).exists() or name not in names_in(ast.parse((ROOT / file).read_text()).body)
    ]

    assert len(places) >= 20
    assert lost == []
