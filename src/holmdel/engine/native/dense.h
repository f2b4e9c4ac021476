// A dense layer with its activation; it takes all slots at once, a slot beside the other in a tile.
#pragma once

#include "activations.h"
#include "tiles.h"

class Dense final : public Stage {
 public:
  Dense(Grid in_, Grid out_, Activation activation, int slots) {
    in = in_;
    out = out_;
    together = true;
    plain = activation == Activation::kNone;
    inputs_ = in.channels * in.height * in.width;
    outputs_ = out.channels * out.height * out.width;
    functions_ = choose_functions(activation, Pooling::kNone, 1, 1);
    int most = kMostOutputs;
    while (!fits(most, slots)) most--;
    output_parts_ = split(outputs_, most);
    input_parts_ = split(inputs_, most);
    kept_inputs_ = round_up(inputs_, kLanes);
    kept_outputs_ = round_up(outputs_, kLanes);
    weight_tiles_ = choose_tiles(outputs_, kept_inputs_ / kLanes);
    for (int i = 0; i < std::max(inputs_, outputs_); i++) {
      places_.push_back(static_cast<int32_t>(i * sizeof(Vector)));
    }
    for (int i = 0; i < kKept; i++) {
      image_places_.push_back(static_cast<int32_t>(i * kept_inputs_ * sizeof(float)));
    }
    const long count = static_cast<long>(inputs_) * outputs_;
    packed_ = Buffer<float>(count);
    turned_ = Buffer<float>(count);
    bias_ = Buffer<float>(outputs_);
    parameters.weight_count = count;
    parameters.bias_count = outputs_;
  }

  void allocate(Room& room, int) const override {
    room.deltas = Buffer<Vector>(static_cast<std::size_t>(kMostSlots) * outputs_);
    room.weights = Buffer<Vector>(static_cast<std::size_t>(outputs_) * kept_inputs_ / kLanes);
    room.biases = Buffer<Vector>(outputs_);
    room.kept_inputs = Buffer<float>(static_cast<std::size_t>(kKept) * kept_inputs_);
    room.kept_deltas = Buffer<float>(static_cast<std::size_t>(kKept) * kept_outputs_);
  }

  void begin(Thread& thread) const override {
    Room& room = thread.rooms[index];
    std::memset(room.weights.get(), 0, static_cast<long>(outputs_) * kept_inputs_ * sizeof(float));
    std::memset(room.biases.get(), 0, outputs_ * sizeof(Vector));
    room.kept_images = 0;
  }

  void end(Thread& thread) const override {
    settle(thread);
    const Room& room = thread.rooms[index];
    float* weight = thread.gradient.get() + parameters.weight_at;
    for (int o = 0; o < outputs_; o++) {
      const Vector* row = room.weights.get() + static_cast<long>(o) * kept_inputs_ / kLanes;
      std::memcpy(weight + static_cast<long>(o) * inputs_, row, inputs_ * sizeof(float));
    }
    float* bias = thread.gradient.get() + parameters.bias_at;
    for (int o = 0; o < outputs_; o++) bias[o] = bias_learns() ? sum(room.biases.get()[o]) : 0;
  }

  void pack(int part, int parts, bool training) override {
    if (part == 0 && parameters.bias) std::copy_n(parameters.bias, outputs_, bias_.get());
    for (std::size_t i = part; i < output_parts_.size(); i += parts) {
      const Part& some = output_parts_[i];
      float* to = packed_.get() + static_cast<long>(some.first) * inputs_;
      for (int k = 0; k < inputs_; k++) {
        for (int q = 0; q < some.count; q++) {
          *to++ = parameters.weight[static_cast<long>(some.first + q) * inputs_ + k];
        }
      }
    }
    if (!training || first) return;
    for (std::size_t i = part; i < input_parts_.size(); i += parts) {
      const Part& some = input_parts_[i];
      float* to = turned_.get() + static_cast<long>(some.first) * outputs_;
      for (int o = 0; o < outputs_; o++) {
        const float* from = parameters.weight + static_cast<long>(o) * inputs_ + some.first;
        for (int q = 0; q < some.count; q++) *to++ = from[q];
      }
    }
  }

  void forward(Thread& thread, int slot, int slots, bool) const override {
    Vector* to = output(thread, slot);
    for (const Part& some : output_parts_) {
      correlate_tile(some.count, slots, false, false)(
          {packed_.get() + static_cast<long>(some.first) * inputs_, some.count,
           input(thread, slot), places_.data(), inputs_, in.size(),
           bias_.get() + some.first, to + some.first, 1, out.size()});
    }
    for (int i = 0; i < slots; i++) {
      Vector* row = to + static_cast<long>(i) * out.size();
      functions_.forward({row, 0, 1, 1, outputs_, row, nullptr, 0});
    }
  }

  void backward(Thread& thread, int slot, int slots) const override {
    Room& room = thread.rooms[index];
    if (room.kept_images + slots * kLanes > kKept) settle(thread);
    for (int i = 0; i < slots; i++) {
      Vector* deltas = room.deltas.get() + static_cast<long>(i) * outputs_;
      functions_.backward({given(thread, slot + i), output(thread, slot + i), nullptr, 0, 1, 1,
                           outputs_, deltas, 0});
      for (int o = 0; o < outputs_; o++) room.biases.get()[o] += deltas[o];
      const long image = room.kept_images;
      keep(deltas, outputs_, room.kept_deltas.get() + image * kept_outputs_, kept_outputs_);
      keep(input(thread, slot + i), inputs_, room.kept_inputs.get() + image * kept_inputs_,
           kept_inputs_);
      room.kept_images += kLanes;
    }
    if (first) return;
    for (const Part& some : input_parts_) {
      correlate_tile(some.count, slots, false, false)(
          {turned_.get() + static_cast<long>(some.first) * outputs_, some.count, room.deltas.get(),
           places_.data(), outputs_, outputs_, nullptr,
           gradient(thread, slot) + some.first, 1, in.size()});
    }
  }

  // Adds to the sums what is kept of images.
  void settle(Thread& thread) const {
    Room& room = thread.rooms[index];
    const int row = kept_inputs_ / kLanes;
    for (const Part& along : weight_tiles_.along) {
      for (const Part& some : weight_tiles_.outputs) {
        correlate_tile(some.count, along.count, true, true)(
            {room.kept_deltas.get() + some.first, kept_outputs_,
             reinterpret_cast<Vector*>(room.kept_inputs.get()) + along.first, image_places_.data(),
             room.kept_images, 1, nullptr,
             room.weights.get() + static_cast<long>(some.first) * row + along.first, row, 1});
      }
    }
    room.kept_images = 0;
  }

 private:
  int inputs_, outputs_, kept_inputs_, kept_outputs_;
  RowFunctions functions_;
  std::vector<Part> output_parts_, input_parts_;
  Tiles weight_tiles_;
  std::vector<int32_t> places_, image_places_;  // bytes, for the taps of `correlate`
  Buffer<float> packed_, turned_, bias_;

  // Writes a slot's numbers (count, kLanes) as one row an image (kLanes, row).
  static void keep(const Vector* from, int count, float* to, int row) {
    for (int k = 0; k < count; k += kLanes) {
      Vector block[kLanes];
      for (int i = 0; i < kLanes; i++) block[i] = k + i < count ? from[k + i] : Vector{};
      transpose(block);
      for (int lane = 0; lane < kLanes; lane++) {
        *reinterpret_cast<Vector*>(to + static_cast<long>(lane) * row + k) = block[lane];
      }
    }
  }
};
