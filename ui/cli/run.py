"""``station run``: the bench of this home folder, full screen."""

from __future__ import annotations

import sys
from pathlib import Path

import click


@click.command()
@click.option("--window", is_flag=True, help="In a window instead of full screen.")
@click.pass_context
def run(context: click.Context, window: bool) -> int:
    """Start the bench with the configuration in HOME/station.toml."""
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
