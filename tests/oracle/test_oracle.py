#!/usr/bin/env python3
"""Hand-worked checks of the oracle itself; every expected number was found on paper from the page."""

import contextlib
import io
import json
import os
import subprocess
import sys
import tempfile
import unittest
from fractions import Fraction

import numpy as np

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import oracle  # noqa: E402

MODES = ('half_even', 'half_away', 'half_up', 'floor')
ORACLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'oracle.py')


def fixed_point(bits, fraction_length):
    return {'bits': bits, 'signed': True, 'narrow': False, 'scheme': 'fixed_point', 'power_of_two': True,
            'lo': 0.0, 'hi': 0.0, 'fraction_length': fraction_length}


def affine(bits, signed=True, narrow=False, scheme='asymmetric', power_of_two=False, lo=0.0, hi=0.0):
    return {'bits': bits, 'signed': signed, 'narrow': narrow, 'scheme': scheme,
            'power_of_two': power_of_two, 'lo': lo, 'hi': hi, 'fraction_length': 0}


def weight(kind, bits=8, granularity='tensor', **changes):
    form = dict(affine(bits, scheme='symmetric', narrow=True), kind=kind, granularity=granularity,
                group_size=0)
    form.update(changes)
    return form


def weights_of(form, values):
    return oracle.Weights(form, np.array(values, dtype=np.float32), set())


class Rounding(unittest.TestCase):
    """Section 2."""

    def test_ties_below_zero(self):
        x = [-2.5, -1.5, -0.5, 0.5, 1.5, 2.5]
        expected = {'half_even': [-2, -2, 0, 0, 2, 2], 'half_away': [-3, -2, -1, 1, 2, 3],
                    'half_up': [-2, -1, 0, 1, 2, 3], 'floor': [-3, -2, -1, 0, 1, 2]}
        for mode in MODES:
            self.assertEqual(oracle.round_real(x, mode).tolist(), expected[mode], mode)
            shifted = oracle.round_shift(np.array([-5, -3, -1, 1, 3, 5]), 1, mode)
            self.assertEqual(shifted.tolist(), expected[mode], mode)

    def test_no_sum_is_rounded_first(self):
        below = np.nextafter(0.5, 0)                       # below + 0.5 rounds to 1 in double
        for mode in ('half_even', 'half_away', 'half_up'):
            self.assertEqual(oracle.round_real([below, -below], mode).tolist(), [0, 0], mode)
        odd = 2.0 ** 52 + 1                                # odd + 0.5 rounds to an even number
        self.assertEqual(oracle.round_real([odd], 'half_up').tolist(), [odd])

    def test_round_shift_any_k(self):
        for mode in MODES:
            self.assertEqual(oracle.round_shift(np.array([-3, 5]), -70, mode).tolist(),
                             [-3 << 70, 5 << 70])
            self.assertEqual(oracle.round_shift(np.array([-3, 5]), 0, mode).tolist(), [-3, 5])
            self.assertEqual(oracle.round_shift(np.array([-3, 5]), 90, mode).tolist(),
                             [-1 if mode == 'floor' else 0, 0])

    def test_round_shift_against_fractions(self):
        rules = {'half_even': round,
                 'half_away': lambda r: (1 if r > 0 else -1) * int(abs(r) + Fraction(1, 2)),
                 'half_up': lambda r: (r + Fraction(1, 2)).__floor__(),
                 'floor': lambda r: r.__floor__()}
        values = [s * v for s in (1, -1) for v in (0, 1, 2, 3, 6, 7, 8, 2 ** 40 + 4, 2 ** 61 - 4, 2 ** 80 + 4)]
        for k in (-3, 0, 1, 2, 3, 40, 61, 62, 79):
            for numbers in (values, [v for v in values if abs(v) < 2 ** 63]):
                for mode in MODES:
                    want = [rules[mode](Fraction(v) / Fraction(2) ** k) for v in numbers]
                    got = oracle.round_shift(np.array(numbers), k, mode).tolist()
                    self.assertEqual(got, want, (mode, k))

    def test_one_saturation_at_the_end(self):
        self.assertEqual(oracle.saturate(oracle.round_shift(np.array([-1, 1]), -100, 'floor'),
                                         -8, 7).tolist(), [-8, 7])


class Formats(unittest.TestCase):
    """Sections 1 and 3."""

    def test_fixed_point(self):
        a = oracle.Activation(fixed_point(8, 4))
        self.assertEqual((a.qmin * float(a.s), a.qmax * float(a.s)), (-8.0, 7.9375))
        q = a.quantize(np.array([3.324, np.inf, -np.inf], dtype=np.float32), 'half_even')
        self.assertEqual(q.tolist(), [53, 127, -128])
        self.assertEqual(53 * float(a.s), 3.3125)
        self.assertEqual(oracle.format_range(fixed_point(1, 0)), (-1, 0))

    def test_ranges_of_integers(self):
        self.assertEqual(oracle.integer_range(8, True, True), (-127, 127))
        self.assertEqual(oracle.integer_range(3, False, False), (0, 7))

    def test_asymmetric(self):
        s, z = oracle.range_parameters(affine(8, signed=False), -1.0, 254.0)
        self.assertEqual((s, z), (1.0, 1))
        s, z = oracle.range_parameters(affine(8, signed=False), 3.0, 255.0)   # widened to 0
        self.assertEqual((s, z), (1.0, 0))
        s, z = oracle.range_parameters(affine(8), 0.0, 255.0)
        self.assertEqual((s, z), (1.0, -128))
        self.assertEqual(oracle.range_parameters(affine(8), 0.0, 0.0), (1.0, 0))

    def test_symmetric(self):
        form = affine(8, scheme='symmetric')
        self.assertEqual(oracle.range_parameters(form, -2.0, 1.0), (2.0 ** -6, 0))
        form['narrow'] = True
        self.assertEqual(oracle.range_parameters(form, -254.0, 1.0), (2.0, 0))
        form = affine(2, signed=False, scheme='symmetric')
        self.assertEqual(oracle.range_parameters(form, 0.0, 6.0), (2.0, 0))

    def test_power_of_two(self):
        self.assertEqual([oracle.power_at_or_above(v) for v in (0.25, 0.26, 3.0, 4.0)], [0.25, 0.5, 4, 4])
        s, z = oracle.range_parameters(affine(8, signed=False, power_of_two=True), -10.0, 300.0)
        self.assertEqual((s, z), (2.0, 5))                 # 310/255 rises to 2, then z = 10/2
        s, _ = oracle.range_parameters(affine(8, power_of_two=True), 0.0, 1e-44)
        self.assertEqual(float(s), 2.0 ** -126)            # clamped to a normal number

    def test_folded_bounds(self):
        a = oracle.Activation(affine(8, lo=-128.0, hi=127.0))
        a.fold({'activation': 'relu', 'rounding': 'half_even'})
        self.assertEqual((a.lo, a.hi), (0, 127))
        a = oracle.Activation(affine(8, signed=False, lo=-2.0, hi=253.0))
        a.fold({'activation': 'clip', 'rounding': 'half_even', 'clip_lo': -1.0, 'clip_hi': 6.5})
        self.assertEqual((a.lo, a.hi), (1, 8))             # 6.5 rounds to 6, plus z = 2

    def test_json_numbers(self):
        self.assertEqual(oracle.json_real('0.1'), float(np.float32(0.1)))
        self.assertEqual(oracle.json_real('0.10000000000000001'), 0.1)
        self.assertEqual(oracle.json_real('-1.5e-3'), float(np.float32(-1.5e-3)))


class WeightKinds(unittest.TestCase):
    """Section 1, the bottom half."""

    def test_binary(self):
        w = weights_of(weight('binary', 1, 'channel'), [[1, -3, 0], [0, 0, 0]])
        self.assertEqual(w.q.tolist(), [[1, -1, 1], [1, 1, 1]])
        self.assertEqual(w.s.tolist(), [float(np.float32(4 / 3)), float(np.float32(4 / 3)) / 2 ** 20])
        self.assertEqual(w.packed().tolist(), [0b101, 0b111])

    def test_ternary(self):
        w = weights_of(weight('ternary', 2), [[1, -4, 0.5, 3, -2]])
        self.assertEqual(w.q.tolist(), [[0, -1, 0, 1, -1]])            # delta = 0.7 * 2.1
        self.assertEqual(w.s.tolist(), [3.0])
        self.assertEqual(w.packed().tolist(), [0b01001100, 0b11])
        self.assertEqual(weights_of(weight('ternary', 2), [[0, 0]]).s.tolist(), [2.0 ** -20])

    def test_codebook(self):
        form = weight('codebook', 2, codebook=[-4, -1, 1, 4], codebook_scale=0.5)
        w = weights_of(form, [[0.0, 1.25, 9.0, -3.0]])
        self.assertEqual(w.q.tolist(), [[1, 2, 3, 0]])                 # both ties: the smaller index
        self.assertEqual(w.product.tolist(), [[-1, 1, 4, -4]])
        self.assertEqual(w.packed().tolist(), [0b00111001])

    def test_mean_is_sequential(self):
        x = np.array([1.0] + [2.0 ** -53] * 4096)          # each term alone is lost; pairs are not
        self.assertEqual(oracle.raw_mean(x), 1.0 / 4097)

    def test_groups_and_a_dead_channel(self):
        w = weights_of(weight('affine', granularity='group', group_size=2), [[127, 1, 254], [1, 2, 508]])
        self.assertEqual(w.s.tolist(), [1, 2, float(np.float32(2 / 127)), 4])
        self.assertEqual(w.region.tolist(), [[0, 0, 1], [2, 2, 3]])
        notes = set()
        real = np.array([[127, 0], [0, 2.0 ** -14]], dtype=np.float32)  # 2^-14 < 127 * 2^-20
        w = oracle.Weights(weight('affine', granularity='channel'), real, notes)
        self.assertEqual((w.s.tolist(), w.q[1].tolist(), len(notes)), ([1, 1], [0, 0], 1))


class Parameters(unittest.TestCase):
    """Sections 4 to 6."""

    def test_multiplier(self):
        self.assertEqual(oracle.multiplier(0.2, 8), (102, 2))          # 0.8 * 128 = 102.4
        self.assertEqual(oracle.multiplier(0.2, 16), (26214, 2))       # 0.8 * 32768 = 26214.4
        self.assertEqual(oracle.multiplier(0.064453125, 8), (66, 3))
        self.assertEqual(oracle.multiplier(0.0625, 8), (64, 3))
        self.assertEqual(oracle.multiplier(0.999, 8), (64, -1))        # 127.872 rounds to 128
        self.assertEqual(oracle.multiplier(3.0, 8), (96, -2))

    def test_narrow_bias(self):
        one = np.float32(1)
        self.assertEqual(oracle.narrow_bias(np.float32(7), one, one, 4), (7, 0))
        self.assertEqual(oracle.narrow_bias(np.float32(-8), one, one, 4), (-8, 0))
        self.assertEqual(oracle.narrow_bias(np.float32(8), one, one, 4), (4, 1))
        self.assertEqual(oracle.narrow_bias(np.float32(15), one, one, 4), (4, 2))   # 7.5 rounds to 8

    def test_scale_raised_for_a_bias(self):
        w = weights_of(weight('affine', granularity='channel'), [[127, 1], [127, 1]])
        b = np.array([2.0 ** 30, 2.0 ** 31], dtype=np.float32)
        oracle.raise_scales(w, b, np.float32(1), set())
        self.assertEqual(w.s.tolist(), [1, 2])
        self.assertEqual(w.q.tolist(), [[127, 1], [64, 0]])            # 63.5 and 0.5, to even
        binary = weights_of(weight('binary', 1), [[1, -1]])
        oracle.raise_scales(binary, b, np.float32(1), set())
        self.assertEqual((binary.s.tolist(), binary.q.tolist()), ([2], [[1, -1]]))
        codes = weights_of(weight('codebook', 2, codebook=[-4, -1, 1, 4], codebook_scale=0.5), [[1, 1]])
        with self.assertRaises(oracle.Refused):
            oracle.raise_scales(codes, b, np.float32(1), set())

    def test_smallest_scale_is_smallest(self):
        b, s_x = np.array([3e7, -7e8], dtype=np.float32), np.float32(0.0123)
        s = oracle.smallest_scale(b, s_x, False)
        q = [abs(oracle.bias_integers(b, s_x, v)).max() for v in (np.nextafter(s, np.float32(0)), s)]
        self.assertTrue(q[0] > 2 ** 30 >= q[1])
        self.assertEqual(oracle.smallest_scale(b, s_x, True), oracle.power_at_or_above(float(s)))

    def test_bound(self):
        x = oracle.Activation(affine(8, signed=False, lo=-100.0, hi=155.0))
        self.assertEqual((x.s, x.z), (1.0, 100))
        self.assertEqual(oracle.bounds(x, [10], [-4], [50]), [255 * 10 + 450])
        self.assertEqual(oracle.bounds(x, [10], [4], [400]), [255 * 10])
        self.assertEqual(oracle.bounds(x, [1], [1], [400]), [155 + 400])


def float32(*values):
    return np.array(values, dtype=np.float32)


class FloatSteps(unittest.TestCase):
    """Mode onnx of section 7."""

    def test_fma_rounds_once(self):
        def nearest(exact):
            """The float32 nearest to a fraction, the even one of two."""
            guess = np.float32(float(exact))
            around = [np.nextafter(guess, np.float32(-np.inf)), guess, np.nextafter(guess, np.float32(np.inf))]
            return min(around, key=lambda f: (abs(Fraction(float(f)) - exact), int(f.view(np.uint32)) & 1))

        random = np.random.RandomState(1)
        a, b, c = (np.ldexp(random.uniform(-1, 1, 3000), random.randint(-30, 30, 3000)).astype(np.float32)
                   for _ in range(3))
        got = oracle.fma(a, b, c)
        for i in range(len(a)):
            exact = Fraction(float(a[i])) * Fraction(float(b[i])) + Fraction(float(c[i]))
            self.assertEqual(got[i], nearest(exact), i)

    def test_fma_beside_a_tie(self):
        # 2^30 + 1 and 2^30 - 1 as products: 2^-54 beside a tie of float32, which a double does not see.
        above = oracle.fma(np.float32(812825 * 2.0 ** -27), np.float32(1321 * 2.0 ** -27), np.float32(1))
        self.assertEqual(above, 1 + 2.0 ** -23)
        odd = np.float32(1 + 2.0 ** -23)
        below = oracle.fma(np.float32(21483 * 2.0 ** -27), np.float32(49981 * 2.0 ** -27), odd)
        self.assertEqual(below, odd)

    def test_odd_sum(self):
        above = oracle.odd_sum(np.array([1.0, 1.0, 1.0]), np.array([2.0 ** -60, -2.0 ** -60, 2.0 ** -52]))
        self.assertEqual(above.tolist(), [1 + 2.0 ** -52, 1 - 2.0 ** -53, 1 + 2.0 ** -52])

    def test_exchanged(self):
        for a, b, want in (([2, 3, 4, 5], [2, 3, 4, 5], False), ([2, 3, 4, 5], [1, 3, 1, 1], False),
                           ([1, 3, 1, 1], [2, 3, 4, 5], True), ([5, 1], [1, 5], True), ([1, 5], [5, 1], False),
                           ([1], [1], True), ([], [], True), ([], [3], True), ([3], [], False),
                           ([2, 1, 1], [3, 1], True), ([3, 1, 1], [1, 1, 1], False), ([1, 1], [4, 1, 1], True)):
            self.assertEqual(oracle.exchanged(a, b), want, (a, b))

    def test_add(self):
        a, b = (oracle.Activation(affine(8, lo=lo, hi=lo + 255)) for lo in (-127.0, -129.0))
        y = oracle.Activation(affine(8, lo=-256.0, hi=254.0))
        self.assertEqual((a.z, b.z, y.s, y.z), (-1, 1, 2.0, 0))
        q = oracle.onnx_add(a, b, y, np.array([1, 3, -3, 7]), np.array([2, 2, 2, 120]))
        self.assertEqual(q.tolist(), [2, 2, 0, 64])        # 1.5, 2.5, -0.5, 63.5 to even

    def test_z_is_added_before_rounding(self):
        y = oracle.Activation(affine(8, lo=-127.0, hi=128.0))
        self.assertEqual(y.z, -1)
        self.assertEqual(y.finish_sum(float32(1.5, -1.5)).tolist(), [2, -2])
        self.assertEqual(y.finish_float(float32(2.5, -0.5)).tolist(), [1, -1])

    def test_average_rules(self):
        form = affine(8, lo=-127.0, hi=128.0)
        x, y = oracle.Activation(form), oracle.Activation(form)
        case = {'kernel': [2], 'strides': [1], 'pads': [0, 0]}
        centred = np.array([[[1, 2, 3]]])
        q = oracle.window_average(case, x, y, centred, np.array([2, 2]))
        self.assertEqual(q.tolist(), [[[0, 2]]])           # 1.5 - 1 and 2.5 - 1, to even
        out = oracle.Outputs()
        self.assertEqual(oracle.whole_average(out, x, y, np.array([3, 5]), 2).tolist(), [1, 1])
        self.assertEqual(out['m_onnx'].tolist(), [0.5])    # 1.5 and 2.5 to even, then - 1

    def test_sigmoid(self):
        x = np.linspace(-30, 30, 1001).astype(np.float32)
        exact = np.array([oracle.sigmoid(v) for v in x.tolist()])
        self.assertLess(np.abs(oracle.onnx_sigmoid(x) - exact).max(), 2e-7)
        self.assertEqual(oracle.onnx_sigmoid(float32(0)).tolist(), [0.5])


class Transposed(unittest.TestCase):
    """ConvTranspose as a Conv against its own definition, output by output."""

    def test_against_scatter(self):
        random = np.random.RandomState(2)
        x, w = random.randint(-9, 9, (2, 4, 3, 5)), random.randint(-9, 9, (4, 3, 2, 3))
        case = {'op': 'conv_transpose', 'groups': 2, 'strides': [2, 3], 'dilations': [2, 1],
                'pads': [1, 3, 0, 2], 'output_padding': [1, 0]}
        want = np.zeros((2, 6, 2 * 2 + 2 + 1 + 1, 4 * 3 + 2 + 1), dtype=np.int64)
        for c, m, i, j in np.ndindex(4, 3, 2, 3):
            out = want[:, c // 2 * 3 + m, 2 * i:2 * i + 5:2, j:j + 13:3]
            out += x[:, c] * w[c, m, i, j]
        conv, given, spread = oracle.as_conv(case, {'w': w}, x)
        got = oracle.conv_sums(conv, spread, given['w'], given['w'].shape)
        self.assertEqual(got.tolist(), want[:, :, 1:, 3:-2].tolist())

    def test_shared_scales(self):
        form = weight('affine', granularity='channel')
        real = np.array([[127], [1], [254], [3]], dtype=np.float32)    # two groups of two channels
        w = oracle.Weights(form, real, set(), 2)
        self.assertEqual(w.s.tolist(), [2, float(np.float32(3 / 127)), 2, float(np.float32(3 / 127))])
        self.assertEqual(w.q[:, 0].tolist(), [64, 42, 127, 127])


def tiny_case():
    """A gemm small enough for paper: x Q(8,4), w Q(8,4), y Q(8,4), B = 8."""
    case = {'id': 3, 'op': 'gemm', 'arithmetic': 'fixed', 'mantissa_bits': 8, 'rounding': 'half_even',
            'x': fixed_point(8, 4), 'y': fixed_point(8, 4), 'activation': 'none', 'bias_bits': 32,
            'w': dict(fixed_point(8, 4), kind='fixed_point', granularity='tensor', group_size=0)}
    integers = {'z_x': [0], 'z_y': [0], 'y_lo': [-128], 'y_hi': [127], 'q_x': [[16, 32], [127, 0]],
                'z_w': [0], 'q_w': [[8, -4]], 'b_shift': [0], 'shift': [10], 'q_y': [[4], [68]]}
    arrays = {name: np.array(v, dtype=np.int32) for name, v in integers.items()}
    wide = {'q_b': [64], 'm': [64], 'acc': [[64], [1080]], 'bound': [128 * 12 + 64]}
    arrays.update({name: np.array(v, dtype=np.int64) for name, v in wide.items()})
    real = {'x': [[1, 2], [np.inf, 0]], 'w': [[0.5, -0.25]], 'b': [0.25],
            's_x': [2 ** -4], 's_y': [2 ** -4], 's_w': [2 ** -4]}
    arrays.update({name: np.array(v, dtype=np.float32) for name, v in real.items()})
    return case, arrays


def pool_case():
    """An average pool with two counts in `shift` mode: 3 values, kernel 1x2, one column of padding."""
    case = {'id': 0, 'op': 'average_pool', 'arithmetic': 'shift', 'mantissa_bits': 32,
            'rounding': 'half_up', 'x': fixed_point(8, 0), 'y': fixed_point(8, 0), 'activation': 'relu',
            'kernel': [1, 2], 'strides': [1, 1], 'pads': [0, 1, 0, 0], 'count_include_pad': 0}
    integers = {'z_x': [0], 'z_y': [0], 'y_lo': [0], 'y_hi': [127], 'q_x': [[[[5, 2, -9]]]],
                'shift': [14, 15], 'q_y': [[[[5, 4, 0]]]]}
    arrays = {name: np.array(v, dtype=np.int32) for name, v in integers.items()}
    arrays['m'] = np.array([16384, 16384])                 # 1 = 0.5 * 2^1, n = -1; 1/2 = 0.5 * 2^0, n = 0
    arrays['acc'] = np.array([[[[5, 7, -7]]]])
    real = {'x': [[[[5, 2, -9]]]], 's_x': [1], 's_y': [1]}
    arrays.update({name: np.array(v, dtype=np.float32) for name, v in real.items()})
    return case, arrays


class Files(unittest.TestCase):
    """CASES.md: whole files, made by hand."""

    def check(self, case, arrays):
        """Exit code and what was printed."""
        members = {'%d.%s' % (case['id'], name): a for name, a in arrays.items()}
        members['cases'] = np.frombuffer(json.dumps([case]).encode(), dtype=np.uint8)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'tiny.npz')
            np.savez(path, **members)
            text = io.StringIO()
            with contextlib.redirect_stdout(text):
                code = oracle.main([path])
            run = subprocess.run([sys.executable, ORACLE, path], stdout=subprocess.PIPE,
                                 universal_newlines=True)
            self.assertEqual((run.returncode, run.stdout), (code, text.getvalue()))
        return code, text.getvalue()

    def test_passes(self):
        for case, arrays in (tiny_case(), pool_case()):
            code, text = self.check(case, arrays)
            self.assertEqual((code, text.splitlines()[-1]), (0, '1 passed, 0 failed'), text)

    def test_one_integer_altered(self):
        for made in (tiny_case, pool_case):
            for name in made()[1]:
                case, arrays = made()
                arrays[name].reshape(-1)[-1] += 1
                code, text = self.check(case, arrays)
                self.assertEqual((code, text.splitlines()[-1]), (1, '0 passed, 1 failed'), name)
        case, arrays = tiny_case()
        arrays['q_y'][1, 0] = 67
        self.assertIn('q_y differs at [1, 0]: got 67, oracle 68 (1 of 2 differ)', self.check(case, arrays)[1])

    def test_missing_unexpected_and_mistyped(self):
        case, arrays = tiny_case()
        del arrays['bound']
        self.assertIn('bound is missing', self.check(case, arrays)[1])
        case, arrays = tiny_case()
        arrays['m_onnx'] = np.ones(1, dtype=np.float32)
        self.assertIn('m_onnx is not expected', self.check(case, arrays)[1])
        case, arrays = tiny_case()
        arrays['acc'] = arrays['acc'].astype(np.int32)
        self.assertIn('acc is int32, oracle int64', self.check(case, arrays)[1])
        case, arrays = tiny_case()
        arrays['q_y'] = arrays['q_y'].reshape(-1)
        self.assertIn('q_y has shape [2], oracle [2, 1]', self.check(case, arrays)[1])

    def test_nothing_to_check_is_no_success(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'empty.npz')
            np.savez(path, cases=np.frombuffer(b'[]', dtype=np.uint8))
            with contextlib.redirect_stdout(io.StringIO()):
                self.assertEqual(oracle.main([path]), 1)


if __name__ == '__main__':
    unittest.main()
