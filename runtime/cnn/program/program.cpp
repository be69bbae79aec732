// The frame of every generated program: from arguments to an exit code, and from errors to lines on standard
// error.
#include "program.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <filesystem>
#include <new>

#include "cnn/core/instructions.hpp"
#include "commands.hpp"
#include "errors.hpp"
#include "formats/format_error.hpp"
#include "text.hpp"

namespace cnn {
namespace {

using namespace program;

template <class... Handlers>
struct Overload : Handlers... {
  using Handlers::operator()...;
};
template <class... Handlers>
Overload(Handlers...) -> Overload<Handlers...>;

int dispatch(const Options& options, const ModelDescription& model, MakeNetwork make) {
  return std::visit(
      Overload{
          [&](const TrainOptions& train_options) { return train(train_options, model, make); },
          [&](const EvaluateOptions& evaluate_options) { return evaluate(evaluate_options, model, make); },
          [&](const PredictOptions& predict_options) { return predict(predict_options, model, make); },
          [&](const InfoOptions& info_options) { return info(info_options, model); },
          [&](const BenchOptions& bench_options) { return bench(bench_options, model, make); },
          [&](const ProfileOptions& profile_options) { return profile(profile_options, model, make); },
          [&](const HelpOptions& help) { return std::fputs(help.text.c_str(), stdout), 0; },
          [&](const VersionOptions&) {
            return fmt::print("{} (cnnc {}, spec {})\n", model.program, model.version, model.spec_hash), 0;
          }},
      options);
}

int report(const ModelDescription& model, const char* what, int code) {
  std::fflush(stdout);
  fmt::print(stderr, "{}: {}\n", model.program, what);
  return code;
}

int report_out_of_memory(const ModelDescription& model) {
  const double bytes = static_cast<double>(arena_floats(model, 1)) * sizeof(float);
  return report(
      model,
      fmt::format("not enough memory: the plan alone is {} for batch {}; a smaller batch needs less: "
                  "cnnc ... {} --set batch=N",
                  bytes_text(bytes), model.batch, model.spec)
          .c_str(),
      1);
}

}  // namespace

int run(int argc, char** argv, const ModelDescription& model, MakeNetwork make) {
  try {
    if (const std::string problem = instruction_set_problem(); !problem.empty()) throw UsageError(problem, "name one of these, or none");
    std::vector<std::string> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
    if (const std::string_view chosen = command_of_own_name(model); !chosen.empty())
      arguments.insert(arguments.begin(), std::string(chosen));
    return dispatch(parse_command_line(arguments, model), model, make);
  } catch (const UsageError& error) {
    report(model, error.what(), 2);
    fmt::print(stderr, "{}\n", error.hint);
    return 2;
  } catch (const UserError& error) {
    return report(model, error.what(), 1);
  } catch (const formats::FormatError& error) {
    return report(model, error.what(), 1);
  } catch (const std::filesystem::filesystem_error& error) {
    return report(model, error.what(), 1);
  } catch (const std::bad_alloc&) {
    return report_out_of_memory(model);
  } catch (const std::exception& error) {
    report(model, fmt::format("internal error: {}", error.what()).c_str(), 3);
    fmt::print(stderr, "This is a bug in cnnc {}. Please report it with the spec and the command line.\n",
               model.version);
    return 3;
  }
}

}  // namespace cnn
