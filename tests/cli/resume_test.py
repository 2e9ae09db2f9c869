#!/usr/bin/env python3
"""A training that is killed, stopped or out of disk goes on from its checkpoint, byte for byte; a checkpoint that is wrong is refused."""
import io
import json
import os
import random
import resource
import shutil
import signal
import struct
import subprocess
import time
import unittest
import zipfile

import numpy as np

from program import HALFTONE, ProgramTest, save_mlp

BAD_USAGE, BAD_INPUT = 2, 3
FLOAT = ('train', 'mlp', '--data', 'digits', '--samples', 1600, '--batch-size', 8, '--epochs', 3)
BOTH = ('train', 'mlp', '--data', 'digits', '--samples', 1600, '--batch-size', 8, '--bits', 'w4a4', '--float-epochs', 1, '--epochs', 2)
SHORT = ('train', 'mlp', '--data', 'digits', '--samples', 320, '--epochs', 2)  # 10 batches an epoch


def about(checkpoint):
    with np.load(checkpoint) as arrays:
        return json.loads(arrays['about'].tobytes())


class ResumeTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.kept, self.output, self.log = (self.folder / name for name in ('kept', 'out.onnx', 'log.csv'))

    def start(self, *arguments, limit=None):
        return subprocess.Popen([HALFTONE, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=limit)

    def files_of(self, *arguments):
        """Bytes of the files that training without a stop writes; of the log all but the seconds."""
        output, log = self.folder / 'whole.onnx', self.folder / 'whole.csv'
        self.run_it(*arguments, '-o', output, '--log', log)
        return output.read_bytes(), self.without_seconds(log)

    @staticmethod
    def without_seconds(log):
        return [line.rsplit(',', 1)[0] for line in log.read_text().splitlines()]

    def written(self):
        return self.output.read_bytes(), self.without_seconds(self.log)

    def wait_for(self, process, checkpoint, before=None):
        """Until there is a checkpoint that is another file than `before`."""
        end = time.monotonic() + 120
        while process.poll() is None and time.monotonic() < end:
            if checkpoint.exists() and checkpoint.stat().st_ino != before:
                return
            time.sleep(0.001)
        self.fail(f'no checkpoint, exit {process.returncode}: {process.communicate()[1] if process.poll() is not None else ""}')

    def stop(self, *arguments, signal_=signal.SIGTERM, name='float.npz'):
        """Training that is stopped after its first checkpoint."""
        process = self.start(*arguments, '-o', self.output, '--log', self.log, '--checkpoints', self.kept, '--checkpoint-minutes', 0)
        self.wait_for(process, self.kept / name)
        process.send_signal(signal_)
        stdout, stderr = process.communicate(timeout=120)
        return process.returncode, stdout, stderr


class Killed(ResumeTest):
    def kill_and_resume(self, moments, *arguments, seed):
        """SIGKILL at random moments after a checkpoint of each file of `moments`, then to the end."""
        wanted = self.files_of(*arguments)
        moment = random.Random(seed)
        places = []
        for i, name in enumerate(moments):
            checkpoint = self.kept / name
            before = checkpoint.stat().st_ino if checkpoint.exists() else None
            process = self.start(*arguments, '-o', self.output, '--log', self.log, '--checkpoint-minutes', 0, '--checkpoints' if i == 0 else '--resume', self.kept)
            self.wait_for(process, checkpoint, before)
            time.sleep(moment.uniform(0, 0.15))
            process.kill()
            process.communicate()
            self.assertEqual(process.returncode, -signal.SIGKILL, 'it had ended already: the test needs more batches')
            self.assertFalse(self.output.exists())
            where = about(checkpoint)
            places.append((name, where['epoch'], where['batch']))
        self.assertEqual(sorted(set(places), key=places.index), places, 'it goes on')
        self.assertTrue(any(batch > 0 for _, _, batch in places), places)
        self.run_it(*arguments, '-o', self.output, '--log', self.log, '--resume', self.kept)
        self.assertEqual(self.written(), wanted, places)

    def test_in_float(self):
        self.kill_and_resume(['float.npz'] * 4, *FLOAT, seed=1)

    def test_in_either_phase(self):
        self.kill_and_resume(['float.npz', 'float.npz', 'quantized.npz', 'quantized.npz'], *BOTH, seed=2)

    def test_in_stages(self):
        self.kill_and_resume(['float.npz', 'quantized.1.npz', 'quantized.npz'], *BOTH, '--through', 'w8a8', seed=5)

    def test_finetuning(self):
        model = save_mlp(self.folder / 'mlp.onnx')
        self.kill_and_resume(['quantized.npz'] * 3, 'finetune', model, '--data', 'digits', '--samples', 3000, '--batch-size', 16, '--bits', 'w4a4', '--epochs', 3, '--held-out', 200, seed=3)

    def test_with_batch_normalization(self):
        model = save_mlp(self.folder / 'mlp.onnx')
        self.kill_and_resume(['quantized.npz'] * 3, 'finetune', model, '--data', 'digits', '--samples', 3000, '--batch-size', 16, '--bits', 'w4a4', '--epochs', 3, '--batch-norm-epochs', 2, seed=6)

    def test_with_everything_that_is_remembered(self):
        self.kill_and_resume(['float.npz', 'quantized.npz', 'quantized.npz'], *BOTH, '--average', 0.99, '--patience', 2, '--held-out', 200, '--quantizer', 'lsq+', '--weight-noise',
                             'stochastic', '--augment', 'affine', seed=4)

    def test_before_the_first_checkpoint(self):
        wanted = self.files_of(*SHORT)
        self.kept.mkdir()
        said = f'warning: [{self.kept}] holds no checkpoint yet: training begins anew'
        done = self.run_it(*SHORT, '-o', self.output, '--log', self.log, '--resume', self.kept)
        self.assertEqual(done.stderr.splitlines()[0], said)
        self.assertEqual(self.written(), wanted)
        self.assertNotIn(said, self.run_it(*SHORT, '-o', self.output, '--log', self.log, '--resume', self.kept).stderr)

    def test_after_the_last(self):
        self.run_it(*SHORT, '-o', self.output, '--log', self.log, '--checkpoints', self.kept)
        wanted = self.written()
        for file in (self.output, self.log):
            file.unlink()
        done = self.run_it(*SHORT, '-o', self.output, '--log', self.log, '--resume', self.kept)
        self.assertIn('training accuracy', done.stdout)
        self.assertEqual(self.written(), wanted)


class Signals(ResumeTest):
    def check(self, signal_, name, *arguments):
        wanted = self.files_of(*arguments)
        code, stdout, stderr = self.stop(*arguments, signal_=signal_, name=name)
        self.assertEqual((code, stdout), (-signal_, ''), stderr)
        *epochs, last = stderr.splitlines()
        self.assertRegex(last, f'^stopped in epoch [1-3]; --resume {self.kept} goes on$')
        for line in epochs:
            self.assertRegex(line, '^epoch [1-3]/3 ')
        self.assertFalse(self.output.exists())
        self.run_it(*arguments, '-o', self.output, '--log', self.log, '--resume', self.kept)
        self.assertEqual(self.written(), wanted)

    def test_terminate(self):
        self.check(signal.SIGTERM, 'float.npz', *FLOAT)

    def test_interrupt(self):
        self.check(signal.SIGINT, 'quantized.npz', *BOTH)

    def test_the_epoch_is_that_of_the_lines(self):
        code, _, stderr = self.stop(*BOTH, name='quantized.npz')
        self.assertEqual(code, -signal.SIGTERM)
        self.assertNotIn('stopped in epoch 1;', stderr)

    def test_without_checkpoints_they_end_it_at_once(self):
        process = self.start(*FLOAT, '-o', self.output)
        self.assertIn('epoch 1/3', process.stderr.readline())
        process.terminate()
        process.communicate(timeout=60)
        self.assertEqual((process.returncode, self.files()), (-signal.SIGTERM, []))


class Best(ResumeTest):
    def test_the_best_network_is_there_after_the_first_epoch(self):
        process = self.start(*BOTH, '-o', self.output, '--checkpoints', self.kept)
        for name, line in (('best.float.onnx', 'epoch 1/3'), ('best.onnx', 'epoch 2/3')):
            self.assertIn(line, process.stderr.readline())
            shutil.copy(self.kept / name, self.folder / name)
        process.communicate(timeout=120)
        self.assertEqual(process.returncode, 0)
        rows = json.loads(self.run_it('evaluate', self.folder / 'best.float.onnx', self.folder / 'best.onnx', '--data', 'digits', '--samples', 500, '--json').stdout)
        for row in rows:
            self.assertGreater(row['accuracy'], 25, row)  # by chance: 10
        self.assertEqual(json.loads(self.run_it('verify', self.kept / 'best.onnx', '--data', 'digits', '--samples', 100, '--json').stdout)['unexplained'], 0)
        self.assertTrue((self.kept / 'best.recipe.toml').exists())
        self.assertEqual(sorted(file.name for file in self.kept.iterdir()), ['best.float.onnx', 'best.onnx', 'best.recipe.toml', 'float.npz', 'quantized.npz'])


class Refusals(ResumeTest):
    def test_a_folder_that_holds_some_or_is_not_there(self):
        output = ('-o', self.output)
        self.run_it(*SHORT, *output, '--checkpoints', self.kept)
        self.output.unlink()
        before = {file.name: file.read_bytes() for file in self.kept.iterdir()}
        self.expect_error(*SHORT, *output, '--checkpoints', self.kept, code=BAD_USAGE, says='holds checkpoints already, expected --resume')
        self.expect_error(*SHORT, *output, '--resume', self.folder / 'nosuch', code=BAD_INPUT, says='is no folder, expected one with checkpoints; --checkpoints begins one')
        self.expect_error(*SHORT, *output, '--checkpoints', self.kept / 'float.npz', code=BAD_INPUT, says='Not a directory')
        self.expect_error(*SHORT, *output, '--checkpoints', self.kept, '--resume', self.kept, code=BAD_USAGE, says='--resume')
        self.assertEqual({file.name: file.read_bytes() for file in self.kept.iterdir()}, before)
        self.assertFalse(self.output.exists() or (self.folder / 'nosuch').exists())

    def test_another_training_is_told_by_what_differs(self):
        output = ('-o', self.output, '--resume', self.kept)
        self.run_it(*SHORT, '-o', self.output, '--checkpoints', self.kept)
        self.output.unlink()
        model = save_mlp(self.folder / 'mlp.onnx')
        for changed, says in (((*SHORT, '--seed', 2), '--seed, got 2, expected 1'), ((*SHORT[:-1], 3), '--epochs, got 3, expected 2'),
                              ((*SHORT[:3], 'digits:test', *SHORT[4:]), 'samples'), ((*SHORT[:5], 321, *SHORT[6:]), 'samples'),
                              ((SHORT[0], model, *SHORT[2:]), 'network'), ((*SHORT, '--bits', 'w4a4'), '--bits, got w4a4, expected none'), ((*SHORT, '--threads', 2), '--threads, got 2, expected 1'),
                              ((*SHORT, '--learning-rate', 0.001), '--learning-rate, got 0.001'), ((*SHORT, '--preset', 'raw'), 'samples')):
            with self.subTest(changed=changed):
                self.assertIn(says, self.expect_error(*changed, *output, code=BAD_USAGE, says='float.npz] is of another training'))
        self.assertFalse(self.output.exists())

    def test_other_bits_are_told(self):
        model = save_mlp(self.folder / 'mlp.onnx')
        train = ('finetune', model, '--data', 'digits', '--samples', 320, '--epochs', 1, '-o', self.output)
        self.run_it(*train, '--bits', 'w4a4', '--checkpoints', self.kept)
        self.expect_error(*train, '--bits', 'w4a8', '--resume', self.kept, code=BAD_USAGE, says='is of another training: --bits, got w4a8, expected w4a4')
        self.expect_error(*train, '--bits', 'w4a4', '--quantizer', 'ste', '--resume', self.kept, code=BAD_USAGE, says='--quantizer, got ste, expected lsq')
        other = save_mlp(self.folder / 'mlp.onnx', seed=2)
        self.assertEqual(other, model)
        self.expect_error(*train, '--bits', 'w4a4', '--resume', self.kept, code=BAD_USAGE, says='network')


class Damaged(ResumeTest):
    """Checkpoints that nobody wrote, each refused in one line."""

    def setUp(self):
        super().setUp()
        self.run_it(*SHORT, '-o', self.output, '--checkpoints', self.kept)
        self.wanted = self.output.read_bytes()
        self.output.unlink()
        self.file = self.kept / 'float.npz'
        self.good = self.file.read_bytes()
        with np.load(self.file) as arrays:
            self.arrays = dict(arrays)
        self.about = json.loads(self.arrays['about'].tobytes())
        self.begun = {'epoch': 2, 'batch': 3, 'loss': 100.0, 'right': 20, 'reports': self.about['reports'][:1]}  # in the second epoch

    def refused(self, what, says='float.npz'):
        # Address space, and time of the processor, for a claim of sizes or numbers that cost.
        limits = lambda: (resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30)), resource.setrlimit(resource.RLIMIT_CPU, (10, 10)), resource.setrlimit(resource.RLIMIT_CORE, (0, 0)))
        with self.subTest(what=what):
            process = self.start(*SHORT, '-o', self.output, '--resume', self.kept, limit=limits)
            stdout, stderr = process.communicate(timeout=120)
            was_written = self.output.exists()
            self.output.unlink(missing_ok=True)
            self.assertEqual(process.returncode, BAD_INPUT, stdout + stderr)
            self.assertEqual((stdout, stderr.count('\n')), ('', 1), stderr)
            self.assertTrue(stderr.startswith('halftone train: ['), stderr)
            self.assertIn(says, stderr)
            for never in ('[internal]', '[memory]'):
                self.assertNotIn(never, stderr)
            self.assertFalse(was_written)

    def put(self, **changed):
        """The checkpoint with other arrays; none are left out."""
        arrays = {name: changed.get(name, array) for name, array in {**self.arrays, **changed}.items()}
        np.savez(self.file, **{name: array for name, array in arrays.items() if array is not None})

    def put_text(self, text):
        self.put(about=np.frombuffer(text if isinstance(text, bytes) else text.encode(), np.uint8))

    def put_about(self, **changed):
        self.put_text(json.dumps({**self.about, **changed}))

    def test_what_is_not_changed_goes_on(self):
        self.put()
        self.run_it(*SHORT, '-o', self.output, '--resume', self.kept)
        self.assertEqual(self.output.read_bytes(), self.wanted)
        self.put_about(**self.begun)
        self.assertIn('epoch 2/2', self.run_it(*SHORT, '-o', self.output, '--resume', self.kept).stderr)

    def test_cut_off_and_damaged(self):
        cut = random.Random(5)
        for size in [0, len(self.good) - 1] + [cut.randrange(len(self.good)) for _ in range(3)]:
            self.file.write_bytes(self.good[:size])
            self.refused(f'cut off after {size} bytes')
        for at in [cut.randrange(len(self.good)) for _ in range(3)]:
            self.file.write_bytes(self.good[:at] + bytes([self.good[at] ^ 0x10]) + self.good[at + 1:])
            self.refused(f'byte {at}')

    def test_other_files(self):
        for what in (b'text', self.wanted):
            self.file.write_bytes(what)
            self.refused('no archive')
        self.file.unlink()
        self.file.mkdir()
        self.refused('a folder', says='is a directory')

    def test_sizes_that_nobody_has(self):
        def archive(shape, claim=None):
            header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
            whole = io.BytesIO()
            with zipfile.ZipFile(whole, 'w') as made:
                made.writestr('about.npy', b'\x93NUMPY\x01\x00' + struct.pack('<H', len(header)) + header)
            data = bytearray(whole.getvalue())
            if claim is not None:
                entry = data.rfind(b'PK\x01\x02')
                data[entry + 20:entry + 28] = struct.pack('<II', claim, claim)
            return bytes(data)

        for data in (archive('(1000000000000,)'), archive('(4000000000,)'), archive('(9223372036854775807, 9223372036854775807)'), archive('(4294967000,)', claim=0xfffffff0)):
            self.file.write_bytes(data)
            self.refused(data[30:120])

    def test_arrays_of_another_kind(self):
        weights = 'now/0/fc1.weight'
        self.assertIn(weights, self.arrays)
        for array in (self.arrays[weights].astype(np.float64), self.arrays[weights].reshape(-1), None, self.arrays[weights] * np.float32('nan')):
            self.put(**{weights: array})
            self.refused(f'{weights} {None if array is None else (array.dtype, array.shape)}')
        self.put(more=np.zeros(3, np.float32))
        self.refused('one more')
        for array in (self.arrays['about'].astype(np.float32), self.arrays['about'][:300], None):
            self.put(about=array)
            self.refused('about')

    def test_text_that_says_nothing(self):
        for text in ('', 'null', '{}', '[' * 100000, b'\xff\xfe\x00', '{"version": "1"}', json.dumps({**self.about, 'version': 2})):
            self.put_text(text)
            self.refused(text[:40])

    def test_numbers_that_are_none(self):
        types = [(name, value) for name in ('epoch', 'batch', 'loss', 'right', 'seconds', 'best', 'since_best') for value in ('x', None, [1], {})]
        for name, value in types[::5] + [('random', 5), ('reports', {}), ('reports', [1]), ('reports', [{}]), ('training', {'--seed': 1})]:
            self.put_about(**{**self.begun, name: value})
            self.refused(f'{name} {value}')
        for name in ('epoch', 'training'):
            self.put_text(json.dumps({key: value for key, value in self.about.items() if key != name}))
            self.refused(f'no {name}')

    def test_places_that_are_none(self):
        for epoch in (-1, (1 << 32) + 2, 10**18, 1.5, 10**9, 1, 3):
            self.put_about(**{**self.begun, 'epoch': epoch})
            self.refused(f'epoch {epoch}')
        for batch in (-1, 11, 10**18, 1 << 63):
            self.put_about(**{**self.begun, 'batch': batch})
            self.refused(f'batch {batch}')
        for name, value in (('reports', []), ('reports', self.about['reports'] * 100), ('right', -1), ('right', 10**18)):
            self.put_about(**{**self.begun, name: value})
            self.refused(f'{name} {value}'[:60])
        self.put_about(reports=[])
        self.refused('at the end, without an epoch that was')

    def test_states_of_no_generator(self):
        words = self.about['random'].split()
        for state in ('', 'nonsense', ' '.join(words[:100]), ' '.join(['0'] * len(words)), ' '.join(['x'] + words[1:]), ' '.join(words + ['1'])):
            self.put_about(**self.begun, random=state)
            self.refused(state[:40])


class FullDisk(ResumeTest):
    def test_a_checkpoint_that_does_not_fit(self):
        self.stop(*FLOAT)
        before = (self.kept / 'float.npz').read_bytes()
        limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))  # less than a checkpoint, more than all others
        process = self.start(*FLOAT, '-o', self.output, '--log', self.log, '--resume', self.kept, limit=limit)
        stdout, stderr = process.communicate(timeout=120)
        self.assertEqual((process.returncode, stdout), (BAD_INPUT, ''), stderr)
        self.assertRegex(stderr.splitlines()[-1], r'^halftone train: \[.*float.npz\] .*File too large')
        self.assertEqual((self.kept / 'float.npz').read_bytes(), before)
        self.assertEqual([file.name for file in self.kept.iterdir() if file.name not in ('float.npz', 'best.float.onnx')], [])
        self.run_it(*FLOAT, '-o', self.output, '--log', self.log, '--resume', self.kept)
        self.assertEqual(self.written(), self.files_of(*FLOAT))

    def test_a_full_file_system(self):
        self.kept.mkdir()
        if subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=3200k', 'tmpfs', self.kept], capture_output=True).returncode != 0:
            self.skipTest('mounting a small file system needs root')
        try:
            process = self.start(*SHORT, '-o', self.output, '--checkpoints', self.kept)  # room for one checkpoint, not for two
            stdout, stderr = process.communicate(timeout=120)
            self.assertEqual((process.returncode, stdout), (BAD_INPUT, ''), stderr)
            self.assertRegex(stderr.splitlines()[-1], r'^halftone train: \[.*float.npz\] .*No space left')
            self.assertEqual(about(self.kept / 'float.npz')['epoch'], 2)
            self.assertEqual(sorted(file.name for file in self.kept.iterdir()), ['best.float.onnx', 'float.npz'])
            subprocess.run(['mount', '-o', 'remount,size=10m', self.kept], check=True)
            self.run_it(*SHORT, '-o', self.output, '--log', self.log, '--resume', self.kept)
        finally:
            subprocess.run(['umount', self.kept], check=True)
        self.assertEqual(self.written(), self.files_of(*SHORT))

    def test_a_log_that_does_not_fit(self):
        for option in ('--log', '--html'):
            process = self.start(*SHORT, '-o', self.output, option, '/dev/full', '--checkpoints', self.kept)
            stdout, stderr = process.communicate(timeout=120)
            self.assertEqual((process.returncode, stdout), (BAD_INPUT, ''), stderr)
            self.assertIn('No space left', stderr.splitlines()[-1])
            shutil.rmtree(self.kept)


if __name__ == '__main__':
    unittest.main()
