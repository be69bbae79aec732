// PyTorch's files: what is read of them, and what is refused, in which words.
#include "formats/weights.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "formats/format_error.hpp"
#include "weights_fixture.hpp"

namespace cnn::formats {
namespace {

using namespace cnn_tests;

TEST_F(Weights, BothFormatsOfPyTorch) {
  const std::string pickle = pickled_state({matrix()});
  for (const std::string& bytes : {archive_file(pickle, kSixStorage), archive_file(pickle, kSixStorage, true),
                                   legacy_file(pickle, kSixStorage)}) {
    const WeightsFile file = open(bytes);
    ASSERT_EQ(file.tensors().size(), 1u);
    EXPECT_EQ(file.tensors()[0].name, "w");
    EXPECT_EQ(file.tensors()[0].type, "F32");
    EXPECT_EQ(file.tensors()[0].extents, (std::vector<std::int64_t>{2, 3}));
    EXPECT_EQ(read_tensor(file), kSix);
    EXPECT_TRUE(file.notes().empty());
  }
}

TEST_F(Weights, TheContentDecidesNotTheName) {
  write_safetensors(folder_ / "w.pth", {{"k", "v"}}, std::vector<TensorView>{{"w", {2, 3}, kSix}});
  const WeightsFile file(folder_ / "w.pth");
  EXPECT_EQ(file.format(), "safetensors");
  EXPECT_EQ(file.metadata().at("k"), "v");
  EXPECT_EQ(read_tensor(file), kSix);
}

TEST_F(Weights, StridesOffsetsAndSharedStorages) {
  PickledTensor transposed = matrix("transposed"), row = matrix("row"), number = matrix("number"),
                none = matrix("none");
  transposed.extents = {3, 2}, transposed.strides = {1, 3};
  row.extents = {3}, row.strides = {1}, row.offset = 3;
  number.extents = {}, number.strides = {}, number.offset = 5;
  none.extents = {0, 4}, none.strides = {4, 1};
  // Nobody takes the step of an extent of 1, so that PyTorch writes any number for it.
  PickledTensor wide = matrix("wide");
  wide.extents = {1, 6}, wide.strides = {std::numeric_limits<std::int64_t>::max(), 1};
  const WeightsFile file =
      open(archive_file(pickled_state({transposed, row, number, none, wide}), kSixStorage));
  EXPECT_EQ(read_tensor(file, 0), (std::vector<float>{1, 4, 2, 5, 3, 6}));
  EXPECT_EQ(read_tensor(file, 1), (std::vector<float>{4, 5, 6}));
  EXPECT_EQ(read_tensor(file, 2), (std::vector<float>{6}));
  EXPECT_TRUE(read_tensor(file, 3).empty());
  EXPECT_EQ(read_tensor(file, 4), kSix);
}

TEST_F(Weights, OtherTypesOfNumbers) {
  const auto of = [&](const std::string& storage, const std::string& bytes, std::int64_t count) {
    PickledTensor tensor{
        .name = "w", .extents = {count}, .strides = {1}, .key = "0", .count = count, .storage = storage};
    return open(archive_file(pickled_state({tensor}), {{"0", bytes, count}}));
  };
  // IEEE 754 binary16: 1, -2, the largest, the smallest normal, the smallest subnormal, a subnormal, -0.
  const std::vector<std::uint16_t> halves{0x3c00, 0xc000, 0x7bff, 0x0400, 0x0001, 0x03ff, 0x8000};
  const WeightsFile half = of("HalfStorage", storage_bytes(halves), 7);
  EXPECT_EQ(read_tensor(half), (std::vector<float>{1, -2, 65504, 6.103515625e-05f, 5.960464477539063e-08f,
                                                   6.097555160522461e-05f, 0}));
  EXPECT_TRUE(std::signbit(read_tensor(half)[6]));
  EXPECT_EQ(half.notes(),
            (std::vector<std::string>{"1 of its 1 tensors are float16: they are read as float32"}));

  const WeightsFile brain =
      of("BFloat16Storage", storage_bytes(std::vector<std::uint16_t>{0x3f80, 0xc049}), 2);
  EXPECT_EQ(read_tensor(brain), (std::vector<float>{1, -3.140625f}));
  const WeightsFile twice = of("DoubleStorage", storage_bytes(std::vector<double>{0.1, -1e-50}), 2);
  EXPECT_EQ(read_tensor(twice), (std::vector<float>{0.1f, -0.0f}));

  const WeightsFile whole = of("LongStorage", storage_bytes(std::vector<std::int64_t>{7}), 1);
  EXPECT_FALSE(whole.tensors()[0].is_float());
  EXPECT_EQ(whole.tensors()[0].type, "I64");
  EXPECT_NE(error_of<FormatError>([&] { read_tensor(whole); }).find("tensor 'w' is of type I64"),
            std::string::npos);
}

TEST_F(Weights, NumbersThatAreNoneAreRefused) {
  const auto of = [&](const std::string& storage, const std::string& bytes) {
    PickledTensor tensor{
        .name = "a.w", .extents = {2}, .strides = {1}, .key = "0", .count = 2, .storage = storage};
    return refusal_of_value(archive_file(pickled_state({tensor}), {{"0", bytes, 2}}));
  };
  EXPECT_EQ(of("FloatStorage", storage_bytes(std::vector<float>{1, std::nanf("")})),
            "tensor 'a.w' has NaN as its number 1: such weights are of no use");
  EXPECT_EQ(of("HalfStorage", storage_bytes(std::vector<std::uint16_t>{0xfc00, 0})),
            "tensor 'a.w' has an infinity as its number 0: such weights are of no use");
  EXPECT_EQ(of("DoubleStorage", storage_bytes(std::vector<double>{0, 1e300})),
            "tensor 'a.w' has a number too large for float32 as its number 1: such weights are of no use");
}

/// A dictionary {"epoch": 3, WRAPPER: {...}} as training scripts save it.
std::string wrapped(const std::vector<std::string>& wrappers, const std::vector<PickledTensor>& tensors) {
  Pickler pickler;
  pickler.raw("}(").text("epoch").integer(3);
  for (const std::string& wrapper : wrappers) {
    pickler.text(wrapper).raw("}(");
    for (const PickledTensor& tensor : tensors) {
      pickler.text(tensor.name);
      add_tensor(pickler, tensor);
    }
    pickler.raw("u");
  }
  return pickler.raw("u").done();
}

TEST_F(Weights, WrappersAreUnwrapped) {
  const WeightsFile file =
      open(archive_file(wrapped({"state_dict"}, {matrix("module.a"), matrix("module.b")}), kSixStorage));
  EXPECT_EQ(file.tensors()[0].name, "a");
  EXPECT_EQ(file.tensors()[1].name, "b");
  EXPECT_EQ(file.notes(),
            (std::vector<std::string>{"its weights were found under 'state_dict'; it also holds: epoch",
                                      "'module.' was taken from the front of 2 names"}));
  EXPECT_EQ(refusal(archive_file(wrapped({"state_dict"}, {matrix("module.a"), matrix("a")}), kSixStorage)),
            "can't be used: two of its tensors are called 'a'");
  EXPECT_EQ(refusal(archive_file(wrapped({"state_dict", "model"}, {matrix()}), kSixStorage)),
            "can't be used: it holds both 'state_dict' and 'model': which are the weights? Save one alone");
  EXPECT_EQ(
      refusal(archive_file(wrapped({"optimizer"}, {matrix()}), kSixStorage)),
      "can't be used: it holds no tensors by name, but epoch, optimizer; the weights are looked for in the "
      "dictionary itself and under state_dict, model_state_dict, model_state, model, net, network");
  EXPECT_EQ(refusal(archive_file(Pickler{}.raw("]").done(), {})),
            "can't be used: it holds a list, and not a dictionary of tensors as model.state_dict() is");
}

TEST_F(Weights, WhatAPickleMayNotAskFor) {
  const auto call = [](std::string_view module, std::string_view name) {
    return Pickler{}.global(module, name).text("touch /tmp/was-here").raw("\x85R").done();
  };
  const std::string rest =
      ", and only dictionaries, lists, numbers, texts and tensors are read. Where it holds a whole "
      "model or other objects, save its weights alone: torch.save(model.state_dict(), FILE)";
  for (const auto& [module, name] :
       {std::pair("os", "system"), std::pair("builtins", "eval"), std::pair("posix", "system"),
        std::pair("torch.nn", "Linear"), std::pair("torch._utils", "_rebuild_qtensor")}) {
    const std::string expected = "'" + std::string(module) + "." + name + "'" + rest;
    EXPECT_EQ(refusal(archive_file(call(module, name), {})), "can't be used: it asks for " + expected);
    EXPECT_EQ(refusal(legacy_file(call(module, name), {})), "can't be used: it asks for " + expected);
  }
  // STACK_GLOBAL, the way of protocol 4.
  EXPECT_EQ(refusal(archive_file(Pickler{}.text("os").text("system").raw("\x93").done(), {})),
            "can't be used: it asks for 'os.system'" + rest);
  EXPECT_EQ(refusal(archive_file(Pickler{}.global("torch", "FloatStorage").raw(")\x81").done(), {})),
            "can't be used: its pickle makes an object of torch.FloatStorage, which a weights file needs not "
            "(at byte 24)");
  EXPECT_EQ(refusal(archive_file(Pickler{}.global("torch", "FloatStorage").raw("}b").done(), {})),
            "can't be used: its pickle sets the state of torch.FloatStorage (at byte 24)");
  EXPECT_EQ(refusal(archive_file(Pickler{}.text("a").raw(")R").done(), {})),
            "can't be used: its pickle calls a text (at byte 10)");
  EXPECT_EQ(refusal(archive_file(
                Pickler{}.raw("}").text("a").global("torch", "FloatStorage").raw(")Rs").done(), {})),
            "can't be used: tensor 'a' is made from a call of torch.FloatStorage");
}

}  // namespace
}  // namespace cnn::formats
