#!/usr/bin/env python3
"""`halftone rtl`: a small array, and what is refused before any tool starts."""
import json
import os
import shutil
import subprocess
import unittest

from program import HALFTONE, ProgramTest, save_mlp

USAGE, BAD = 2, 3


class Simulation(ProgramTest):
    @unittest.skipUnless(shutil.which('verilator') and not os.environ.get('HALFTONE_SANITIZE'), 'skipped: verilator is missing')
    def test_a_small_array(self):
        kept = self.folder / 'kept'
        out = json.loads(self.run_it('rtl', '--array', '4x2', '--packed', '--shape', '9x20x5', '--simulate', '--outputs', 3000, '--kept', kept, '--json').stdout)
        self.assertEqual((out['different'], out['cycles']), (0, out['predicted']))
        self.assertGreater(out['inside'] * 10, out['outputs'])
        self.assertEqual(len(list(kept.iterdir())), 1)


class Refusals(ProgramTest):
    def refuse(self, *arguments, says, code=USAGE):
        self.expect_error('rtl', *arguments, code=code, says=says)

    def test_nothing_to_do(self):
        self.refuse(says='nothing to do, expected --simulate, --synthesize, --compare or --prove')

    def test_geometries(self):
        for array in ('0x4', '4', '4x', '4x4x4', 'x4', '4x-1', '70000x1', '300x1'):
            self.refuse('--array', array, '--simulate', says='expected')
        self.refuse('--array', '5x4', '--packed', '--simulate', says='got 5 rows, expected an even number')
        self.refuse('--array', '4x4', '--packed', '--bits', 4, '--simulate', says='got 4 bits, expected 8')
        self.refuse('--array', '8x4', '--lanes', 3, '--simulate', says='lanes, got 3, expected a part of the 8 rows')
        self.refuse('--array', '8x4', '--accumulator', 12, '--simulate', says='sums, got 12 bits, expected 17 to 32')
        self.refuse('--shape', '64x128', '--simulate', says="got '64x128', expected 3 numbers")

    def test_devices(self):
        self.refuse('--array', '4x4', '--synthesize', '--device', 'xc7', says="got 'xc7', expected one of xc7z020")
        self.refuse('--array', '64x64', '--synthesize', says='DSP of 220')
        self.refuse('--array', '64x64', '--synthesize', says='expected at most')

    def test_layers(self):
        model = save_mlp(self.folder / 'mlp.onnx')
        self.refuse('--layer', 'fc1', '--simulate', says='--layer and --lab6 are of a model')
        self.refuse(model, '--simulate', says='a model without --layer')
        self.refuse(model, '--layer', 'fc1', says='expected --simulate')
        self.refuse(model, '--layer', 'fc1', '--simulate', says='[--data] is missing')
        self.refuse(model, '--layer', 'fc1', '--simulate', '--data', 'digits', code=BAD, says='is a float model, expected integers')
        self.refuse('--data', 'digits', '--simulate', says='[--data] is for a layer')
        self.refuse(model, '--lab6', 'clamp', '--layer', 'fc1', '--simulate', '--data', 'digits', says='--layer')
        self.refuse(model, '--lab6', 'clamp', '--simulate', '--data', 'digits', code=BAD, says='expected Flatten, Gemm, Tanh, Gemm, Tanh, Gemm')
        self.refuse('--html', 'x.html', '--simulate', says='is the page of --compare')
        quantized = self.folder / 'q.onnx'
        self.run_it('quantize', model, '--data', 'digits', '-o', quantized)
        self.refuse(quantized, '--layer', 'fc9', '--simulate', '--data', 'digits', says="got 'fc9', expected a layer of integers: fc1, fc2")
        self.run_it('quantize', model, '--data', 'digits', '--arithmetic', 'onnx', '-o', self.folder / 'onnx.onnx')
        self.refuse(self.folder / 'onnx.onnx', '--layer', 'fc1', '--simulate', '--data', 'digits', code=BAD, says="arithmetic 'onnx'")

    def test_a_missing_tool_is_named(self):
        environment = {**os.environ, 'PATH': str(self.folder), 'XDG_CACHE_HOME': str(self.folder / 'cache')}
        for arguments, tool in ((['--simulate'], 'verilator'), (['--synthesize'], 'yosys'), (['--prove'], 'yosys'), (['--compare'], 'verilator')):
            done = subprocess.run([HALFTONE, 'rtl', '--array', '2x2', *arguments], env=environment, capture_output=True, text=True)
            self.assertEqual((done.returncode, done.stdout, done.stderr.count('\n')), (BAD, '', 1), done.stderr)
            self.assertIn(f'{tool} is not there, expected it in PATH (Debian\'s package {tool})', done.stderr)
        self.assertEqual([p for p in (self.folder / 'cache' / 'halftone' / 'rtl').iterdir()], [])


if __name__ == '__main__':
    unittest.main()
