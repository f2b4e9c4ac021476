// Makes, trains, asks and frees chains, from one thread and from several at once, through the
// engine's C interface. Built with a sanitizer by `make sanitize`; it says nothing where all is well.

#include <cstdio>
#include <thread>

#include "engine.cpp"

namespace {

constexpr int kClasses = 10, kPictures = 77, kSide = 13;

// A convolution with sigmoid and pooling, one with a border and ReLU, a pooling, a dense layer.
std::vector<Layer> layers() {
  return {
      {kConv, {1, kSide, kSide}, {6, 12, 12}, {4, 4}, {1, 1}, {1, 1}, 0},
      {kSigmoidLayer, {6, 12, 12}, {6, 12, 12}, {1, 1}, {1, 1}, {0, 0}, 0},
      {kMaxPool, {6, 12, 12}, {6, 6, 6}, {2, 2}, {2, 2}, {0, 0}, 0},
      {kConv, {6, 6, 6}, {5, 3, 3}, {3, 3}, {2, 2}, {1, 1}, 0},
      {kReluLayer, {5, 3, 3}, {5, 3, 3}, {1, 1}, {1, 1}, {0, 0}, 0},
      {kAvgPool, {5, 3, 3}, {5, 2, 2}, {2, 2}, {1, 1}, {0, 0}, 0},
      {kLinear, {5, 2, 2}, {kClasses, 1, 1}, {1, 1}, {1, 1}, {0, 0}, 0},
  };
}

const std::vector<std::size_t> kSizes = {6 * 16, 6, 5 * 6 * 9, 5, kClasses * 20, kClasses};

struct Numbers {
  std::vector<std::vector<float>> parts;
  std::vector<float*> starts;

  explicit Numbers(float scale) {
    for (std::size_t size : kSizes) {
      parts.emplace_back(size);
      for (std::size_t i = 0; i < size; i++) parts.back()[i] = scale * ((i * 37 + size) % 19 - 9.f);
    }
    for (auto& part : parts) starts.push_back(part.data());
  }
};

// Returns the loss after some steps; what is wrong ends the program.
double train(int threads, int turns) {
  const auto described = layers();
  const Scaling scaling{kSide, kSide, 0, 0, 1 / 255.f, 0};
  void* chain = holmdel_create(described.data(), static_cast<int>(described.size()), &scaling, 2);
  Numbers weights(0.02f), gradients(0), velocities(0);
  std::vector<uint8_t> images(kPictures * kSide * kSide);
  std::vector<int64_t> labels(kPictures), rows(kPictures);
  for (std::size_t i = 0; i < images.size(); i++) images[i] = static_cast<uint8_t>(i * 7 + i / 5);
  for (int i = 0; i < kPictures; i++) labels[i] = i * 3 % kClasses, rows[i] = i * 5 % kPictures;
  const std::vector<Step> steps(kSizes.size(), {0.1f, 0.9f, 0.001f, 1});
  const Images given{images.data(), true, rows.data()}, all{images.data(), true, nullptr};
  std::vector<float> logits(kPictures * kClasses);
  double loss = 0;
  for (int turn = 0; turn < turns; turn++) {
    int64_t correct;
    long where;
    if (holmdel_learn(chain, &given, labels.data(), kPictures, threads, 0.1f, weights.starts.data(),
                      gradients.starts.data(), steps.data(), velocities.starts.data(), &loss,
                      &correct, &where)) {
      std::abort();
    }
    holmdel_keep(chain, weights.starts.data(), threads);
    if (holmdel_answer(chain, &all, kPictures, threads, logits.data(), &where)) std::abort();
    if (holmdel_answer_one(chain, images.data(), 1, logits.data())) std::abort();
    labels[5] = kClasses;  // a label out of range is found before anything is done
    if (holmdel_learn(chain, &all, labels.data(), kPictures, threads, 0, weights.starts.data(),
                      gradients.starts.data(), nullptr, nullptr, &loss, &correct, &where) !=
            kBadLabel ||
        where != 5) {
      std::abort();
    }
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
