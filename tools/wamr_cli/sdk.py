"""Where the app SDK is: in the source tree, or in the installed package."""

from __future__ import annotations

from pathlib import Path


def sdk_folder() -> Path:
    """The folder that has c/, rust/, assemblyscript/, zig/ and templates/."""
    here = Path(__file__).resolve().parent
    installed = here / "sdk"
    return installed if installed.is_dir() else here.parents[1] / "sdk"
