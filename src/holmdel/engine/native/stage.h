// What the stages of a chain share: where an image's numbers lie, and a thread's buffers.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <vector>

#include "vector.h"

constexpr int round_up(int count, int unit) { return (count + unit - 1) / unit * unit; }

// Where channel, row and column lie in a buffer of Vector, with a border of zeros for padding.
struct Grid {
  int channels = 0, height = 0, width = 0;
  int border_y = 0, border_x = 0;
  bool flat = false;  // channel follows channel without a gap, as a dense layer reads them

  int row() const { return width + 2 * border_x; }
  // An odd number of vectors from channel to channel: neighbours then lie in different cache sets.
  int plane() const {
    const int size = (height + 2 * border_y) * row();
    return flat ? size : size | 1;
  }
  int size() const { return (channels * plane() + 2) | 1; }
  int at(int channel, int y, int x) const {
    return channel * plane() + (y + border_y) * row() + x + border_x;
  }
};

struct FreeAligned {
  void operator()(void* memory) const { std::free(memory); }
};

// Zeroed memory at a cache line's start.
template <typename T>
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(std::size_t count) {
    const std::size_t bytes = (count * sizeof(T) + 63) / 64 * 64 + 64;
    void* memory = std::aligned_alloc(64, bytes);
    if (!memory) throw std::bad_alloc();
    std::memset(memory, 0, bytes);
    memory_.reset(static_cast<T*>(memory));
  }
  T* get() const { return memory_.get(); }

 private:
  std::unique_ptr<T, FreeAligned> memory_;
};

// What a thread keeps for a stage. A slot holds kLanes images.
struct Room {
  Buffer<Vector> input;    // slots x grid: what comes into the stage
  Buffer<Vector> kept;     // slots x what pooling keeps for backward
  Buffer<Vector> deltas;   // d loss / d sums; one slot where a stage works slot by slot
  Buffer<Vector> gradient; // d loss / d input; likewise
  Buffer<Vector> weights;  // the sum of the gradients of a convolution's weights, an image a lane
  Buffer<Vector> biases;
  Buffer<float> kept_inputs;  // images x inputs of a dense layer, for its weights' gradient
  Buffer<float> kept_deltas;  // images x outputs of it
  int kept_images = 0;        // how many there are in both
  Buffer<Vector> channel_sums;     // of a batch norm: two sums a channel, over this thread's images
  Buffer<double> channel_moments;  // likewise, the lanes added up: what other threads read
  Buffer<float> channel_lines;     // what each channel's numbers are multiplied with, and plus
};

constexpr int kMostSlots = 4;  // that are done at a time
constexpr int kKept = 256;  // images of which a dense layer keeps inputs and gradients

// A thread's buffers, one room a stage and one more for the logits.
struct Thread {
  std::vector<Room> rooms;
  Buffer<Vector> scratch;
  Buffer<float> gradient;  // of all parameters, one after the other
  Buffer<float> changed;   // a slot's images, where they are changed on their way in
  double loss = 0;
  int64_t correct = 0;
  double squares = 0;      // of its share of the gradients
  long bad_image = -1;     // the first that holds something else than finite numbers
  int slots = 0;           // how many the rooms hold
  long first = 0, last = 0;  // images of the batch that the slots hold, from slot 0 on
  uint64_t seed = 0;       // of the batch's random numbers

  // How many images slot number `slot` holds.
  int images(int slot) const {
    return static_cast<int>(std::clamp<long>(last - first - slot * long{kLanes}, 0, kLanes));
  }
};

enum class Activation : int32_t { kNone, kSigmoid, kTanh, kRelu };
enum class Pooling : int32_t { kNone, kAverage, kMax };

// A layer's parameters, and where their gradients lie in Thread::gradient.
struct Parameters {
  const float* weight = nullptr;
  const float* bias = nullptr;
  float* running[2] = {};      // a batch norm's mean and variance
  const float* norm[4] = {};   // weight, bias, mean and variance of one that is to be folded in
  bool folds = false;          // whether there is such a one
  float epsilon = 0;           // added to the variance
  bool runs = false;           // whether these are a batch norm's
  long weight_count = 0, bias_count = 0;
  long weight_at = 0, bias_at = 0;

  // Calls act(pointer, count) for all that Python gives, in its order.
  template <typename Act>
  void each(Act&& act) {
    act(weight, weight_count);
    act(bias, bias_count);
    for (int i = 0; i < (runs ? 2 : 0); i++) act(running[i], bias_count);
    for (int i = 0; i < (folds ? 4 : 0); i++) act(norm[i], bias_count);
  }
  int values() const { return !weight_count ? 0 : runs ? 4 : folds ? 6 : 2; }
};

// One step of the chain. `index` is its place: it writes into rooms[index + 1], and reads a room
// before that, mostly rooms[index]. All else in rooms[index] is its own.
class Stage {
 public:
  virtual ~Stage() = default;
  Grid in, out;    // of the rooms that it reads and writes
  int index = 0;
  int reads = 0, also_reads = -1;  // rooms; a sum reads two
  bool first = false;  // nothing before it learns: no gradient by the input
  bool together = false;  // takes all slots at once; else one by one
  bool gradient_slots = false;  // whether its input's gradient has a place for every slot
  bool batchwise = false;  // needs the sums over a whole batch before its own turn
  bool plain = false;  // gives sums as they are, without activation and pooling
  Parameters parameters;
  const Stage* next = nullptr;  // the first that reads what it gives
  std::vector<const Stage*> later;  // the others that read what it reads itself, where it is the first
  bool shared = false;              // whether several read what it gives

  Vector* input(Thread& thread, int slot) const {
    return thread.rooms[reads].input.get() + static_cast<long>(slot) * in.size();
  }
  Vector* output(Thread& thread, int slot) const {
    return thread.rooms[index + 1].input.get() + static_cast<long>(slot) * out.size();
  }
  Vector* gradient(Thread& thread, int slot) const {
    return thread.rooms[index].gradient.get() + (gradient_slots ? slot : 0L) * in.size();
  }
  // The gradient by what the stage gives, which the next one wrote.
  const Vector* given(Thread& thread, int slot) const { return next->gradient(thread, slot); }

  // Whether a bias has a gradient: a batch norm takes away what all images have in common.
  bool bias_learns() const { return parameters.bias && !(plain && next->batchwise && !shared); }

  // The way back through some slots; with what the later readers of its input wrote.
  void go_back(Thread& thread, int slot, int slots) const {
    backward(thread, slot, slots);
    for (int i = 0; !first && i < slots; i++) {
      for (const Stage* other : later) add_gradient(thread, slot + i, *other);
    }
  }

  // Takes the buffers of a stage, besides its input and its gradient.
  virtual void allocate(Room& room, int slots) const = 0;
  virtual long scratch() const { return 0; }
  // Takes a batch norm that is to be folded in into weights and biases of its own.
  void fold();
  // Brings the weights into the order in which they are read; part of parts.
  virtual void pack(int part, int parts, bool training) = 0;
  virtual void forward(Thread& thread, int slot, int slots, bool training) const = 0;
  virtual void backward(Thread& thread, int slot, int slots) const = 0;
  virtual void begin(Thread&) const {}  // zeroes the sums
  virtual void end(Thread&) const {}    // leaves the sums in Thread::gradient

 private:
  Buffer<float> folded_;  // weights, then biases

  void add_gradient(Thread& thread, int slot, const Stage& other) const {
    Vector* to = gradient(thread, slot);
    const Vector* more = other.gradient(thread, slot);
    for (int c = 0; c < in.channels; c++) {
      for (int y = 0; y < in.height; y++) {
        const int at = in.at(c, y, 0);
        for (int x = 0; x < in.width; x++) to[at + x] += more[at + x];
      }
    }
  }
};

inline void Stage::fold() {
  Parameters& p = parameters;
  if (!p.folds) return;
  const long outputs = p.bias_count, inputs = p.weight_count / outputs;
  if (!folded_.get()) folded_ = Buffer<float>(p.weight_count + outputs);
  float *weight = folded_.get(), *bias = folded_.get() + p.weight_count;
  for (long o = 0; o < outputs; o++) {
    const float scale = (p.norm[0] ? p.norm[0][o] : 1.f) / std::sqrt(p.norm[3][o] + p.epsilon);
    for (long i = 0; i < inputs; i++) weight[o * inputs + i] = p.weight[o * inputs + i] * scale;
    bias[o] = ((p.bias ? p.bias[o] : 0.f) - p.norm[2][o]) * scale + (p.norm[1] ? p.norm[1][o] : 0.f);
  }
  p.weight = weight;
  p.bias = bias;
}

// What comes after the last stage: the logits and their gradient.
class End final : public Stage {
 public:
  void allocate(Room&, int) const override {}
  void pack(int, int, bool) override {}
  void forward(Thread&, int, int, bool) const override {}
  void backward(Thread&, int, int) const override {}
};
