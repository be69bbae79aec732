// The way of the data: one function a stage, put one after the other.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "emit/emit.hpp"
#include "plan/plan.hpp"
#include "sema/analyze.hpp"
#include "support/diagnostics.hpp"

namespace cnnc::driver {

struct CompileOptions {
  std::filesystem::path spec;
  sema::Overrides overrides;
  std::optional<ir::Precision> precision = {};  // in place of what trainings say
  std::filesystem::path tuned;  // a tuning file, whose choices win over the cost model's; empty: none
  std::string model;        // only this one; empty: all
  std::string dump;         // ast, model, graph or plan: printed to standard output
  std::string dump_after;   // a pass's name
  std::int64_t compared_batch = 0;  // not 0: planned for training all of it with this batch, whatever the spec trains
  bool generates = false;   // the plan is for code: what can't be generated yet is an error
};

/// One program of a spec, through all stages.
struct Compiled {
  sema::Program program;
  plan::Plan plan;
  emit::Origin origin;
};

/// Reads and checks a spec: the programs that it describes, or the one of `options.model`.
std::vector<sema::Program> analyze_spec(const CompileOptions& options, Sources& sources, Diagnostics& diagnostics);

/// Reads, checks and plans a spec. Mistakes are in `diagnostics`; what is returned is free of them.
std::vector<Compiled> compile(const CompileOptions& options, Sources& sources, Diagnostics& diagnostics);

/// A program planned anew, with a tuning's choices in place of the cost model's.
Compiled with_tuning(const Compiled& compiled, const plan::Tuning& tuning, const CompileOptions& options, const Sources& sources);

/// A hash of what the program means: no comments, no layout, no number of epochs. 16 hexadecimal digits.
std::string semantic_hash(const sema::Program& program);

}  // namespace cnnc::driver
