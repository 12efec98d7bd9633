// Plans: an EfficientNet made ready for inference. Norms are folded into kernels, and kernels packed for the registers, once; then a
// batch runs as one call, block by block, each block in tiles that stay in the cache.
#pragma once
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "plan_kernels.h"

namespace ferkit {

struct BlockDescription {
  int64_t kernelSize, stride, numIn, numOut, expandRatio;
  /** Channels of squeeze-and-excite's bottleneck; 0 = none. */
  int64_t numReduced;
  bool hasResidual;
  int64_t numExpanded() const { return numIn * expandRatio; }
};

struct NetworkDescription {
  Activation activation;
  int64_t stemFilters, topFilters, numClasses;
  std::vector<BlockDescription> blocks;
  /** Batch norm's. */
  float epsilon;
  Padding padding;
  /** Pixels of 0–255 become (x − mean) / std, by channel. */
  double mean[3], std[3];

  /** Returns what is wrong; empty if nothing is. */
  std::string problem() const;
  /** Returns the lengths of all weights, in the order in which the layers use them. */
  std::vector<int64_t> weightLengths() const;
  /** Returns the length of an image's side after a convolution. */
  int64_t strided(int64_t side, int64_t stride) const { return padding == kEven ? side / stride : (side + stride - 1) / stride; }
  /** Returns the side of the last feature map for images of a side; 0 if they are too small. */
  int64_t featureSide(int64_t side) const;
};

/** Memory aligned to cache lines, on large pages if the system has them. */
class AlignedMemory {
 public:
  /** Returns memory of at least that size; its content is lost if it grows. Throws std::bad_alloc. */
  char* reserve(int64_t numBytes);
  char* data() const { return data_.get(); }
  int64_t size() const { return size_; }
  float* floats() const { return reinterpret_cast<float*>(data()); }

 private:
  struct Free {
    void operator()(char* p) const { free(p); }
  };
  std::unique_ptr<char, Free> data_;
  int64_t size_ = 0;
};

/** Memory of many tensors that live equally long. */
class Arena {
 public:
  /** Returns memory, aligned to cache lines, until a `rewind` frees it. Throws std::bad_alloc. */
  float* take(int64_t count);
  /** How much is in use. */
  struct Mark {
    size_t piece = 0;
    int64_t used = 0;
  };
  Mark mark() const { return mark_; }
  /** Makes free again what was taken since a mark; the same requests get the same memory. */
  void rewind(const Mark& mark) { mark_ = mark; }
  /** Gives all memory back to the system. */
  void clear() {
    pieces_.clear();
    mark_ = {};
  }

 private:
  std::vector<AlignedMemory> pieces_;
  /** The piece in use, and the bytes in use of it. */
  Mark mark_;
};

/** A batch of images [batchSize, height, width, 3] of pixels of 0–255, as bytes or floats. */
struct PlanInput {
  const void* pixels;
  bool areFloats;
  int64_t batchSize, height, width;
};

class Plan {
 public:
  /** @param weights - Float32, of the description's `weightLengths`; not used later. */
  Plan(const PlanKernels& kernels, const NetworkDescription& description, const std::vector<const float*>& weights);

  const NetworkDescription& description() const { return description_; }

  /**
   * Computes the logits [batchSize, numClasses].
   *
   * @param features - Receives the last feature map [batchSize, height, width, topFilters]; null = not wanted.
   */
  void run(const Pool& pool, const PlanInput& input, float* logits, float* features);

 private:
  friend class PlanPacker;
  friend class PlanRun;
  struct Block {
    BlockDescription shape;
    /** Empty if the block has no such layer. */
    PackedProduct expand, reduce, excite;
    PackedDepthwise depthwise;
    PackedProduct project;
  };
  /** What one thread, or all of them together, work on. */
  struct Workspace {
    /** Results of blocks in turn; results of a depthwise convolution; means over the last feature map. */
    AlignedMemory rows[2], expanded, means;
    /** Result of `expandDepthwise`; sums and gates of squeeze-and-excite. */
    AlignedMemory scratch, sums;
  };

  const PlanKernels& kernels_;
  const NetworkDescription description_;
  PackedProduct stem_, top_, predictions_;
  std::vector<Block> blocks_;
  AlignedMemory weights_;
  /** Protects the workspaces: one for each thread, then one that they share. */
  std::mutex mutex_;
  std::vector<Workspace> workspaces_;
};

}  // namespace ferkit
