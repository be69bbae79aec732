// The sub-commands: one function each, with the exit code as its result. Errors are thrown.
#pragma once

#include "cnn/program/program.hpp"
#include "command_line.hpp"

namespace cnn::program {

int train(const TrainOptions& options, const ModelDescription& model, MakeNetwork make);
int evaluate(const EvaluateOptions& options, const ModelDescription& model, MakeNetwork make);
int predict(const PredictOptions& options, const ModelDescription& model, MakeNetwork make);
int info(const InfoOptions& options, const ModelDescription& model);
int bench(const BenchOptions& options, const ModelDescription& model, MakeNetwork make);
int profile(const ProfileOptions& options, const ModelDescription& model, MakeNetwork make);

}  // namespace cnn::program
