// An activation that follows neither a convolution nor a dense layer.
#pragma once

#include "activations.h"

class Alone final : public Stage {
 public:
  Alone(Grid in_, Grid out_, Activation activation) {
    in = in_;
    out = out_;
    activate_ = choose_rows(activation, Pooling::kNone, 1, 1);
  }

  void furnish(Room& room, int slots) const override {
    room.slope = Buffer<Lanes>(static_cast<std::size_t>(slots) * count());
  }
  void pack(int, int, bool) override {}

  void forward(Thread& thread, int slot, int, bool training) const override {
    for (int c = 0; c < in.channels; c++) {
      for (int y = 0; y < in.height; y++) {
        Lanes* slope = training ? slopes(thread, slot) + (c * in.height + y) * in.width : nullptr;
        activate_({input(thread, slot) + in.at(c, y, 0), 0, 1, 1, in.width,
                   output(thread, slot) + out.at(c, y, 0), slope, 0});
      }
    }
  }

  void backward(Thread& thread, int slot, int) const override {
    if (first) return;
    const Lanes* slope = slopes(thread, slot);
    for (int c = 0; c < in.channels; c++) {
      for (int y = 0; y < in.height; y++) {
        const Lanes* from = given(thread, slot) + out.at(c, y, 0);
        Lanes* to = gradient(thread, slot) + in.at(c, y, 0);
        for (int x = 0; x < in.width; x++) to[x] = from[x] * *slope++;
      }
    }
  }

 private:
  ActivateRows activate_;

  long count() const { return static_cast<long>(in.channels) * in.height * in.width; }
  Lanes* slopes(Thread& thread, int slot) const {
    return thread.rooms[index].slope.get() + slot * count();
  }
};
