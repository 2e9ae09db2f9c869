#!/usr/bin/env python3
"""Our files in ONNX Runtime: the checker accepts them, and arithmetic `onnx` gives ONNX Runtime's predictions.

Trains the MLP, quantizes it with `--arithmetic onnx`, runs the integers with `halftone run` and the same QDQ file in
ONNX Runtime with graph optimizations off and on. Passes when at least 99.9 % of the predictions are the same and,
with optimizations on, every element; differing elements are counted and printed. Exit 77 (skipped) where npm or its package is not to be had.

  onnxruntime_test.py --halftone build/bin/halftone --work DIR (--digits PROGRAM | --data mnist) [--epochs N] [--model NAME]
"""
import argparse
import gzip
import os
import pathlib
import subprocess
import sys

import numpy as np

from runtime import HERE, install_runtime, skip
from saturation import BITS


def run(*command, **options):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, **options)
    if done.returncode != 0:
        sys.exit(f'{" ".join(map(str, command))} failed ({done.returncode}):\n{done.stdout}{done.stderr}')
    return done.stdout


def read_mnist():
    for place in (os.environ.get('HALFTONE_DATA', ''), 'data', '../shared/data'):
        folder = pathlib.Path(place) / 'mnist'
        for name in ('t10k-images-idx3-ubyte.gz', 't10k-images-idx3-ubyte'):
            if place and (folder / name).exists():
                opened = gzip.open(folder / name) if name.endswith('.gz') else open(folder / name, 'rb')
                with opened as file:
                    return np.frombuffer(file.read()[16:], np.uint8).reshape(-1, 1, 28, 28)
    skip('mnist was not found')


def images(options, work):
    if options.data == 'mnist':
        return read_mnist()
    run(options.digits, work / 'digits.npz', 2000)
    return np.load(work / 'digits.npz')['x']


def in_onnxruntime(model, x, level, work):
    x.tofile(work / 'x.f32')
    shape = ','.join(map(str, x.shape))
    run('node', HERE / 'run_model.mjs', model, 'x.f32', shape, 'y.f32', level, cwd=work)
    return np.fromfile(work / 'y.f32', np.float32).reshape(len(x), -1)


def compare(ours, theirs, level):
    # Integers times the scale: a difference of neighbours is the scale but for float32's rounding.
    steps = np.rint(np.abs(ours - theirs) / np.min(np.diff(np.unique(ours))))
    same = np.mean(ours.argmax(1) == theirs.argmax(1))
    print(f'optimizations {level:8}: {np.count_nonzero(ours != theirs)} of {ours.size} elements differ'
          f' (by {steps.max():.0f} steps at most), same class for {100 * same:.3f} % of {len(ours)}')
    # With optimizations on, ONNX Runtime computes in integers; off, in float32, where ties may fall the other way.
    return same >= 0.999 and (np.array_equal(ours, theirs) if level == 'all' else steps.max() <= 1)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--halftone', required=True, type=pathlib.Path)
    parser.add_argument('--work', required=True, type=pathlib.Path)
    parser.add_argument('--digits', type=pathlib.Path)
    parser.add_argument('--data', default='digits')
    parser.add_argument('--epochs', default=2, type=int)
    parser.add_argument('--model', help='a float model to use instead of training one')
    options = parser.parse_args()
    work = options.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    install_runtime(work)
    halftone = options.halftone.resolve()
    model = options.model or work / 'mlp.onnx'
    if not options.model:
        run(halftone, 'train', 'mlp', '--data', options.data, '--epochs', options.epochs, '--seed', 1, '-o', model)
    x = (images(options, work).astype(np.float32) / np.float32(255)).astype(np.float32)
    np.save(work / 'x.npy', x)
    passed = True
    for name, arguments in {'by channel': [], 'by tensor, symmetric': ['--granularity', 'tensor', '--symmetric'],
                            'asymmetric': ['--asymmetric']}.items():
        quantized = work / 'mlp.qdq.onnx'
        run(halftone, 'quantize', model, '--data', options.data, '--bits', BITS, '--arithmetic', 'onnx', *arguments,
            '-o', quantized)
        run('/usr/bin/python3', HERE.parent / 'onnx_io/check_with_onnx.py', quantized)
        run(halftone, 'run', quantized, '--input', work / 'x.npy', '--output', work / 'y.npy')
        ours = np.load(work / 'y.npy')
        print(f'{name}: the ONNX checker accepts the file')
        for level in ('disabled', 'all'):
            passed &= compare(ours, in_onnxruntime(quantized, x, level, work), level)
    return 0 if passed else 1


if __name__ == '__main__':
    sys.exit(main())
