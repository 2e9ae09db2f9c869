"""On x86-64 without VNNI ONNX Runtime adds products of uint8 and int8 in pairs of 16 bits, which saturate: there the
peers' weights have 7 bits, as 2·255·64 < 2^15. (Its option session.x64quantprecision makes operators of QOperator
files that it has no kernel for.)"""
import pathlib
import platform

CPU = pathlib.Path('/proc/cpuinfo')
SATURATES = platform.machine() == 'x86_64' and not {'avx512_vnni', 'avx_vnni'} & set(CPU.read_text().split())
BITS = 'w7a8' if SATURATES else 'w8a8'
if SATURATES:
    print('this machine has no VNNI: weights of 7 bits, as the sums of ONNX Runtime saturate')


def held(weights):
    """Integers as they are, or int8 halved where 8 bits saturate."""
    return weights >> 1 if SATURATES and weights.dtype == 'int8' else weights
