// Which tensor of a weights file goes where: by names, or in the order of definition. Decides only; reads no
// numbers and changes nothing.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "formats/weights.hpp"

namespace cnn::formats {

/// A tensor that a program wants filled.
struct WantedTensor {
  std::string name;  // the program's own: "backbone.conv1.weight"
  std::vector<std::int64_t> extents;
  std::string head;  // path of the auxiliary head that it belongs to; empty: of none
};

enum class MatchBy { kName, kOrder };

/// Indices into the wanted tensors and into the file's.
struct TensorPair {
  std::size_t wanted = 0, stored = 0;
};

/// What goes together and what is left on both sides. PyTorch's num_batches_tracked counts as neither.
struct Pairing {
  std::vector<TensorPair> pairs;        // agree in shape, and the file's has floats
  std::vector<TensorPair> disagreeing;  // by name: same name; in order: the first that disagrees
  std::vector<std::size_t> missing;     // wanted ones without a partner
  std::vector<std::size_t> left_over;   // the file's
  MatchBy by = MatchBy::kName;
  std::string hint;  // what may be the reason, or empty

  bool complete() const { return disagreeing.empty() && missing.empty(); }
};

/// Names under which the wanted tensors may stand in a file, one for each.
using Names = std::vector<std::string>;

/// Names of tensors at or below `path` (as in a weights file; empty: the whole model), each way in turn: as
/// the model that this part is taken from has them (`source`: its path there; empty: it is from no other), as
/// the program has them, and relative to the path.
std::vector<Names> possible_names(std::span<const WantedTensor> wanted, std::string_view path,
                                  std::string_view source);

/// Pairs by the first of `names` that finds every tensor, or else by the one that finds most.
Pairing match_by_name(std::span<const WantedTensor> wanted, std::span<const StoredTensor> stored,
                      std::span<const Names> names);

/// Pairs the n-th with the n-th. Auxiliary heads are paired as units wherever the file has them: under a name
/// that begins with "aux", or else where their shapes fit. Shapes must agree, and so must the last parts of
/// names where both say "weight", "bias", "running_mean" or "running_var".
Pairing match_in_order(std::span<const WantedTensor> wanted, std::span<const StoredTensor> stored);

/// Whether nothing is wrong but that whole auxiliary heads are missing, which prediction does not run.
bool only_heads_are_missing(const Pairing& pairing, std::span<const WantedTensor> wanted);

/// Whether the same numbers in the same order make both shapes: they agree, or differ in extents of 1 at the
/// end of at least two (a dense layer's 10x64 and a convolution's 10x64x1x1).
bool same_shape(std::span<const std::int64_t> left, std::span<const std::int64_t> right);

/// What does not fit, both sides, as lines: "\n  missing:\n    a.weight 3x4 ...".
std::string mismatch_text(const Pairing& pairing, std::span<const WantedTensor> wanted,
                          std::span<const StoredTensor> stored);

/// "NAME SHAPE" lines under a title, the first of them and how many more there are; empty without names.
std::string listed(std::string_view title, std::span<const std::string> lines);

/// The lines of a table of pairs: the wanted tensor, its shape, and the file's.
std::vector<std::string> pair_lines(const Pairing& pairing, std::span<const WantedTensor> wanted,
                                    std::span<const StoredTensor> stored);

}  // namespace cnn::formats
