// What kernels compute, as plain loops in double precision, from the definitions alone: no vectors, no tiles, no shared code.
#pragma once
#include <cmath>
#include <cstdint>
#include <functional>
#include <vector>

#include "../../native/kernels.h"

namespace reference {

using ferkit::Geometry;
typedef std::vector<double> Numbers;

inline double activate(double x, ferkit::Activation activation) {
  if (activation == ferkit::kRelu6) return x < 0 ? 0 : x > 6 ? 6 : x;
  return activation == ferkit::kSwish ? x / (1 + std::exp(-x)) : x;
}

inline int64_t zerosBefore(int64_t in, int64_t out, const Geometry& g) {
  if (g.padding == ferkit::kSymmetric) return (g.kernelSize - 1) / 2;
  if (g.padding == ferkit::kEven) return (g.kernelSize - g.stride) / 2;
  const int64_t total = (out - 1) * g.stride + g.kernelSize - in;
  return total > 0 ? total / 2 : 0;
}

/** Convolves x; a depthwise kernel is [k, k, channels], any other [k, k, in, out]. */
inline Numbers convolve(const Geometry& g, bool isDepthwise, const Numbers& x, const Numbers& kernel) {
  const auto& [in, out, k, stride, padding] = g;
  const int64_t top = zerosBefore(in.height, out.height, g), left = zerosBefore(in.width, out.width, g);
  Numbers y(out.pixels() * out.channels);
  for (int64_t n = 0; n < out.batch; ++n)
    for (int64_t row = 0; row < out.height; ++row)
      for (int64_t column = 0; column < out.width; ++column)
        for (int64_t c = 0; c < out.channels; ++c) {
          double sum = 0;
          for (int64_t ky = 0; ky < k; ++ky)
            for (int64_t kx = 0; kx < k; ++kx) {
              const int64_t fromY = row * stride - top + ky, fromX = column * stride - left + kx;
              if (fromY < 0 || fromY >= in.height || fromX < 0 || fromX >= in.width) continue;
              const double* pixel = &x[((n * in.height + fromY) * in.width + fromX) * in.channels];
              if (isDepthwise)
                sum += pixel[c] * kernel[(ky * k + kx) * in.channels + c];
              else
                for (int64_t i = 0; i < in.channels; ++i) sum += pixel[i] * kernel[((ky * k + kx) * in.channels + i) * out.channels + c];
            }
          y[((n * out.height + row) * out.width + column) * out.channels + c] = sum;
        }
  return y;
}

/** Normalises by the batch's statistics: [mean, inverse deviation] of each channel go to `statistics`. */
inline Numbers normalize(const Numbers& y, int64_t channels, const Numbers& gamma, const Numbers& beta, double epsilon,
                         Numbers* statistics = nullptr) {
  const int64_t numPixels = (int64_t)y.size() / channels;
  Numbers result(y.size());
  if (statistics) statistics->clear();
  for (int64_t c = 0; c < channels; ++c) {
    double mean = 0, variance = 0;
    for (int64_t i = 0; i < numPixels; ++i) mean += y[i * channels + c] / numPixels;
    for (int64_t i = 0; i < numPixels; ++i) variance += std::pow(y[i * channels + c] - mean, 2) / numPixels;
    const double inverse = 1 / std::sqrt(variance + epsilon);
    for (int64_t i = 0; i < numPixels; ++i)
      result[i * channels + c] = (y[i * channels + c] - mean) * inverse * gamma[c] + beta[c];
    if (statistics) statistics->insert(statistics->end(), {mean, inverse});
  }
  return result;
}

/** Features as kernels read them: norm, activation, then the gate of an image's channel; `gate` may be empty. */
inline Numbers features(const Numbers& z, ferkit::Activation activation, const Numbers& gate, int64_t channels, int64_t area) {
  Numbers result(z.size());
  for (size_t i = 0; i < z.size(); ++i) {
    const double factor = gate.empty() ? 1 : gate[i / (area * channels) * channels + i % channels];
    result[i] = activate(z[i], activation) * factor;
  }
  return result;
}

/** Returns the slope of a function by each of `numbers`, from central differences. */
inline Numbers slopes(Numbers numbers, const std::function<double(const Numbers&)>& of) {
  const double step = 1e-5;
  Numbers result(numbers.size());
  for (size_t i = 0; i < numbers.size(); ++i) {
    const double was = numbers[i];
    numbers[i] = was + step;
    const double above = of(numbers);
    numbers[i] = was - step;
    result[i] = (above - of(numbers)) / (2 * step);
    numbers[i] = was;
  }
  return result;
}

inline double dot(const Numbers& a, const Numbers& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

/** Means over an image, two dense layers, and the gate: [batch, channels]. Weights as in ferkit::ExciteWeights. */
inline Numbers exciteGate(const Numbers& x, int64_t batch, int64_t channels, const Numbers (&weights)[4]) {
  const int64_t area = (int64_t)x.size() / (batch * channels), numReduced = (int64_t)weights[1].size();
  Numbers gate(batch * channels);
  for (int64_t n = 0; n < batch; ++n) {
    Numbers mean(channels), hidden = weights[1];
    for (int64_t i = 0; i < area * channels; ++i) mean[i % channels] += x[n * area * channels + i] / area;
    for (int64_t c = 0; c < channels; ++c)
      for (int64_t r = 0; r < numReduced; ++r) hidden[r] += mean[c] * weights[0][c * numReduced + r];
    for (int64_t c = 0; c < channels; ++c) {
      double sum = weights[3][c];
      for (int64_t r = 0; r < numReduced; ++r) sum += activate(hidden[r], ferkit::kSwish) * weights[2][r * channels + c];
      gate[n * channels + c] = 1 / (1 + std::exp(-sum));
    }
  }
  return gate;
}

/** One image, resized by half-pixel bilinear interpolation, moved by a transform within its border, relit and erased. */
inline Numbers augment(const ferkit::Augmentation& a, const float* image, int64_t index) {
  const int64_t channels = a.in.channels, height = a.out.height, width = a.out.width;
  const auto blend = [](double from, double to, double share) { return from + (to - from) * share; };
  const auto resized = [&](int64_t y, int64_t x, int64_t c) {
    const double fromY = (y + 0.5) * a.in.height / height - 0.5, fromX = (x + 0.5) * a.in.width / width - 0.5;
    const auto at = [&](double row, double column) {
      const int64_t r = std::min<int64_t>(std::max(row, 0.0), a.in.height - 1), q = std::min<int64_t>(std::max(column, 0.0), a.in.width - 1);
      return (double)image[(r * a.in.width + q) * channels + c];
    };
    const double top = std::floor(fromY), left = std::floor(fromX);
    return blend(blend(at(top, left), at(top, std::ceil(fromX)), fromX - left),
                 blend(at(std::ceil(fromY), left), at(std::ceil(fromY), std::ceil(fromX)), fromX - left), fromY - top);
  };
  const auto inside = [&](double x, double length) {
    if (a.border == ferkit::Border::kColour) return std::min(std::max(x, -1.0), length);
    if (a.border == ferkit::Border::kReflect) {
      x -= 2 * length * std::floor(x / (2 * length));
      if (x >= length) x = 2 * length - 1 - x;
    }
    return std::min(std::max(x, 0.0), length - 1);
  };
  double mean = 0;
  for (int64_t i = 0; i < height * width * channels; ++i)
    mean += resized(i / (width * channels), i / channels % width, i % channels) / (height * width * channels);
  Numbers result(height * width * channels);
  for (int64_t i = 0; i < (int64_t)result.size(); ++i) {
    const int64_t row = i / (width * channels), column = i / channels % width, c = i % channels;
    const float* t = a.transforms + index * 6;
    const double x = inside(t[0] * column + t[1] * row + t[2], width), y = inside(t[3] * column + t[4] * row + t[5], height);
    const double left = std::floor(x), top = std::floor(y);
    const auto at = [&](int64_t r, int64_t q) {
      return r < 0 || q < 0 || r >= height || q >= width ? (double)a.colour[c] : resized(r, q, c);
    };
    result[i] = blend(blend(at(top, left), at(top, left + 1), x - left), blend(at(top + 1, left), at(top + 1, left + 1), x - left), y - top);
    const float* light = a.light + index * 2;
    result[i] = std::min(std::max((result[i] - mean) * light[0] + mean + light[1], 0.0), 255.0);
    const float* erased = a.erased + index * 4;
    if (column >= erased[0] && column < erased[2] && row >= erased[1] && row < erased[3])
      result[i] = std::min(std::max(mean + light[1], 0.0), 255.0);
  }
  return result;
}

}  // namespace reference
