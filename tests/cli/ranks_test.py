#!/usr/bin/env python3
"""Two ranks train what one does; one that is gone, or does not answer, ends the other in time. Between two network namespaces where they can be made."""
import csv
import json
import os
import shutil
import signal
import socket
import subprocess
import time
import unittest

import numpy as np

from program import HALFTONE, ProgramTest

BAD_USAGE, BAD_INPUT = 2, 3
TIMEOUT = 6  # seconds that ranks wait for each other where one is to be lost
SLACK = 20  # a busy machine; a wait without an end takes longer
FLOAT = ('train', 'mlp', '--data', 'digits', '--samples', 2000, '--epochs', 3, '--held-out', 300)
BOTH = ('train', 'mlp', '--data', 'digits', '--samples', 2000, '--bits', 'w4a4', '--float-epochs', 2, '--epochs', 3, '--held-out', 300)
LONG = ('train', 'mlp', '--data', 'digits', '--samples', 4000, '--epochs', 60)
RANK_VARIABLES = ('RANK', 'WORLD_SIZE', 'MASTER_ADDR', 'MASTER_PORT')


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


class Place:
    """Where ranks run: prefixes of their commands, and the address at which rank 0 is met."""

    def __init__(self, prefixes=((), ()), address='127.0.0.1'):
        self.prefixes = prefixes
        self.address = address


class Namespaces:
    """Two machines, as far as the network is concerned."""

    def __init__(self):
        self.names = [f'halftone-{os.getpid()}-{i}' for i in (0, 1)]
        self.links = [f'ht{os.getpid()}{side}' for side in 'ab']

    def make(self):
        """None where it cannot be done, else the place."""
        if os.geteuid() != 0 or shutil.which('ip') is None:
            return None
        commands = [['netns', 'add', name] for name in self.names]
        commands.append(['link', 'add', self.links[0], 'netns', self.names[0], 'type', 'veth', 'peer', 'name', self.links[1], 'netns', self.names[1]])
        for i, (name, link) in enumerate(zip(self.names, self.links)):
            commands += [['-n', name, 'addr', 'add', f'10.231.77.{i + 1}/24', 'dev', link], ['-n', name, 'link', 'set', 'lo', 'up'], ['-n', name, 'link', 'set', link, 'up']]
        for command in commands:
            if subprocess.run(['ip', *command], capture_output=True).returncode != 0:
                self.remove()
                return None
        return Place([('ip', 'netns', 'exec', name) for name in self.names], '10.231.77.1')

    def remove(self):
        for name in self.names:
            subprocess.run(['ip', 'netns', 'del', name], capture_output=True)

    def cut(self):
        subprocess.run(['ip', '-n', self.names[1], 'link', 'set', self.links[1], 'down'], check=True)

    def mend(self):
        subprocess.run(['ip', '-n', self.names[1], 'link', 'set', self.links[1], 'up'], check=True)


class RanksTest(ProgramTest):
    place = Place()

    def start(self, rank, port, *arguments, timeout=60):
        environment = {name: value for name, value in os.environ.items() if name not in RANK_VARIABLES}
        environment.update(RANK=str(rank), WORLD_SIZE='2', MASTER_ADDR=self.place.address, MASTER_PORT=str(port))
        return subprocess.Popen([*self.place.prefixes[rank], HALFTONE, *map(str, arguments), '--rank-timeout', str(timeout)], env=environment, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)

    def start_both(self, *arguments, timeout=60):
        port = free_port()
        both = [self.start(rank, port, *arguments, timeout=timeout) for rank in (0, 1)]
        for process in both:
            self.addCleanup(self.end, process)
        return both

    @staticmethod
    def end(process):
        if process.poll() is None:
            process.kill()
        process.communicate()

    def train_both(self, *arguments):
        """What rank 0 printed; rank 1 prints nothing."""
        both = self.start_both(*arguments)
        outputs = [process.communicate(timeout=300) for process in both]
        self.assertEqual([process.returncode for process in both], [0, 0], outputs)
        self.assertEqual(outputs[1], ('', ''))
        return outputs[0]

    @staticmethod
    def rows(log):
        with open(log) as lines:
            return list(csv.DictReader(lines))

    def compare(self, *arguments, float_tolerance=1e-4, quantized_tolerance=0.02):
        alone, together = self.folder / 'alone', self.folder / 'together'
        for folder in (alone, together):
            folder.mkdir()
        files = lambda folder: ('-o', folder / 'mlp.onnx', '--log', folder / 'log.csv', '--html', folder / 'page.html', '--checkpoints', folder / 'kept')
        one = self.run_it(*arguments, *files(alone))
        stdout, stderr = self.train_both(*arguments, *files(together))
        self.assertEqual(stderr.count('\n'), one.stderr.count('\n'))
        self.assertEqual(stdout.count('\n'), one.stdout.count('\n'))
        names = [sorted(str(file.relative_to(folder)) for file in folder.rglob('*')) for folder in (alone, together)]
        self.assertEqual(*names)
        curves = [self.rows(folder / 'log.csv') for folder in (alone, together)]
        self.assertEqual(len(curves[0]), len(curves[1]))
        for ours, theirs in zip(*curves):
            tolerance = float_tolerance if ours['network'] == 'float' else quantized_tolerance
            self.assertLess(abs(float(ours['loss']) - float(theirs['loss'])), tolerance * float(ours['loss']), (ours, theirs))
            for name in ('accuracy', 'held_out'):
                self.assertLess(abs(float(ours[name]) - float(theirs[name])), 3, (ours, theirs))
        print(f'losses of one rank and of two: {[(a["network"], a["loss"], b["loss"]) for a, b in zip(*curves)]}')
        return together / 'mlp.onnx'


class Together(RanksTest):
    def test_in_float(self):
        self.compare(*FLOAT)

    def test_at_the_integers(self):
        made = self.compare(*BOTH)
        self.assertEqual(json.loads(self.run_it('verify', made, '--data', 'digits', '--samples', 100, '--json').stdout)['unexplained'], 0)

    def test_what_follows_from_batches(self):
        self.compare(*BOTH, '--quantizer', 'minmax', '--batch-size', 33, '--augment', 'affine', '--weight-noise', 'stochastic')

    def test_batch_normalization(self):
        made = self.compare(*BOTH, '--batch-norm-epochs', 1)
        self.assertEqual(json.loads(self.run_it('verify', made, '--data', 'digits', '--samples', 100, '--json').stdout)['unexplained'], 0)

    def test_a_last_batch_of_one(self):
        self.compare(*FLOAT[:5], 1001, '--epochs', 2, '--held-out', 40)  # 961 rows, batches of 32: rank 1 has the last alone

    def test_twice_the_same(self):
        written = []
        for name in ('one.onnx', 'two.onnx'):
            self.train_both(*BOTH, '-o', self.folder / name)
            written.append((self.folder / name).read_bytes())
        self.assertEqual(*written)


class Losing(RanksTest):
    def setUp(self):
        super().setUp()
        self.kept, self.output, self.log = (self.folder / name for name in ('kept', 'out.onnx', 'log.csv'))

    def start_training(self):
        shutil.rmtree(self.kept, ignore_errors=True)
        both = self.start_both(*LONG, '-o', self.output, '--log', self.log, '--checkpoints', self.kept, timeout=TIMEOUT)
        end = time.monotonic() + 120
        while not (self.kept / 'float.npz').exists():
            self.assertIsNone(both[0].poll(), both[0].communicate() if both[0].poll() is not None else '')
            self.assertLess(time.monotonic(), end)
            time.sleep(0.01)
        time.sleep(0.1)
        return both

    def ends_in_time(self, process, since):
        stdout, stderr = process.communicate(timeout=TIMEOUT + SLACK)
        self.assertLess(time.monotonic() - since, TIMEOUT + SLACK)
        self.assertEqual((process.returncode, stdout), (BAD_INPUT, ''), stderr)
        errors = [line for line in stderr.splitlines() if not line.startswith('epoch ')]
        self.assertEqual(len(errors), 1, stderr)
        self.assertRegex(errors[0], r'^halftone train: \[rank [01] of 2\] lost the other ranks: ')

    def goes_on(self):
        """From what is kept, on two ranks, to where fewer epochs would have ended: the whole would take long."""
        with np.load(self.kept / 'float.npz') as kept:
            before = json.loads(kept['about'].tobytes())
        self.assertFalse(self.output.exists())
        both = self.start_both(*LONG, '-o', self.output, '--log', self.log, '--resume', self.kept)
        line = both[0].stderr.readline()
        self.assertRegex(line, f'^epoch {before["epoch"]}/60  loss ')
        for process in both:
            process.terminate()  # one would do
        for process in both:
            process.communicate(timeout=60)
        self.assertEqual(len(self.rows(self.log)), len({row['epoch'] for row in self.rows(self.log)}))
        with np.load(self.kept / 'float.npz') as kept:
            self.assertGreater(json.loads(kept['about'].tobytes())['epoch'], before['epoch'])


class Lost(Losing):
    def test_a_rank_that_is_killed(self):
        for lost in (0, 1):
            with self.subTest(lost=lost):
                both = self.start_training()
                since = time.monotonic()
                both[lost].kill()
                self.ends_in_time(both[1 - lost], since)
                self.assertLess(time.monotonic() - since, TIMEOUT, 'a closed connection is seen at once')
                self.goes_on()

    def test_a_rank_that_does_not_answer(self):
        for lost in (0, 1):
            with self.subTest(lost=lost):
                both = self.start_training()
                since = time.monotonic()
                both[lost].send_signal(signal.SIGSTOP)
                self.ends_in_time(both[1 - lost], since)
                both[lost].send_signal(signal.SIGCONT)
                self.ends_in_time(both[lost], time.monotonic())
                self.goes_on()

    def test_a_rank_that_is_asked_to_stop(self):
        """All stop at the same batch; the one that was not asked has not done its work either, and says so."""
        for asked in (0, 1):
            with self.subTest(asked=asked):
                both = self.start_training()
                both[asked].terminate()
                outputs = [process.communicate(timeout=60) for process in both]
                self.assertEqual(both[asked].returncode, -signal.SIGTERM, outputs)
                self.assertNotEqual(both[1 - asked].returncode, 0, outputs)
                self.assertIn(f'--resume {self.kept} goes on', outputs[0][1].splitlines()[-1])
                if asked == 1:
                    self.assertEqual(outputs[1], ('', ''))
                self.goes_on()

    def test_a_rank_that_does_not_come(self):
        for rank in (0, 1):
            with self.subTest(rank=rank):
                since = time.monotonic()
                process = self.start(rank, free_port(), *FLOAT, '-o', self.output, timeout=TIMEOUT)
                self.addCleanup(self.end, process)
                stdout, stderr = process.communicate(timeout=TIMEOUT + SLACK)
                self.assertLess(time.monotonic() - since, TIMEOUT + SLACK)
                self.assertEqual((process.returncode, stdout, stderr.count('\n')), (BAD_INPUT, '', 1), stderr)
                self.assertRegex(stderr, rf'^halftone train: \[rank {rank} of 2\] cannot meet the others at ')

    def test_a_rank_that_is_told_something_else(self):
        for changed, says in (((*FLOAT, '--seed', 2), '--seed'), ((*FLOAT[:5], 1999, *FLOAT[6:]), 'samples'), ((*FLOAT, '--batch-size', 16), '--batch-size')):
            with self.subTest(says=says):
                port = free_port()
                both = [self.start(0, port, *FLOAT, '-o', self.output), self.start(1, port, *changed, '-o', self.output)]
                outputs = [process.communicate(timeout=120) for process in both]
                self.assertEqual(both[1].returncode, BAD_USAGE, outputs)
                self.assertNotEqual(both[0].returncode, 0, outputs)
                self.assertEqual(outputs[1][1].count('\n'), 1, outputs)
                self.assertIn(says, outputs[1][1])
                self.assertFalse(self.output.exists())


class Environment(RanksTest):
    def test_variables_that_are_missing_or_make_no_sense(self):
        good = {'RANK': '0', 'WORLD_SIZE': '2', 'MASTER_ADDR': '127.0.0.1', 'MASTER_PORT': '29500'}
        rest = {name: value for name, value in os.environ.items() if name not in RANK_VARIABLES}
        cases = [(name, None) for name in RANK_VARIABLES]
        cases += [('RANK', value) for value in ('', '2', '-1', 'one', '0x1', '99999999999999999999')]
        cases += [('WORLD_SIZE', value) for value in ('', '0', '-2', 'two', '2.0', '99999999999999999999')]
        cases += [('MASTER_PORT', value) for value in ('', '0', '65536', 'http')] + [('MASTER_ADDR', '')]
        for name, value in cases:
            with self.subTest(name=name, value=value):
                environment = {**rest, **good, name: value}
                done = subprocess.run([HALFTONE, 'train', 'mlp', '--data', 'digits', '--samples', '100', '--epochs', '1', '-o', str(self.folder / 'x.onnx'), '--rank-timeout', '2'],
                                      env={key: text for key, text in environment.items() if text is not None}, capture_output=True, text=True, timeout=120)
                self.assertEqual((done.returncode, done.stdout, done.stderr.count('\n')), (BAD_USAGE, '', 1), done.stderr)
                self.assertTrue(done.stderr.startswith(f'halftone train: [{name}] '), done.stderr)
        self.assertEqual(self.files(), [])


class Apart(RanksTest):
    """Over a network that is not this machine's own."""

    def setUp(self):
        super().setUp()
        self.namespaces = Namespaces()
        place = self.namespaces.make()
        if place is None:
            print('skipped: two network namespaces need root and ip')
            self.skipTest('two network namespaces need root and ip')
        self.addCleanup(self.namespaces.remove)
        self.place = place


class TogetherApart(Apart):
    def test_in_float(self):
        self.compare(*FLOAT)

    def test_at_the_integers(self):
        self.compare(*BOTH)


class LostApart(Apart, Losing):
    def test_a_rank_that_is_cut_off(self):
        both = self.start_training()
        since = time.monotonic()
        self.namespaces.cut()
        for process in both:
            self.ends_in_time(process, since)
        self.namespaces.mend()
        self.goes_on()


if __name__ == '__main__':
    unittest.main()
