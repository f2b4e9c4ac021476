// The layers for a single image, one after the other.
#pragma once

#include "layer.h"
#include "pooling.h"
#include "single_image_columns.h"
#include "single_image_places.h"

// A value through a batch norm or an activation; `line` is the norm's scales, then its shifts.
inline float plain_value(const Bundle& bundle, float x, int channel, const float* line) {
  const Layer& layer = bundle.layer;
  const bool norm = layer.kind == kBatchNorm;
  if (norm) x = x * line[channel] + line[layer.in[0] + channel];
  if (layer.curve() != Curve::kNone) {
    Vector one = all(x), value;
    choose_curve(layer.curve())({&one, nullptr, 1, layer.number, &value});
    return value[0];
  }
  float one[kLanes] = {x};
  activate(norm ? bundle.activation : layer.activation(), one, 1);
  return one[0];
}

// A window's values through a batch norm, and what they make: their largest or their mean.
inline float plain_window(const Bundle& bundle, const float* line, const float* from, const Map& in,
                          int c, int y, int x) {
  const bool most = bundle.pooling == Pooling::kMax;
  float found = 0;
  for (int i = 0; i < bundle.window_y; i++) {
    for (int j = 0; j < bundle.window_x; j++) {
      const int row = y * bundle.window_y + i, column = x * bundle.window_x + j;
      const float next = plain_value(bundle, from[in.at(c, row, column)], c, line);
      const bool better = !(i || j) || next > found || next != next;
      found = most ? (better ? next : found) : found + next;
    }
  }
  return most ? found : found * (1.f / (bundle.window_y * bundle.window_x));
}

// Pooling with any windows, a batch norm or an activation that stands alone; seldom met.
inline void run_plain(const Bundle& bundle, const float* line, const float* from, const Map& in,
                      float* to, const Map& out) {
  const Layer& layer = bundle.layer;
  for (int c = 0; c < out.channels; c++) {
    for (int y = 0; y < out.height; y++) {
      for (int x = 0; x < out.width; x++) {
        float& value = to[out.at(c, y, x)];
        if (layer.pooling() == Pooling::kNone) {
          value = plain_window(bundle, line, from, in, c, y, x);
          continue;
        }
        const PoolWindow w = PoolWindow::of(layer, y, x);
        const bool most = layer.pooling() == Pooling::kMax;
        float found = most ? from[in.at(c, w.top, w.left)] : 0.f;
        for (int i = w.top; i < w.bottom; i++) {
          for (int j = w.left; j < w.right; j++) {
            const float next = from[in.at(c, i, j)];
            found = !most ? found + next : next > found || next != next ? next : found;
          }
        }
        value = most ? found : found * (1.f / w.divisor);
      }
    }
  }
}

// The sum of two values, activated.
inline void run_sum(const Bundle& bundle, const float* one, const Map& in, const float* other,
                    const Map& also, float* to, const Map& out) {
  for (int c = 0; c < out.channels; c++) {
    for (int y = 0; y < out.height; y++) {
      for (int x = 0; x < out.width; x++) {
        const float value[kLanes] = {one[in.at(c, y, x)] + other[also.at(c, y, x)]};
        float result[kLanes];
        store(result, activated_by(bundle.activation, load(value)));
        to[out.at(c, y, x)] = result[0];
      }
    }
  }
}

class SingleImage {
 public:
  SingleImage(const std::vector<Bundle>& bundles, const std::vector<Grid>& grids) {
    maps_.push_back(Map::planes(grids[0]));
    for (std::size_t i = 0; i < bundles.size(); i++) {
      const Bundle& bundle = bundles[i];
      const bool learns = bundle.layer.learns();
      layers_.push_back({bundle, nullptr, {}});
      const Map in = maps_[bundle.reads[0]];
      if (learns && SingleImageColumns::fits(bundle, in)) {
        layers_.back().learner = std::make_unique<SingleImageColumns>(bundle, in);
      } else if (learns) {
        layers_.back().learner = std::make_unique<SingleImagePlaces>(bundle, in);
      }
      const Grid& out = grids[i + 1];
      maps_.push_back(learns ? layers_.back().learner->map(out)
                             : Map::side_by_side(out, round_up(out.channels, kHalf)));
    }
    for (const Map& map : maps_) values_.emplace_back(map.size() + 2 * kLanes);
  }

  // Takes weight and bias of layer number `i`, or scales and shifts of a batch norm.
  void pack(std::size_t i, const float* weight, const float* bias) {
    Step& step = layers_[i];
    if (step.learner) step.learner->pack(weight, bias);
    if (step.bundle.layer.kind != kBatchNorm) return;
    step.line.assign(weight, weight + step.bundle.layer.in[0]);
    step.line.insert(step.line.end(), bias, bias + step.bundle.layer.in[0]);
  }

  // Where the image's numbers go, in the order channel, row, column.
  float* input() { return values_[0].get(); }
  const Map& input_map() const { return maps_[0]; }

  void run(float* logits) {
    for (std::size_t i = 0; i < layers_.size(); i++) {
      const Bundle& bundle = layers_[i].bundle;
      const int one = bundle.reads[0], other = bundle.reads[1];
      const float* from = values_[one].get();
      float* to = values_[i + 1].get();
      if (layers_[i].learner) {
        layers_[i].learner->run(from, to, maps_[i + 1]);
      } else if (other >= 0) {
        run_sum(bundle, from, maps_[one], values_[other].get(), maps_[other], to, maps_[i + 1]);
      } else {
        run_plain(bundle, layers_[i].line.data(), from, maps_[one], to, maps_[i + 1]);
      }
    }
    const Map& last = maps_.back();
    for (int c = 0; c < last.channels; c++) {
      for (int y = 0; y < last.height; y++) {
        for (int x = 0; x < last.width; x++) *logits++ = values_.back().get()[last.at(c, y, x)];
      }
    }
  }

 private:
  struct Step {
    Bundle bundle;
    std::unique_ptr<SingleImageLearner> learner;
    std::vector<float> line;
  };
  std::vector<Step> layers_;
  std::vector<Map> maps_;
  std::vector<Buffer<float>> values_;
};
