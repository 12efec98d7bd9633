// Epilogues: what happens to a tile of a product while it is in registers. `columns(c)` begins a panel, its `row` takes each row of
// a tile, and its `flush` ends the panel.
#pragma once
#include "product.h"

namespace ferkit {
namespace {

/** Stores the result and takes batch norm's sums. */
template <class Element>
struct BatchNormEpilogue {
  Element* y;
  int64_t channels;
  const float* movingMean;
  const ChannelSums* sums;
  int part;

  template <int V>
  struct Columns {
    const BatchNormEpilogue& of;
    int64_t c;
    vec origin[V], offsets[V] = {}, squares[V] = {};
    FERKIT_INLINE void row(int64_t row, const vec (&tile)[V]) {
      for (int v = 0; v < V; ++v) {
        const vec stored = storeElements(of.y + row * of.channels + c + v * kLanes, tile[v], of.channels - c - v * kLanes);
        const vec offset = stored - origin[v];
        offsets[v] += offset;
        squares[v] += offset * offset;
      }
    }
    FERKIT_INLINE void flush() {
      for (int v = 0; v < V; ++v) of.sums->add(of.part, c + v * kLanes, offsets[v], squares[v]);
    }
  };
  template <int V>
  FERKIT_INLINE Columns<V> columns(int64_t c) const {
    Columns<V> columns{*this, c};
    for (int v = 0; v < V; ++v) columns.origin[v] = load(movingMean + c + v * kLanes, channels - c - v * kLanes);
    return columns;
  }
};

/** Applies batch norm, activation and residual, and stores the result. */
template <Activation kActivation, class Element>
struct FinishEpilogue {
  Element* y;
  int64_t channels;
  Finish<Element> finish;

  template <int V>
  struct Columns {
    const FinishEpilogue& of;
    int64_t c;
    vec scale[V], shift[V];
    FERKIT_INLINE void row(int64_t row, const vec (&tile)[V]) {
      for (int v = 0; v < V; ++v) {
        const int64_t index = row * of.channels + c + v * kLanes, count = of.channels - c - v * kLanes;
        vec y = activate<kActivation>(tile[v] * scale[v] + shift[v]);
        if (of.finish.residual) y += load(of.finish.residual + index, count);
        storeElements(of.y + index, y, count);
      }
    }
    FERKIT_INLINE void flush() {}
  };
  template <int V>
  FERKIT_INLINE Columns<V> columns(int64_t c) const {
    Columns<V> columns{*this, c};
    for (int v = 0; v < V; ++v) {
      columns.scale[v] = load(finish.scale + c + v * kLanes, channels - c - v * kLanes);
      columns.shift[v] = load(finish.shift + c + v * kLanes, channels - c - v * kLanes);
    }
    return columns;
  }
};

/** Takes a gradient of features back through their activation, and takes the sums that batch norm's gradient needs. */
template <Activation kActivation, class Element>
struct FeaturesGradientEpilogue {
  float* gradient;
  FeaturesOf<Element> x;
  int64_t channels;
  const ChannelSums* sums;
  int part;

  template <int V>
  struct Columns {
    const FeaturesGradientEpilogue& of;
    int64_t c;
    NormalizedColumns<V, kActivation> norm;
    FERKIT_INLINE void row(int64_t row, const vec (&tile)[V]) {
      for (int v = 0; v < V; ++v) {
        const int64_t index = row * of.channels + c + v * kLanes, count = of.channels - c - v * kLanes;
        store(of.gradient + index, norm.gradient(v, load(of.x.values + index, count), tile[v]), count);
      }
    }
    FERKIT_INLINE void flush() { norm.flush(*of.sums, of.part, of.channels, c); }
  };
  template <int V>
  FERKIT_INLINE Columns<V> columns(int64_t c) const {
    return {*this, c, NormalizedColumns<V, kActivation>(x.norm, channels, c)};
  }
};

/** Stores the result, plus `other` if there is one. */
struct StoreEpilogue {
  float* y;
  int64_t channels;
  const float* other;

  template <int V>
  struct Columns {
    const StoreEpilogue& of;
    int64_t c;
    FERKIT_INLINE void row(int64_t row, const vec (&tile)[V]) {
      for (int v = 0; v < V; ++v) {
        const int64_t index = row * of.channels + c + v * kLanes, count = of.channels - c - v * kLanes;
        store(of.y + index, of.other ? tile[v] + load(of.other + index, count) : tile[v], count);
      }
    }
    FERKIT_INLINE void flush() {}
  };
  template <int V>
  FERKIT_INLINE Columns<V> columns(int64_t c) const {
    return {*this, c};
  }
};

/** Returns the epilogue of a part of dx. Features that are normalised as they are read take their gradient back through that. */
template <class Rows, class Element>
FERKIT_INLINE StoreEpilogue gradientEpilogue(const Rows&, const FeaturesOf<Element>&, int64_t channels, const FeaturesGradient& dx,
                                             const ChannelSums&, int) {
  return {dx.gradient, channels, dx.other};
}
template <Activation kActivation, class Element>
FERKIT_INLINE FeaturesGradientEpilogue<kActivation, Element> gradientEpilogue(const FeatureRows<kActivation, false, Element>&,
                                                                              const FeaturesOf<Element>& x, int64_t channels,
                                                                              const FeaturesGradient& dx, const ChannelSums& sums,
                                                                              int part) {
  return {dx.gradient, x, channels, &sums, part};
}

}  // namespace
}  // namespace ferkit
