// write_digits FILE.npz COUNT: the first COUNT built-in test digits as arrays x and y.
#include <charconv>
#include <string_view>

#include "halftone/data/digits.h"
#include "halftone/data/npz.h"

int main(int argc, char** argv) {
  using namespace halftone;
  if (argc != 3) return 2;
  const std::string_view text = argv[2];
  std::int64_t count = 0;
  std::from_chars(text.begin(), text.end(), count);
  const data::Dataset digits = data::make_digits(data::Part::test, count);
  data::write_npz(argv[1],
                  {{"x", digits.images}, {"y", Tensor::from<std::int32_t>({digits.size()}, digits.labels)}});
}
