// The page of a training: accuracy and loss, epoch after epoch, in float and at the integers.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace halftone::report {

struct TrainingCurve {
  // Accuracies from 0 to 1: of the rows that were trained on, that were held out, and of the test.
  struct Epoch {
    int epoch = 0;  // counted on where quantization starts
    bool quantized = false;
    double loss = 0.0;
    double training = 0.0;
    std::optional<double> held_out;
    std::optional<double> test;
  };
  std::string title;
  std::vector<Epoch> epochs;                               // in order
  std::vector<std::pair<std::string, std::string>> facts;  // what it was made with: name and value
};

// One HTML document, well-formed as XML too, that needs no other file: a plot of accuracies, one of the loss,
// a table of all epochs, and the facts. Plots leave out what is not finite.
std::string training_page(const TrainingCurve& training);

}  // namespace halftone::report
