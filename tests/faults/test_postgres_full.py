"""F5 on PostgreSQL: its disk is really full (a small file system of its own), and room is made later."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.conftest import WarningsOnTheLog
from tests.faults.bench import Bench
from tests.faults.conftest import Postgres
from tests.faults.invariants import Centre, broken, drains
from tests.faults.serving import ForkedServer
from tests.sync.material import FileOutbox, some_entries, until


@pytest.fixture
def small_disk(postgres: Postgres) -> Iterator[Path]:
    """48 MB that PostgreSQL's user may write; outside pytest's folders, which that user may not enter."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("only root can mount a small disk for PostgreSQL; that it says 53100 is tested everywhere")
    user = postgres.server.server.system_user
    with tempfile.TemporaryDirectory(prefix="station-small-disk-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", name], capture_output=True, text=True, check=False
        )
        if mounted.returncode != 0:
            pytest.skip(
                f"mounting is forbidden here ({mounted.stderr.strip()}); that it says 53100 is tested elsewhere"
            )
        try:
            data = folder / "data"
            data.mkdir()
            if user:
                shutil.chown(data, user)
            yield folder
        finally:
            subprocess.run(["umount", "-l", name], check=True)


def test_a_postgresql_whose_disk_is_full_acknowledges_nothing_and_heals_by_itself(
    small_disk: Path, postgres: Postgres, outbox: FileOutbox, tmp_path: Path, expected_warnings: WarningsOnTheLog
) -> None:
    expected_warnings(".*", required=False)
    url = postgres.database()
    plain = url.set(drivername="postgresql", database="postgres").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as admin:
        admin.execute(f"CREATE TABLESPACE small LOCATION '{small_disk / 'data'}'")  # type: ignore[arg-type,unused-ignore]
        admin.execute(f"ALTER DATABASE {url.database} SET TABLESPACE small")  # type: ignore[arg-type,unused-ignore]
    recorded, _ = some_entries(600)
    centre = Centre(url)
    with ForkedServer(tmp_path / "centre", url) as server:
        server.start()
        outbox.record(recorded[:50])
        with Bench(outbox, server.url, 1) as bench:
            drains(outbox, 30)
            filler = small_disk / "filler"
            with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
                while file.write(bytes(8192)):  # until there is nothing left, whoever else writes
                    pass
            outbox.record(recorded[50:])
            bench.wake()
            until(lambda: any("HTTP 503" in state.detail for state in bench.states), 30, "it says that it cannot")
            taken = {seq for seq, (status, _) in outbox.statuses().items() if status}
            assert taken <= {one.seq for one in centre.held()}
            assert 50 <= len(taken) < 600
            assert bench.states[-1].stuck == 0, "the disk is no fault of a record"
            filler.unlink()
            drains(outbox, 30)
        assert broken(centre, recorded, outbox) == []
    centre.close()
    with psycopg.connect(plain, autocommit=True) as admin:
        admin.execute(f"DROP DATABASE {url.database} WITH (FORCE)")  # type: ignore[arg-type,unused-ignore]
        admin.execute("DROP TABLESPACE small")
