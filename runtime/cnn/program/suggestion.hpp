// What somebody may have meant.
#pragma once

#include <string>
#include <vector>

namespace cnn::program {

/// "did you mean X? " where one of `known` is near to `word`, else nothing.
std::string suggestion(const std::string& word, const std::vector<std::string>& known);

}  // namespace cnn::program
