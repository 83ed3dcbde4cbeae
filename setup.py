"""Puts the app SDK into the package: `sdk/` is not below any of the packages in pyproject.toml."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


class BuildWithSDK(build_py):
    def run(self) -> None:
        super().run()
        # An editable installation uses the source tree.
        if not self.editable_mode:
            here = Path(__file__).resolve().parent
            target = Path(self.build_lib, "wamr_cli", "sdk")
            shutil.copytree(here / "sdk", target, dirs_exist_ok=True)


setup(cmdclass={"build_py": BuildWithSDK})
