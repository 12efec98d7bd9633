// Runs every kernel that this processor has on small inputs and compares the results with plain loops (reference.h). It needs no
// TensorFlow, so it runs wherever the kernels compile, an emulator included. Prints the instruction set and a line for each kernel.
#include "checks.h"

namespace ferkit {
namespace {

constexpr float kEpsilon = 1e-3f, kMomentum = 0.1f;

/** Features with batch norm, made from raw values. */
template <class Element>
struct Normed {
  Floats raw;
  Elements<Element> elements;
  Floats norm, gate;
  Activation activation;
  Numbers z;
  Normed(const Extent& extent, Activation activation, bool isGated)
      : raw(TypeOf<Element>::round(randoms(extent.pixels() * extent.channels))),
        elements(raw),
        norm(kNumNormRows * extent.channels),
        activation(activation),
        z(raw.size()) {
    const int64_t channels = extent.channels;
    for (int64_t c = 0; c < channels; ++c) {
      norm[kScale * channels + c] = random(2, 4);
      norm[kShift * channels + c] = random(-1, 3);
      norm[kMean * channels + c] = random(-0.5f, 0.5f);
      norm[kInverseDeviation * channels + c] = random(1, 2);
    }
    if (isGated) gate = randoms(extent.batch * channels, 0.1f, 1);
    for (size_t i = 0; i < raw.size(); ++i)
      z[i] = (double)raw[i] * norm[kScale * channels + i % channels] + norm[kShift * channels + i % channels];
  }
  FeaturesOf<Element> features() const { return {elements.data(), norm.data(), activation, gate.empty() ? nullptr : gate.data()}; }
  /** Expects the gradient of the normalised features and its sums. */
  void expectGradient(const std::string& what, const Floats& gradient, const Floats& sums, const Numbers& expected) const {
    const int64_t channels = (int64_t)norm.size() / kNumNormRows;
    const double tolerance = 1e-4 + 4 * TypeOf<Element>::kRounding;
    expect(what + ", of x", gradient.data(), expected, tolerance);
    Numbers expectedSums(2 * channels);
    for (size_t i = 0; i < expected.size(); ++i) {
      const int64_t c = i % channels;
      expectedSums[c] += expected[i] * (raw[i] - norm[kMean * channels + c]) * norm[kInverseDeviation * channels + c];
      expectedSums[channels + c] += expected[i];
    }
    expect(what + ", sums", sums.data(), expectedSums, tolerance);
  }
};

const char* const kActivations[] = {"linear", "relu6", "swish"};

template <class Element>
void testConvolution(const Geometry& g, bool isDepthwise, Activation activation, bool isGated) {
  typedef TypeOf<Element> Type;
  const auto& [in, out, k, stride, padding] = g;
  const double rounding = 2e-5 + Type::kRounding, manyRoundings = 1e-4 + 4 * Type::kRounding;
  const bool readsImages = !isDepthwise && k > 1;
  const std::string name = Type::kName + std::string(isDepthwise ? "depthwise " : "convolution ") + std::to_string(k) + "x" + std::to_string(k) + "/" +
                           std::to_string(stride) + " " + std::to_string(in.channels) + " -> " + std::to_string(out.channels) + " " +
                           kActivations[activation] + (isGated ? " gated" : "");
  const KernelsOf<Element>& table = Type::kernels();
  const Normed<Element> x(in, activation, isGated);
  FeaturesOf<Element> features = x.features();
  if (readsImages) features.values = reinterpret_cast<const Element*>(x.raw.data());
  const Floats kernel = randoms(k * k * in.channels * (isDepthwise ? 1 : out.channels)), gate = x.gate;
  const int64_t channels = out.channels, length = out.pixels() * channels;
  const Floats gamma = randoms(channels, 0.5f, 2), beta = randoms(channels), movingMean(channels, 0.1f), movingVariance(channels, 1.f);
  Floats norm(kNumNormRows * channels), newMean(channels), newVariance(channels);
  Elements<Element> result(length);
  const BatchNorm batchNorm{gamma.data(),  beta.data(), movingMean.data(), movingVariance.data(), kMomentum,
                            kEpsilon,      norm.data(), newMean.data(),    newVariance.data()};
  (isDepthwise ? table.depthwise : table.convolution)(kPool, g, features, kernel.data(), result.data(), batchNorm);
  const Floats y = result.values();

  const auto normalized = [&](const Numbers& z, const Numbers& weights, Numbers* raw = nullptr, Numbers* statistics = nullptr) {
    const Numbers sums = reference::convolve(
        g, isDepthwise, reference::features(z, activation, exact(gate), in.channels, in.area()), weights);
    if (raw) *raw = sums;
    return reference::normalize(sums, channels, exact(gamma), exact(beta), kEpsilon, statistics);
  };
  Numbers raw, statistics, expectedNorm(kNumNormRows * channels);
  normalized(x.z, exact(kernel), &raw, &statistics);
  for (int64_t c = 0; c < channels; ++c) {
    const double mean = statistics[2 * c], inverse = statistics[2 * c + 1];
    expectedNorm[kScale * channels + c] = gamma[c] * inverse;
    expectedNorm[kShift * channels + c] = beta[c] - mean * gamma[c] * inverse;
    expectedNorm[kMean * channels + c] = mean;
    expectedNorm[kInverseDeviation * channels + c] = inverse;
  }
  expect(name, y.data(), raw, rounding);
  expect(name + ", norm", norm.data(), expectedNorm, manyRoundings);

  const Floats scale = randoms(channels), shift = randoms(channels), residual = Type::round(randoms(length));
  const Elements<Element> added(residual);
  Elements<Element> finished(length);
  // Depthwise convolutions take plain values there, and add nothing.
  const FeaturesOf<Element> plain{x.elements.data(), nullptr, kLinear, nullptr};
  const Finish<Element> finish{scale.data(), shift.data(), activation, isDepthwise ? nullptr : added.data()};
  (isDepthwise ? table.depthwiseInference : table.convolutionInference)(kPool, g, isDepthwise ? plain : features, kernel.data(),
                                                                        finished.data(), finish);
  Numbers expected = isDepthwise ? reference::convolve(g, true, exact(x.raw), exact(kernel)) : raw;
  for (int64_t i = 0; i < length; ++i)
    expected[i] = reference::activate(expected[i] * scale[i % channels] + shift[i % channels], activation) +
                  (isDepthwise ? 0 : residual[i]);
  expect(name + ", inference", finished.values().data(), expected, rounding);

  const Floats dy = randoms(length);
  Floats dGamma(channels), dBeta(channels), dKernel(kernel.size()), dx(x.raw.size()), sums(2 * in.channels);
  for (int64_t i = 0; i < length; ++i) {
    const int64_t c = i % channels;
    dGamma[c] += dy[i] * (y[i] - norm[kMean * channels + c]) * norm[kInverseDeviation * channels + c];
    dBeta[c] += dy[i];
  }
  // Only 1×1 and depthwise convolutions are asked for their input gradient.
  const bool hasInputGradient = isDepthwise || k == 1;
  (isDepthwise ? table.depthwiseGradient : table.convolutionGradient)(
      kPool, g, {dy.data(), result.data(), norm.data(), dGamma.data(), dBeta.data()}, features, kernel.data(), GradientUse{dKernel.data()},
      {hasInputGradient ? dx.data() : nullptr, sums.data(), sums.data() + in.channels});
  const Numbers direction = exact(dy);
  const auto byKernel = [&](const Numbers& weights) { return reference::dot(normalized(x.z, weights), direction); };
  expect(name + ", kernel gradient", dKernel.data(), reference::slopes(exact(kernel), byKernel), manyRoundings);
  if (!hasInputGradient) return;
  if (!isGated) {
    const auto byInput = [&](const Numbers& z) { return reference::dot(normalized(z, exact(kernel)), direction); };
    return x.expectGradient(name + ", gradient", dx, sums, reference::slopes(x.z, byInput));
  }
  const auto byGated = [&](const Numbers& gated) {
    const Numbers result = reference::convolve(g, isDepthwise, gated, exact(kernel));
    return reference::dot(reference::normalize(result, channels, exact(gamma), exact(beta), kEpsilon), direction);
  };
  const Numbers gated = reference::features(x.z, activation, exact(gate), in.channels, in.area());
  expect(name + ", gradient of gated x", dx.data(), reference::slopes(gated, byGated), manyRoundings);
}

template <class Element>
void testPooling(Activation activation) {
  typedef TypeOf<Element> Type;
  const KernelsOf<Element>& table = Type::kernels();
  const Extent extent{3, 3, 2, 21};
  const int64_t channels = extent.channels, area = extent.area(), length = extent.pixels() * channels;
  const Normed<Element> x(extent, activation, false);
  const std::string name = std::string(Type::kName) + kActivations[activation];
  const Numbers active = reference::features(x.z, activation, {}, channels, area);
  const Floats mask{0, 1.25f, 1}, skip = Type::round(randoms(length)), dy = randoms(length), dMeans = randoms(extent.batch * channels);
  const Elements<Element> skipped(skip);
  Elements<Element> y(length);
  Floats means(extent.batch * channels), dx(length), sums(2 * channels);
  const FeaturesGradient gradient{dx.data(), sums.data(), sums.data() + channels};
  Numbers expected(length), expectedMeans(extent.batch * channels);
  for (int64_t i = 0; i < length; ++i) {
    expected[i] = active[i] * mask[i / (area * channels)] + skip[i];
    expectedMeans[i / (area * channels) * channels + i % channels] += active[i] / area;
  }
  table.residual(kPool, extent, x.features(), mask.data(), skipped.data(), y.data());
  expect("residual " + name, y.values().data(), expected, 2e-5 + Type::kRounding);
  table.meanPool(kPool, extent, x.features(), means.data());
  expect("mean pool " + name, means.data(), expectedMeans);
  const auto weighted = [&](const Numbers& z, const auto& weightOf) {
    const Numbers values = reference::features(z, activation, {}, channels, area);
    double sum = 0;
    for (int64_t i = 0; i < length; ++i) sum += values[i] * weightOf(i);
    return sum;
  };
  table.residualGradient(kPool, extent, dy.data(), x.features(), mask.data(), gradient);
  const auto byBranch = [&](int64_t i) { return (double)dy[i] * mask[i / (area * channels)]; };
  x.expectGradient("residual " + name + ", gradient", dx, sums,
                   reference::slopes(x.z, [&](const Numbers& z) { return weighted(z, byBranch); }));
  table.meanPoolGradient(kPool, extent, dMeans.data(), x.features(), gradient);
  const auto byMean = [&](int64_t i) { return (double)dMeans[i / (area * channels) * channels + i % channels] / area; };
  x.expectGradient("mean pool " + name + ", gradient", dx, sums,
                   reference::slopes(x.z, [&](const Numbers& z) { return weighted(z, byMean); }));
}

template <class Element>
void testExcite() {
  const KernelsOf<Element>& table = TypeOf<Element>::kernels();
  const std::string type = TypeOf<Element>::kName;
  const Extent extent{2, 2, 3, 13};
  const int64_t channels = extent.channels, numReduced = 5, length = extent.pixels() * channels;
  Normed<Element> x(extent, kSwish, false);
  const Floats weights[] = {randoms(channels * numReduced), randoms(numReduced), randoms(numReduced * channels), randoms(channels)};
  const ExciteWeights own{numReduced, weights[0].data(), weights[1].data(), weights[2].data(), weights[3].data()};
  Floats means(extent.batch * channels), reduced(extent.batch * numReduced);
  x.gate.resize(extent.batch * channels);
  FeaturesOf<Element> plain = x.features();
  plain.gate = nullptr;
  table.excite(kPool, extent, plain, own, means.data(), reduced.data(), x.gate.data());
  const Numbers exactWeights[] = {exact(weights[0]), exact(weights[1]), exact(weights[2]), exact(weights[3])};
  const auto active = [&](const Numbers& z) { return reference::features(z, kSwish, {}, channels, extent.area()); };
  expect(type + "excite", x.gate.data(), reference::exciteGate(active(x.z), extent.batch, channels, exactWeights));

  const Floats dGated = randoms(length);
  const auto loss = [&](const Numbers& z, const Numbers(&by)[4]) {
    const Numbers gate = reference::exciteGate(active(z), extent.batch, channels, by);
    return reference::dot(reference::features(z, kSwish, gate, channels, extent.area()), exact(dGated));
  };
  Floats found[4], dx(length), sums(2 * channels);
  for (int i = 0; i < 4; ++i) found[i].resize(weights[i].size());
  table.exciteGradient(kPool, extent, dGated.data(), x.features(), own, means.data(), reduced.data(),
                           {{{found[0].data()}, {found[1].data()}, {found[2].data()}, {found[3].data()}}},
                           {dx.data(), sums.data(), sums.data() + channels});
  x.expectGradient(type + "excite, gradient", dx, sums, reference::slopes(x.z, [&](const Numbers& z) { return loss(z, exactWeights); }));
  for (int i = 0; i < 4; ++i) {
    const auto byWeight = [&](const Numbers& changed) {
      Numbers by[] = {exactWeights[0], exactWeights[1], exactWeights[2], exactWeights[3]};
      by[i] = changed;
      return loss(x.z, by);
    };
    expect(type + "excite, gradient of weights " + std::to_string(i), found[i].data(), reference::slopes(exactWeights[i], byWeight), 1e-4);
  }
}

void testAugment(int64_t channels, Border border) {
  const int64_t batch = 2;
  const Floats images = randoms(batch * 9 * 7 * channels, 0, 255), colour{10, 20, 30};
  const Floats transforms{0.9f, 0.2f, -1.3f, -0.1f, 1.1f, 0.7f, -1, 0, 10.5f, 0.3f, 0.8f, -2.1f};
  const Floats light{1.2f, -5, 0.8f, 12}, erased{2, 1, 5, 4, 0, 0, 0, 0};
  const Augmentation augmentation{{batch, 9, 7, channels}, {batch, 11, 11, channels}, border,       colour.data(),
                                  transforms.data(),       light.data(),              erased.data()};
  Floats result(batch * 11 * 11 * channels);
  kernels().augment(kPool, augmentation, images.data(), result.data());
  Numbers expected;
  for (int64_t i = 0; i < batch; ++i) {
    const Numbers one = reference::augment(augmentation, images.data() + i * 9 * 7 * channels, i);
    expected.insert(expected.end(), one.begin(), one.end());
  }
  const char* const names[] = {"colour", "edge", "reflect"};
  expect("augment " + std::to_string(channels) + " channels, " + names[(int)border], result.data(), expected);
}

void testOptimizer(int64_t length) {
  Floats value = randoms(length), first = randoms(length), second = randoms(length, 0, 1), average = randoms(length);
  const Floats gradient = randoms(length);
  Numbers values(length), firsts(length), seconds(length), averages(length);
  for (int64_t i = 0; i < length; ++i) {
    firsts[i] = 0.9f * first[i] + (1 - 0.9f) * gradient[i];
    seconds[i] = 0.99f * second[i] + (1 - 0.99f) * gradient[i] * gradient[i];
    values[i] = value[i] * (1 - 0.01f) - 0.1f * firsts[i] / (std::sqrt(seconds[i]) + 1e-3f);
    averages[i] = average[i] + 0.2f * (values[i] - average[i]);
  }
  kernels().adam(length, value.data(), first.data(), second.data(), gradient.data(), 0.1f, 0.01f, 0.9f, 0.99f, 1e-3f);
  kernels().ema(length, average.data(), value.data(), 0.2f);
  const std::string name = " of " + std::to_string(length) + " numbers";
  expect("Adam, values" + name, value.data(), values);
  expect("Adam, first moments" + name, first.data(), firsts);
  expect("Adam, second moments" + name, second.data(), seconds);
  expect("EMA" + name, average.data(), averages);
}

/** The sum of two bfloat16 numbers is exact in float32, and then rounded: by the same rule on all processors. */
void testRounding() {
  const float tiny = 1.f / 256, huge = std::ldexp(1.9921875f, 127), nothing = std::nanf("");
  Floats branch = TypeOf<Bfloat16>::round(randoms(40, -3, 3)), skip = TypeOf<Bfloat16>::round(randoms(40, -3, 3));
  // Ties, a little more and less than one, numbers beyond the largest, and none.
  for (const auto& [a, b] : {std::pair{1.f, tiny}, {1 + 2 * tiny, tiny}, {-1.f, -tiny}, {1.f, tiny * 1.0078125f}, {1.f, tiny * 0.9921875f},
                             {huge, std::ldexp(1.f, 119)}, {-huge, -huge}, {huge, -huge}, {nothing, 1.f}, {1.f, -nothing}, {0.f, -0.f}}) {
    branch.push_back(a);
    skip.push_back(b);
  }
  const int64_t count = branch.size();
  Floats norm(kNumNormRows * count);
  for (int64_t c = 0; c < count; ++c) norm[kScale * count + c] = 1;
  const Elements<Bfloat16> x(branch), added(skip);
  Elements<Bfloat16> y(count);
  kernelTables().bfloat16.residual(kPool, {1, 1, 1, count}, {x.data(), norm.data(), kLinear, nullptr}, nullptr, added.data(), y.data());
  const Floats found = y.values();
  int64_t numRight = 0;
  for (int64_t i = 0; i < count; ++i) {
    const float expected = toBfloat16(branch[i] + skip[i]);
    numRight += std::isnan(expected) ? std::isnan(found[i]) : found[i] == expected;
  }
  const float share = (float)numRight / count;
  expect("bfloat16 rounding", &share, {1}, 0);
}

template <class Element>
void testLayers() {
  for (const bool isGated : {false, true}) testConvolution<Element>({{2, 2, 3, 24}, {2, 2, 3, 16}, 1, 1, kSame}, false, kSwish, isGated);
  testConvolution<Element>({{2, 3, 4, 19}, {2, 3, 4, 37}, 1, 1, kSame}, false, kRelu6, false);
  testConvolution<Element>({{1, 3, 3, 5}, {1, 3, 3, 2}, 1, 1, kSame}, false, kLinear, false);
  testConvolution<Element>({{2, 7, 5, 3}, {2, 4, 3, 10}, 3, 2, kSame}, false, kLinear, false);
  for (const Activation activation : {kRelu6, kSwish})
    for (const int64_t k : {3, 5}) {
      testConvolution<Element>({{2, 4, 4, 7}, {2, 4, 4, 7}, k, 1, kSame}, true, activation, false);
      testConvolution<Element>({{1, 3, 6, 18}, {1, 3, 6, 18}, k, 1, kSame}, true, activation, false);
      testConvolution<Element>({{1, 6, 7, 9}, {1, 3, 4, 9}, k, 2, kSymmetric}, true, activation, false);
      testConvolution<Element>({{2, 6, 4, 5}, {2, 3, 2, 5}, k, 2, kEven}, true, activation, false);
    }
  testConvolution<Element>({{1, 8, 8, 3}, {1, 8, 8, 3}, 3, 1, kSame}, true, kRelu6, false);
  for (const Activation activation : {kLinear, kRelu6, kSwish}) testPooling<Element>(activation);
  testExcite<Element>();
}

void testKernels() {
  testLayers<float>();
  testLayers<Bfloat16>();
  testRounding();
  for (const int64_t channels : {1, 3})
    for (const Border border : {Border::kColour, Border::kEdge, Border::kReflect}) testAugment(channels, border);
  for (const int64_t length : {1, 3, 16, 37}) testOptimizer(length);
}

}  // namespace
}  // namespace ferkit

int main() {
  using namespace ferkit;
  std::printf("instruction set: %s\n", instructionSet() ? instructionSet() : "none");
  if (!instructionSet()) return 0;  // then no op may run
  testKernels();
  testPlans(*planKernels(false), 2e-5);
  if (hasBfloat16()) testPlans(*planKernels(true), 2e-2);
  std::printf("%d wrong\n", numWrong);
  return numWrong > 0;
}
