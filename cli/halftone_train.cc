// The program behind `halftone train` and `halftone finetune`: apart from the others, so that no other command loads libtorch.
#include <malloc.h>

#include <string_view>

#include "cli/command_line.h"
#include "cli/outcome.h"
#include "cli/training.h"

namespace {

// A step of training frees what the next one takes again: memory that goes back to the system in between costs up to a third of the time.
void keep_memory() {
  ::mallopt(M_MMAP_THRESHOLD, 32 << 20);
  ::mallopt(M_TRIM_THRESHOLD, 64 << 20);
}

}  // namespace

int main(int argc, char** argv) {
  using namespace halftone::cli;
  keep_memory();
  const bool finetunes = std::string_view(argv[0]) == "halftone finetune";
  const Program program{.name = finetunes ? "halftone finetune" : "halftone train",
                        .about = finetunes ? "Trains a float network at the integers that it will run in, and writes these as an ONNX file."
                                           : "Trains a network and writes it as an ONNX file: in float or, with --bits, at the integers that it will run in."};
  return guarded(program.name, [&] {
    return run(program, argc, argv, [&](Command command, Run& chosen) { add_training(command, finetunes, chosen); });
  });
}
