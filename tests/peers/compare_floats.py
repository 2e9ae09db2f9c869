"""Float networks in Halftone and in ONNX Runtime: every element, and every operator that Halftone imports."""
import re
from collections import Counter

import numpy as np

from float_networks import float_network
from runtime import HERE, Runtime, try_run
from single_operators import single_operators

COUNT = 800
TOLERANCE = 1e-4
ABSOLUTE = 1e-6  # values of a network are about 1; sums that cancel keep this much of their rounding
# Operators on integers (the other part's) and of QONNX, which ONNX Runtime does not have.
NOT_HERE = {'QLinearConv', 'QLinearMatMul'}


def imported_operators():
    """The names in the tables of halftone/onnx_io/import_*.cc, but for other domains."""
    sources = ''.join(p.read_text() for p in (HERE.parents[1] / 'halftone/onnx_io').glob('import_*.cc'))
    names = set(re.findall(r'^ +\{"([A-Za-z]+)",\s*import_', sources, re.MULTILINE)) - NOT_HERE
    assert len(names) >= 80, f'{len(names)} importers found in halftone/onnx_io, expected 80'
    return names


def difference(ours, theirs):
    """What is wrong with our result, or ''."""
    if ours.shape != theirs.shape:
        return f'shape {list(ours.shape)}, ONNX Runtime has {list(theirs.shape)}'
    if not np.issubdtype(theirs.dtype, np.floating):
        count = np.count_nonzero(ours != theirs)
        return f'{count} of {ours.size} integers differ' if count else ''
    if theirs.size == 0:
        return ''
    finite = theirs[np.isfinite(theirs)].astype(np.float64)
    rms = np.sqrt(np.mean(finite ** 2)) if finite.size else 0
    with np.errstate(invalid='ignore'):
        error = np.abs(ours.astype(np.float64) - theirs)
        near = error <= TOLERANCE * np.maximum(np.abs(theirs), rms) + ABSOLUTE
    near |= (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))
    if near.all():
        return ''
    at = tuple(int(i) for i in np.argwhere(~near)[0])
    return (f'{np.count_nonzero(~near)} of {near.size} elements differ, at {at} {ours[at]} for {theirs[at]} '
            f'(RMS {rms:.3g})')


def run_floats(halftone, modules, work, first, count):
    """Failures as text. Prints what was covered."""
    runtime, networks = Runtime(work), []
    generated = ((f'network {s}', *float_network(s)) for s in range(first, first + (count or COUNT)))
    for name, network, x in [*single_operators(), *generated]:
        folder = work / f'{len(networks)}'
        folder.mkdir()
        path = network.save(folder / 'm.onnx')
        np.save(folder / 'x.npy', x)
        networks.append((name, network, path, runtime.add(path, {network.input.name: x})))
    runtime.run(modules)
    failures, refused, covered = [], [], Counter()
    for name, network, path, job in networks:
        theirs = runtime.results[job]
        if isinstance(theirs, str):
            refused.append(f'{name} in {path.parent}: {theirs.strip()[:200]}')
            continue
        covered.update(network.operators)
        files = ['--input', path.parent / 'x.npy', '--output', path.parent / 'y.npy']
        done, error = try_run(halftone, 'run', path, *files)
        ours = np.load(path.parent / 'y.npy') if done is not None else None
        wrong = error[:300] if ours is None else difference(ours, next(iter(theirs.values())))
        if wrong:
            failures.append(f'{name} in {path.parent}: {wrong}')
    report(networks, refused, covered)
    missing = sorted(imported_operators() - set(covered))
    if missing:
        failures.append(f'operators that no network covers: {", ".join(missing)}')
    if len(refused) > len(networks) // 50:
        failures.append(f'ONNX Runtime refuses {len(refused)} networks')
    return failures


def report(networks, refused, covered):
    print(f'{len(networks)} networks, of which ONNX Runtime refuses {len(refused)}')
    for line in refused:
        print(f'  refused: {line}')
    print('operators and the networks with them: ' + ', '.join(f'{op} {n}' for op, n in sorted(covered.items())))
