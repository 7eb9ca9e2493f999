// The matrix product of the CPU encoder. Thread: any.
#pragma once

namespace mpsbench {

// The unit of columns: a panel holds depth × 16 weights, weight (k, n) of the matrix at panel n / 16, place k · 16 + n
// % 16, so that the innermost loop reads memory in order.
inline constexpr int kPanelColumns = 16;

struct CpuProduct {
  const float* activations = nullptr;  // rows × depth
  const float* panels = nullptr;       // depth × columns, by panel
  const float* bias = nullptr;         // columns
  const float* residual = nullptr;     // rows × columns, or nullptr; may be `out`
  float* out = nullptr;                // rows × columns; not `activations`
  int rows = 0;
  int depth = 0;    // multiple of 16
  int columns = 0;  // multiple of 16
  bool gelu = false;
};

// out = residual + f(activations · weights + bias). A row's result does not depend on the other rows.
void multiply(const CpuProduct& product);

}  // namespace mpsbench
