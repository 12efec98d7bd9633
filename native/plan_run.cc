// Runs a plan on a batch: how blocks are cut into tiles, and tiles shared among threads.
#include <algorithm>

#include "phases.h"
#include "plan.h"

namespace ferkit {
namespace {

/** Rows that a product works on at least, so that it does not take longer to read the matrix than to multiply. */
constexpr int64_t kEnoughRows = 96;
/** Bytes of a tile, which stay in the second-level cache beside the matrices. */
constexpr int64_t kTileBytes = 600 << 10;
/** Fewer images than these for each thread: threads share blocks, not images. */
constexpr int64_t kImagesForEach = 4;

int64_t ceilDivide(int64_t a, int64_t b) { return (a + b - 1) / b; }

/** Part `i` of `count` of [0, length). */
struct Part {
  int64_t begin, end;
  Part(int64_t length, int64_t count, int64_t i) : begin(length * i / count), end(length * (i + 1) / count) {}
  int64_t length() const { return end - begin; }
};

template <class Task>
void onThreads(const Pool& pool, int count, const Task& task) {
  if (count <= 1) return task(0);
  const auto run = [](void* argument, int i) { (*static_cast<const Task*>(argument))(i); };
  pool.run(pool.context, count, run, const_cast<Task*>(&task));
}

}  // namespace

class PlanRun {
 public:
  PlanRun(Plan& plan, const PlanInput& input, float* logits, float* features)
      : plan_(plan), network_(plan.description_), kernels_(plan.kernels_), input_(input), logits_(logits), features_(features) {
    int64_t height = network_.strided(input.height, 2), width = network_.strided(input.width, 2);
    for (const Plan::Block& block : plan.blocks_) {
      const int64_t stride = block.shape.stride, channels = block.shape.numExpanded();
      Step step{&block, height, width, network_.strided(height, stride), network_.strided(width, stride)};
      step.numPanels = kernels_.numPanels(channels);
      step.numOutPanels = kernels_.numPanels(block.shape.numOut);
      step.inStride = strideOf(block.shape.numIn);
      step.stride = strideOf(channels);
      step.outStride = strideOf(block.shape.numOut);
      steps_.push_back(step);
      height = step.outHeight;
      width = step.outWidth;
    }
  }

  void run(const Pool& pool) {
    // The last workspace is what threads share.
    if ((int)plan_.workspaces_.size() <= pool.numThreads) plan_.workspaces_ = std::vector<Plan::Workspace>(pool.numThreads + 1);
    pool.numThreads > 1 && input_.batchSize < kImagesForEach * pool.numThreads ? runByBlocks(pool) : runByImages(pool);
  }

 private:
  /** A block, for one image of the input's size. */
  struct Step {
    const Plan::Block* block;
    int64_t inHeight, inWidth, outHeight, outWidth;
    int64_t numPanels, numOutPanels, inStride, stride, outStride;
    int64_t inArea() const { return inHeight * inWidth; }
    int64_t area() const { return outHeight * outWidth; }
  };

  /** Images of the batch that a workspace holds, or some of them. */
  struct Images {
    /** In the batch, and in the workspace. */
    int64_t first, position, count;
  };

  // Each thread takes some images through all blocks.

  void runByImages(const Pool& pool) {
    const int64_t forEach = ceilDivide(input_.batchSize, pool.numThreads), atOnce = std::max<int64_t>(1, ceilDivide(kEnoughRows, lastArea()));
    const int64_t numGroups = std::min(input_.batchSize, pool.numThreads * ceilDivide(forEach, atOnce));
    Phases phases;
    phases.add(numGroups, [&](int thread, int64_t i) {
      const Part group(input_.batchSize, numGroups, i);
      runImages(plan_.workspaces_[thread], {group.begin, 0, group.length()});
    });
    runPhases(pool, phases);
  }

  void runPhases(const Pool& pool, Phases& phases) {
    phases.prepare();
    onThreads(pool, pool.numThreads, [&](int thread) { phases.help(thread); });
  }

  void runImages(Plan::Workspace& workspace, const Images& images) {
    reserveRows(workspace, images.count);
    for (size_t b = 0; b < steps_.size(); ++b) {
      const int64_t numSets = ceilDivide(images.count, std::max<int64_t>(1, ceilDivide(kEnoughRows, steps_[b].area())));
      for (int64_t i = 0; i < numSets; ++i) {
        const Part set(images.count, numSets, i);
        runBlock(workspace, b, {images.first + set.begin, set.begin, set.length()});
      }
    }
    const PlanRows means = rowsIn(workspace.means, images.count, strideOf(network_.topFilters));
    runTop(workspace, images, 0, kernels_.numPanels(network_.topFilters), means);
    kernels_.dense(plan_.predictions_, images.count, means, logits_ + images.first * network_.numClasses);
  }

  void runBlock(Plan::Workspace& workspace, size_t b, const Images& images) {
    const Step& step = steps_[b];
    const bool isExcited = step.block->shape.numReduced;
    const int64_t height = images.count > 1 ? step.outHeight : tileHeight(b), numRows = images.count * step.area();
    const PlanRows expanded = rowsIn(workspace.expanded, isExcited ? numRows : images.count * height * step.outWidth, step.stride);
    const int64_t numSums = images.count * step.stride;
    float* const sums = isExcited ? floatsIn(workspace.sums, 4 * numSums) : nullptr;
    if (sums) std::fill_n(sums, numSums, 0.f);
    for (int64_t y = 0; y < step.outHeight; y += height) {
      const PlanTile tile = tileOf(b, images.count, y, std::min(step.outHeight, y + height));
      const PlanRows result = isExcited ? at(expanded, y * step.outWidth) : expanded;
      expandDepthwise(workspace, workspace, b, images, tile, 0, step.numPanels, result, sums);
      if (!isExcited) project(workspace, b, images.position * step.area() + y * step.outWidth, tile.numPixels(), result, 0, step.numOutPanels);
    }
    if (!isExcited) return;
    excite(b, images.count, numRows, sums, sums + numSums, 0, step.numPanels, expanded);
    project(workspace, b, images.position * step.area(), numRows, expanded, 0, step.numOutPanels);
  }

  /** Rows of an image's tile that stay in the cache. */
  int64_t tileHeight(size_t b) const {
    const Step& step = steps_[b];
    if (step.block->shape.numReduced) return step.outHeight;
    const int64_t numBytes = step.outWidth * step.stride * kernels_.elementSize, fitting = std::max<int64_t>(4, kTileBytes / numBytes);
    return ceilDivide(step.outHeight, ceilDivide(step.outHeight, fitting));
  }

  // Threads share each block of all images.

  void runByBlocks(const Pool& pool) {
    Plan::Workspace& shared = plan_.workspaces_.back();
    reserveShared(shared);
    Phases phases;
    for (size_t b = 0; b < steps_.size(); ++b) {
      const Step& step = steps_[b];
      const int64_t numTiles = std::max(ceilDivide(pool.numThreads, input_.batchSize), ceilDivide(step.outHeight, tileHeight(b)));
      // Rows are shared while there are many; later it takes longest to read the matrices, so their panels are shared.
      const bool hasManyRows = input_.batchSize * step.area() >= kEnoughRows * pool.numThreads / 2 && step.outHeight >= 2 * numTiles;
      hasManyRows ? addByRows(phases, shared, b, numTiles) : addByPanels(phases, shared, b, pool.numThreads);
    }
    addTop(phases, shared, pool.numThreads);
    runPhases(pool, phases);
  }

  void reserveShared(Plan::Workspace& shared) const {
    reserveRows(shared, input_.batchSize);
    int64_t expandedSize = 0, numSums = 0;
    for (const Step& step : steps_) {
      expandedSize = std::max(expandedSize, input_.batchSize * step.area() * step.stride);
      numSums = std::max(numSums, input_.batchSize * step.outHeight * step.stride);
    }
    shared.expanded.reserve(expandedSize * kernels_.elementSize);
    shared.sums.reserve(numSums * sizeof(float));
    rowsIn(shared.means, input_.batchSize, strideOf(network_.topFilters));
  }

  /** One of `numTiles` tiles of each image. */
  struct ImageTile {
    int64_t image;
    Part rows;
    ImageTile(const Step& step, int64_t numTiles, int64_t i) : image(i / numTiles), rows(step.outHeight, numTiles, i % numTiles) {}
    int64_t firstRow(const Step& step) const { return image * step.area() + rows.begin * step.outWidth; }
    int64_t numRows(const Step& step) const { return rows.length() * step.outWidth; }
  };

  void addByRows(Phases& phases, Plan::Workspace& shared, size_t b, int64_t numTiles) {
    const Step& step = steps_[b];
    const int64_t count = input_.batchSize * numTiles;
    const auto expand = [this, b, &shared](const ImageTile& tile, int thread, const PlanRows& result, float* sums) {
      const PlanTile part = tileOf(b, 1, tile.rows.begin, tile.rows.end);
      expandDepthwise(plan_.workspaces_[thread], shared, b, {tile.image, tile.image, 1}, part, 0, steps_[b].numPanels, result, sums);
    };
    if (!step.block->shape.numReduced) {
      phases.add(count, [=, this, &step, &shared](int thread, int64_t i) {
        const ImageTile tile(step, numTiles, i);
        const PlanRows expanded = rowsIn(plan_.workspaces_[thread].expanded, tile.numRows(step), step.stride);
        expand(tile, thread, expanded, nullptr);
        project(shared, b, tile.firstRow(step), tile.numRows(step), expanded, 0, step.numOutPanels);
      });
      return;
    }
    phases.add(count, [=, this, &step, &shared](int thread, int64_t i) {
      const ImageTile tile(step, numTiles, i);
      float* const sums = shared.sums.floats() + i * step.stride;
      std::fill_n(sums, step.stride, 0.f);
      expand(tile, thread, at(expandedIn(shared, step), tile.firstRow(step)), sums);
    });
    phases.add(count, [=, this, &step, &shared](int thread, int64_t i) {
      const ImageTile tile(step, numTiles, i);
      float* const sums = floatsIn(plan_.workspaces_[thread].sums, 4 * step.stride);
      std::fill_n(sums, step.stride, 0.f);
      for (int64_t part = tile.image * numTiles; part < (tile.image + 1) * numTiles; ++part)
        for (int64_t c = 0; c < step.stride; ++c) sums[c] += shared.sums.floats()[part * step.stride + c];
      const PlanRows expanded = at(expandedIn(shared, step), tile.firstRow(step));
      excite(b, 1, tile.numRows(step), sums, sums + step.stride, 0, step.numPanels, expanded);
      project(shared, b, tile.firstRow(step), tile.numRows(step), expanded, 0, step.numOutPanels);
    });
  }

  /** Tasks for panels: more than threads, so that none waits long for another. */
  static int64_t tasksFor(int64_t numPanels, int numThreads) { return std::min<int64_t>(numPanels, 4 * numThreads); }

  void addByPanels(Phases& phases, Plan::Workspace& shared, size_t b, int numThreads) {
    const Step& step = steps_[b];
    const int64_t numTasks = tasksFor(step.numPanels, numThreads), channels = step.block->shape.numExpanded();
    const bool isExcited = step.block->shape.numReduced;
    phases.add(numTasks, [=, this, &step, &shared](int thread, int64_t i) {
      const Part panels(step.numPanels, numTasks, i);
      float* const sums = isExcited ? shared.sums.floats() : nullptr;
      const int64_t first = kernels_.panelBegin(channels, panels.begin), last = kernels_.panelBegin(channels, panels.end);
      for (int64_t image = 0; sums && image < input_.batchSize; ++image)
        std::fill(sums + image * step.stride + first, sums + image * step.stride + last, 0.f);
      expandDepthwise(plan_.workspaces_[thread], shared, b, {0, 0, input_.batchSize}, tileOf(b, input_.batchSize, 0, step.outHeight),
                      panels.begin, panels.end, expandedIn(shared, step), sums);
    });
    const int64_t numRows = input_.batchSize * step.area();
    if (isExcited)
      phases.add(numThreads, [=, this, &step, &shared](int thread, int64_t i) {
        const Part panels(step.numPanels, numThreads, i);
        float* const gates = floatsIn(plan_.workspaces_[thread].sums, 3 * input_.batchSize * step.stride);
        excite(b, input_.batchSize, numRows, shared.sums.floats(), gates, panels.begin, panels.end, expandedIn(shared, step));
      });
    const bool hasManyPanels = step.numOutPanels >= 2 * numThreads || numRows < 4 * numThreads;
    const int64_t numParts = hasManyPanels ? tasksFor(step.numOutPanels, numThreads) : numThreads;
    phases.add(numParts, [=, this, &step, &shared](int, int64_t i) {
      const Part panels(step.numOutPanels, hasManyPanels ? numParts : 1, hasManyPanels ? i : 0);
      const Part rows(numRows, hasManyPanels ? 1 : numParts, hasManyPanels ? 0 : i);
      project(shared, b, rows.begin, rows.length(), at(expandedIn(shared, step), rows.begin), panels.begin, panels.end);
    });
  }

  void addTop(Phases& phases, Plan::Workspace& shared, int numThreads) {
    const int64_t numPanels = kernels_.numPanels(network_.topFilters), numTasks = tasksFor(numPanels, numThreads);
    const PlanRows means{shared.means.data(), strideOf(network_.topFilters)};
    phases.add(numTasks, [=, this, &shared](int, int64_t i) {
      const Part panels(numPanels, numTasks, i);
      runTop(shared, {0, 0, input_.batchSize}, panels.begin, panels.end, means);
    });
    phases.add(1, [=, this](int, int64_t) { kernels_.dense(plan_.predictions_, input_.batchSize, means, logits_); });
  }

  // Layers, for some images, rows or panels.

  /** Computes panels of a tile; `rows` holds the block's input. */
  void expandDepthwise(Plan::Workspace& own, const Plan::Workspace& rows, size_t b, const Images& images, const PlanTile& tile,
                       int64_t begin, int64_t end, const PlanRows& result, float* sums) const {
    const Step& step = steps_[b];
    PlanSource source{};
    if (b == 0) {
      source.kind = PlanSource::kStem;
      source.images = imagesAt(images.first);
      source.product = plan_.stem_;
    } else {
      source.kind = step.block->shape.expandRatio == 1 ? PlanSource::kRows : PlanSource::kExpansion;
      source.rows = at(rowsBefore(rows, b), images.position * step.inArea());
      source.product = step.block->expand;
    }
    float* const scratch = floatsIn(own.scratch, kernels_.scratchSize(tile, source, step.block->depthwise));
    kernels_.expandDepthwise(tile, source, step.block->depthwise, network_.activation, begin, end, scratch, result, sums);
  }

  /** Multiplies rows by their images' gates; `gates` has room for three times as many numbers as there are sums. */
  void excite(size_t b, int64_t numImages, int64_t numRows, const float* sums, float* gates, int64_t begin, int64_t end,
              const PlanRows& expanded) const {
    const Step& step = steps_[b];
    float* const scratch = gates + numImages * step.stride;
    kernels_.excite(step.block->reduce, step.block->excite, numImages, step.area(), sums, step.stride, begin, end, scratch, gates);
    for (int64_t i = 0; i < numImages; ++i)
      kernels_.applyGates(numRows / numImages, begin, end, step.block->shape.numExpanded(), gates + i * step.stride,
                          at(expanded, i * (numRows / numImages)));
  }

  /** Projects rows that become rows from `row` on of the block's result. */
  void project(const Plan::Workspace& rows, size_t b, int64_t row, int64_t numRows, const PlanRows& expanded, int64_t begin,
               int64_t end) const {
    const PlanRows residual = steps_[b].block->shape.hasResidual ? at(rowsBefore(rows, b), row) : PlanRows{};
    kernels_.project(steps_[b].block->project, numRows, expanded, residual, begin, end, at(rowsAfter(rows, b), row));
  }

  void runTop(const Plan::Workspace& rows, const Images& images, int64_t begin, int64_t end, const PlanRows& means) const {
    float* const features = features_ ? features_ + images.first * lastArea() * network_.topFilters : nullptr;
    kernels_.meanOfProduct(plan_.top_, network_.activation, images.count, lastArea(), rowsAfter(rows, steps_.size() - 1), begin, end,
                           features, means);
  }

  // Memory.

  /** Whole cache lines; of long rows an odd number, so that a column spreads over all sets of the cache. */
  int64_t strideOf(int64_t channels) const {
    constexpr int64_t kCacheLine = 64;
    const int64_t numLines = ceilDivide(channels * kernels_.elementSize, kCacheLine);
    return (numLines < 8 ? numLines : numLines | 1) * kCacheLine / kernels_.elementSize;
  }

  PlanRows at(const PlanRows& rows, int64_t row) const {
    return {rows.data ? static_cast<char*>(rows.data) + row * rows.stride * kernels_.elementSize : nullptr, rows.stride};
  }
  PlanRows rowsIn(AlignedMemory& memory, int64_t count, int64_t stride) const {
    return {memory.reserve(count * stride * kernels_.elementSize), stride};
  }
  static float* floatsIn(AlignedMemory& memory, int64_t count) {
    return reinterpret_cast<float*>(memory.reserve(count * sizeof(float)));
  }

  void reserveRows(Plan::Workspace& workspace, int64_t numImages) const {
    int64_t size = 0;
    for (const Step& step : steps_) size = std::max(size, numImages * step.area() * step.outStride);
    for (AlignedMemory& rows : workspace.rows) rows.reserve(size * kernels_.elementSize);
  }
  PlanRows rowsBefore(const Plan::Workspace& workspace, size_t b) const { return {workspace.rows[b % 2].data(), steps_[b].inStride}; }
  PlanRows rowsAfter(const Plan::Workspace& workspace, size_t b) const { return {workspace.rows[(b + 1) % 2].data(), steps_[b].outStride}; }
  PlanRows expandedIn(const Plan::Workspace& workspace, const Step& step) const { return {workspace.expanded.data(), step.stride}; }

  PlanImages imagesAt(int64_t image) const {
    const int64_t numBytes = input_.height * input_.width * 3 * (input_.areFloats ? sizeof(float) : 1);
    PlanImages images{static_cast<const char*>(input_.pixels) + image * numBytes, input_.areFloats, input_.height, input_.width};
    for (int i = 0; i < 3; ++i) {
      images.scale[i] = (float)(1 / network_.std[i]);
      images.shift[i] = (float)(-network_.mean[i] / network_.std[i]);
    }
    return images;
  }

  PlanTile tileOf(size_t b, int64_t numImages, int64_t begin, int64_t end) const {
    const Step& step = steps_[b];
    return {numImages, begin, end, step.inHeight, step.inWidth, step.outHeight, step.outWidth, network_.padding};
  }
  int64_t lastArea() const { return steps_.back().area(); }

  Plan& plan_;
  const NetworkDescription& network_;
  const PlanKernels& kernels_;
  const PlanInput input_;
  float *const logits_, *const features_;
  std::vector<Step> steps_;
};

void Plan::run(const Pool& pool, const PlanInput& input, float* logits, float* features) {
  const std::lock_guard<std::mutex> lock(mutex_);
  PlanRun(*this, input, logits, features).run(pool);
}

}  // namespace ferkit
