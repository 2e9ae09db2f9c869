#!/usr/bin/env python3
"""Trained models of others in Halftone and in ONNX Runtime, where they are: $HALFTONE_DATA/models, data/models or
../shared/data/models. Float models agree within 1e-4 of the largest output; of the quantized ones, computed in
integers, the elements that differ from ONNX Runtime with its graph optimizations on and off are counted, and those
in which its two settings differ from each other: no more may differ from ours, and by no more steps.
Exit 77 (skipped) where there are no models or ONNX Runtime is not to be had.

  trained_models_test.py --halftone build/bin/halftone --work DIR
"""
import argparse
import gzip
import os
import pathlib
import subprocess
import sys

import numpy as np
import onnx

from runtime import Runtime, install_runtime, skip


def find_models():
    """Paths of the models, sorted."""
    for place in (os.environ.get('HALFTONE_DATA', ''), 'data', '../shared/data'):
        found = sorted(pathlib.Path(place, 'models').glob('*.onnx*')) if place else []
        if found:
            return found
    skip('no models folder in $HALFTONE_DATA, data/ or ../shared/data')


def unpacked(path, work):
    """The model as a plain .onnx file, which ONNX Runtime needs."""
    if path.suffix != '.gz':
        return path.resolve()
    plain = work / path.stem
    plain.write_bytes(gzip.decompress(path.read_bytes()))
    return plain


def signature(path):
    """Name and shape of the input that is no weight, the names of nodes' operators, and the output's name."""
    graph = onnx.load(str(path)).graph
    weights = {i.name for i in graph.initializer}
    value = next(i for i in graph.input if i.name not in weights)
    shape = [d.dim_value or 2 for d in value.type.tensor_type.shape.dim]
    return value.name, shape, {n.op_type for n in graph.node}, graph.output[0].name


def compare_floats(name, ours, theirs):
    """Prints the largest difference; whether it is within 1e-4 of the largest output."""
    error = np.abs(ours.astype(np.float64) - theirs).max() / np.abs(theirs).max()
    print(f'{name}: largest difference {error:.2e} of the largest output')
    return error <= 1e-4


def compare_integers(name, ours, optimized, plain):
    """Prints how many elements differ; whether ours differ from either setting no more than these do."""
    step = np.min(np.diff(np.unique(ours)))

    def differing(a, b, what):
        steps = np.abs(a.astype(np.float64) - b) / step
        print(f'{name}: {what}: {np.count_nonzero(steps)} of {ours.size} elements differ, by {steps.max():.0f} steps '
              'at most')
        return np.count_nonzero(steps), round(steps.max())

    near = min(differing(ours, optimized, 'optimizations on'), differing(ours, plain, 'optimizations off'))
    apart = differing(optimized, plain, 'its two settings')
    return near <= apart


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--halftone', required=True, type=pathlib.Path)
    parser.add_argument('--work', required=True, type=pathlib.Path)
    options = parser.parse_args()
    models = find_models()
    work = options.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    install_runtime(work)
    folder = work / 'trained_models'
    folder.mkdir(exist_ok=True)
    runtime = Runtime(folder)
    rng = np.random.default_rng(1)
    jobs = []
    for path in models:
        plain = unpacked(path, folder)
        name, shape, operators, output = signature(plain)
        x = rng.uniform(-1, 1, shape).astype(np.float32)
        np.save(folder / f'{path.name}.x.npy', x)
        levels = ['all', 'disabled'] if 'DequantizeLinear' in operators else ['disabled']
        jobs.append((path, output, [runtime.add(plain, {name: x}, level) for level in levels]))
    runtime.run(work)
    good = True
    for path, output, indices in jobs:
        y = folder / f'{path.name}.y.npy'
        subprocess.run([options.halftone.resolve(), 'run', path.resolve(), '--input', folder / f'{path.name}.x.npy',
                        '--output', y], check=True, stdout=subprocess.DEVNULL)
        theirs = [runtime.results[i] for i in indices]
        for result in theirs:
            if isinstance(result, str):
                sys.exit(f'{path.name}: {result}')
        compare = compare_integers if len(theirs) == 2 else compare_floats
        good &= compare(path.name, np.load(y), *(result[output] for result in theirs))
    return 0 if good else 1


if __name__ == '__main__':
    sys.exit(main())
