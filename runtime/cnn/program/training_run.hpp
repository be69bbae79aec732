// A training from where it stands to its end: phases, epochs, steps, and the state that is saved on the way.
#pragma once

#include "cnn/data/dataset.hpp"
#include "cnn/network/network.hpp"
#include "cnn/training/optimizer.hpp"
#include "run_directory.hpp"
#include "run_record.hpp"

namespace cnn::program {

/// What is printed on the way.
struct Screen {
  bool lines = true;  // one an epoch
  bool bar = false;
};

/// Everything a training works on. `record` says how far it is, and network and optimizer are as they were
/// then.
struct TrainingRun {
  const ModelDescription& model;
  Network& network;
  Optimizer& optimizer;
  const Dataset& data;
  RunDirectory& directory;
  RunRecord& record;
  Screen screen;
};

/// Trains to the end of the last phase, or until a signal comes: the step at hand is finished and the state
/// saved. Returns the signal, or 0. Throws UserError where the loss stops being a number, FormatError where
/// files can't be written.
int run_training(TrainingRun& run);

}  // namespace cnn::program
