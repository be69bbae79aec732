// The programs' own weights files under the names that others use.
#include "cnn/weights.hpp"

#include "weights_file.hpp"

namespace cnn {

std::vector<std::string> load_weights(const std::filesystem::path& file, Network& network) {
  return program::load_weights(file, network).notes;
}

void save_weights(const std::filesystem::path& file, const Network& network) {
  constexpr int kNoEpoch = 0;
  program::save_weights(file, network, network.description().training.seed, kNoEpoch, {});
}

}  // namespace cnn
