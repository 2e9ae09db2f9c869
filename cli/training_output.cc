#include "cli/training_output.h"

#include <fmt/format.h>

#include "halftone/base/new_files.h"
#include "halftone/report/training_page.h"

namespace halftone::cli {
namespace {

void add_percent(std::string& line, const char* name, const std::optional<double>& share) {
  if (share) line += fmt::format("  {} {:.2f} %", name, 100.0 * *share);
}

std::string cell(const std::optional<double>& share) { return share ? fmt::format("{:.4f}", 100.0 * *share) : ""; }

}  // namespace

TrainingOutput::TrainingOutput(const TrainingOptions& options, bool is_first) : options_(options), is_first_(is_first) {}

void TrainingOutput::begin(const Phase& phase, const std::vector<qat::EpochReport>& over) {
  phase_ = phase;
  for (const qat::EpochReport& report : over) epochs_.push_back({phase_, report});
  if (!over.empty() && is_first_) write();
}

std::string TrainingOutput::describe(const qat::EpochReport& report) const {
  const bool has_both = phase_.before > 0 || phase_.all > report.epochs;
  std::string line = fmt::format("epoch {}/{}{}  loss {:.4f}  accuracy {:.2f} %", phase_.before + report.epoch, phase_.all, has_both ? (phase_.quantized ? "  integers" : "  float") : "",
                                 report.loss, 100.0 * report.accuracy);
  add_percent(line, "held out", report.held_out);
  if (report.held_out_loss) line += fmt::format(" (loss {:.4f})", *report.held_out_loss);
  add_percent(line, "test", report.test);
  add_percent(line, "first 100", report.first_test);
  return line;
}

void TrainingOutput::tell(const qat::TrainProgress& now) {
  if (now.epoch_ended) epochs_.push_back({phase_, now.report});
  if (!is_first_) return;
  const double fraction = (phase_.before + now.fraction * now.report.epochs) / phase_.all;
  progress_.update(fraction, describe(now.report));
  if (!now.epoch_ended) return;
  progress_.line(describe(now.report));
  write();
}

// An epoch tells the seconds of its own phase.
double TrainingOutput::seconds_until(std::size_t epoch) const {
  double all = epochs_[epoch].report.seconds;
  for (std::size_t i = 0; i < epoch; ++i)
    if (epochs_[i + 1].phase.before != epochs_[i].phase.before) all += epochs_[i].report.seconds;
  return all;
}

void TrainingOutput::write() const {
  NewFiles files;
  if (!options_.log.empty()) files.add(options_.log, csv());
  if (!options_.page.empty()) files.add(options_.page, page());
  files.publish();
}

std::string TrainingOutput::csv() const {
  std::string text = "epoch,network,loss,accuracy,held_out,held_out_loss,test,first_100,seconds\n";
  for (std::size_t i = 0; i < epochs_.size(); ++i) {
    const Epoch& each = epochs_[i];
    const qat::EpochReport& r = each.report;
    text += fmt::format("{},{},{:.9g},{:.4f},{},{},{},{},{:.1f}\n", each.phase.before + r.epoch, each.phase.quantized ? "integers" : "float", r.loss, 100.0 * r.accuracy, cell(r.held_out), r.held_out_loss ? fmt::format("{:.9g}", *r.held_out_loss) : "",
                        cell(r.test), cell(r.first_test), seconds_until(i));
  }
  return text;
}

std::string TrainingOutput::page() const {
  report::TrainingCurve curve{.title = fmt::format("Training of {}", options_.model), .epochs = {}, .facts = {{"data", options_.data.images.empty() ? options_.data.data : options_.data.images}, {"seed", std::to_string(options_.seed)}}};
  for (const Epoch& each : epochs_)
    curve.epochs.push_back({.epoch = each.phase.before + each.report.epoch, .quantized = each.phase.quantized, .loss = each.report.loss, .training = each.report.accuracy,
                            .held_out = each.report.held_out, .test = each.report.test});
  if (phase_.quantized) {
    curve.facts.emplace_back("integers", phase_.recipe);
    curve.facts.emplace_back("quantizer", options_.quantizer);
  }
  return report::training_page(curve);
}

}  // namespace halftone::cli
