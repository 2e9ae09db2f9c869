#!/usr/bin/env python3
"""Fails when a folder of halftone/ includes what the table in docs/architecture.md does not allow."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"')
HEAVY = (  # libraries that these folders alone may know
    (('qat',), ('torch/', 'ATen/', 'c10/')),
    (('float_engine', 'peers'), ('oneapi/', 'dnnl')),
    (('onnx_io',), ('onnx/', 'google/protobuf/')),
)


def allowed_folders():
    """{folder: the folders it may include}, transitively, from the table."""
    direct = {}
    for line in (ROOT / 'docs/architecture.md').read_text().splitlines():
        row = re.match(r'\|\s*`halftone/(\w+)/`\s*\|.*\|([^|]*)\|\s*$', line)
        if row:
            # Text in brackets is a remark: "qgraph (never engine)".
            direct[row.group(1)] = set(re.findall(r'\w+', re.sub(r'\([^)]*\)', '', row.group(2)))) - {'nothing'}
    if len(direct) < 5:
        sys.exit('check_includes: the table in docs/architecture.md was not found')

    def reach(folder, seen):
        for other in direct.get(folder, ()):
            if other not in seen:
                seen.add(other)
                reach(other, seen)
        return seen
    return {folder: reach(folder, {folder}) for folder in direct}


def violations(folder, files, allowed):
    for path in files:
        for number, line in enumerate(path.read_text().splitlines(), 1):
            heavy = re.match(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', line)
            for owners, prefixes in HEAVY:
                if heavy and folder not in owners and heavy.group(1).startswith(prefixes):
                    yield f'{path.relative_to(ROOT)}:{number}: only {" and ".join(owners)} may include {heavy.group(1)}'
            match = INCLUDE.match(line)
            if not match:
                continue
            parts = match.group(1).split('/')
            if parts[0] != 'halftone':
                yield f'{path.relative_to(ROOT)}:{number}: include "{match.group(1)}" does not start at the root'
            elif parts[1] not in allowed[folder]:
                yield f'{path.relative_to(ROOT)}:{number}: {folder} may not include {parts[1]}'


def main():
    allowed = allowed_folders()
    found = []
    folders = sorted(p for p in (ROOT / 'halftone').iterdir() if p.is_dir())
    for folder in folders:
        files = sorted(p for p in folder.rglob('*') if p.suffix in ('.h', '.cc'))
        if folder.name not in allowed:
            found.append(f'halftone/{folder.name} is not in the table of docs/architecture.md')
        else:
            found += violations(folder.name, files, allowed)
    print('\n'.join(found) if found else f'{len(folders)} folders include only what they may')
    return 1 if found else 0


if __name__ == '__main__':
    sys.exit(main())
