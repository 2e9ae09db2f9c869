#!/usr/bin/env python3
"""Disassembles kernels: fails where an innermost loop that multiplies touches the stack, as it does when registers run out.

check_hot_loops.py OBJECT[:SYMBOL]...  SYMBOL keeps only functions whose demangled name contains it.
"""
import re
import subprocess
import sys

MULTIPLIES = re.compile(r'^(vpdpbusd|vpdpwssd|vpmaddwd|vpmaddubsw|tdpb\w+)$')
STACK = re.compile(r'[(,]%[re]sp')


def functions(path):
    text = subprocess.run(['objdump', '-d', '--no-show-raw-insn', '--demangle', path], check=True, capture_output=True, text=True).stdout
    name, body = None, []
    for line in text.splitlines():
        head = re.match(r'^[0-9a-f]+ <(.*)>:$', line)
        if head:
            if name:
                yield name, body
            name, body = head.group(1), []
            continue
        instruction = re.match(r'^\s+([0-9a-f]+):\s+(\S+)\s*(.*)$', line)
        if instruction:
            body.append((int(instruction.group(1), 16), instruction.group(2), instruction.group(3)))
    if name:
        yield name, body


def innermost_loops(body):
    """Instructions from the target of each jump backwards to the jump, of loops that hold no other."""
    loops = []
    for address, mnemonic, operands in body:
        target = re.match(r'^([0-9a-f]+)\b', operands)
        if mnemonic.startswith('j') and target and body[0][0] <= int(target.group(1), 16) <= address:
            loops.append((int(target.group(1), 16), address))
    for first, last in loops:
        if not any((a, b) != (first, last) and first <= a and b <= last for a, b in loops):
            yield [each for each in body if first <= each[0] <= last]


def main():
    checked, bad = 0, []
    for argument in sys.argv[1:]:
        path, _, symbol = argument.partition(':')
        seen = 0
        for name, body in functions(path):
            if symbol and symbol not in name:
                continue
            for loop in innermost_loops(body):
                if not any(MULTIPLIES.match(mnemonic) for _, mnemonic, _ in loop):
                    continue
                seen += 1
                bad += [f'{name}: {mnemonic} {operands}' for _, mnemonic, operands in loop if STACK.search(operands)]
        if seen == 0:
            sys.exit(f'check_hot_loops: no loop that multiplies in {argument}')
        checked += seen
    print('\n'.join(bad) if bad else f'{checked} loops, none of them touches the stack')
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
