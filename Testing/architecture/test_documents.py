"""Documents tell what is there: links resolve, codes are listed, commands exist, one version everywhere."""

import inspect
import re

import pytest

from MedSegAILib.cli.app import app
from MedSegAILib.version import VERSION
from Testing.makers.source_facts import CHECKOUT, raised_codes, tracked_files
from Testing.makers.write_errors_page import page

pages = [path for path in tracked_files() if path.suffix == ".md"]
VERBS_OF_A_NEWCOMER = {"setup", "demo", "test", "check", "bench"}


def text_of(name):
    return (CHECKOUT / name).read_text(encoding="utf-8")


def make_verbs():
    return set(re.findall(r"^([a-z][a-z-]*):", text_of("Makefile"), re.MULTILINE))


@pytest.mark.parametrize("path", pages, ids=str)
def test_links_of_a_page_resolve(path):
    for target in re.findall(r"\]\(([^)#\s]+)", text_of(path)):
        if not target.startswith(("http://", "https://", "mailto:")):
            assert (CHECKOUT / path.parent / target).exists(), target


def test_error_codes_in_the_source_are_the_listed_ones():
    listed = set(re.findall(r"^\| `([^`]+\.[^`]+|defect)` \|", text_of("docs/reference/errors.md"), re.MULTILINE))
    assert listed == {entry.code for entry in raised_codes()}, "run `make docs`"


def test_every_error_has_a_message_and_a_next_step():
    for entry in raised_codes():
        assert entry.message, entry.code
        assert entry.hint or entry.kind in {"Cancelled", "Notice"}, entry.code


def test_page_of_errors_is_written_by_its_maker():
    assert "## InputError" in page()
    assert text_of("docs/reference/errors.md").startswith("# Errors and notices")


def test_make_has_the_verbs_of_a_newcomer():
    assert make_verbs() >= VERBS_OF_A_NEWCOMER


@pytest.mark.parametrize("path", pages, ids=str)
def test_make_commands_of_a_page_exist(path):
    for verb in re.findall(r"`make ([a-z-]+)", text_of(path)) + re.findall(r"^    make ([a-z-]+)", text_of(path), re.M):
        assert verb in make_verbs(), verb


@pytest.mark.parametrize("path", pages, ids=str)
def test_medsegai_commands_of_a_page_exist(path):
    verbs = {entry.name for entry in (*app.registered_commands, *app.registered_groups)}
    for verb in re.findall(r"(?:`|^    (?:\.venv/bin/)?)medsegai ([a-z]+)", text_of(path), re.MULTILINE):
        assert verb in verbs, verb


def test_tests_that_a_page_names_exist():
    named = {name for path in pages for name in re.findall(r"`(test_[a-z0-9_]+)`", text_of(path))}
    defined = {
        name
        for path in tracked_files()
        if path.parts[0] == "Testing" and path.suffix == ".py"
        for name in re.findall(r"^def (test_[a-z0-9_]+)", text_of(path), re.MULTILINE)
    }
    assert len(named) > 30
    assert named <= defined, named - defined


def test_every_complaint_of_users_has_a_test_and_a_manual_check_that_exists():
    rows = re.findall(r"^\| (\d+) \| [^|]+ \| (.+) \|$", text_of("docs/users.md"), re.MULTILINE)
    assert [int(number) for number, _ in rows] == list(range(1, 65))
    lines = re.findall(r"^(\d+)\. ", text_of("docs/how-to/manual-checklist.md"), re.MULTILINE)
    for number, held in rows:
        assert re.search(r"`test_[a-z0-9_]+`", held), number
        assert set(re.findall(r"Manual check (\d+)", held)) <= set(lines), number


def test_changelog_names_the_version_and_what_can_change_a_mask():
    changelog = text_of("CHANGELOG.md")
    assert re.search(rf"^## \[?{re.escape(VERSION)}\]?", changelog, re.MULTILINE)
    assert "### Models and defaults" in changelog


def test_version_is_the_same_everywhere():
    assert 'attr = "MedSegAILib.version.VERSION"' in text_of("pyproject.toml")
    import MedSegAILib

    assert MedSegAILib.__version__ == VERSION


def test_readme_says_what_it_is_not_for():
    assert "Research use only, not for clinical decisions" in text_of("README.md")


def test_pages_of_the_package_format_stay_short():
    assert len(text_of("docs/reference/package.md").splitlines()) <= 40


@pytest.mark.parametrize("module", ["prepare_steps", "decide"])
def test_page_of_the_manifest_lists_every_step_with_its_parameters(module):
    from importlib import import_module

    for name, step in import_module(f"MedSegAILib.tasks.{module}").STEPS.items():
        parameters = ", ".join(list(inspect.signature(step).parameters)[1:])
        written = f"`{name} {{{parameters}" if parameters else f"`{name}`"
        assert written in text_of("docs/reference/manifest.md"), written


def test_page_of_the_package_format_lists_every_field_of_the_shipped_manifest():
    from Testing.makers.tiny_package import manifest

    assert all(f"`{name}`" in text_of("docs/reference/package.md") for name in (*manifest(), "files"))
