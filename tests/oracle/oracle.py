#!/usr/bin/env python3
"""An independent NumPy implementation of docs/arithmetic.md.

    oracle.py FILE.npz [--verbose]

FILE.npz is described in tests/oracle/CASES.md: random layers with the arrays another implementation
computed for them. Every array is computed again here, from the real numbers, and compared byte for
byte. Section numbers in this file are those of docs/arithmetic.md.
"""

import argparse
import collections
import itertools
import json
import math
import sys

import numpy as np

FLOAT_MIN = 2.0 ** -126                                    # the smallest normal float32
FLOAT_MAX = float(np.finfo(np.float32).max)
INT32_MAX = 2 ** 31 - 1
BIAS_LIMIT = 2 ** 30                                       # section 5
ACCUMULATOR_LIMIT = 2 ** 47                                # section 4
GROUP_SUM_LIMIT = 2 ** 62                                  # section 4
SAFE = 2 ** 62                                             # below it int64 is exact with room to spare
FAR = 2.0 ** 40                                            # beyond every format of at most 16 bits


class Refused(Exception):
    """What the page refuses by name: such a layer must not be in the file."""


# ---------------------------------------------------------------- section 2: rounding

def round_real(x, mode):
    """Round doubles to integers (kept as doubles), exactly, by their magnitude: no x + 1/2 is formed."""
    x = np.asarray(x, dtype=np.float64)
    whole = np.floor(np.abs(x))
    fraction = np.abs(x) - whole                           # exact
    negative = x < 0
    if mode == 'half_even':
        up = (fraction > 0.5) | ((fraction == 0.5) & (np.fmod(whole, 2.0) == 1.0))
    elif mode == 'half_away':
        up = fraction >= 0.5
    elif mode == 'half_up':
        up = np.where(negative, fraction > 0.5, fraction >= 0.5)
    elif mode == 'floor':
        up = negative & (fraction > 0)
    else:
        raise ValueError('rounding mode %r' % mode)
    return np.where(negative, -(whole + up), whole + up)


def half_even(x):
    """A parameter: one real number to one Python integer, half to even."""
    return int(round_real(x, 'half_even'))


def largest(x):
    """max |x| as a Python integer."""
    return max((abs(int(x.max())), abs(int(x.min())))) if x.size else 0


def exact_product(x, m):
    """x * m: in int64 where that is proved exact, else in Python integers."""
    if max(largest(x), 1) * abs(int(m)) < SAFE:
        return x * np.int64(m)
    return x.astype(object) * int(m)


def round_shift(x, k, mode):
    """round(x * 2^-k) as if in unbounded integers, for any sign of k."""
    x = np.asarray(x)
    k = int(k)
    if k > 61 or (k <= 0 and max(largest(x), 1) << -k >= SAFE):
        x = x.astype(object)
    if k <= 0:
        return x * (1 << -k)
    quotient = x >> k                                      # rounds down
    remainder = x - (quotient << k)                        # 0 .. 2^k - 1
    half = 1 << (k - 1)
    if mode == 'half_even':
        up = (remainder > half) | ((remainder == half) & ((quotient & 1) == 1))
    elif mode == 'half_away':
        up = (remainder > half) | ((remainder == half) & (x >= 0))
    elif mode == 'half_up':
        up = remainder >= half
    elif mode == 'floor':
        return quotient
    else:
        raise ValueError('rounding mode %r' % mode)
    return quotient + up.astype(np.int64)


def saturate(x, lo, hi):
    """Clamp integers of any width, at the very end, to int32."""
    return np.minimum(np.maximum(x, int(lo)), int(hi)).astype(np.int32)


# ---------------------------------------------------------------- sections 0 and 7: float32 steps

def odd_sum(a, b):
    """a + b of doubles rounded to odd: an inexact sum becomes that neighbour whose last bit is 1."""
    total = a + b
    part = total - a
    error = (a - (total - part)) + (b - part)              # exact (Knuth's two-sum)
    even = (total.view(np.uint64) & np.uint64(1)) == 0
    return np.where((error != 0) & even, np.nextafter(total, np.copysign(np.inf, error)), total)


def fma(a, b, c):
    """a * b + c of float32, rounded once. The product is exact in double; a sum rounded to odd there
    keeps what decides a tie, so rounding it again to float32 is rounding the exact sum."""
    a, b, c = (np.asarray(v, dtype=np.float32).astype(np.float64) for v in (a, b, c))
    return odd_sum(a * b, c).astype(np.float32)


# ---------------------------------------------------------------- sections 1 and 3: formats

def integer_range(bits, signed, narrow):
    """[qmin, qmax] of an integer of `bits` bits."""
    if not signed:
        return 0, 2 ** bits - 1
    return -(2 ** (bits - 1)) + (1 if narrow else 0), 2 ** (bits - 1) - 1


def format_range(form):
    """[qmin, qmax] of a format: fixed point is two's complement whatever else the format says."""
    if is_fixed_point(form):
        return integer_range(form['bits'], True, False)
    return integer_range(form['bits'], form['signed'], form['narrow'])


def is_fixed_point(form):
    return 'fixed_point' in (form.get('kind'), form.get('scheme'))


def power_at_or_above(v):
    """The least power of two at or above a positive double."""
    mantissa, exponent = math.frexp(v)
    return math.ldexp(1.0, exponent - 1 if mantissa == 0.5 else exponent)


def store_scale(s, power_of_two):
    """A positive double to the float32 scale a file holds: a normal number."""
    if power_of_two:
        return np.float32(min(max(power_at_or_above(s), FLOAT_MIN), 2.0 ** 127))
    return np.float32(min(max(s, FLOAT_MIN), FLOAT_MAX))


def zero_point(form, lo, s):
    """z = clamp(half_even(qmin - lo/s)) of an asymmetric range, from the stored s."""
    qmin, qmax = format_range(form)
    return min(max(half_even(float(qmin) - min(lo, 0.0) / float(s)), qmin), qmax)


def range_parameters(form, lo, hi):
    """(s, z) of a range [lo, hi], section 3; the arguments are doubles."""
    qmin, qmax = format_range(form)
    lo, hi = min(float(lo), 0.0), max(float(hi), 0.0)
    if is_fixed_point(form):
        return np.float32(math.ldexp(1.0, -form['fraction_length'])), 0
    if lo == hi:
        return np.float32(1), 0
    if form['scheme'] == 'asymmetric':
        s = store_scale((hi - lo) / (qmax - qmin), form['power_of_two'])
        return s, zero_point(form, lo, s)
    if form['scheme'] != 'symmetric':
        raise ValueError('scheme %r' % form['scheme'])
    alpha = max(abs(lo), abs(hi))
    steps = 2 ** (form['bits'] - 1) if form['signed'] and not form['narrow'] else qmax
    return store_scale(alpha / steps, form['power_of_two']), 0


def quantize(r, s, z, qmin, qmax, mode):
    """q = clamp(round(r / s) + z): one float32 division; r float32, s float32 (or an array of them)."""
    with np.errstate(over='ignore', under='ignore'):
        ratio = np.asarray(r, dtype=np.float32) / s
    assert ratio.dtype == np.float32
    if np.isnan(ratio).any():
        raise ValueError('NaN at the boundary')
    rounded = round_real(np.clip(ratio.astype(np.float64), -FAR, FAR), mode)
    return saturate(rounded.astype(np.int64) + z, qmin, qmax)


def round_float(f):
    """float32 to int64, half to even; what no format holds becomes a large number of its sign."""
    assert f.dtype == np.float32
    if np.isnan(f).any():
        raise ValueError('NaN before requantization')
    return round_real(np.clip(f.astype(np.float64), -FAR, FAR), 'half_even').astype(np.int64)


class Activation:
    """One activation's format, with s and z, and its bounds after the folded activation function."""

    def __init__(self, form):
        self.bits = form['bits']
        self.qmin, self.qmax = format_range(form)
        self.s, self.z = range_parameters(form, form['lo'], form['hi'])
        self.lo, self.hi = self.qmin, self.qmax

    def fold(self, case):
        """Section 6: ReLU and Clip become bounds."""
        if case['activation'] == 'relu':
            self.lo = int(self.quantize(0.0, case['rounding']))
        elif case['activation'] == 'clip':
            self.lo = int(self.quantize(case['clip_lo'], case['rounding']))
            self.hi = int(self.quantize(case['clip_hi'], case['rounding']))
        elif case['activation'] != 'none':
            raise ValueError('activation %r' % case['activation'])

    def quantize(self, r, mode):
        return quantize(r, self.s, self.z, self.qmin, self.qmax, mode)

    def finish(self, x):
        """Integers before the zero point to q: + z, one saturation."""
        return saturate(x + self.z, self.lo, self.hi)

    def finish_float(self, f):
        """float32 before the rounding to q, for the `onnx` mode: half_even, + z, clamp."""
        return self.finish(round_float(f))

    def finish_sum(self, f):
        """float32 to which the `onnx` mode has already added z: half_even, clamp."""
        return saturate(round_float(f), self.lo, self.hi)


# ---------------------------------------------------------------- section 1: weights

def raw_mean(x):
    """A mean: a sum in double in the order given, one division."""
    return float(np.add.accumulate(x.astype(np.float64))[-1]) / x.size


def region_index(form, rows, columns, entries):
    """For weights seen as [channels, reduction]: which entry of s_w, z_w each element uses. Channels have
    `entries` entries, over which they go round."""
    if form['granularity'] == 'tensor':
        return np.zeros((rows, columns), dtype=np.int64)
    channel = np.arange(rows)[:, None] % entries
    if form['granularity'] == 'channel':
        return channel + np.zeros((1, columns), dtype=np.int64)
    size = form['group_size']
    return channel * -(-columns // size) + np.arange(columns)[None, :] // size


def mean_scales(magnitudes, power_of_two):
    """alpha of binary and ternary weights: the mean of each region's magnitudes, at least 2^-20 of the largest mean, or
    of 1 where nothing is left anywhere."""
    means = [raw_mean(m) if m.size else 0.0 for m in magnitudes]
    least = 2.0 ** -20 * (max(means) or 1.0)
    return np.array([store_scale(max(mean, least), power_of_two) for mean in means], dtype=np.float32)


class Weights:
    """Weights as [channels, reduction]: s, z of every region, q, and the integers of the product. The
    groups of a transposed convolution share the dimension of its channels, and so their `entries`."""

    def __init__(self, form, w, notes, entries=None):
        self.form = form
        self.real = w.reshape(w.shape[0], -1)
        self.region = region_index(form, *self.real.shape, entries or w.shape[0])
        self.count = int(self.region.max()) + 1
        self.z = np.zeros(self.count, dtype=np.int32)
        self.ranges = None
        if form['kind'] == 'binary':
            self._binary()
        elif form['kind'] == 'ternary':
            self._ternary()
        elif form['kind'] == 'codebook':
            self._codebook()
        elif form['kind'] in ('affine', 'fixed_point'):
            self._ranges(notes)
            self._uniform()
        else:
            raise ValueError('weight kind %r' % form['kind'])
        if form['granularity'] == 'channel' and self.count < w.shape[0]:
            self._one_each(w.shape[0])

    def _one_each(self, channels):
        """An entry for each channel in place of those shared, which no bias may then change."""
        shared = np.arange(channels) % self.count
        self.s, self.z, self.ranges = self.s[shared], self.z[shared], None
        self.region, self.count = region_index(self.form, *self.real.shape, channels), channels

    def _elements(self):
        """The elements of each region, in row-major order."""
        return [self.real[self.region == r] for r in range(self.count)]

    def _binary(self):
        """alpha = mean|w|; +1 where w >= 0."""
        self.s = mean_scales([np.abs(e) for e in self._elements()], self.form['power_of_two'])
        self.q = self.product = np.where(self.real >= 0, 1, -1).astype(np.int32)

    def _ternary(self):
        """delta = 0.7 mean|w|; sign(w) beyond it; alpha = the mean of what lies beyond."""
        magnitudes = [np.abs(e).astype(np.float64) for e in self._elements()]
        delta = np.array([0.7 * raw_mean(e) for e in magnitudes])
        beyond = np.abs(self.real).astype(np.float64) > delta[self.region]
        self.s = mean_scales([e[e > d] for e, d in zip(magnitudes, delta)], self.form['power_of_two'])
        self.q = self.product = np.where(beyond, np.sign(self.real), 0).astype(np.int32)

    def _codebook(self):
        """The q whose s*c[q] is nearest in double, the smallest among equals."""
        self.s = np.array([self.form['codebook_scale']], dtype=np.float32)
        codes = np.array(self.form['codebook'], dtype=np.int64)
        values = float(self.s[0]) * codes.astype(np.float64)
        distance = np.abs(self.real.astype(np.float64)[..., None] - values)
        self.q = distance.argmin(axis=-1).astype(np.int32)
        self.product = codes[self.q]

    def _ranges(self, notes):
        """Minimum and maximum of each region; a dead region takes the layer's (section 3), then s and z."""
        ranges = [(min(float(e.min()), 0.0), max(float(e.max()), 0.0)) for e in self._elements()]
        layer = float(np.abs(self.real).max())
        unsigned = self.form['scheme'] == 'symmetric' and not self.form['signed']
        for i, (lo, hi) in enumerate(ranges):
            if max(-lo, hi) < layer * 2.0 ** -20 and not is_fixed_point(self.form):
                ranges[i] = (0.0 if unsigned else -layer, layer)
                notes.add('dead channel or group')
        self.ranges = ranges
        parameters = [range_parameters(self.form, lo, hi) for lo, hi in ranges]
        self.s = np.array([s for s, _ in parameters], dtype=np.float32)
        self.z = np.array([z for _, z in parameters], dtype=np.int32)

    def _uniform(self):
        """q = clamp(half_even(w / s) + z)."""
        qmin, qmax = format_range(self.form)
        zero = self.z[self.region]
        self.q = quantize(self.real, self.s[self.region], zero, qmin, qmax, 'half_even')
        self.product = self.q.astype(np.int64) - zero

    def rescale(self, entry, s):
        """Section 5: a new scale for one entry; z follows from it, and the weights are requantized, but for binary and
        ternary ones."""
        if self.form['kind'] in ('binary', 'ternary'):
            self.s[entry] = s
            return
        if self.ranges is None:
            raise Refused('a bias that does not fit %s weights, or shared scales' % self.form['kind'])
        self.s[entry] = s
        lo, hi = self.ranges[entry]
        if self.form['scheme'] == 'asymmetric' and not is_fixed_point(self.form) and lo < hi:
            self.z[entry] = zero_point(self.form, lo, s)
        self._uniform()

    def packed(self):
        """Rows of one channel, low bits first, each starting a byte; None for a format not packed."""
        kind = self.form['kind']
        bits = {'binary': 1, 'ternary': 2}.get(kind, self.form['bits'])
        if bits not in (1, 2, 4):
            return None
        codes = (self.q > 0).astype(np.int32) if kind == 'binary' else self.q & ((1 << bits) - 1)
        planes = (codes[..., None] >> np.arange(bits)) & 1
        rows = planes.reshape(codes.shape[0], -1).astype(np.uint8)
        return np.packbits(rows, axis=1, bitorder='little').reshape(-1)


# ---------------------------------------------------------------- section 5: bias

def bias_integers(b, s_x, s_w, k=0):
    """half_even(b / (s_x * s_w * 2^k)) in double, as doubles; all arguments but k are float32."""
    step = np.float64(s_x) * np.asarray(s_w, dtype=np.float64) * 2.0 ** k
    return round_real(b.astype(np.float64) / step, 'half_even')


def smallest_scale(b, s_x, power_of_two):
    """The smallest float32 (or power of two) scale at which every bias of b stays within 2^30."""
    def fits(s):
        return np.abs(bias_integers(b, s_x, s)).max() <= BIAS_LIMIT

    def step(s, up):
        if power_of_two:
            return np.float32(s * np.float32(2 if up else 0.5))
        return np.nextafter(s, np.float32(np.inf if up else 0))

    estimate = float(np.abs(b.astype(np.float64)).max()) / (float(s_x) * BIAS_LIMIT)
    s = store_scale(estimate, power_of_two)
    while not fits(s):
        s = step(s, True)
        if not np.isfinite(s):
            raise Refused('a bias no float32 scale fits')
    while step(s, False) >= np.float32(FLOAT_MIN) and fits(step(s, False)):
        s = step(s, False)
    return s


def raise_scales(weights, b, s_x, notes):
    """Section 5: where a bias passes 2^30, that channel's (or the tensor's) s_w grows."""
    power_of_two = weights.form['power_of_two'] or is_fixed_point(weights.form)
    too_large = np.abs(bias_integers(b, s_x, weights.s)) > BIAS_LIMIT
    if not too_large.any():
        return
    notes.add('s_w raised for the bias')
    if weights.count == 1:
        weights.rescale(0, smallest_scale(b, s_x, power_of_two))
        return
    for channel in np.flatnonzero(too_large):
        weights.rescale(channel, smallest_scale(b[channel:channel + 1], s_x, power_of_two))


def narrow_bias(b, s_x, s_w, bits):
    """(q_b, k) of one channel: the least k >= 0 for which q_b fits two's complement of `bits` bits."""
    k = 0
    while True:
        q = int(bias_integers(np.array([b]), s_x, s_w, k)[0])
        if -(2 ** (bits - 1)) <= q < 2 ** (bits - 1):
            return q, k
        k += 1


def channel_bias(case, b, s_x, weights, notes):
    """(q_b, k) of every channel, for weights without groups; may raise the weights' scales."""
    channels = weights.real.shape[0]
    if case['bias_bits'] == 0:
        return np.zeros(channels, dtype=np.int64), np.zeros(channels, dtype=np.int32)
    if case['bias_bits'] == 32:
        raise_scales(weights, b, s_x, notes)
        q = bias_integers(b, s_x, weights.s).astype(np.int64)
        return q, np.zeros(channels, dtype=np.int32)
    scales = np.broadcast_to(weights.s, channels)
    pairs = [narrow_bias(v, s_x, s, case['bias_bits']) for v, s in zip(b, scales)]
    return (np.array([q for q, _ in pairs], dtype=np.int64),
            np.array([k for _, k in pairs], dtype=np.int32))


# ---------------------------------------------------------------- section 6: multipliers

def multiplier(M, B):
    """(m, n) of M = M0 * 2^-n, M0 in [0.5, 1): m = half_even(M0 * 2^(B-1)), renormalised at 2^(B-1)."""
    if not 0 < M < math.inf:
        raise ValueError('multiplier of %r' % M)
    M0, exponent = math.frexp(M)
    n = -exponent
    m = half_even(math.ldexp(M0, B - 1))
    if m == 2 ** (B - 1):
        m, n = m // 2, n - 1
    return m, n


def right_shift_of(M):
    """n of M = 2^-n; refuses anything else."""
    mantissa, exponent = math.frexp(M)
    if mantissa != 0.5:
        raise Refused('shift mode with a ratio of scales that is no power of two: %r' % M)
    return 1 - exponent


def double_ratio(s_x, s_w, s_y):
    """M = s_x * s_w / s_y in double, in this order."""
    return float(s_x) * float(s_w) / float(s_y)


def float_ratio(s_x, s_w, s_y):
    """M in float32 as (s_x * s_w) / s_y."""
    with np.errstate(all='ignore'):
        M = np.asarray(np.float32(s_x) * s_w, dtype=np.float32) / np.float32(s_y)
    return np.asarray(M, dtype=np.float32)


def float_product(acc, M):
    """float(acc) * M in float32."""
    with np.errstate(over='ignore', under='ignore'):
        return acc.astype(np.float32) * np.asarray(M, dtype=np.float32)


def per_channel(acc, axis, rule):
    """Apply rule(values, channel) to every channel of acc and put the results together."""
    parts = np.moveaxis(acc, axis, 0)
    result = np.stack([rule(part, i) for i, part in enumerate(parts)])
    return np.moveaxis(result, 0, axis)


# ---------------------------------------------------------------- section 4: accumulate

def out_size(size, before, after, kernel, stride, dilation):
    return (size + before + after - dilation * (kernel - 1) - 1) // stride + 1


def window_shape(size, kernel, strides, pads, dilations):
    """How many windows there are in each spatial dimension; pads are all the beginnings, then the ends."""
    return tuple(out_size(n, before, after, k, stride, dilation) for n, before, after, k, stride, dilation
                 in zip(size, pads, pads[len(size):], kernel, strides, dilations))


def windows(x, kernel, strides, pads, dilations):
    """[N, C, ...] to [N, C, the kernel's elements in row-major order, ...]; padding is 0, which is q = z_x
    once z_x is subtracted."""
    rank = len(kernel)
    padded = np.pad(x, [(0, 0), (0, 0)] + list(zip(pads[:rank], pads[rank:])))
    shape = window_shape(x.shape[2:], kernel, strides, pads, dilations)
    parts = []
    for place in itertools.product(*map(range, kernel)):
        starts = [i * d for i, d in zip(place, dilations)]
        parts.append(padded[(slice(None), slice(None)) + tuple(
            slice(start, start + (n - 1) * stride + 1, stride)
            for start, n, stride in zip(starts, shape, strides))])
    return np.stack(parts, axis=2)


def gemm_sums(case, x, w, shape):
    """x [N, K] times w [M, K], int64."""
    return x @ w.T


def conv_sums(case, x, w, shape):
    """Sums of a convolution; w is [M, C/groups * kernel] and `shape` that of the weights given."""
    columns = windows(x, shape[2:], case['strides'], case['pads'], case['dilations'])
    n, c, kernel = columns.shape[:3]
    groups = case['groups']
    rows = w.reshape(groups, shape[0] // groups, -1)
    sums = np.matmul(rows[None], columns.reshape(n, groups, c // groups * kernel, -1))
    return sums.reshape((n, shape[0]) + columns.shape[3:])


def turned_kernel(w, groups):
    """[C, M/G, ...] read as [M, C/G, ...], every spatial dimension reversed."""
    c, m = w.shape[:2]
    split = np.swapaxes(w.reshape((groups, c // groups, m) + w.shape[2:]), 1, 2)
    return np.flip(split.reshape((groups * m, c // groups) + w.shape[2:]), tuple(range(2, w.ndim)))


def spread(x, strides):
    """stride - 1 zeros (zero points, once z_x is subtracted) between neighbours."""
    size = [(n - 1) * stride + 1 for n, stride in zip(x.shape[2:], strides)]
    wide = np.zeros(x.shape[:2] + tuple(size), dtype=x.dtype)
    wide[(slice(None), slice(None)) + tuple(slice(None, None, stride) for stride in strides)] = x
    return wide


def as_conv(case, given, centred):
    """Section 7: a transposed convolution as (case, arrays given, q_x - z_x) of the Conv it is. Its pads
    take away from the full product, whose own pads are the kernel's reach."""
    given = dict(given, w=turned_kernel(given['w'], case['groups']))
    kernel = given['w'].shape[2:]
    reach = [d * (k - 1) for d, k in zip(case['dilations'], kernel)]
    ends = [r + extra for r, extra in zip(reach, case['output_padding'])]
    full = np.pad(spread(centred, case['strides']), [(0, 0), (0, 0)] + list(zip(reach, ends)))
    rank = len(kernel)
    cut = tuple(slice(before, n - after) for before, after, n in
                zip(case['pads'], case['pads'][rank:], full.shape[2:]))
    conv = dict(case, op='conv', strides=[1] * rank, pads=[0] * 2 * rank)
    return conv, given, full[(slice(None), slice(None)) + cut]


def sum_products(case, x, w, shape):
    """sum (q_x - z_x) * w: the int64 sums are exact because max|x| * sum|w| is below 2^62."""
    if largest(x) * int(np.abs(w.astype(object)).sum(axis=1).max()) >= SAFE:
        raise Refused('a sum beyond 2^62')
    return (gemm_sums if case['op'] == 'gemm' else conv_sums)(case, x, w, shape)


def bounds(x, magnitude, total, bias):
    """The accumulator bound from sum|w| and sum w of every channel (or group), as Python integers."""
    offset = max(abs(x.qmin - x.z), abs(x.qmax - x.z))
    plain = max(abs(x.qmin), abs(x.qmax))
    return [max(offset * int(a) + abs(int(b)), plain * int(a) + abs(int(b) - x.z * int(t)))
            for a, t, b in zip(magnitude, total, bias)]


def limited_mantissa(case, bound, notes):
    """B of the layer: at most 16 where the accumulator is int64; refused beyond 2^47."""
    if max(bound) > ACCUMULATOR_LIMIT:
        raise Refused('an accumulator beyond 2^47')
    if max(bound) <= INT32_MAX:
        return case['mantissa_bits']
    notes.add('accumulator beyond int32')
    return min(case['mantissa_bits'], 16)


# ---------------------------------------------------------------- gemm and conv

class Outputs(dict):
    """Arrays by name in the order computed: parameters first, so that the first difference is the cause."""

    def put(self, name, values, dtype):
        exact = np.asarray(values)
        self[name] = exact.astype(dtype)
        if np.dtype(dtype).kind == 'i' and (self[name] != exact).any():
            raise Refused('%s does not fit %s' % (name, np.dtype(dtype)))

    def activation(self, name, a):
        self.put('s_' + name, [a.s], np.float32)
        self.put('z_' + name, [a.z], np.int32)

    def bounded(self, y):
        self.activation('y', y)
        self.put('y_lo', [y.lo], np.int32)
        self.put('y_hi', [y.hi], np.int32)


def run_linear(case, given, notes):
    """gemm, conv and conv_transpose, sections 4 to 6."""
    out = Outputs()
    x, y = Activation(case['x']), Activation(case['y'])
    y.fold(case)
    out.activation('x', x)
    out.bounded(y)
    q_x = x.quantize(given['x'], case['rounding'])
    centred, entries = q_x.astype(np.int64) - x.z, None
    if case['op'] == 'conv_transpose':
        entries = given['w'].shape[1]
        case, given, centred = as_conv(case, given, centred)
    weights = Weights(case['w'], given['w'], notes, entries)
    finish = group_layer if case['w']['granularity'] == 'group' else plain_layer
    later = finish(case, given, notes, x, y, weights, centred)
    out.put('s_w', weights.s, np.float32)
    out.put('z_w', weights.z, np.int32)
    out.put('q_x', q_x, np.int32)
    out.put('q_w', weights.q.reshape(given['w'].shape), np.int32)
    if weights.packed() is not None:
        out.put('packed', weights.packed(), np.uint8)
    out.update(later)
    return out


def plain_layer(case, given, notes, x, y, weights, centred):
    """One scale for each channel or the tensor: bias, bound, sums, one rounding."""
    out = Outputs()
    q_b, k = channel_bias(case, given.get('b'), x.s, weights, notes)
    added = [int(q) << int(n) for q, n in zip(q_b, k)]     # the bias as it is added
    w = weights.product.astype(np.int64)
    bound = bounds(x, np.abs(w).sum(axis=1), w.sum(axis=1), added)
    B = limited_mantissa(case, bound, notes)
    out.put('q_b', q_b, np.int64)
    out.put('b_shift', k, np.int32)
    out.put('bound', bound, np.int64)
    acc = sum_products(case, centred, w, given['w'].shape)
    acc = acc + np.array(added, dtype=np.int64).reshape((1, -1) + (1,) * (acc.ndim - 2))
    q_y = requantize(out, case, acc, x.s, weights.s, y, B, notes)
    out.put('acc', acc, np.int64)
    out.put('q_y', q_y, np.int32)
    return out


def requantize(out, case, acc, s_x, s_w, y, B, notes):
    """Section 6: q_y of acc with channels on axis 1; s_w has one entry, or one for each channel."""
    if case['arithmetic'] == 'onnx':
        out.put('m_onnx', float_ratio(s_x, s_w, y.s), np.float32)
        M = out['m_onnx']
        return y.finish_float(float_product(acc, M.reshape((-1,) + (1,) * (acc.ndim - 2))))
    ratios = [double_ratio(s_x, s, y.s) for s in s_w]
    if case['arithmetic'] == 'fixed':
        pairs = [multiplier(M, B) for M in ratios]
        m, shift = [p[0] for p in pairs], [B - 1 + p[1] for p in pairs]
        out.put('m', m, np.int64)
    else:
        m, shift = [1] * len(ratios), [right_shift_of(M) for M in ratios]
    out.put('shift', shift, np.int32)
    if min(shift) <= 0:
        notes.add('shift of zero or less')
    return shifted(acc, m, shift, case['rounding'], y)


def shifted(acc, m, shift, mode, y):
    """clamp(round_shift(acc * m, shift) + z_y), with m and shift for the tensor or each channel (axis 1)."""
    if len(m) == 1:
        return y.finish(round_shift(exact_product(acc, m[0]), shift[0], mode))
    return per_channel(acc, 1, lambda part, i: y.finish(
        round_shift(exact_product(part, m[i]), shift[i], mode)))


def group_multipliers(case, ratios, B):
    """(m_g of each group, the shift) of one channel: one n from the largest M_g (section 4)."""
    if case['arithmetic'] == 'fixed':
        shift = B - 1 + multiplier(max(ratios), B)[1]
        return [half_even(math.ldexp(M, shift)) for M in ratios], shift
    if case['arithmetic'] != 'shift':
        raise Refused('groups have no onnx mode')
    exponents = [right_shift_of(M) for M in ratios]
    shift = max(exponents)
    return [1 << (shift - n) for n in exponents], shift


def group_layer(case, given, notes, x, y, weights, centred):
    """Groups along the reduction: sum acc_g * m_g + q_b, one rounding."""
    out = Outputs()
    w = weights.product.astype(np.int64)
    magnitude, total = np.zeros((2, weights.count), dtype=np.int64)
    np.add.at(magnitude, weights.region, np.abs(w))
    np.add.at(total, weights.region, w)
    each = bounds(x, magnitude, total, [0] * weights.count)
    channels = w.shape[0]
    blocks = weights.count // channels
    m, shift, q_b, bound = [], [], [], []
    for channel in range(channels):
        part = slice(channel * blocks, (channel + 1) * blocks)
        m_g, k = group_multipliers(case, [double_ratio(x.s, s, y.s) for s in weights.s[part]],
                                    case['mantissa_bits'])
        bias = float(given['b'][channel]) if case['bias_bits'] else 0.0
        m, shift = m + m_g, shift + [k]
        q_b.append(half_even(math.ldexp(bias / float(y.s), k)))
        bound.append(sum(a * b for a, b in zip(each[part], m_g)) + abs(q_b[-1]))
    if max(bound) >= GROUP_SUM_LIMIT:
        raise Refused('a sum of groups that reaches 2^62')
    out.put('q_b', q_b, np.int64)
    out.put('b_shift', [0] * channels, np.int32)
    out.put('m', m, np.int64)
    out.put('shift', shift, np.int32)
    out.put('bound', bound, np.int64)
    scaled = w * out['m'][weights.region]                  # exact: within the bound
    acc = sum_products(case, centred, scaled, given['w'].shape)
    acc = acc + out['q_b'].reshape((1, -1) + (1,) * (acc.ndim - 2))
    out.put('acc', acc, np.int64)
    out.put('q_y', shifted(acc, [1] * channels, shift, case['rounding'], y), np.int32)
    return out


# ---------------------------------------------------------------- section 7: other operators

def begin(case, given):
    """The arrays every operator of one input has: (outputs, x, y, q_x, q_x - z_x)."""
    out = Outputs()
    x, y = Activation(case['x']), Activation(case['y'])
    y.fold(case)
    out.activation('x', x)
    out.bounded(y)
    q_x = x.quantize(given['x'], case['rounding'])
    out.put('q_x', q_x, np.int32)
    return out, x, y, q_x, q_x.astype(np.int64) - x.z


def run_requantize(case, given, notes):
    """M = s_x / s_y on q_x - z_x; in mode `onnx` dequantize and quantize, a table as of any function."""
    if case['arithmetic'] == 'onnx':
        return run_table(dict(case, function='identity'), given, notes)
    out, x, y, _, centred = begin(case, given)
    one = np.ones(1, dtype=np.float32)                     # s_x * 1 is s_x in every arithmetic
    q_y = requantize(out, case, centred.reshape(1, 1, -1), x.s, one, y, case['mantissa_bits'], notes)
    out.put('acc', centred, np.int64)
    out.put('q_y', q_y.reshape(centred.shape), np.int32)
    return out


def begin_pair(case, given):
    """The arrays every operator of two inputs has: (outputs, a, b, y, q_a - z_a, q_b - z_b)."""
    out, a, y, _, centred_a = begin(case, given)
    b = Activation(case['x2'])
    q_b = b.quantize(given['x2'], case['rounding'])
    out.activation('x2', b)
    out.put('q_x2', q_b, np.int32)
    return out, a, b, y, centred_a, q_b.astype(np.int64) - b.z


def note_shapes(case, given, notes):
    """What the shapes of two inputs make of them, for the coverage table."""
    if given['x'].shape != given['x2'].shape:
        notes.add('broadcast')
    if case['op'] == 'add' and case['arithmetic'] == 'onnx':
        swap = exchanged(given['x'].shape, given['x2'].shape)
        notes.add('onnx Add: operands exchanged' if swap else 'onnx Add: operands in place')


def run_sum(case, given, notes):
    """Add and Sub: both inputs at one scale, one rounding."""
    out, a, b, y, centred_a, centred_b = begin_pair(case, given)
    note_shapes(case, given, notes)
    if case['arithmetic'] == 'onnx':
        rule = onnx_add if case['op'] == 'add' else onnx_sub
        out.put('q_y', rule(a, b, y, centred_a, centred_b), np.int32)
        return out
    m, shift = pair_multipliers(case, [float(a.s) / float(y.s), float(b.s) / float(y.s)])
    if case['op'] == 'sub':
        m[1] = -m[1]
    out.put('m', m, np.int64)
    out.put('shift', [shift], np.int32)
    acc = exact_product(centred_a, m[0]) + exact_product(centred_b, m[1])
    out.put('acc', acc, np.int64)
    out.put('q_y', y.finish(round_shift(acc, shift, case['rounding'])), np.int32)
    return out


def pair_multipliers(case, ratios):
    """([m_a, m_b], the shift): one n from the larger ratio, or both aligned to the finer scale."""
    if case['arithmetic'] == 'fixed':
        shift = case['mantissa_bits'] - 1 + multiplier(max(ratios), case['mantissa_bits'])[1]
        return [half_even(math.ldexp(M, shift)) for M in ratios], shift
    exponents = [right_shift_of(M) for M in ratios]
    shift = max(exponents)
    return [1 << (shift - k) for k in exponents], shift


def exchanged(a, b):
    """Whether `onnx` Add takes the inputs of these shapes in the other order: by the innermost dimension
    in which the shapes, aligned at the end, are not both 1."""
    for m, n in itertools.zip_longest(reversed(a), reversed(b), fillvalue=1):
        if (m, n) != (1, 1):
            return m == 1
    return True


def onnx_add(a, b, y, centred_a, centred_b):
    """r_a * q_a + (r_b * q_b + c) with two fused steps; the zero points are all in c."""
    q_a, q_b = centred_a + a.z, centred_b + b.z
    if exchanged(q_a.shape, q_b.shape):
        a, b, q_a, q_b = b, a, q_b, q_a
    r_a, r_b = a.s / y.s, b.s / y.s
    c = np.float32(y.z) - fma(r_a, a.z, r_b * np.float32(b.z))
    return y.finish_sum(fma(q_a, r_a, fma(q_b, r_b, c)))


def onnx_sub(a, b, y, centred_a, centred_b):
    """Dequantize, subtract, quantize."""
    with np.errstate(over='ignore', under='ignore'):
        rest = a.s * centred_a.astype(np.float32) - b.s * centred_b.astype(np.float32)
        return y.finish_float(rest / y.s)


def run_mul(case, given, notes):
    """The product of the integers is an accumulator, requantized as in section 6."""
    out, a, b, y, centred_a, centred_b = begin_pair(case, given)
    note_shapes(case, given, notes)
    acc = centred_a * centred_b                            # at most 2^32
    if case['arithmetic'] == 'onnx':
        out.put('m_onnx', [float_ratio(a.s, b.s, y.s)], np.float32)
        q_y = y.finish_sum(float_product(acc, out['m_onnx'][0]) + np.float32(y.z))
    else:
        B = limited_mantissa(case, [widest(a) * widest(b)], notes)
        one_channel = acc.reshape(1, 1, -1)
        q_y = requantize(out, case, one_channel, a.s, np.array([b.s]), y, B, notes).reshape(acc.shape)
    out.put('acc', acc, np.int64)
    out.put('q_y', q_y, np.int32)
    return out


def widest(x):
    """max |q_x - z_x| of the format."""
    return max(abs(x.qmin - x.z), abs(x.qmax - x.z))


def pool_windows(case, x):
    """Windows of an average pool, padded with zeros."""
    return windows(x, case['kernel'], case['strides'], case['pads'], [1] * len(case['kernel']))


def pool_counts(case, shape):
    """The divisor at every output position: the kernel's size, or the elements within bounds."""
    inside = pool_windows(case, np.ones((1, 1) + tuple(shape[2:]), dtype=np.int64)).sum(axis=2)[0, 0]
    if case['count_include_pad']:
        return np.full_like(inside, math.prod(case['kernel']))
    return inside


def pool_multiplier(case, x, y, count):
    """(m, shift) of one count, in `fixed` and `shift` mode."""
    if case['arithmetic'] == 'fixed':
        B = case['mantissa_bits']
        m, n = multiplier(float(x.s) / (float(y.s) * count), B)
        return m, B - 1 + n
    m, n = multiplier(1.0 / count, 16)
    return m, 15 + n + right_shift_of(float(x.s) / float(y.s))


def run_average_pool(case, given, notes):
    """Exact sums, one multiplier for each distinct count; mode `onnx` has two rules of its own."""
    out, x, y, _, centred = begin(case, given)
    counts = pool_counts(case, centred.shape)
    whole = list(centred.shape[2:]) == case['kernel'] and not any(case['pads'])
    if case['arithmetic'] == 'onnx' and not whole:
        notes.add('onnx AveragePool: windows')
        out.put('q_y', window_average(case, x, y, centred, counts), np.int32)
        return out
    acc = pool_windows(case, centred).sum(axis=2)
    if case['arithmetic'] == 'onnx':
        notes.add('onnx AveragePool: whole input')
        q_y = whole_average(out, x, y, acc, int(counts.flat[0]))
    else:
        q_y = integer_average(out, case, x, y, acc, counts)
    out.put('acc', acc, np.int64)
    out.put('q_y', q_y, np.int32)
    return out


def integer_average(out, case, x, y, acc, counts):
    """q_y of exact sums in `fixed` and `shift` mode."""
    distinct = [int(c) for c in np.unique(counts)]
    pairs = [pool_multiplier(case, x, y, c) for c in distinct]
    out.put('m', [m for m, _ in pairs], np.int64)
    out.put('shift', [k for _, k in pairs], np.int32)
    q_y = np.zeros(acc.shape, dtype=np.int32)
    for c, (m, k) in zip(distinct, pairs):
        product = exact_product(acc[:, :, counts == c], m)
        q_y[:, :, counts == c] = y.finish(round_shift(product, k, case['rounding']))
    return q_y


def whole_average(out, x, y, acc, count):
    """Mode `onnx`, one window over the whole input: the exact sum, one float product."""
    with np.errstate(over='ignore', under='ignore'):
        out.put('m_onnx', [x.s / (y.s * np.float32(count))], np.float32)
    return y.finish_float(float_product(acc, out['m_onnx'][0]))


def window_average(case, x, y, centred, counts):
    """Mode `onnx`, other windows: a float32 sum, one element after the other. A zero of the padding
    changes no sum, for a sum that starts from +0 is never -0."""
    with np.errstate(over='ignore', under='ignore'):
        real = pool_windows(case, x.s * centred.astype(np.float32))
        total = np.zeros(real.shape[:2] + real.shape[3:], dtype=np.float32)
        for i in range(real.shape[2]):
            total = total + real[:, :, i]
        return y.finish_sum(total / counts.astype(np.float32) / y.s + np.float32(y.z))


def sigmoid(v):
    """1 / (1 + e^-v) in double."""
    return 1.0 / (1.0 + math.exp(-v)) if v > -700.0 else 0.0


FUNCTIONS = {'tanh': math.tanh, 'sigmoid': sigmoid, 'identity': float}
SIGMOID_P = (4.37031012579801e-11, 1.15627324459942e-7, 6.08574864600143e-5, 8.51377133304701e-3,
             2.48287947061529e-1)
SIGMOID_D = (6.10247389755681e-13, 5.76102136993427e-9, 6.29106785017040e-6, 1.70198817374094e-3,
             1.16817656904453e-1, 9.93151921023180e-1)


def polynomial(coefficients, u):
    """Horner's rule in float32, each step fused; the highest power's coefficient comes first."""
    value = np.float32(coefficients[0])
    for c in coefficients[1:]:
        value = fma(value, u, np.float32(c))
    return value


def onnx_sigmoid(real):
    """Section 7: a rational function of float32, within +-18."""
    x = np.clip(real, np.float32(-18), np.float32(18))
    with np.errstate(under='ignore'):
        u = x * x
        ratio = polynomial(SIGMOID_P, u) * x / polynomial(SIGMOID_D, u)
    return np.maximum(ratio + np.float32(0.5), np.float32(0))


def onnx_function(name, real):
    """f of float32 values in mode `onnx`: in double, rounded to float32, but for Sigmoid."""
    if name == 'sigmoid':
        return onnx_sigmoid(real)
    return np.array([FUNCTIONS[name](v) for v in real.tolist()]).astype(np.float32)


def run_table(case, given, notes):
    """A table with an entry for each integer of x's format, in y's mode."""
    out, x, y, q_x, _ = begin(case, given)
    centred = np.arange(x.qmin, x.qmax + 1, dtype=np.int64) - x.z
    if case['arithmetic'] == 'onnx':
        values = onnx_function(case['function'], x.s * centred.astype(np.float32))
        table = quantize(values, y.s, y.z, y.lo, y.hi, 'half_even')
    else:
        real = float(x.s) * centred.astype(np.float64)
        values = np.array([FUNCTIONS[case['function']](v) for v in real.tolist()]) / float(y.s)
        rounded = round_real(np.clip(values, -FAR, FAR), case['rounding'])
        table = y.finish(rounded.astype(np.int64))
    out.put('table', table, np.int32)
    out.put('q_y', table[q_x - x.qmin], np.int32)
    return out


LINEAR = ('gemm', 'conv', 'conv_transpose')
BINARY = ('add', 'sub', 'mul')
OPERATORS = {'average_pool': run_average_pool, 'table': run_table, 'requantize': run_requantize,
             'add': run_sum, 'sub': run_sum, 'mul': run_mul}
OPERATORS.update(dict.fromkeys(LINEAR, run_linear))


# ---------------------------------------------------------------- comparing

def given_names(case):
    """The arrays a case comes with."""
    names = ['x']
    if case['op'] in BINARY:
        names.append('x2')
    if case['op'] in LINEAR:
        names += ['w', 'b'] if case['bias_bits'] else ['w']
    return names


def scalar(v):
    """One element for a report: floats with their bits."""
    if isinstance(v, np.floating):
        return '%.9g (0x%08x)' % (v, int(v.view(np.uint32)))
    return str(v)


def difference(name, got, want):
    """None where two arrays are equal byte for byte, else what to report."""
    if got.dtype != want.dtype:
        return '%s is %s, oracle %s' % (name, got.dtype, want.dtype)
    if name == 'packed':                                   # CASES.md gives it no shape
        got = got.reshape(-1)
    if got.shape != want.shape:
        return '%s has shape %s, oracle %s' % (name, list(got.shape), list(want.shape))
    bits = np.uint32 if want.dtype == np.float32 else want.dtype
    wrong = np.ascontiguousarray(got).view(bits) != np.ascontiguousarray(want).view(bits)
    if not wrong.any():
        return None
    index = tuple(int(i) for i in np.argwhere(wrong)[0])
    return '%s differs at %s: got %s, oracle %s (%d of %d differ)' % (
        name, list(index), scalar(got[index]), scalar(want[index]), int(wrong.sum()), wrong.size)


def read_given(case, names, load):
    """The arrays given, checked for type and NaN."""
    given = {}
    for name in given_names(case):
        if name not in names:
            raise ValueError('%s, an array given, is missing' % name)
        given[name] = load(name)
        if given[name].dtype != np.float32 or np.isnan(given[name]).any():
            raise ValueError('%s must be float32 without NaN' % name)
    return given


def check_case(case, names, load):
    """(problems, notes) of one case; `names` are its arrays in the file and load(name) reads one."""
    notes = set()
    try:
        given = read_given(case, names, load)
        if any(np.isinf(a).any() for a in given.values()):
            notes.add('infinite input')
        want = OPERATORS[case['op']](case, given, notes)
    except Refused as error:
        return ['the page refuses it: %s' % error], notes
    except (ArithmeticError, AssertionError, LookupError, TypeError, ValueError) as error:
        return ['the oracle cannot compute it: %s: %s' % (type(error).__name__, error)], notes
    problems = ['%s is missing' % name for name in want if name not in names]
    problems += ['%s is not expected' % name for name in sorted(set(names) - set(want) - set(given))]
    found = [difference(name, load(name), want[name]) for name in want if name in names]
    return problems + [d for d in found if d], notes


# ---------------------------------------------------------------- the file and the report

def json_real(text):
    """A number of the JSON: up to nine digits say a float32 exactly, more a double."""
    value = float(text)
    digits = text.lower().split('e')[0].replace('-', '').replace('.', '').lstrip('0')
    return float(np.float32(value)) if len(digits) <= 9 else value


def describe(case):
    """`case ID op ...` with what tells cases apart."""
    words = ['case', str(case['id']), case['op'], case['arithmetic'], 'B=%d' % case['mantissa_bits'],
             case['rounding']]
    if case['op'] in LINEAR:
        w = case['w']
        words += ['%s%d' % (w['kind'], w['bits']), w['granularity'], 'bias=%d' % case['bias_bits']]
    if case['op'] == 'table':
        words.append(case['function'])
    return ' '.join(words)


def features(case, notes):
    """(dimension, value) pairs of a case, for the coverage table."""
    pairs = [('op, ' + case['arithmetic'], case['op']), ('rounding', case['rounding'])]
    if 'strides' in case:
        pairs.append(('spatial', '%s, %d-D' % (case['op'], len(case['strides']))))
    if case['op'] in LINEAR:
        pairs += [('weight kind', case['w']['kind']), ('granularity', case['w']['granularity'])]
        bits = case['bias_bits']
        pairs.append(('bias', {0: 'none', 32: '32 bits'}.get(bits, 'fewer bits')))
    pairs.append(('mantissa bits', case['mantissa_bits']))
    pairs.append(('activation', case['activation']))
    return pairs + [('rule seen', note) for note in sorted(notes)]


def print_coverage(total, failed):
    """How many cases have each feature, and how many of them failed."""
    dimensions = sorted({dimension for dimension, _ in total})
    print('%-14s %-26s %8s %8s' % ('', '', 'cases', 'failed'))
    for dimension in dimensions:
        rows = sorted((pair for pair in total if pair[0] == dimension), key=lambda p: (str(type(p[1])), p[1]))
        for i, pair in enumerate(rows):
            print('%-14s %-26s %8d %8d' % (dimension if i == 0 else '', pair[1], total[pair], failed[pair]))


def arrays_by_case(archive):
    """{id: {name: member}} of the arrays `<id>.<name>`."""
    members = collections.defaultdict(dict)
    for member in archive.files:
        if member != 'cases':
            prefix, _, name = member.partition('.')
            members[prefix][name] = member
    return members


def check_file(path, verbose):
    """Check every case of a file, print the report, return the exit code."""
    passed, failures = 0, 0
    total, failed = collections.Counter(), collections.Counter()
    with np.load(path, allow_pickle=False) as archive:
        cases = json.loads(archive['cases'].tobytes().decode('utf-8'), parse_float=json_real)
        members = arrays_by_case(archive)
        for case in cases:
            mine = members.pop(str(case['id']), {})
            problems, notes = check_case(case, mine, lambda name: archive[mine[name]])
            pairs = features(case, notes)
            total.update(pairs)
            if problems:
                failures += 1
                failed.update(pairs)
                for problem in problems if verbose else problems[:1]:
                    print('%s: %s' % (describe(case), problem))
            else:
                passed += 1
                if verbose:
                    print('%s: passed' % describe(case))
    for prefix, names in sorted(members.items()):
        failures += 1
        print('case %s: arrays without a case: %s' % (prefix, ', '.join(sorted(names))))
    print_coverage(total, failed)
    print('%d passed, %d failed' % (passed, failures))
    return 0 if passed > 0 and failures == 0 else 1


def main(arguments):
    parser = argparse.ArgumentParser(description='Check a file of cases against docs/arithmetic.md.')
    parser.add_argument('file', metavar='FILE.npz')
    parser.add_argument('--verbose', action='store_true', help='print every case and every difference')
    options = parser.parse_args(arguments)
    try:
        return check_file(options.file, options.verbose)
    except (OSError, KeyError, ValueError) as error:
        print('%s: %s' % (options.file, error), file=sys.stderr)
        return 1


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
