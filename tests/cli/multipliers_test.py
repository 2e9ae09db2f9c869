#!/usr/bin/env python3
"""`inspect` of integers: M, M0, n, m and shift of docs/arithmetic.md sections 6 and 7, and fraction lengths, from the scales alone."""
import json
import math
import unittest
from fractions import Fraction

from program import PLAIN, ProgramTest, save_mlp, save_residual

USAGE = 2


def parts(M, bits):
    """M0, n, m and shift of one M by itself."""
    M0, e = math.frexp(M)
    m, n = round(Fraction(M0) * 2 ** (bits - 1)), -e
    return M0, n, *((m // 2, bits - 1 + n - 1) if m == 2 ** (bits - 1) else (m, bits - 1 + n))


def shared(Ms, bits):
    """m of each, and the shift, of terms of one sum."""
    *_, shift = parts(max(Ms), bits)
    return [round(Fraction(M) * Fraction(2) ** shift) for M in Ms], shift


class MultipliersTest(ProgramTest):
    def layers(self, *arguments, model=None):
        model = model or save_residual(self.folder / 'net.onnx')
        output = self.folder / 'q.onnx'
        self.run_it('quantize', model, '--data', 'digits', '--calibration-samples', 20, '-o', output, *arguments)
        return {layer['name']: layer for layer in json.loads(self.run_it('inspect', output, '--json').stdout)['layers']}

    def test_fixed(self):
        for bits in (8, 16, 32):
            layers = self.layers('--mantissa', bits)
            for name in ('conv1', 'conv2', '../up/conv3', 'spread', 'scores', 'gate', 'pairs'):
                layer = layers[name]
                found, s_x, s_y = layer['multipliers'], layer['inputs'][0]['scale'], layer['scale']
                factors = {'gate': [layer['inputs'][-1]['scale']], 'pairs': None}.get(name, layer.get('weights', {}).get('scales'))
                expected = [s_x / (s_y * 4)] if factors is None else [s_x * s / s_y for s in factors]
                self.assertEqual((found['bits'], found['M']), (bits, expected))
                self.assertEqual([found[key] for key in ('M0', 'n', 'm', 'shift')], [list(each) for each in zip(*(parts(M, bits) for M in expected))])
            add = layers['sum']
            m, shift = shared([value['scale'] / add['scale'] for value in add['inputs']], bits)
            self.assertEqual((add['multipliers']['by'], add['multipliers']['m'], add['multipliers']['shift']), ('operand', m, [shift]))
            mean = layers['mean']['multipliers']
            self.assertEqual((mean['by'], mean['M']), ('count', [layers['mean']['inputs'][0]['scale'] / (layers['mean']['scale'] * n) for n in (4, 6, 9)]))

    def test_shift_has_fraction_lengths(self):
        for layer in self.layers('--arithmetic', 'shift').values():
            for value in (*layer['inputs'], layer):
                if 'scale' in value:
                    self.assertEqual(value['scale'], 2.0 ** -value['fraction_length'])
            if 'weights' in layer:
                self.assertEqual(layer['weights']['scales'], [2.0 ** -fl for fl in layer['weights']['fraction_lengths']])
                self.assertEqual(layer['multipliers']['shift'], [layer['inputs'][0]['fraction_length'] + fl - layer['fraction_length']
                                                                 for fl in layer['weights']['fraction_lengths']])
        self.assertIsNone(self.layers()['conv1']['fraction_length'])

    def test_groups_share_a_shift(self):
        layer = self.layers('--bits', 'w4a8', '--granularity', 'group=100', *PLAIN, model=save_mlp(self.folder / 'mlp.onnx'))['fc1']
        found = layer['multipliers']
        M = [layer['inputs'][0]['scale'] * s / layer['scale'] for s in layer['weights']['scales']]
        self.assertEqual((found['by'], found['M'], len(M)), ('group', M, 16 * 8))
        for c in range(16):
            m, shift = shared(M[8 * c:8 * c + 8], 32)
            self.assertEqual((found['m'][8 * c:8 * c + 8], found['shift'][c]), (m, shift))

    def test_the_table(self):
        self.layers()
        text = self.run_it('inspect', self.folder / 'q.onnx', '--multipliers').stdout
        self.assertIn('4 by channel', text)
        self.assertIn('2 by operand', text)
        self.assertIn('3 by count', text)
        self.layers('--arithmetic', 'onnx')
        self.assertIn('4 by channel', self.run_it('inspect', self.folder / 'q.onnx', '--multipliers').stdout)
        self.expect_error('inspect', self.folder / 'net.onnx', '--multipliers', code=USAGE, says='halftone quantize')
        self.expect_error('inspect', self.folder / 'q.onnx', '--multipliers', '--check', code=USAGE, says='excludes')


if __name__ == '__main__':
    unittest.main()
