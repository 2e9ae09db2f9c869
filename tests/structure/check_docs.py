#!/usr/bin/env python3
"""Runs the ```sh commands of the pages given, in order, in one empty folder: check_docs.py HALFTONE PAGE..."""
import os
import re
import subprocess
import sys
import tempfile


def main():
    halftone, pages = os.path.abspath(sys.argv[1]), [os.path.abspath(p) for p in sys.argv[2:]]
    environment = dict(os.environ, PATH=os.path.dirname(halftone) + ':' + os.environ['PATH'])
    count = 0
    with tempfile.TemporaryDirectory() as folder:
        for page in pages:
            blocks = re.findall(r'^```sh\n(.*?)^```$', open(page).read(), re.M | re.S)
            for command in '\n'.join(blocks).splitlines():
                done = subprocess.run(['bash', '-c', command], cwd=folder, env=environment, capture_output=True, text=True)
                print(f'$ {command}\n{done.stdout}{done.stderr}')
                if done.returncode != 0:
                    sys.exit(f'{page}: exit {done.returncode}')
                count += 1
    print(f'{count} commands ran')
    return 0 if count else 1


if __name__ == '__main__':
    sys.exit(main())
