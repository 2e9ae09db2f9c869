"""Runs the commands of a cell, and keeps what each gave, so that a run that was cut off goes on where it stopped."""
import hashlib
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import time

from ptq.networks import HALFTONE, MODELS, SHARED

PICTURES = SHARED / 'imagenet-sample' / 'images'
CHOICE_ROWS = '2000'


class Runner:
    """Every command's result is a JSON file in the work folder, named by a digest of the command line and of the network it
    reads: a changed setting measures anew. The program itself is not in it: a new build needs a new folder."""

    def __init__(self, work, training='', held_out=0):
        self.work, self.training, self.held_out = work, training, held_out

    def missing(self, network):
        places = [MODELS / network.file] if network.file else []
        places.append(SHARED / network.data if network.data else PICTURES)
        return next((place for place in places if not place.exists()), None)

    def float_network(self, network, seed):
        if network.file:
            return MODELS / network.file
        words = ['train', *network.train.split(), '--data', network.data, '--seed', str(seed)]
        return self._written(f'{key(network.name)}-seed{seed}', words)['file']

    def float_accuracy(self, network, seed):
        path = self.float_network(network, seed)
        if not self.held_out:
            return self._judged(path, self._test_rows(network), 'float')[0]['accuracy']
        if not network.data:
            return 100.0  # without labels, accuracy is how often the float network names the same class
        rows = [*self._training_rows(network), '--samples', str(self.held_out)]
        return self._judged(path, rows, 'float')[0]['accuracy']

    def rounded(self, network, cell, seed):
        """The better of error feedback (with 8 bits, nearest) and AdaRound, chosen on training rows; of pictures, where AdaRound
        takes longer than training, the first."""
        made = []
        for method in ([], ['--adaround']) if network.data else ([],):
            words = ['quantize', self.float_network(network, seed), *self._training_rows(network), *bits(network, cell), *method]
            record = self._written(f'{key(network.name)}-{cell.bits}-rounded', words, reads=self.float_network(network, seed))
            made.append((self._on_training_rows(network, seed, record['file']), method, record['file']))
        _, method, path = max(made, key=lambda entry: entry[0])
        accuracy = self._judged(path, self._test_rows(network), 'integer')[0]['accuracy']
        return {'accuracy': accuracy, 'recipe': bits(network, cell) + method}

    def trained(self, network, cell, seed):
        words = ['finetune', self.float_network(network, seed), *self._training_rows(network), *bits(network, cell),
                 *self.options(cell), '--seed', str(seed)]
        if not network.data:
            words.append('--no-labels')
        if self.held_out:
            words += ['--held-out', str(self.held_out)]
        record = self._written(f'{key(network.name)}-{cell.bits}-seed{seed}', words, reads=self.float_network(network, seed))
        if self.held_out:
            accuracy = record['result']['held_out_accuracy']
        else:
            accuracy = self._judged(record['file'], self._test_rows(network), 'integer')[0]['accuracy']
        return {'accuracy': accuracy, 'minutes': record['minutes'], 'command': record['command'], 'file': record['file']}

    def options(self, cell):
        return (self.training or cell.training).split()

    def _on_training_rows(self, network, seed, path):
        if network.data:
            return self._judged(path, [*self._training_rows(network), '--samples', CHOICE_ROWS], 'integer')[0]['accuracy']
        words = ['evaluate', self.float_network(network, seed), path, *self._training_rows(network), '--only', 'float,integer']
        return self._kept(f'{pathlib.Path(path).stem}-choice', words, path)['result'][-1]['same_class_as_first']

    def _training_rows(self, network):
        return self._rows(network, 'train')

    def _test_rows(self, network):
        return self._rows(network, 'test')

    def _rows(self, network, part):
        if network.data:
            return ['--data', f'{network.data}:{part}', *network.preparation.split()]
        return ['--images', PICTURES, '--labels', self._labels(part), *network.preparation.split()]

    def _labels(self, part):
        """Every other picture to train on, the others to judge on."""
        first = ('train', 'test').index(part)
        names = sorted(PICTURES.glob('*.jpg'))[first::2]
        path = self.work / f'pictures-{part}.txt'
        path.write_text(''.join(f'{name.name} {int(name.name[:3])}\n' for name in names))
        return path

    def _judged(self, path, rows, way):
        words = ['evaluate', path, *rows, '--only', way]
        return self._kept(f'{pathlib.Path(path).stem}-judged', words, path)['result']

    def _written(self, name, words, reads=None):
        return self._kept(name, words, reads, writes=True)

    def _kept(self, name, words, reads=None, writes=False):
        words = [str(word) for word in words]
        digest = hashlib.sha256('\0'.join(words).encode())
        if reads:
            digest.update(pathlib.Path(reads).read_bytes())
        record = self.work / f'{name}-{digest.hexdigest()[:12]}.json'
        output = record.with_suffix('.onnx')
        if record.exists() and (output.exists() or not writes):
            return json.loads(record.read_text())
        words += ['-o', str(output), '--json'] if writes else ['--json']
        begin = time.monotonic()
        kept = {'command': shlex.join(['halftone', *words]), 'file': str(output) if writes else '',
                'result': json.loads(halftone(words)), 'minutes': (time.monotonic() - begin) / 60}
        new = record.with_suffix('.part')
        new.write_text(json.dumps(kept, indent=1) + '\n')
        new.rename(record)
        return kept


def bits(network, cell):
    return ['--bits', cell.bits.lower(), *([] if cell.bits == 'W8A8' else network.below_8.split())]


def key(name):
    return re.sub('[^a-z0-9_]+', '-', name.lower())


def halftone(words):
    command = shlex.join(['halftone', *words])
    print(command, file=sys.stderr, flush=True)
    done = subprocess.run([HALFTONE, *words], capture_output=True, text=True, env={**os.environ, 'HALFTONE_DATA': str(SHARED)})
    if done.returncode:
        sys.exit(f'{command} failed ({done.returncode}):\n{done.stderr}')
    return done.stdout
