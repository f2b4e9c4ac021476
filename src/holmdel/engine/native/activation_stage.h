// An activation that follows neither a convolution nor a dense layer.
#pragma once

#include "activations.h"

class ActivationStage final : public Stage {
 public:
  ActivationStage(Grid in_, Grid out_, Activation activation) {
    in = in_;
    out = out_;
    functions_ = choose_functions(activation, Pooling::kNone, 1, 1);
  }

  void allocate(Room&, int) const override {}
  void pack(int, int, bool) override {}

  void forward(Thread& thread, int slot, int, bool) const override {
    for (int c = 0; c < in.channels; c++) {
      for (int y = 0; y < in.height; y++) {
        functions_.forward({input(thread, slot) + in.at(c, y, 0), 0, 1, 1, in.width,
                            output(thread, slot) + out.at(c, y, 0), nullptr, 0});
      }
    }
  }

  void backward(Thread& thread, int slot, int) const override {
    if (first) return;
    for (int c = 0; c < in.channels; c++) {
      for (int y = 0; y < in.height; y++) {
        functions_.backward({given(thread, slot) + out.at(c, y, 0),
                             output(thread, slot) + out.at(c, y, 0), nullptr, 0, 1, 1, in.width,
                             gradient(thread, slot) + in.at(c, y, 0), 0});
      }
    }
  }

 private:
  RowFunctions functions_;
};
