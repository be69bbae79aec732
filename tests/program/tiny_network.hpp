// A network written by hand that stands for a generated one: two dense layers on 1x4x4 images, three classes,
// dropout on the images, and two phases, of which the first trains the last layer only and the second keeps
// its optimizer.
#pragma once

#include <memory>

#include "cnn/network/network.hpp"

constexpr int kTinyPixels = 16;
constexpr int kTinyHidden = 8;
constexpr int kTinyClasses = 3;
constexpr int kTinyBatch = 8;

/// The environment varies it, as another spec would: TINY_ONE_PHASE (one phase, SGD), TINY_SPEC_HASH=..., and
/// TINY_NO_VALIDATION.
const cnn::ModelDescription& tiny_description();
std::unique_ptr<cnn::Network> make_tiny_network(int threads);
/// The same, but predictions take three images at a time.
std::unique_ptr<cnn::Network> make_tiny_network_that_predicts_threes(int threads);
