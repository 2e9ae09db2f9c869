"""Random float networks, a function of their seed alone."""
import numpy as np

import move_blocks  # noqa: F401  (registers its blocks)
from float_blocks import BLOCKS
from network import Network, elements

OPSETS = [7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22]
SIZES = [1, 2, 3, 5, 7, 17]


def input_shape(rng):
    rank = int(rng.choice([2, 3, 4, 4, 4]))
    channels = [int(rng.choice([1, 2, 3, 5, 6]))] if rank > 2 else []
    spatial = [int(rng.choice(SIZES[2:] if rank > 2 and rng.random() < 0.8 else SIZES))
               for _ in range(max(rank - 2, 1))]
    return [int(rng.choice([1, 2, 3])), *channels, *spatial]


def usable(n, x):
    return [b[0] for b in BLOCKS
            if b[1] <= n.opset <= b[2] and len(x.shape) in b[3] and not (b[4] and n.open_batch)]


def step(n, x):
    """One block that applies; the value itself when none of several tries does."""
    blocks = usable(n, x)
    for _ in range(6):
        y = blocks[n.r.integers(len(blocks))](n, x)
        if y is not None and y.dtype == x.dtype and elements(y.shape) <= 20000 and len(y.shape) >= 2:
            return y
    return x


def branch(n, x):
    """Two ways from x joined by Add, Mul or Concat (a residual where a way is x itself)."""
    a = step(n, x)
    b = x if n.chance(0.5) else step(n, x)
    if a.shape == b.shape:
        op = n.pick('Add', 'Mul', 'Sub', 'Concat', 'Max') if n.opset >= 8 else n.pick('Add', 'Mul', 'Concat')
        if op == 'Concat':
            return n.add(op, [a, b], [a.shape[0], 2 * a.shape[1], *a.shape[2:]], axis=1)
        return n.add(op, [a, b], a.shape)
    if len(a.shape) == len(b.shape) and a.shape[0] == b.shape[0]:
        if a.shape[2:] == b.shape[2:]:
            return n.add('Concat', [a, b], [a.shape[0], a.shape[1] + b.shape[1], *a.shape[2:]], axis=1)
        if all(p == q or 1 in (p, q) for p, q in zip(a.shape, b.shape)):
            return n.add('Mul', [a, b], [max(p, q) for p, q in zip(a.shape, b.shape)])
    return a


def float_network(seed):
    """The network of a seed and an input for it."""
    rng = np.random.default_rng([2024, seed])
    opset = OPSETS[seed % len(OPSETS)]
    n = Network(rng, opset, input_shape(rng), open_batch=rng.random() < 0.2)
    x = n.input
    for _ in range(n.between(2, 9)):
        y = branch(n, x) if n.chance(0.3) and elements(x.shape) < 4000 else step(n, x)
        x = y
    n.output = n.same('Identity', x) if x is n.input else x
    return n, rng.standard_normal(n.input.shape).astype(np.float32)
