"""ONNX Runtime from npm, driven by node, and Halftone's program: what the peer tests share."""
import json
import pathlib
import shutil
import subprocess
import sys

import numpy as np

PACKAGE = 'onnxruntime-node@1.30.0'
HERE = pathlib.Path(__file__).resolve().parent


def skip(reason):
    """Ends the test as skipped."""
    print(f'skipped: {reason}')
    sys.exit(77)


def install_runtime(work):
    """Puts ONNX Runtime into work/node_modules unless it is there; skips the test where it cannot be had."""
    if not shutil.which('npm') or not shutil.which('node'):
        skip(f'npm is not installed; it brings {PACKAGE}, which this test compares with')
    if (work / 'node_modules/onnxruntime-node').is_dir():
        return
    (work / 'package.json').write_text('{}')
    done = subprocess.run(['npm', 'install', '--ignore-scripts', '--no-audit', '--no-fund', PACKAGE], cwd=work,
                          capture_output=True, text=True)
    if done.returncode != 0:
        skip(f'npm could not install {PACKAGE}: {done.stderr.strip()[-200:]}')


def try_run(*command):
    """The program's output, or None and what it said when it failed."""
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True)
    return (done.stdout, '') if done.returncode == 0 else (None, (done.stderr or done.stdout).strip())


class Runtime:
    """Collects jobs and runs them in one node process: add() each, run(), then results[i]."""

    def __init__(self, work):
        self.work = work.resolve()
        self.jobs = []
        self.results = []

    def add(self, model, inputs, level='disabled'):
        """Index of a job that runs `model` on {name: array}; every output of the model is kept."""
        index = len(self.jobs)
        folder = self.work / f'job{index}'
        folder.mkdir(parents=True, exist_ok=True)
        described = {}
        for i, (name, array) in enumerate(inputs.items()):
            file = folder / f'input{i}.raw'
            np.ascontiguousarray(array).tofile(file)
            described[name] = {'type': str(array.dtype), 'shape': list(array.shape), 'file': str(file)}
        self.jobs.append({'model': str(model), 'level': level, 'inputs': described, 'folder': str(folder)})
        return index

    def run(self, modules):
        """Runs all jobs with the packages in `modules`; results are {output name: array} or an error string."""
        (self.work / 'jobs.json').write_text(json.dumps(self.jobs))
        done = subprocess.run(['node', HERE / 'run_jobs.mjs', self.work / 'jobs.json', self.work / 'results.json'],
                              cwd=modules, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f'node failed ({done.returncode}): {done.stderr[-2000:]}')
        self.results = [self._read(r) for r in json.loads((self.work / 'results.json').read_text())]

    @staticmethod
    def _read(result):
        if 'error' in result:
            return result['error']
        return {o['name']: np.fromfile(o['file'], 'bool' if o['type'] == 'bool' else o['type']).reshape(o['shape'])
                for o in result['outputs']}
