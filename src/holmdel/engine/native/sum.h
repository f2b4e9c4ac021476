// The sum of two values with its activation: where a way around some layers ends.
#pragma once

#include "activations.h"

class Sum final : public Stage {
 public:
  Sum(Grid in_, Grid out_, Activation activation) {
    in = in_;
    out = out_;
    functions_ = choose_functions(activation, Pooling::kNone, 1, 1);
  }

  void allocate(Room&, int) const override {}
  long scratch() const override { return in.width; }
  void pack(int, int, bool) override {}

  void forward(Thread& thread, int slot, int, bool) const override {
    const Vector *one = input(thread, slot), *other = also_input(thread, slot);
    Vector* sums = thread.scratch.get();
    for (int c = 0; c < in.channels; c++) {
      for (int y = 0; y < in.height; y++) {
        const int at = in.at(c, y, 0);
        for (int x = 0; x < in.width; x++) sums[x] = one[at + x] + other[at + x];
        functions_.forward({sums, 0, 1, 1, in.width, output(thread, slot) + out.at(c, y, 0),
                            nullptr, 0});
      }
    }
  }

  // The gradient by either of the two.
  void backward(Thread& thread, int slot, int) const override {
    if (first) return;
    for (int c = 0; c < in.channels; c++) {
      for (int y = 0; y < in.height; y++) {
        const int at = out.at(c, y, 0);
        functions_.backward({given(thread, slot) + at, output(thread, slot) + at, nullptr, 0, 1, 1,
                             in.width, gradient(thread, slot) + in.at(c, y, 0), 0});
      }
    }
  }

 private:
  RowFunctions functions_;

  // Both rooms lie alike.
  const Vector* also_input(Thread& thread, int slot) const {
    return thread.rooms[also_reads].input.get() + static_cast<long>(slot) * in.size();
  }
};
