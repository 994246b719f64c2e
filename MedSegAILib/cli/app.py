"""The door: the table of verbs, and the one place where errors become sentences and exit codes.

Verbs live in their own files and load what they need when they run, so that ``--help`` stays fast. Ring 8.
"""

from __future__ import annotations

import logging
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from MedSegAILib.core.errors import Cancelled, MedSegAIError
from MedSegAILib.version import VERSION

from . import (
    batch,
    bundle,
    correct,
    dicom,
    doctor,
    evaluate,
    export,
    inspect,
    models,
    networks,
    screen,
    segment,
    train,
    view,
)

EXIT_DEFECT = 1
_LOG = logging.getLogger(__name__)
_EPILOG = "Research use only. Not for clinical decisions."


class _Verbs(TyperGroup):
    """The group of verbs; Ctrl-C becomes our own error before the toolkit turns it into exit code 1."""

    def invoke(self, ctx: Any) -> Any:
        """Run the chosen verb.

        Raises:
            Cancelled: "run.cancelled" after Ctrl-C.
        """
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise Cancelled from None


app = typer.Typer(
    cls=_Verbs,
    name="medsegai",
    help="Segment medical images with trained packages.",
    epilog=_EPILOG,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command("segment", epilog=_EPILOG)(segment.segment)
app.command("batch", epilog=_EPILOG)(batch.batch)
app.command("evaluate", epilog=_EPILOG)(evaluate.evaluate)
app.command("correct", epilog=_EPILOG)(correct.correct)
app.command("inspect", epilog=_EPILOG)(inspect.inspect)
app.command("train", context_settings=train.EVERYTHING)(train.train)
app.command("export", epilog=_EPILOG)(export.export)
app.add_typer(models.app, name="models")
app.command("view", epilog=_EPILOG)(view.view)
app.command("networks")(networks.networks)
app.add_typer(dicom.app, name="dicom")
app.add_typer(bundle.app, name="bundle")
app.command("doctor")(doctor.doctor)


def _show_version(wanted: bool) -> None:
    if wanted:
        screen.say(f"medsegai {VERSION}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and end.")
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="Log every step, and the trace of a defect.")] = False,
) -> None:
    """Segment medical images with trained packages."""
    if verbose:
        logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
        logging.getLogger("MedSegAILib").setLevel(logging.DEBUG)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and end the process.

    Args:
        arguments: what follows ``medsegai``; None takes the process's own.

    Raises:
        SystemExit: always; the exit codes are told in ``docs/reference/command-line.md``.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    as_json = "--json" in arguments
    screen.make_robust()
    # What the library warns of also stands on the result; without a handler Python would print it a second time.
    logging.getLogger("MedSegAILib").addHandler(logging.NullHandler())
    try:
        app(args=arguments, prog_name="medsegai")
    except MedSegAIError as error:
        screen.show_error(error, as_json=as_json)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:  # before a verb ran, for example while a library loads
        screen.show_error(Cancelled(), as_json=as_json)
        sys.exit(Cancelled.exit_code)
    except Exception as defect:  # the one broad door of this ring: whatever no class foresaw
        _LOG.debug("defect", exc_info=True)
        screen.show_error(_defect(defect), as_json=as_json)
        sys.exit(EXIT_DEFECT)


def _defect(error: Exception) -> MedSegAIError:
    # The text of a foreign error may hold a path or a name from a header; its kind alone is safe to show.
    return MedSegAIError(
        "defect",
        f"Something failed that should not: {type(error).__name__}. This is a defect of ours.",
        "Run it again as `medsegai --verbose ...` and report what it prints.",
    )
