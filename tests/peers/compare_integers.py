"""Quantized random networks in Halftone and in ONNX Runtime: node by node and as a whole, as QOperator and as QDQ."""
from collections import Counter

import numpy as np

from integers import NodeChecks, scale_of_output
from qlinear_operators import qlinear_operators
from quantized_networks import quantizable_network
from runtime import Runtime, try_run
from saturation import BITS

COUNT = 150
VARIANTS = {'by channel': [], 'symmetric': ['--symmetric'], 'by tensor': ['--granularity', 'tensor'],
            'by tensor, symmetric': ['--granularity', 'tensor', '--symmetric'],
            'by tensor, asymmetric': ['--granularity', 'tensor', '--asymmetric'],
            'powers of two': ['--power-of-two']}


def quantize(halftone, folder, variant, form):
    """The quantized file of folder/m.onnx, or None and why not."""
    path = folder / f'{form}.onnx'
    done, error = try_run(halftone, 'quantize', folder / 'm.onnx', '--data', folder / 'samples.npz', '--preset', 'raw',
                          '--bits', BITS, '--arithmetic', 'onnx', '--format', form, *VARIANTS[variant],
                          '-o', path)
    return (path, '') if done is not None else (None, error)


def run_halftone(halftone, folder, form):
    """The result of folder/FORM.onnx and the folder of its values; or None and why not."""
    dump = folder / f'{form}.dump'
    done, error = try_run(halftone, 'run', folder / f'{form}.onnx', '--input', folder / 'x.npy', '--output',
                          folder / f'{form}.npy', '--dump', dump)
    return (np.load(folder / f'{form}.npy'), dump) if done is not None else (None, error)


def steps(a, b, step):
    """How many steps of the output's scale two results are apart at most."""
    return round(float(np.abs(a - b).max(initial=0) / step))


class WholeNetworks:
    """The results of whole files of one form in Halftone and in ONNX Runtime with optimizations off and on: counted, as
    each node is compared by itself. In a QDQ file ONNX Runtime computes in float32 what it does not turn into an operator
    on integers: all without optimizations, and with them, too, some an Add, where it made uint8 of one operand's int8
    alone. Ties then fall the other way, one step, which the layers behind carry on."""

    def __init__(self, runtime, form):
        self.runtime, self.form = runtime, form
        self.pending = []
        self.failures = []

    def add(self, network, path, ours, feeds):
        jobs = [self.runtime.add(path, feeds, level) for level in ('disabled', 'all')]
        self.pending.append((network, path, ours, jobs))

    def compare(self):
        rows = {'Halftone, ONNX Runtime off': Counter(), 'Halftone, ONNX Runtime on': Counter(),
                'ONNX Runtime off, on': Counter()}
        for network, path, ours, jobs in self.pending:
            off, on = (self.runtime.results[j] for j in jobs)
            if isinstance(off, str):
                self.failures.append(f'{network} as {self.form}: ONNX Runtime says {off[:300]}')
                continue
            if isinstance(on, str):  # its optimizer gave up, on a file that it can run
                print(f'left out, {network} as {self.form}: ONNX Runtime with optimizations says {on[:120]}')
                continue
            off, on = next(iter(off.values())), next(iter(on.values()))
            step = scale_of_output(path)
            for row, (a, b) in zip(rows.values(), ((ours, off), (ours, on), (off, on))):
                self._count(row, a, b, step)
        self._print(rows)

    @staticmethod
    def _count(row, a, b, step):
        differ = int(np.count_nonzero(a != b))
        row.update(networks=1, elements=a.size, differ=differ, networks_that_differ=differ > 0)
        if step is not None:
            row['steps'] = max(row['steps'], steps(a, b, step))

    def _print(self, rows):
        print(f'{"results of files as " + self.form:30}{"networks":>9}{"differ":>8}{"elements":>10}{"differ":>8}'
              f'{"at most":>9}')
        for name, r in rows.items():
            print(f'{name:30}{r["networks"]:9}{r["networks_that_differ"]:8}{r["elements"]:10}{r["differ"]:8}'
                  f'{r["steps"]:6} steps')


def add_operators(halftone, work, nodes):
    """Every file of one operator on integers; returns failures."""
    failures = []
    for i, (name, network, x) in enumerate(qlinear_operators()):
        folder = work / f'operator{i}'
        folder.mkdir()
        network.save(folder / 'm.onnx')
        np.save(folder / 'x.npy', x)
        ours, dump = run_halftone(halftone, folder, 'm')
        if ours is None:
            failures.append(f'{name}: {dump[:300]}')
        else:
            nodes.add(name, folder / 'm.onnx', dump)
    return failures


def run_integers(halftone, modules, work, first, count):
    """Failures as text. Prints what was counted."""
    runtime = Runtime(work)
    nodes = {'qoperator': NodeChecks(runtime), 'qdq': NodeChecks(runtime)}
    whole = {form: WholeNetworks(runtime, form) for form in ('qoperator', 'qdq')}
    failures = add_operators(halftone, work, nodes['qoperator'])
    for seed in range(first, first + (count or COUNT)):
        variant = list(VARIANTS)[seed % len(VARIANTS)]
        name = f'network {seed} ({variant})'
        folder = work / f'{seed}'
        folder.mkdir()
        network, samples, x = quantizable_network(seed)
        network.save(folder / 'm.onnx')
        np.savez(folder / 'samples.npz', x=samples, y=np.zeros(len(samples), np.int32))
        np.save(folder / 'x.npy', x)
        for form in whole:
            path, why = quantize(halftone, folder, variant, form)
            if path is None:
                failures.append(f'{name}: quantize --format {form}: {why[:300]}')
                continue
            ours, dump = run_halftone(halftone, folder, form)
            if ours is None:
                failures.append(f'{name}: run of {form}: {dump[:300]}')
                continue
            nodes[form].add(f'{name} as {form}', path, dump)
            whole[form].add(name, path, ours, {network.input.name: x})
    runtime.run(modules)
    for form, checks in nodes.items():
        checks.compare()
        checks.print(form)
    for files in whole.values():
        files.compare()
    return failures + [f for each in (*nodes.values(), *whole.values()) for f in each.failures]
