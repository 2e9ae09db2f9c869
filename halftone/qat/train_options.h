// All that float training and quantized training are told alike.
#pragma once

#include <cstdint>

#include "halftone/base/tensor.h"

#include <vector>

namespace halftone::qat {

// Preprocessed pictures, float32 [rows, ...], and a label for each, or none at all.
struct Examples {
  Tensor images;
  std::vector<std::int32_t> labels;
};

enum class OptimizerKind {
  adam,   // Kingma and Ba, ICLR 2015
  adamw,  // Loshchilov and Hutter, "Decoupled weight decay regularization", ICLR 2019
  sgd,    // with momentum; decay as L2 regularisation
};

// The factor of rates at step t among T.
enum class Schedule {
  cosine,    // (1 + cos(π·t/T))/2: Loshchilov and Hutter, "SGDR", ICLR 2017, one period
  stairs,    // 1, from T/2 on 1/10, from 3T/4 on 1/100: He et al., CVPR 2016, section 4.2
  constant,  // 1
};

enum class Augmentation { none, crop, crop_flip, cutout, affine };  // augment.h

struct TrainOptions {
  int epochs = 10;
  std::uint64_t seed = 1;  // the order of the rows, augmentation and noise
  std::int64_t batch_size = 32;
  double learning_rate = 2e-3;
  // Each step takes its learning rate times weight_decay/√T of every weight with two or more dimensions; biases and normalization do not
  // decay. So one value serves few rows and many: Loshchilov and Hutter, ICLR 2019, appendix B.1 (normalized weight decay).
  double weight_decay = 30;
  double label_smoothing = 0.1;  // this part of each target is spread over all classes: Szegedy et al., CVPR 2016, section 7
  int threads = 1;               // small networks train no faster on more
  OptimizerKind optimizer = OptimizerKind::adamw;
  double momentum = 0.9;  // of sgd
  Schedule schedule = Schedule::cosine;
  double warmup_epochs = 0;  // rates rise from 0 in these
  Augmentation augmentation = Augmentation::none;
  double average = 0;  // a step keeps so much of an exponential average of what is trained, which is what is judged and written; 0: none
  int patience = 0;    // ends after so many epochs without a better one on rows that are held out, and takes the best; 0: never
};

// Throws UsageError for a number out of range.
void check(const TrainOptions& options);

}  // namespace halftone::qat
