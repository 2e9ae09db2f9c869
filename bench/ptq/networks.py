"""The networks of the tables: what they are calibrated on, and what they are judged on."""
import json
import os
import pathlib
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
HALFTONE = os.environ.get('HALFTONE', ROOT / 'build' / 'bin' / 'halftone')
SHARED = pathlib.Path(os.environ.get('HALFTONE_DATA', ROOT.parent / 'shared' / 'data'))
MODELS = SHARED / 'models'


# Bits alone, whatever the defaults; and ranges of least squared error.
PLAIN = ['--nearest', '--correct-bias=none', '--observer', 'minmax', '--weight-observer', 'minmax']
CLIP = ['--observer', 'mse', '--weight-observer', 'mse']


def halftone(*arguments):
    done = subprocess.run([HALFTONE, *map(str, arguments)], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f'halftone {" ".join(map(str, arguments))}\n{done.stderr}')
    return done.stdout


class Network:
    """One float file, the samples it is calibrated on, the rows of choices (not of the test), fewer of them where there are many
    choices, and those it is judged on."""

    def __init__(self, path, calibration, choice, few, test):
        self.path, self.calibration, self.choice, self.few, self.test = path, calibration, choice, few, test

    def quantize(self, output, recipe):
        halftone('quantize', self.path, *self.calibration, *recipe, '-o', output)

    def judged(self, work, recipe, rows=None):
        """The float network's row of `evaluate`, and the integers'."""
        quantized = work / 'quantized.onnx'
        self.quantize(quantized, recipe)
        table = json.loads(halftone('evaluate', self.path, quantized, *(rows or self.test), '--json'))
        return table[0], table[-1]


class Group:
    """A network trained from several seeds, or calibrated on several subsets."""

    def __init__(self, name, columns, make):
        self.name, self.columns, self._make, self._networks = name, columns, make, None

    def networks(self):
        if self._networks is None:
            self._networks = self._make()
        return self._networks

    def measured(self, work, recipe, first=False):
        """Means over the networks, or of the first alone; the spread is the largest drop less the smallest."""
        pairs = [network.judged(work, recipe) for network in self.networks()[:1 if first else None]]
        drops = [real['accuracy'] - integer['accuracy'] for real, integer in pairs]
        mean = lambda values: statistics.mean(list(values))
        return {'float': mean(real['accuracy'] for real, _ in pairs),
                'integer': mean(integer['accuracy'] for _, integer in pairs),
                'drop': mean(drops), 'spread': max(drops) - min(drops), 'runs': len(pairs),
                'same_class': mean(integer['same_class_as_first'] for _, integer in pairs),
                'float_nodes': max(integer['float_nodes'] for _, integer in pairs)}


def choice_rows(data, samples=2000):
    return ['--data', f'{data}:train', '--samples', samples]


def trained(work, kind, data, epochs, seeds):
    networks = []
    for seed in seeds:
        path = work / f'{kind}-{data}-{seed}.onnx'
        if not path.exists():
            halftone('train', kind, '--data', data, '--epochs', epochs, '--seed', seed, '-o', path)
        networks.append(Network(path, ['--data', data], choice_rows(data), choice_rows(data, 500), ['--data', data]))
    return networks


def from_file(path, data, preset):
    common = ['--preset', preset]
    return [Network(path, ['--data', data, *common], [*choice_rows(data), *common], [*choice_rows(data, 500), *common],
                    ['--data', data, *common])]


def subsets(work, path, preset, offset):
    """Three calibration subsets of 100 pictures, each judged on the other 900; choices are made on the 100."""
    folder = SHARED / 'imagenet-sample' / 'images'
    names = sorted(folder.glob('*.jpg'))
    networks = []
    for part in range(3):
        options = {}
        for kind, keep in (('calibrate', lambda i: i % 10 == part), ('judge', lambda i: i % 10 != part)):
            labels = work / f'{kind}{part}.txt'
            labels.write_text(''.join(f'{n.name} {int(n.name[:3])}\n' for i, n in enumerate(names) if keep(i)))
            options[kind] = ['--images', folder, '--labels', labels, '--preset', preset, '--label-offset', offset]
        calibrate = options['calibrate']
        networks.append(Network(path, calibrate, calibrate, [*calibrate, '--samples', '40'], options['judge']))
    return networks


def groups(work, quick=False):
    seeds = (1,) if quick else (1, 2, 3)
    every = ('W8A8', 'W4A8', 'W4A4')
    yield Group('MLP, MNIST', every, lambda: trained(work, 'mlp', 'mnist', 10, seeds))
    yield Group('MLP, Fashion-MNIST', every, lambda: trained(work, 'mlp', 'fashion-mnist', 10, seeds))
    yield Group('LeNet, CIFAR-10', every, lambda: trained(work, 'lenet', 'cifar10', 20, seeds))
    for name, preset in (('cifar10_resnet20', 'imagenet'), ('cifar10_resnet8_mlperf_tiny', 'raw')):
        if (MODELS / f'{name}.onnx').exists():
            yield Group(name, every, lambda n=name, p=preset: from_file(MODELS / f'{n}.onnx', 'cifar10', p))
    for name, preset, offset, columns in (('imagenet_squeezenet1_1', 'imagenet', 0, ('W8A8', 'W4A8')),
                                          ('imagenet_mobilenetv2_float', 'tf', 1, ('W8A8',))):
        if not quick and (MODELS / f'{name}.onnx.gz').exists():
            yield Group(name, columns, lambda n=name, p=preset, o=offset: subsets(work, MODELS / f'{n}.onnx.gz', p, o))
