#!/usr/bin/env python3
"""Every written module passes Verilator's -Wall, Icarus Verilog and Yosys: lint_test.py LIBRARY. A missing tool is said and left out."""
import pathlib
import shutil
import subprocess
import sys
import tempfile


def commands(library, module, folder):
    source = library / f'{module}.sv'
    yield 'verilator', ['verilator', '--lint-only', '-Wall', '-y', library, '--top-module', module, source]
    yield 'iverilog', ['iverilog', '-g2012', '-Wall', '-y', library, '-Y', '.sv', '-s', module, '-o', folder / 'out', source]
    sources = ' '.join(str(path) for path in sorted(library.glob('*.sv')))
    yield 'yosys', ['yosys', '-q', '-p', f'read_verilog -sv {sources}; hierarchy -check -top {module}; proc; check -assert']


def harmless(line):
    return not line or 'Replacing memory' in line or 'Resizing cell port' in line


def main():
    library = pathlib.Path(sys.argv[1]).resolve()
    modules = sorted(path.stem for path in library.glob('*.sv'))
    bad, missing = [], set()
    with tempfile.TemporaryDirectory() as folder:
        for module in modules:
            for tool, command in commands(library, module, pathlib.Path(folder)):
                if not shutil.which(tool):
                    missing.add(tool)
                    continue
                done = subprocess.run(command, capture_output=True, text=True)
                said = [line for line in (done.stdout + done.stderr).splitlines() if not harmless(line)]
                if done.returncode or said:
                    bad.append(f'{tool} {module}: exit {done.returncode}\n' + '\n'.join(said))
    for tool in sorted(missing):
        print(f'skipped: {tool} is missing')
    print('\n'.join(bad) if bad else f'{len(modules)} modules pass')
    return 1 if bad or not modules else 0


if __name__ == '__main__':
    sys.exit(main())
