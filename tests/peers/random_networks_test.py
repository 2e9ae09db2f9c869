#!/usr/bin/env python3
"""Random networks in Halftone and in ONNX Runtime.

Part `floats`: single operators and seeded random float networks of operator sets 7 to 22 give ONNX Runtime's results
(its graph optimizations disabled), and together use every float operator that Halftone imports.
Part `integers`: random convolutional networks, quantized with `--arithmetic onnx --format qoperator`; every node is
given Halftone's integers in ONNX Runtime and must give Halftone's result (integers.py says which operators are only
counted). The same networks as QDQ are compared as a whole and counted.
Exit 77 (skipped) where npm or its package is not to be had.

  random_networks_test.py --halftone build/bin/halftone --work DIR --part floats|integers [--count N] [--first SEED]
"""
import argparse
import pathlib
import shutil
import sys

from compare_floats import run_floats
from compare_integers import run_integers
from runtime import install_runtime


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--halftone', required=True, type=pathlib.Path)
    parser.add_argument('--work', required=True, type=pathlib.Path)
    parser.add_argument('--part', required=True, choices=['floats', 'integers'])
    parser.add_argument('--count', type=int, help='random networks')
    parser.add_argument('--first', type=int, default=0, help='the first seed')
    options = parser.parse_args()
    work = options.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    install_runtime(work)
    folder = work / f'random_{options.part}'
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    part = run_floats if options.part == 'floats' else run_integers
    failures = part(options.halftone.resolve(), work, folder, options.first, options.count)
    for failure in failures[:100]:
        print(f'FAILED {failure}')
    print(f'{len(failures)} failures' if failures else 'passed')
    return 1 if failures else 0


if __name__ == '__main__':
    sys.exit(main())
