// Identifiers for generated code: from paths to names that C++ takes, each given out once.
#pragma once

#include <set>
#include <string>
#include <string_view>

namespace cnnc::plan {

/// "features.layer2[0].conv3" -> "features_layer2_0_conv3"; C++ keywords and names beginning with a digit get a '_'.
std::string identifier(std::string_view path);

/// "features.layer2[0].conv3" -> "FeaturesLayer2_0Conv3", for constants and types.
std::string camel_case(std::string_view path);

/// Gives out names, each once: the second "c1" becomes "c1_2".
class UniqueNames {
 public:
  explicit UniqueNames(std::set<std::string> taken = {}) : taken_(std::move(taken)) {}
  std::string give(const std::string& wish);

 private:
  std::set<std::string> taken_;
};

/// Words that generated functions use for themselves: a layer may not take them.
const std::set<std::string>& reserved_names();

}  // namespace cnnc::plan
