// From images in memory to what the first stage takes.
#pragma once

#include "augment.h"
#include "single_image.h"
#include "stage.h"

// Images in memory: bytes of the stored size, or floats as the network sees them.
struct Images {
  const void* memory;
  bool bytes;
  const int64_t* rows;  // which of them, in which order; null for all in their own
};

// How bytes become what the network sees.
struct Scaling {
  int height, width;  // as stored
  int top, left;      // where they lie in what the network sees
  float scale, shift; // byte * scale + shift; around them stands shift
};

// Reads `some` numbers of an image, at most a vector.
template <typename From>
HOLMDEL_INLINE Vector numbers(const char* memory, long at, int some) {
  const From* from = reinterpret_cast<const From*>(memory) + at;
  if (some == kLanes) return load(from);
  From few[kLanes] = {};
  std::memcpy(few, from, some * sizeof(From));
  return load(few);
}

// Where images' numbers go in the first stage's input.
class Loader {
 public:
  Loader(const Grid& in, const Scaling& scaling)
      : in_(in), scaling_(scaling), augmenter_(in.channels, scaling.height, scaling.width) {
    for (int c = 0; c < in.channels; c++) {
      for (int y = 0; y < scaling.height; y++) {
        for (int x = 0; x < scaling.width; x++) {
          byte_places_.push_back(in.at(c, y + scaling.top, x + scaling.left));
        }
      }
      for (int y = 0; y < in.height; y++) {
        for (int x = 0; x < in.width; x++) float_places_.push_back(in.at(c, y, x));
      }
    }
  }

  // Loads `count` images from number `first` on; returns the number of the first that holds
  // something else than finite numbers, or -1. With changes it works in `room`.
  long load(Vector* to, const Images& images, long first, int count, const Augment* augment,
            uint64_t seed, float* room) const {
    const auto& places = images.bytes ? byte_places_ : float_places_;
    const bool changes = augment && augment->count && images.bytes;
    const int size = static_cast<int>(places.size());
    if (images.bytes && places.size() < float_places_.size()) {
      for (int place : float_places_) to[place] = all(scaling_.shift);
    }
    const char* from[kLanes];
    const long width = size * (images.bytes ? 1L : static_cast<long>(sizeof(float)));
    for (int lane = 0; lane < count; lane++) {
      const long row = images.rows ? images.rows[first + lane] : first + lane;
      from[lane] = static_cast<const char*>(images.memory) + row * width;
      if (!changes) continue;
      const Dice dice{image_key(seed, first + lane, kAugmented)};
      from[lane] = reinterpret_cast<const char*>(augmenter_.changed(
          *augment, reinterpret_cast<const uint8_t*>(from[lane]), dice,
          room + lane * augmenter_.room()));
    }
    Vector bad{};  // NaN where an image holds NaN or infinity
    for (int k = 0; k < size; k += kLanes) {
      const int some = std::min(kLanes, size - k);
      Vector block[kLanes];
      for (int lane = 0; lane < count; lane++) {
        if (images.bytes && !changes) {
          block[lane] = numbers<uint8_t>(from[lane], k, some) * scaling_.scale + scaling_.shift;
          continue;
        }
        block[lane] = numbers<float>(from[lane], k, some);
        if (changes) block[lane] = block[lane] * scaling_.scale + scaling_.shift;
      }
      for (int lane = count; lane < kLanes; lane++) block[lane] = Vector{};
      transpose(block);
      for (int i = 0; i < some; i++) {
        bad += block[i] - block[i];
        to[places[k + i]] = block[i];
      }
    }
    for (int lane = 0; lane < count; lane++) {
      if (bad[lane] != 0.f) return first + lane;
    }
    return -1;
  }

  // Floats that `load` works in where it changes images.
  long room() const { return kLanes * augmenter_.room(); }

  // Loads one image, row by row; false if it holds something else than finite numbers.
  bool load_one(SingleImage& single_image, const void* memory, bool bytes) const {
    const Map& map = single_image.input_map();
    const int height = bytes ? scaling_.height : in_.height;
    const int width = bytes ? scaling_.width : in_.width;
    const int top = bytes ? scaling_.top : 0, left = bytes ? scaling_.left : 0;
    if (height < in_.height || width < in_.width) {
      for (int c = 0; c < in_.channels; c++) {
        for (int y = 0; y < in_.height; y++) {
          std::fill_n(single_image.input() + map.at(c, y, 0), in_.width, scaling_.shift);
        }
      }
    }
    const char* from = static_cast<const char*>(memory);
    Vector bad{};
    for (int c = 0; c < in_.channels; c++) {
      for (int y = 0; y < height; y++) {
        const long row = (static_cast<long>(c) * height + y) * width;
        float* place = single_image.input() + map.at(c, y + top, left);
        for (int x = 0; x < width; x += kLanes) {
          const int some = std::min(kLanes, width - x);
          const Vector values =
              bytes ? numbers<uint8_t>(from, row + x, some) * scaling_.scale + scaling_.shift
                    : numbers<float>(from, row + x, some);
          bad += values - values;
          std::memcpy(place + x, &values, some * sizeof(float));
        }
      }
    }
    for (int lane = 0; lane < kLanes; lane++) {
      if (bad[lane] != 0.f) return false;
    }
    return true;
  }

 private:
  static constexpr uint32_t kAugmented = 0x10000;  // dropouts count from 0

  Grid in_;
  Scaling scaling_;
  Augmenter augmenter_;
  std::vector<int> byte_places_, float_places_;  // vectors from the input's start
};
