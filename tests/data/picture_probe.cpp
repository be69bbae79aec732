// Decodes and transforms pictures for pictures_test.py: a job a line on standard input, FILE TRANSFORM
// NUMBERS... between tabs, an answer each on standard output: channels, height, width as text, a line break,
// the bytes; or "error", the number of bytes of a message, and it.
#include <cstdio>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "cnn/data/transforms.hpp"
#include "formats/format_error.hpp"
#include "formats/picture.hpp"

namespace {

using cnn::TransformKind;

void transform(const std::string& name, const std::vector<double>& numbers, cnn::Workspace& workspace) {
  const auto whole = [&](std::size_t i) { return static_cast<int>(numbers.at(i)); };
  cnn::Image& image = workspace.image;
  const auto replace = [&](auto&& make) {
    make(image, workspace.other);
    std::swap(image, workspace.other);
  };
  if (name == "resize")
    cnn::apply_transform({.kind = TransformKind::kResize, .height = whole(0), .width = whole(1)}, {},
                         workspace);
  if (name == "short")
    cnn::apply_transform({.kind = TransformKind::kResizeShort, .amount = whole(0)}, {}, workspace);
  if (name == "center_crop")
    cnn::apply_transform({.kind = TransformKind::kCenterCrop, .height = whole(0), .width = whole(1)}, {},
                         workspace);
  if (name == "pad") cnn::apply_transform({.kind = TransformKind::kPad, .amount = whole(0)}, {}, workspace);
  if (name == "grayscale") cnn::apply_transform({.kind = TransformKind::kGrayscale}, {}, workspace);
  if (name == "rgb") cnn::apply_transform({.kind = TransformKind::kRgb}, {}, workspace);
  if (name == "hflip") replace(cnn::flip_horizontally);
  if (name == "vflip") replace(cnn::flip_vertically);
  if (name == "cut_out")
    replace(
        [&](const auto& from, auto& to) { cnn::cut_out(from, to, whole(0), whole(1), whole(2), whole(3)); });
  if (name == "rotate") replace([&](const auto& from, auto& to) { cnn::rotate(from, to, numbers.at(0)); });
  if (name == "zoom") replace([&](const auto& from, auto& to) { cnn::zoom(from, to, numbers.at(0)); });
  if (name == "brightness") cnn::scale_brightness(image, numbers.at(0));
  if (name == "contrast") cnn::scale_contrast(image, numbers.at(0));
}

void answer(const std::string& line) {
  std::istringstream words(line);
  std::string file, name, word;
  std::getline(words, file, '\t');
  std::getline(words, name, '\t');
  std::vector<double> numbers;
  while (std::getline(words, word, '\t')) numbers.push_back(std::stod(word));
  try {
    const cnn::formats::Picture picture = cnn::formats::read_picture(file);
    cnn::Workspace workspace;
    workspace.image.assign({picture.channels, picture.height, picture.width}, picture.values());
    transform(name, numbers, workspace);
    const cnn::Image& image = workspace.image;
    std::printf("%d %d %d\n", image.channels(), image.height(), image.width());
    std::fwrite(image.bytes.data(), 1, image.bytes.size(), stdout);
  } catch (const std::exception& error) {
    const std::string text = error.what();
    std::printf("error %zu\n%s", text.size(), text.c_str());
  }
}

}  // namespace

int main() {
  for (std::string line; std::getline(std::cin, line);) answer(line);
}
