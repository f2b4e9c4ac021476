// Dropout: each number is zero with a probability, the others grow so that the mean stays.
//
// Srivastava et al. (2014). Whether a number stays follows from the batch's seed, its image's place
// in the batch and its own in the image: neither threads nor the width of a vector change it.
#pragma once

#include "random.h"
#include "stage.h"

class Dropout final : public Stage {
 public:
  Dropout(Grid in_, Grid out_, float part) : part_(part) {
    in = in_;
    out = out_;
  }

  void allocate(Room&, int) const override {}
  void pack(int, int, bool) override {}

  void forward(Thread& thread, int slot, int, bool training) const override {
    each(thread, slot, training, input(thread, slot), in, output(thread, slot), out);
  }

  void backward(Thread& thread, int slot, int) const override {
    if (!first) each(thread, slot, true, given(thread, slot), out, gradient(thread, slot), in);
  }

 private:
  float part_;  // that becomes zero

  void each(Thread& thread, int slot, bool drops, const Vector* from, const Grid& there, Vector* to,
            const Grid& here) const {
    const float growth = part_ < 1 ? 1 / (1 - part_) : 0.f;
    const auto bound = static_cast<uint32_t>(std::min(4294967295.0, part_ * 4294967296.0));
    BitVector keys;
    for (int lane = 0; lane < kLanes; lane++) {
      keys[lane] = image_key(thread.seed, thread.first + slot * long{kLanes} + lane, index);
    }
    uint32_t number = 0;
    for (int c = 0; c < in.channels; c++) {
      for (int y = 0; y < in.height; y++) {
        const Vector* row = from + there.at(c, y, 0);
        Vector* out_row = to + here.at(c, y, 0);
        for (int x = 0; x < in.width; x++, number++) {
          if (!drops) {
            out_row[x] = row[x];
            continue;
          }
          const BitVector bits = mixed(keys + number * kGolden);
          out_row[x] = bits >= bound ? row[x] * growth : Vector{};
        }
      }
    }
  }
};
