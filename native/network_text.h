// Networks as the text of an attribute.
#pragma once
#include <sstream>

#include "plan.h"

namespace ferkit {

/**
 * Reads a description: activation and padding (numbers of their types), epsilon, mean and deviation of the three channels, filters of
 * stem and top, number of classes, number of blocks; then for each block kernel size, stride, filters before and after, expansion
 * ratio, bottleneck of squeeze-and-excite, and 1 for a residual or 0.
 *
 * @param problem - What is wrong; empty if nothing is.
 */
inline NetworkDescription readNetwork(const std::string& text, std::string* problem) {
  std::istringstream in(text);
  NetworkDescription network{};
  int activation = 0, padding = 0;
  size_t numBlocks = 0;
  in >> activation >> padding >> network.epsilon;
  for (double& mean : network.mean) in >> mean;
  for (double& std : network.std) in >> std;
  in >> network.stemFilters >> network.topFilters >> network.numClasses >> numBlocks;
  network.activation = static_cast<Activation>(activation);
  network.padding = static_cast<Padding>(padding);
  for (size_t i = 0; in && i < numBlocks; ++i) {
    BlockDescription block;
    in >> block.kernelSize >> block.stride >> block.numIn >> block.numOut >> block.expandRatio >> block.numReduced >> block.hasResidual;
    network.blocks.push_back(block);
  }
  *problem = in ? network.problem() : "expected numbers only, and as many as the blocks need";
  return network;
}

}  // namespace ferkit
