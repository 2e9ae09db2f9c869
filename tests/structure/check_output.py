#!/usr/bin/env python3
"""A page shows what a program prints: check_output.py PROGRAM PAGE (its ```text block)."""
import re
import subprocess
import sys


def main():
    program, page = sys.argv[1:]
    printed = subprocess.run([program], capture_output=True, text=True, check=True).stdout
    shown = re.search(r'^```text\n(.*?)^```$', open(page).read(), re.M | re.S).group(1)
    if printed != shown:
        sys.exit(f'{page} shows something else than {program} prints:\n{printed}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
