// Statistics as files, in parts and with ranges set by hand.
#include "halftone/quant/calibration_file.h"

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <limits>

#include "halftone/base/error.h"
#include "tests/quant/network.h"

namespace halftone::quant {
namespace {

using testing::HasSubstr;

calibration::Statistics any_statistics(std::int64_t first) {
  calibration::Statistics seen;
  for (std::int64_t i = first; i < first + *rc::gen::inRange(0, 5); ++i) {
    std::vector<float> values;
    const int exponent = *rc::gen::inRange(-120, 100);
    for (int k = *rc::gen::inRange(0, 20); k > 0; --k)
      values.push_back(std::ldexp(static_cast<float>(*rc::gen::inRange(-1000, 1001)), exponent));
    seen.observe(i, values);
  }
  return seen;
}

RC_GTEST_PROP(CalibrationFile, ReadsWhatItWrote, ()) {
  CalibrationFile file{.equalized = *rc::gen::arbitrary<bool>(), .svd = *rc::gen::element(0.0, 0.9, 64.0)};
  if (*rc::gen::arbitrary<bool>()) file.samples = {{0, 5}, {7, 1000}};
  file.total = *rc::gen::element(0, 1000, 2000);
  file.seen = {{"x", any_statistics(0)}, {"a \"b\"\n", any_statistics(3)}};
  if (*rc::gen::arbitrary<bool>()) file.set = {{"x", {-0.1, 1e30}}, {"only set", {0.0, 3.0}}};
  const std::string text = to_json(file);
  const CalibrationFile again = calibration_from_json(text, "f");
  RC_ASSERT(again.seen == file.seen);
  RC_ASSERT(again.set == file.set);
  RC_ASSERT(again.equalized == file.equalized);
  RC_ASSERT(again.svd == file.svd);
  RC_ASSERT(again.samples == file.samples);
  RC_ASSERT(again.total == file.total);
  RC_ASSERT(to_json(again) == text);
}

TEST(CalibrationFile, HoldsTheLargestAndTheSmallest) {
  CalibrationFile file;
  file.seen["x"].observe(0, std::vector<float>{std::numeric_limits<float>::max(), -std::numeric_limits<float>::max(), 0.0F});
  file.seen["y"].observe(0, std::vector<float>{std::numeric_limits<float>::denorm_min(), 1e-38F});
  EXPECT_EQ(calibration_from_json(to_json(file), "f").seen, file.seen);
}

// Four parts in any order are one run.
TEST(CalibrationFile, PartsJoinToTheWholeByteForByte) {
  const ir::Graph g = conv_network();
  const ir::Graph network = quant::observed(g);
  const Tensor samples = ir::random_floats({37, 1, 4, 4}, 3);
  const auto part = [&](std::int64_t first, std::int64_t last) {
    const calibration::SampleSource source{.count = last - first,
                              .inputs = [=](std::int64_t from, std::int64_t to) {
                                return std::vector<Tensor>{samples.rows(first + from, first + to)};
                              },
                              .first_sample = first};
    return CalibrationFile{.seen = calibration::calibrate(ir::Interpreter(network), calibration::output_names(network), source, {.threads = 2}),
                           .samples = {{first, last}}};
  };
  const std::string whole = to_json(part(0, 37));
  const std::vector<CalibrationFile> parts{part(0, 9), part(9, 10), part(10, 30), part(30, 37)};
  for (const std::vector<int>& order : {std::vector{0, 1, 2, 3}, {3, 1, 0, 2}, {2, 3, 1, 0}}) {
    CalibrationFile all;
    for (int i : order)
      join(all, calibration_from_json(to_json(parts[static_cast<std::size_t>(i)]), "part"), "part");
    EXPECT_EQ(to_json(all), whole);
  }
  for (const auto& [first, last] : std::vector<std::pair<int, int>>{{0, 37}, {0, 1}, {10, 30}, {25, 40}, {5, 10}, {29, 30}}) {
    CalibrationFile twice = parts[2];
    join(twice, parts[0], "part");
    CalibrationFile other = parts[1];
    other.samples = {{first, last}};
    EXPECT_THROW(join(twice, other, "part"), InputError) << first;
  }
  CalibrationFile network_of_more = parts[0];
  network_of_more.seen["more"] = {};
  EXPECT_THROW(join(network_of_more, parts[1], "part"), InputError);
  CalibrationFile prepared = parts[0];
  prepared.preprocessing = "name=raw";
  CalibrationFile otherwise = parts[1];
  otherwise.preprocessing = "name=tf";
  EXPECT_EQ(calibration_from_json(to_json(prepared), "part").preprocessing, "name=raw");
  EXPECT_THROW(join(prepared, otherwise, "part"), InputError);
  join(prepared, parts[1], "part");
  EXPECT_EQ(prepared.preprocessing, "name=raw");
  CalibrationFile split = parts[1];
  split.svd = 4.0;
  EXPECT_THROW(join(split, parts[0], "part"), InputError);
}

TEST(CalibrationFile, KnowsWhichSamplesNoPartSaw) {
  using testing::ElementsAre;
  using testing::IsEmpty;
  using testing::Pair;
  CalibrationFile file{.samples = {{2, 5}, {7, 8}}, .total = 10};
  EXPECT_THAT(missing_samples(file), ElementsAre(Pair(0, 2), Pair(5, 7), Pair(8, 10)));
  join(file, {.samples = {{0, 2}, {5, 7}, {8, 10}}}, "f");
  EXPECT_THAT(missing_samples(file), IsEmpty());
  EXPECT_THAT(missing_samples({.samples = {{2, 5}}}), IsEmpty());
  EXPECT_THAT(missing_samples({.total = 3}), ElementsAre(Pair(0, 3)));
  EXPECT_THROW(join(file, {.samples = {{10, 11}}, .total = 11}, "f"), InputError);
}

TEST(CalibrationFile, ASetRangeIsTakenAsItStands) {
  const ir::Graph g = conv_network();
  const calibration::StatisticsTable seen = statistics_of(g, ir::random_floats({20, 1, 4, 4}, 3));
  const RangeTable set{{"x", {-1.5, 2.5}}, {"pool", {0.0, 3.0}}, {"relu", {0.0, 2.0}}};
  const RangeTable ranges = choose_ranges(g, seen, {}, set);
  EXPECT_EQ(ranges.at("x"), (numeric::Range{-1.5, 2.5}));
  for (const char* name : {"relu", "pool", "flat"}) EXPECT_EQ(ranges.at(name), (numeric::Range{0.0, 3.0})) << name;
  EXPECT_EQ(ranges.at("scores"), choose_ranges(g, seen, {}).at("scores"));
  EXPECT_THROW(choose_ranges(g, seen, {}, {{"conv", {0.0, 1.0}}}), InputError);  // its ReLU is quantized
  EXPECT_THROW(choose_ranges(g, seen, {}, {{"nowhere", {0.0, 1.0}}}), InputError);
}

std::string refusal(const std::string& text) {
  try {
    calibration_from_json(text, "f.json");
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

std::string with_value(const std::string& value) {
  return R"({"halftone_calibration": 1, "equalized": false, "values": {"x": )" + value + "}}";
}

TEST(CalibrationFile, SaysWhatIsWrong) {
  EXPECT_EQ(refusal("{"), "[f.json] is no JSON");
  EXPECT_EQ(refusal("[]"), "[f.json] is no JSON object");
  EXPECT_EQ(refusal("{}"), "[f.json] \"halftone_calibration\" is missing");
  EXPECT_THAT(refusal(R"({"halftone_calibration": 2})"), HasSubstr("version, got 2, expected 1"));
  EXPECT_THAT(refusal(R"({"halftone_calibration": 1, "equalized": 0})"), HasSubstr("equalized"));
  EXPECT_THAT(refusal(R"({"halftone_calibration": 1, "equalized": true, "svd": "all"})"), HasSubstr("svd is no finite number"));
  EXPECT_THAT(refusal(R"({"halftone_calibration": 1, "equalized": true, "preprocessing": 1})"), HasSubstr("\"preprocessing\" is no text"));
  for (const char* samples : {"[[3, 3]]", "[[-1, 2]]", "[[0, 5], [4, 6]]", "[[0]]", "7"})
    EXPECT_THAT(refusal(R"({"halftone_calibration": 1, "equalized": true, "values": {}, "samples": )" + std::string(samples) + "}"),
                HasSubstr("samples")) << samples;
  for (const char* total : {"-1", "4", "1.5", "\"5\""})
    EXPECT_THAT(refusal(R"({"halftone_calibration": 1, "equalized": true, "values": {}, "samples": [[0, 5]], "total": )" +
                        std::string(total) + "}"),
                HasSubstr("total")) << total;
  EXPECT_THAT(refusal(with_value(R"({"range": [-1e39, 1]})")), HasSubstr("that float32 holds"));
  EXPECT_THAT(refusal(R"({"halftone_calibration": 1, "equalized": true, "value": {}})"), HasSubstr("\"value\" is none of its parts"));
  EXPECT_THAT(refusal(with_value(R"({"rang": [1, 2]})")), HasSubstr("\"rang\" is none of its parts"));
  EXPECT_THAT(refusal(with_value("3")), HasSubstr("value 'x': is no JSON object"));
  EXPECT_THAT(refusal(with_value("{}")), HasSubstr("is missing"));
  EXPECT_THAT(refusal(with_value(R"({"range": [2, 1]})")), HasSubstr("expected the smaller first"));
  EXPECT_THAT(refusal(with_value(R"({"range": [1e999, 1]})")), HasSubstr("f.json"));
  EXPECT_THAT(refusal(with_value(R"({"range": [1]})")), HasSubstr("range has another form"));
  const auto seen = [](const std::string& bins, const std::string& exponent = "-3", const std::string& zeros = "0") {
    return with_value(R"({"seen": [0, 1], "zeros": )" + zeros + R"(, "exponent": )" + exponent + R"(, "bins": )" + bins +
                      R"(, "samples": []})");
  };
  EXPECT_EQ(refusal(seen("[[2050, 3]]")), "");
  for (const char* bins : {"[[4096, 1]]", "[[-1, 1]]", "[[1, -1]]", "[[1]]", "[[1, 1.5]]", "[[1, 9223372036854775807]]",
                           "[[1, 9007199254740992], [2, 1]]", "{}", "[7]"})
    EXPECT_THAT(refusal(seen(bins)), HasSubstr("value 'x'")) << bins;
  EXPECT_THAT(refusal(seen("[]", "200")), HasSubstr("out of range"));
  EXPECT_THAT(refusal(seen("[]", "-30")), HasSubstr("wider than its bins"));
  EXPECT_THAT(refusal(seen("[]", "-3", "-1")), HasSubstr("out of range"));
  EXPECT_THAT(refusal(std::string(200000, '[')), HasSubstr("f.json"));
}

// Some readers of JSON take the first of two, some the last.
TEST(CalibrationFile, NothingIsThereTwice) {
  const std::string set = R"({"range": [-7, 7]})";
  EXPECT_EQ(refusal(R"({"halftone_calibration": 1, "equalized": false, "values": {"x": )" + set + R"(, "y": )" + set + "}}"), "");
  EXPECT_EQ(refusal(R"({"halftone_calibration": 1, "equalized": false, "values": {"x": )" + set + R"(, "\u0078": )" + set + "}}"),
            "[f.json] value 'x': is there twice, expected once");
  EXPECT_EQ(refusal(with_value(R"({"range": [-7, 7], "range": [-7, 7]})")),
            "[f.json] value 'x': \"range\" is there twice, expected once");
  EXPECT_EQ(refusal(R"({"halftone_calibration": 1, "equalized": false, "equalized": true, "values": {}})"),
            "[f.json] \"equalized\" is there twice, expected once");
  EXPECT_EQ(refusal(R"({"halftone_calibration": 1, "equalized": true, "values": {"x": )" + set + R"(}, "values": {}})"),
            "[f.json] \"values\" is there twice, expected once");
}

std::string seen_from(const std::string& range, const std::string& parts) {
  return with_value(R"({"seen": )" + range + R"(, "exponent": -10, )" + parts + "}");
}

TEST(CalibrationFile, CountsAndSamplesAreOfWhatWasSeen) {
  const auto refused = [](const std::string& range, const std::string& zeros, const std::string& bins, const std::string& samples) {
    return refusal(seen_from(range, R"("zeros": )" + zeros + R"(, "bins": )" + bins + R"(, "samples": )" + samples));
  };
  EXPECT_EQ(refused("[-1, 1]", "3", "[[1024, 1], [2047, 4], [2048, 1], [3071, 2], [3072, 1]]", "[[0, -1, 1], [7, 0, 0]]"), "");
  EXPECT_EQ(refused("[0.5, 1]", "0", "[[2560, 1], [3072, 1]]", "[]"), "");
  EXPECT_EQ(refused("[-1, 1]", "0", "[[3073, 0], [1022, 0]]", "[]"), "");  // no count
  for (const char* bins : {"[[3073, 1]]", "[[1022, 1]]", "[[0, 1]]", "[[4095, 1]]"})
    EXPECT_THAT(refused("[-1, 1]", "0", bins, "[]"), HasSubstr("outside what was seen")) << bins;
  for (const char* bins : {"[[2559, 1]]", "[[2047, 1]]", "[[2048, 1]]", "[[1024, 1]]"})
    EXPECT_THAT(refused("[0.5, 1]", "0", bins, "[]"), HasSubstr("outside what was seen")) << bins;
  EXPECT_THAT(refused("[0, 1]", "0", "[[2047, 1]]", "[]"), HasSubstr("outside what was seen"));
  EXPECT_THAT(refused("[-1, 0]", "0", "[[2048, 1]]", "[]"), HasSubstr("outside what was seen"));
  EXPECT_THAT(refused("[0.5, 1]", "1", "[]", "[]"), HasSubstr("value 'x': [histogram] zeros, which are outside"));
  EXPECT_THAT(refused("[-1, 1]", "0", "[[2050, 1], [2050, 1]]", "[]"), HasSubstr("value 'x': [histogram] bin 2050 is there twice"));
  EXPECT_THAT(refused("[-1, 1]", "0", "[]", "[[-5, 0, 1]]"), HasSubstr("value 'x': a sample's index is -5"));
  EXPECT_THAT(refused("[-1, 1]", "0", "[]", "[[5, 0, 1], [5, 0, 1]]"), HasSubstr("value 'x': sample 5 is there twice"));
  EXPECT_THAT(refused("[-1, 1]", "0", "[]", "[[5, -2, 1]]"), HasSubstr("value 'x': sample 5 has the range [-2, 1]"));
  EXPECT_THAT(refused("[-1, 1]", "0", "[]", "[[5, 0, 1.5]]"), HasSubstr("value 'x': sample 5"));
  std::string samples;
  for (int i = 0; i < 513; ++i) samples += (i > 0 ? ", [" : "[") + std::to_string(i) + ", 0, 1]";
  EXPECT_THAT(refused("[-1, 1]", "0", "[]", "[" + samples + "]"), HasSubstr("value 'x': 513 samples"));
}

TEST(CalibrationFile, NothingStandsBehindItsEnd) {
  const std::string text = with_value(R"({"range": [-7, 7]})");
  EXPECT_EQ(refusal(text + " \n\t"), "");
  for (const std::string& more : {std::string(1, '\0'), std::string("\0{}", 3), std::string("x"), std::string("{}"), std::string("\xff")})
    EXPECT_THAT(refusal(text + more), HasSubstr("f.json")) << more;
  EXPECT_THAT(refusal(std::string(1, '\0') + text), HasSubstr("f.json"));
}

// Each of these would take fifty times its own size, or more, as a document in memory.
TEST(CalibrationFile, ATextThatMakesMoreThanAFileHoldsIsRefused) {
  std::string many = "[0";
  for (int i = 0; i < 30000; ++i) many += ",0";
  many += "]";
  std::string objects = "[{}";
  for (int i = 0; i < 30000; ++i) objects += ",{}";
  objects += "]";
  for (const std::string& parts : {many, objects}) {
    EXPECT_THAT(refusal(seen_from("[0, 1]", R"("zeros": 0, "samples": [], "bins": )" + parts)), HasSubstr("value 'x': has more than 20000 parts"));
    EXPECT_THAT(refusal(R"({"samples": )" + parts + "}"), HasSubstr("f.json] has more than 20000 parts"));
  }
  EXPECT_THAT(refusal(seen_from("[0, 1]", R"("zeros": 0, "samples": [], "bins": [[[1]]])")), HasSubstr("value 'x': is nested more than 5 deep"));
  EXPECT_THAT(refusal(std::string(100, '[')), HasSubstr("nested"));
  std::string values = R"("v")" + std::string(R"(: {"range": [0, 1]})");
  for (int i = 0; i < 16383; ++i) values += ",\"" + std::to_string(i) + R"(": {"range": [0, 1]})";
  const std::string head = R"({"halftone_calibration": 1, "equalized": false, "values": {)";
  EXPECT_EQ(refusal(head + values + "}}"), "");
  EXPECT_THAT(refusal(head + values + R"(, "one more": {"range": [0, 1]}}})"), HasSubstr("value 'one more': is one of more than 16384 values"));
}

TEST(CalibrationFile, IsNotWrittenWhereItCouldNotBeReadBack) {
  EXPECT_THROW(to_json({.set = {{"a\xff", {0.0, 1.0}}}}), UnsupportedError);
  CalibrationFile many;
  for (int i = 0; i <= 16384; ++i) many.set[std::to_string(i)] = {0.0, 1.0};
  EXPECT_THROW(to_json(many), UnsupportedError);
  many.set.erase("0");
  EXPECT_EQ(calibration_from_json(to_json(many), "f").set.size(), 16384U);
}

}  // namespace
}  // namespace halftone::quant
