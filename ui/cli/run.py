"""``station run``: the bench of this home folder, full screen."""

from __future__ import annotations

import sys
from pathlib import Path

import click


@click.command()
@click.option("--window", is_flag=True, help="In a window instead of full screen.")
@click.option("--training", is_flag=True, help="Train with recorded items; nothing real is touched.")
@click.option(
    "--dossier", "dossiers", multiple=True, type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="With --training: an item of your own, as often as you like; otherwise the shipped ones.",
)  # fmt: skip
@click.pass_context
def run(context: click.Context, window: bool, training: bool, dossiers: tuple[Path, ...]) -> int:
    """Start the bench with the configuration in HOME/station.toml."""
    if training:
        return _train(context.obj, window, dossiers)
    if dossiers:
        raise click.UsageError("--dossier is for --training")
    from station.config import load_config
    from station.logs import configure_logging, log_uncaught
    from ui.app import BenchApp, make_application, quit_on_signals

    home: Path = context.obj
    home.mkdir(parents=True, exist_ok=True)
    config = load_config(home)
    configure_logging(home)
    log_uncaught()
    application = make_application(sys.argv[:1])
    quit_on_signals(application)
    bench = BenchApp(home, config, pictures=home / "pictures")
    if config.screen.full_screen and not window:
        bench.window.showFullScreen()
    else:
        bench.window.show()
    bench.start()
    application.aboutToQuit.connect(bench.stop)
    return int(application.exec())


def _train(home: Path, window: bool, dossiers: tuple[Path, ...]) -> int:
    """Training in a folder beside the home, which is only read; ends with the report on stdout and in that folder."""
    import msgspec

    from station.config import load_config
    from station.logs import configure_logging, log_uncaught
    from ui.app import make_application, quit_on_signals
    from ui.training import TrainingApp, items_of, make_room, shipped_items, training_home

    config = load_config(home)
    items = items_of(dossiers) if dossiers else shipped_items()
    folder = training_home(home)
    make_room(folder)
    configure_logging(folder)
    log_uncaught()
    application = make_application(sys.argv[:1])
    quit_on_signals(application)
    bench = TrainingApp(folder, config, items, home)
    if config.screen.full_screen and not window:
        bench.window.showFullScreen()
    else:
        bench.window.show()
    bench.start()
    application.aboutToQuit.connect(bench.stop)
    code = int(application.exec())
    session = bench.session
    (folder / "report.json").write_bytes(msgspec.json.format(msgspec.json.encode(session), indent=2) + b"\n")
    for line in session.text:
        click.echo(line)
    return code
