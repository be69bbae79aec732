// `bench --orders`: a controlling process says what to run and how often, so that two programs can be measured by turns.
#pragma once

#include "command_line.hpp"
#include "cnn/program/program.hpp"

namespace cnn::program {

/// Answers the lines of standard input with a line of JSON each, until `quit` or their end:
///   train|predict RUNS IMAGES    runs training steps of the first phase, or predictions: {"seconds": of all}
///   only_predict                 from now on no training and no save: memory of weights that are prepared is given back
///   peak                         {"gflops": what the machine reaches at most}
///   memory                       {"peak", "resident", "bare", "code": bytes; bare: before there was a network,
///                                code: what has come of files since}
///   save FILE                    writes the weights
/// What can't be done is answered by {"error": why}. The first line, {"ready": the model}, comes unasked. Returns the exit code.
int answer_orders(const BenchOptions& options, const ModelDescription& model, MakeNetwork make);

}  // namespace cnn::program
