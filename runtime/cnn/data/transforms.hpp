// The transforms of `prepare` and `augment` on bytes. Where Pillow or torchvision has the same, the bytes are
// the same.
#pragma once

#include <array>
#include <cstdint>

#include "cnn/data/image.hpp"
#include "cnn/network/description.hpp"

namespace cnn {

/// What decides a random transform: four random words. The others ignore them.
using Draw = std::array<std::uint32_t, 4>;

/// What the transform makes of an image of this shape. Throws std::invalid_argument, worded for the user,
/// where it can't be applied.
ImageShape transformed_shape(const TransformDescription& transform, const ImageShape& shape);

/// Replaces workspace.image by what `transform`, any but kNormalize, makes of it. Throws as above.
void apply_transform(const TransformDescription& transform, const Draw& draw, Workspace& workspace);

/// One channel: (19595 red + 38470 green + 7471 blue + 2^15) / 2^16, as Pillow's convert("L"). A gray image
/// stays.
void to_gray(const Image& from, Image& to);
/// Three channels; a gray one is repeated.
void to_rgb(const Image& from, Image& to);
/// As Pillow's resize(BILINEAR).
void resize(Workspace& workspace, int height, int width);
/// Height and width where the shorter side is `side`; the longer one is rounded down, as in torchvision.
std::array<int, 2> short_side_size(int height, int width, int side);
/// The `height` x `width` pixels from (top, left) on; zeros where they lie outside of the image.
void cut_out(const Image& from, Image& to, int top, int left, int height, int width);
/// The centre's (top, left), halves rounded to even, as in torchvision.
std::array<int, 2> center_place(int height, int width, int crop_height, int crop_width);
void flip_horizontally(const Image& from, Image& to);
void flip_vertically(const Image& from, Image& to);
/// By `degrees` counter-clockwise around the centre, bilinear, zeros outside, as Pillow's rotate(BILINEAR).
void rotate(const Image& from, Image& to, double degrees);
/// Times `factor` around the centre, bilinear, zeros outside.
void zoom(const Image& from, Image& to, double factor);
/// Away from black (or towards it, below 1), as Pillow's ImageEnhance.Brightness.
void scale_brightness(Image& image, double factor);
/// Away from the mean of its gray version, as Pillow's ImageEnhance.Contrast.
void scale_contrast(Image& image, double factor);

}  // namespace cnn
