#!/usr/bin/env python3
"""Disassembles the integer interpreter's inner loops: fails on any floating-point instruction.

check_no_float.py [--expect-float] OBJECT[:SYMBOL]...  SYMBOL keeps only functions whose demangled name contains it.
Moves, logic and shuffles of vector registers carry integers as well and are no arithmetic; what adds, multiplies,
compares, rounds or converts floats is. --expect-float turns the question round: it fails when there is none.
"""
import re
import subprocess
import sys

# SSE and AVX scalar and packed float arithmetic, conversions, and the x87 unit.
FLOAT = re.compile(
    r'^v?(?:(?:add|sub|mul|div|sqrt|min|max|rcp|rsqrt|cmp\w*|round|addsub|hadd|hsub|dp)(?:ss|sd|ps|pd)'
    r'|u?comis[sd]|cvt\w+|fn?m(?:add|sub)\w*|rndscale\w+|range[sp][sd]|getexp\w+|scalef\w+)$'
    r'|^f(?:ld|st|add|sub|mul|div|ild|ist|com|ucom|sqrt|rndint|abs|chs)\w*$')


def functions(path):
    text = subprocess.run(['objdump', '-d', '--no-show-raw-insn', '--demangle', path], check=True, capture_output=True,
                          text=True).stdout
    name = None
    for line in text.splitlines():
        head = re.match(r'^[0-9a-f]+ <(.*)>:$', line)
        if head:
            name = head.group(1)
            continue
        body = re.match(r'^\s+[0-9a-f]+:\s+(\S+)', line)
        if body and name:
            yield name, body.group(1), line.strip()


def main():
    checked, bad = 0, []
    expect_float = '--expect-float' in sys.argv
    for argument in (a for a in sys.argv[1:] if a != '--expect-float'):
        path, _, symbol = argument.partition(':')
        seen = 0
        for name, mnemonic, line in functions(path):
            if symbol and symbol not in name:
                continue
            seen += 1
            if FLOAT.match(mnemonic):
                bad.append(f'{name}: {line}')
        if seen == 0:
            sys.exit(f'check_no_float: nothing to check in {argument}')
        checked += seen
    if expect_float:
        print(f'{len(bad)} of {checked} instructions are floating point')
        return 0 if bad else 1
    print('\n'.join(bad) if bad else f'{checked} instructions, none of them floating point')
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
