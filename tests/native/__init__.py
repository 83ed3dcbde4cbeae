"""Tests of the compiler, of the machine code it makes, and of how that is used."""

import platform
import sys

import pytest

x64_only = pytest.mark.skipif(
    platform.machine() != "x86_64" or sys.platform != "linux",
    reason="on a PC, machine code is made for x86-64 Linux only",
)
