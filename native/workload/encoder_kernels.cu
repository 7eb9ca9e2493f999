// The encoder's arithmetic (encoder.h) for the GPU. make-ptx.sh turns this file into encoder_kernels.ptx, which is
// committed and built into the addon; the driver compiles that for the device at hand.
//
// Rows are padded to a multiple of 128 by the caller, so no kernel guards a row; columns and depths are multiples
// of 16.
#include "counter_hash.h"

using mpsbench::derived_key;
using mpsbench::uniform;

namespace {

constexpr int kThreads = 256;
constexpr int kTileColumns = 64;
constexpr int kTileDepth = 16;
constexpr int kColumnsPerThread = 4;
// Threads of a block are 16 by 16: 16 × 4 columns, 16 × (tile rows / 16) rows.
constexpr int kThreadsAcross = 16;

__device__ float gelu_of(float x) {
  const float u = 0.7978845608F * (x + 0.044715F * x * x * x);
  return x / (1.0F + expf(-2.0F * u));
}

__device__ float4 load4(const float* from) { return *reinterpret_cast<const float4*>(from); }

// What a thread carries from global to shared memory for one step in depth.
template <int kRows>
struct Staged {
  static constexpr int kActivationLoads = kRows * kTileDepth / 4 / kThreads;
  float4 activations[kActivationLoads];
  float4 weights;

  __device__ void load(const float* activation_tile, const float* weight_tile, int columns, int depth,
                       int columns_left) {
    const int thread = static_cast<int>(threadIdx.x);
#pragma unroll
    for (int i = 0; i < kActivationLoads; ++i) {
      const int row = thread / 4 + i * (kThreads / 4);
      activations[i] = load4(activation_tile + static_cast<long long>(row) * depth + thread % 4 * 4);
    }
    const int column = thread % 16 * 4;
    weights = column < columns_left ? load4(weight_tile + static_cast<long long>(thread / 16) * columns + column)
                                    : make_float4(0.0F, 0.0F, 0.0F, 0.0F);
  }
};

// Shared memory of one step: activations transposed, so that a thread reads its rows as vectors.
template <int kRows>
struct Tile {
  float activations[kTileDepth][kRows + 4];
  float weights[kTileDepth][kTileColumns];

  __device__ void store(const Staged<kRows>& staged) {
    const int thread = static_cast<int>(threadIdx.x);
#pragma unroll
    for (int i = 0; i < Staged<kRows>::kActivationLoads; ++i) {
      const int row = thread / 4 + i * (kThreads / 4);
      const int first = thread % 4 * 4;
      activations[first + 0][row] = staged.activations[i].x;
      activations[first + 1][row] = staged.activations[i].y;
      activations[first + 2][row] = staged.activations[i].z;
      activations[first + 3][row] = staged.activations[i].w;
    }
    *reinterpret_cast<float4*>(&weights[thread / 16][thread % 16 * 4]) = staged.weights;
  }
};

template <int kRowsPerThread, int kRows>
__device__ void accumulate(const Tile<kRows>& tile, float (&sums)[kRowsPerThread][kColumnsPerThread]) {
  const int first_row = static_cast<int>(threadIdx.x) / kThreadsAcross * kRowsPerThread;
  const int first_column = static_cast<int>(threadIdx.x) % kThreadsAcross * kColumnsPerThread;
#pragma unroll
  for (int k = 0; k < kTileDepth; ++k) {
    const float4 w = load4(&tile.weights[k][first_column]);
#pragma unroll
    for (int quad = 0; quad < kRowsPerThread; quad += 4) {
      const float4 a = load4(&tile.activations[k][first_row + quad]);
      const float rows[4] = {a.x, a.y, a.z, a.w};
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        sums[quad + i][0] = fmaf(rows[i], w.x, sums[quad + i][0]);
        sums[quad + i][1] = fmaf(rows[i], w.y, sums[quad + i][1]);
        sums[quad + i][2] = fmaf(rows[i], w.z, sums[quad + i][2]);
        sums[quad + i][3] = fmaf(rows[i], w.w, sums[quad + i][3]);
      }
    }
  }
}

struct Epilogue {
  const float* bias;
  const float* residual;
  float* out;
  int columns;
  int gelu;

  __device__ void write(long long row, int column, const float (&sums)[kColumnsPerThread]) const {
    const float4 b = load4(bias + column);
    float4 y = make_float4(sums[0] + b.x, sums[1] + b.y, sums[2] + b.z, sums[3] + b.w);
    if (gelu != 0) y = make_float4(gelu_of(y.x), gelu_of(y.y), gelu_of(y.z), gelu_of(y.w));
    const long long at = row * columns + column;
    if (residual != nullptr) {
      const float4 r = load4(residual + at);
      y = make_float4(r.x + y.x, r.y + y.y, r.z + y.z, r.w + y.w);
    }
    *reinterpret_cast<float4*>(out + at) = y;
  }
};

// One tile of rows × 64 columns of activations · weights. Every element is summed over the depth from 0 upwards by one
// thread whatever the tile's height, so a row's result depends on nothing but the row.
template <int kRows>
__device__ void product(const float* activations, const float* weights, const Epilogue& epilogue, int depth) {
  constexpr int kRowsPerThread = kRows / 16;
  __shared__ __align__(16) Tile<kRows> tiles[2];
  const int columns = epilogue.columns;
  const int tile_column = static_cast<int>(blockIdx.x) * kTileColumns;
  const long long tile_row = static_cast<long long>(blockIdx.y) * kRows;
  const float* activation_tile = activations + tile_row * depth;
  const float* weight_tile = weights + tile_column;
  float sums[kRowsPerThread][kColumnsPerThread] = {};
  Staged<kRows> staged;
  staged.load(activation_tile, weight_tile, columns, depth, columns - tile_column);
  tiles[0].store(staged);
  __syncthreads();
  const int steps = depth / kTileDepth;
  for (int step = 0; step < steps; ++step) {
    const bool more = step + 1 < steps;
    if (more) {
      activation_tile += kTileDepth;
      weight_tile += static_cast<long long>(kTileDepth) * columns;
      staged.load(activation_tile, weight_tile, columns, depth, columns - tile_column);
    }
    accumulate(tiles[step % 2], sums);
    // The other buffer was last read before the barrier that ended the step before this one.
    if (more) tiles[(step + 1) % 2].store(staged);
    __syncthreads();
  }
  const int column = tile_column + static_cast<int>(threadIdx.x) % kThreadsAcross * kColumnsPerThread;
  if (column >= columns) return;
  const long long first_row = tile_row + static_cast<int>(threadIdx.x) / kThreadsAcross * kRowsPerThread;
#pragma unroll
  for (int i = 0; i < kRowsPerThread; ++i) epilogue.write(first_row + i, column, sums[i]);
}

// Sum over the block; every thread gets it. The order is fixed by the block alone.
__device__ float block_sum(float value, float* scratch) {
  const int thread = static_cast<int>(threadIdx.x);
  scratch[thread] = value;
  __syncthreads();
  for (int half = kThreads / 2; half > 0; half /= 2) {
    if (thread < half) scratch[thread] += scratch[thread + half];
    __syncthreads();
  }
  const float sum = scratch[0];
  __syncthreads();
  return sum;
}

}  // namespace

// out[i] = uniform(key, i) · scale.
extern "C" __global__ void mpsbench_fill(float* out, unsigned long long count, unsigned long long key, float scale) {
  const unsigned long long stride = static_cast<unsigned long long>(gridDim.x) * blockDim.x;
  for (unsigned long long i = static_cast<unsigned long long>(blockIdx.x) * blockDim.x + threadIdx.x; i < count;
       i += stride) {
    out[i] = uniform(key, i) * scale;
  }
}

// blockIdx.y is the request: out[request][i] = uniform(derived_key(model_key, seed of the request), i) · scale.
extern "C" __global__ void mpsbench_embed(float* out, const unsigned long long* seeds, unsigned long long per_request,
                                          unsigned long long model_key, float scale) {
  const unsigned long long i = static_cast<unsigned long long>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i >= per_request) return;
  out[blockIdx.y * per_request + i] = uniform(derived_key(model_key, seeds[blockIdx.y]), i) * scale;
}

// out = residual + f(activations · weights + bias), f = GELU or nothing; residual may be null, and may be out itself.
extern "C" __global__ void __launch_bounds__(kThreads, 2)
    mpsbench_product_64(float* out, const float* activations, const float* weights, const float* bias,
                        const float* residual, int columns, int depth, int gelu) {
  product<64>(activations, weights, Epilogue{bias, residual, out, columns, gelu}, depth);
}

extern "C" __global__ void __launch_bounds__(kThreads, 2)
    mpsbench_product_128(float* out, const float* activations, const float* weights, const float* bias,
                         const float* residual, int columns, int depth, int gelu) {
  product<128>(activations, weights, Epilogue{bias, residual, out, columns, gelu}, depth);
}

// blockIdx.x is the row: mean 0, variance 1, in place.
extern "C" __global__ void __launch_bounds__(kThreads) mpsbench_normalise(float* rows, int hidden) {
  __shared__ float scratch[kThreads];
  float* row = rows + static_cast<long long>(blockIdx.x) * hidden;
  float sum = 0.0F;
  for (int i = static_cast<int>(threadIdx.x); i < hidden; i += kThreads) sum += row[i];
  const float mean = block_sum(sum, scratch) / static_cast<float>(hidden);
  float squares = 0.0F;
  for (int i = static_cast<int>(threadIdx.x); i < hidden; i += kThreads) {
    const float centred = row[i] - mean;
    squares += centred * centred;
  }
  const float deviation = sqrtf(block_sum(squares, scratch) / static_cast<float>(hidden) + 1e-5F);
  for (int i = static_cast<int>(threadIdx.x); i < hidden; i += kThreads) row[i] = (row[i] - mean) / deviation;
}

// blockIdx.y is the request: out[request][column] = mean of the column over the request's rows.
extern "C" __global__ void mpsbench_pool(float* out, const float* rows, int sequence, int hidden) {
  const int column = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (column >= hidden) return;
  const float* first = rows + static_cast<long long>(blockIdx.y) * sequence * hidden + column;
  float sum = 0.0F;
  for (int i = 0; i < sequence; ++i) sum += first[static_cast<long long>(i) * hidden];
  out[static_cast<long long>(blockIdx.y) * hidden + column] = sum / static_cast<float>(sequence);
}
