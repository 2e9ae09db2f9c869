#include "halftone/numeric/energy.h"

namespace halftone::numeric {
namespace {

// The line through (x0, y0) and (x1, y1).
double on_line(double x, double x0, double y0, double x1, double y1) { return y0 + (y1 - y0) * (x - x0) / (x1 - x0); }

}  // namespace

double addition_energy(int bits) { return on_line(bits, 8, 0.03, 32, 0.1); }

double multiplication_energy(int weight_bits, int input_bits) { return on_line(weight_bits * input_bits, 8 * 8, 0.2, 32 * 32, 3.1); }

double addition_area(int bits) { return bits <= 16 ? on_line(bits, 8, 36, 16, 67) : on_line(bits, 16, 67, 32, 137); }

double multiplication_area(int weight_bits, int input_bits) { return on_line(weight_bits * input_bits, 8 * 8, 282, 32 * 32, 3495); }

}  // namespace halftone::numeric
