#!/usr/bin/env python3
"""Figures are what a program draws: check_figures.py PROGRAM FOLDER (every .svg there, byte for byte)."""
import pathlib
import subprocess
import sys
import tempfile


def contents(folder):
    return {path.name: path.read_bytes() for path in pathlib.Path(folder).glob('*.svg')}


def main():
    program, folder = sys.argv[1:]
    with tempfile.TemporaryDirectory() as drawn_in:
        subprocess.run([program, drawn_in], check=True)
        drawn, shown = contents(drawn_in), contents(folder)
    differ = sorted(name for name in drawn | shown if drawn.get(name) != shown.get(name))
    if differ:
        sys.exit(f'{folder} shows something else than {program} draws: {", ".join(differ)}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
