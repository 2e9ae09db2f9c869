#!/usr/bin/env python3
"""Checks ONNX files with ONNX's own checker, shape inference included. Exit code 1 when one is refused."""
import sys

import onnx


def main(paths):
    if not paths:
        print(f"usage: {sys.argv[0]} FILE...", file=sys.stderr)
        return 2
    refused = 0
    for path in paths:
        try:
            onnx.checker.check_model(path, full_check=True)
        except Exception as error:  # the checker throws several types, none derived from another
            print(f"{path}: {error}", file=sys.stderr)
            refused += 1
    print(f"{len(paths) - refused} of {len(paths)} files accepted")
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
