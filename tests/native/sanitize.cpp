// Makes, trains, asks and frees chains, from one thread and from several at once, through the
// engine's C interface. Built with a sanitizer by `make sanitize`; it says nothing where all is well.

#include <cstdio>
#include <thread>

#include "engine.cpp"

namespace {

constexpr int kClasses = 10, kPictures = 77, kSide = 13;

// A convolution with batch norm, sigmoid and pooling, a SiLU and a way around it, one in groups with
// a border and ReLU, a pooling, a dropout, a dense layer with batch norm and GELU, another.
std::vector<Layer> layers() {
  std::vector<Layer> found = {
      {kConv, {1, kSide, kSide}, {6, 12, 12}, {4, 4}, {1, 1}, {1, 1}, 0, 0, 0, 0},
      {kBatchNorm, {6, 12, 12}, {6, 12, 12}, {1, 1}, {1, 1}, {0, 0}, 0, 0, 1e-5f, 0.1f},
      {kSigmoidLayer, {6, 12, 12}, {6, 12, 12}, {1, 1}, {1, 1}, {0, 0}, 0, 0, 0, 0},
      {kMaxPool, {6, 12, 12}, {6, 6, 6}, {2, 2}, {2, 2}, {0, 0}, 0, 0, 0, 0},
      {kSiluLayer, {6, 6, 6}, {6, 6, 6}, {1, 1}, {1, 1}, {0, 0}, 0, 0, 0, 0},
      {kSum, {6, 6, 6}, {6, 6, 6}, {1, 1}, {1, 1}, {0, 0}, 0, 0, 0, 0},
      {kConv, {6, 6, 6}, {6, 3, 3}, {3, 3}, {2, 2}, {2, 2}, 0, 0, 0, 0, {}, {2, 2}, 3},
      {kReluLayer, {6, 3, 3}, {6, 3, 3}, {1, 1}, {1, 1}, {0, 0}, 0, 0, 0, 0},
      {kAdaptivePool, {6, 3, 3}, {6, 2, 2}, {1, 1}, {1, 1}, {0, 0}, 0, 0, 0, 0},
      {kDropout, {6, 2, 2}, {6, 2, 2}, {1, 1}, {1, 1}, {0, 0}, 0, 0, 0.3f, 0},
      {kLinear, {6, 2, 2}, {9, 1, 1}, {1, 1}, {1, 1}, {0, 0}, 0, 0, 0, 0},
      {kBatchNorm, {9, 1, 1}, {9, 1, 1}, {1, 1}, {1, 1}, {0, 0}, 0, 0, 1e-5f, 0.1f},
      {kGeluLayer, {9, 1, 1}, {9, 1, 1}, {1, 1}, {1, 1}, {0, 0}, 0, 0, 0, 0},
      {kLinear, {9, 1, 1}, {kClasses, 1, 1}, {1, 1}, {1, 1}, {0, 0}, 0, 0, 0, 0},
  };
  for (int i = 0; i < static_cast<int>(found.size()); i++) {
    found[i].reads[0] = i;
    found[i].reads[1] = found[i].kind == kSum ? i - 1 : -1;
  }
  return found;
}

// The second and the fourth are batch norms: weight, bias, running mean and variance.
const std::vector<std::size_t> kSizes = {6 * 16, 6, 6, 6,           6, 6, 6 * 2 * 9, 6,
                                         9 * 24, 9, 9, 9, 9, 9, kClasses * 9, kClasses};
const std::vector<std::size_t> kVariances = {5, 13};

struct Numbers {
  std::vector<std::vector<float>> parts;
  std::vector<float*> starts;

  explicit Numbers(float scale) {
    for (std::size_t size : kSizes) {
      parts.emplace_back(size);
      for (std::size_t i = 0; i < size; i++) parts.back()[i] = scale * ((i * 37 + size) % 19 - 9.f);
    }
    for (std::size_t i : kVariances) parts[i].assign(parts[i].size(), 1.f);
    for (auto& part : parts) starts.push_back(part.data());
  }
};

// Returns the loss after some steps; what is wrong ends the program.
double train(int threads, int turns) {
  const auto described = layers();
  const Scaling scaling{kSide, kSide, 0, 0, 1 / 255.f, 0};
  Fault fault;
  void* chain =
      holmdel_create(described.data(), static_cast<int>(described.size()), &scaling, 2, &fault);
  if (!chain) std::abort();
  Numbers weights(0.02f), gradients(0), velocities(0), squares(0);
  std::vector<uint8_t> images(kPictures * kSide * kSide);
  std::vector<int64_t> labels(kPictures), rows(kPictures);
  for (std::size_t i = 0; i < images.size(); i++) images[i] = static_cast<uint8_t>(i * 7 + i / 5);
  for (int i = 0; i < kPictures; i++) labels[i] = i * 3 % kClasses, rows[i] = i * 5 % kPictures;
  std::vector<Step> steps(kSizes.size(), {kSgd, 0.1f, 0.9f, 0.001f, 1, 0, 0, 0, 0});
  steps[0] = {kAdamW, 0.01f, 0.9f, 0.01f, 0, 0.999f, 1e-8f, 0.1f, 0.03f};
  const Images given{images.data(), true, rows.data()}, all{images.data(), true, nullptr};
  std::vector<float> logits(kPictures * kClasses);
  Task task{given, labels.data(), kPictures, threads, 5, weights.starts.data(),
            gradients.starts.data(), steps.data(), velocities.starts.data(), squares.starts.data(),
            0.1f, 0.5f, {4, {kFlip, kShift, kAffine, kElastic}, 0.2f, 0.1f, 0.2f, 1, 2}};
  Learned learned{};
  double loss = 0;
  for (int turn = 0; turn < turns; turn++) {
    task.images = given;
    if (holmdel_learn(chain, &task, &learned)) std::abort();
    loss = learned.loss;
    long where;
    holmdel_keep(chain, weights.starts.data(), threads);
    if (holmdel_answer(chain, &all, kPictures, threads, logits.data(), &where)) std::abort();
    if (holmdel_answer_one(chain, images.data(), 1, logits.data())) std::abort();
    labels[5] = kClasses;  // a label out of range is found before anything is done
    task.images = all;
    if (holmdel_learn(chain, &task, &learned) != kBadLabel || learned.where != 5) std::abort();
    labels[5] = 5;
  }
  holmdel_free(chain);
  return loss;
}

}  // namespace

int main() {
  const double truth = train(2, 6);
  std::vector<double> losses(3);
  std::vector<std::thread> callers;
  for (double& loss : losses) callers.emplace_back([&] { loss = train(2, 6); });
  for (auto& caller : callers) caller.join();
  for (int threads : {1, 5, 3, 4, 2}) losses.push_back(train(threads, 6));
  losses.erase(losses.begin() + 3, losses.end() - 1);
  for (double loss : losses) {
    if (loss != truth) {
      std::printf("the same calls gave %.9g and %.9g\n", truth, loss);
      return 1;
    }
  }
  return 0;
}
