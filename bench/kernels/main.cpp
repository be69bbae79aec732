// kernels_benchmark [--team THREADS] [--batch IMAGES] [Google Benchmark's own options]
#include <algorithm>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "cnn/core/sgemm.hpp"
#include "measure.hpp"

int main(int count, char** arguments) {
  std::vector<char*> rest;
  for (int i = 0; i < count; ++i) {
    const std::string_view word = arguments[i];
    if ((word == "--team" || word == "--batch") && i + 1 < count) {
      (word == "--team" ? cnn::bench::team_threads : cnn::bench::batch) = std::max(1, std::atoi(arguments[++i]));
    } else {
      rest.push_back(arguments[i]);
    }
  }
  int left = static_cast<int>(rest.size());
  rest.push_back(nullptr);
  benchmark::Initialize(&left, rest.data());
  if (benchmark::ReportUnrecognizedArguments(left, rest.data())) return 2;
  cnn::prepare_blas(cnn::bench::team_threads);
  cnn::bench::add_conv();
  cnn::bench::add_dwconv();
  cnn::bench::add_separable();
  cnn::bench::add_dense();
  cnn::bench::add_bn();
  cnn::bench::add_pools();
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
