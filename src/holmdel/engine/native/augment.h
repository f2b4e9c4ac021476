// Random changes of an image of bytes before it is learned from, as holmdel.data.augment makes them.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "random.h"

enum Change : int32_t { kFlip, kShift, kAffine, kElastic };

// Which changes, one after the other, and how large they are.
struct Augment {
  int32_t count;
  int32_t changes[4];
  float rotation;  // radians
  float scale, shear;
  float shift, ripple;  // pixels
};

class Augmenter {
 public:
  Augmenter(int channels, int height, int width)
      : channels_(channels), height_(height), width_(width) {
    rows_ = mesh_weights(height);
    columns_ = mesh_weights(width);
  }

  // Floats that `changed` works in.
  long room() const { return 2L * size() + static_cast<long>(height_ + 3) * (width_ + 3); }

  // Returns the changed image, floats in 0..255, which lies in the room.
  const float* changed(const Augment& augment, const uint8_t* image, Dice dice, float* room) const {
    float *from = room, *to = room + size(), *border = room + 2L * size();
    std::copy_n(image, size(), from);
    for (int i = 0; i < augment.count; i++) {
      switch (augment.changes[i]) {
        case kFlip:
          if (dice.next() < 0.5f) flip(from);
          continue;
        case kShift: shift(augment, dice, from, to); break;
        case kAffine: warp(augment, dice, false, from, to, border); break;
        default: warp(augment, dice, true, from, to, border); break;
      }
      std::swap(from, to);
    }
    return from;
  }

 private:
  static constexpr int kMesh = 7;
  int channels_, height_, width_;
  std::vector<float> rows_, columns_;  // of each pixel, the weights of the mesh's lines

  long size() const { return static_cast<long>(channels_) * height_ * width_; }

  void flip(float* image) const {
    for (int row = 0; row < channels_ * height_; row++, image += width_) {
      std::reverse(image, image + width_);
    }
  }

  void shift(const Augment& augment, Dice& dice, const float* from, float* to) const {
    const int most = static_cast<int>(augment.shift), choices = 2 * most + 1;
    const int down = static_cast<int>(dice.next() * choices) - most;
    const int right = static_cast<int>(dice.next() * choices) - most;
    std::fill_n(to, size(), 0.f);
    const int first = std::max(0, right), last = std::min(width_, width_ + right);
    for (int c = 0; c < channels_; c++) {
      for (int y = std::max(0, down); y < std::min(height_, height_ + down); y++) {
        const float* row = from + (static_cast<long>(c) * height_ + y - down) * width_;
        float* out = to + (static_cast<long>(c) * height_ + y) * width_;
        for (int x = first; x < last; x++) out[x] = row[x - right];
      }
    }
  }

  // Keys, Bicubic interpolation (1981), with -3/4 as in PyTorch: of a mesh over the whole length.
  static std::vector<float> mesh_weights(int length) {
    constexpr float a = -0.75f;
    std::vector<float> weights(static_cast<std::size_t>(length) * kMesh);
    for (int i = 0; i < length; i++) {
      const float at = length > 1 ? static_cast<float>(i) * (kMesh - 1) / (length - 1) : 0.f;
      const int below = static_cast<int>(at);
      for (int k = -1; k <= 2; k++) {
        const float d = std::fabs(at - static_cast<float>(below + k));
        const float near = ((a + 2) * d - (a + 3)) * d * d + 1;
        const float far = ((a * d - 5 * a) * d + 8 * a) * d - 4 * a;
        weights[i * kMesh + std::clamp(below + k, 0, kMesh - 1)] += d <= 1 ? near : far;
      }
    }
    return weights;
  }

  // Along a row of the image, how far each pixel is moved by the mesh.
  void ripple(const float* mesh, int y, float amount, std::vector<float>& moved) const {
    float line[kMesh] = {};
    for (int j = 0; j < kMesh; j++) {
      for (int i = 0; i < kMesh; i++) line[j] += rows_[y * kMesh + i] * mesh[i * kMesh + j];
    }
    for (int x = 0; x < width_; x++) {
      float total = 0;
      for (int j = 0; j < kMesh; j++) total += columns_[x * kMesh + j] * line[j];
      moved[x] += total * amount;
    }
  }

  // Reads each pixel from where the change has it, between four neighbours; outside is 0.
  void warp(const Augment& augment, Dice& dice, bool elastic, const float* from, float* to,
            float* border) const {
    float mesh[2 * kMesh * kMesh];
    for (int i = 0; elastic && i < 2 * kMesh * kMesh; i++) mesh[i] = dice.around_zero();
    const float angle = dice.around_zero() * augment.rotation;
    const float cosine = std::cos(angle), sine = std::sin(angle);
    const float wide = 1 + augment.scale * dice.around_zero();
    const float high = 1 + augment.scale * dice.around_zero();
    const float lean = augment.shear * dice.around_zero() - sine * high;
    const float right = augment.shift * dice.around_zero(), down = augment.shift * dice.around_zero();
    const float ratio = static_cast<float>(width_) / static_cast<float>(height_);
    const float middle_x = (width_ - 1) * 0.5f, middle_y = (height_ - 1) * 0.5f;
    std::vector<float> at_x(width_), at_y(width_);
    const int row = width_ + 3;
    for (int c = 0; c < channels_; c++) {
      add_border(from + static_cast<long>(c) * height_ * width_, border);
      for (int y = 0; y < height_; y++) {
        const float v = y - middle_y;
        for (int x = 0; x < width_; x++) {
          const float u = x - middle_x;
          at_x[x] = cosine * wide * u + lean * v * ratio + right + middle_x;
          at_y[x] = sine * wide * u / ratio + cosine * high * v + down + middle_y;
        }
        if (elastic) {
          ripple(mesh, y, augment.ripple, at_x);
          ripple(mesh + kMesh * kMesh, y, augment.ripple, at_y);
        }
        float* out = to + (static_cast<long>(c) * height_ + y) * width_;
        for (int x = 0; x < width_; x++) {
          const float px = std::min(std::max(at_x[x] + 1, 0.f), static_cast<float>(width_ + 1));
          const float py = std::min(std::max(at_y[x] + 1, 0.f), static_cast<float>(height_ + 1));
          const int left = static_cast<int>(px), top = static_cast<int>(py);
          const float fx = px - static_cast<float>(left), fy = py - static_cast<float>(top);
          const float* p = border + top * row + left;
          const float above = p[0] + (p[1] - p[0]) * fx;
          const float below = p[row] + (p[row + 1] - p[row]) * fx;
          out[x] = above + (below - above) * fy;
        }
      }
    }
  }

  // Copies a channel into the middle of zeros, one before and two behind it.
  void add_border(const float* from, float* border) const {
    std::fill_n(border, static_cast<long>(height_ + 3) * (width_ + 3), 0.f);
    for (int y = 0; y < height_; y++) {
      std::copy_n(from + static_cast<long>(y) * width_, width_, border + (y + 1) * (width_ + 3) + 1);
    }
  }
};
