// Enough of CUDA C++ to compile a kernel's source for the host and run it there: a block's threads are fibers that take
// turns at __syncthreads(), blocks run one after the other. Include it before the .cu file. Thread: one.
#pragma once

#include <ucontext.h>

#include <cmath>
#include <functional>
#include <memory>
#include <vector>

namespace cuda_on_host {

struct Index {
  unsigned x = 0;
  unsigned y = 0;
};

class Block {
 public:
  static Block& current() {
    static Block block;
    return block;
  }

  // Runs `kernel` once per thread of every block.
  void launch(Index grid, unsigned threads, const std::function<void()>& kernel) {
    grid_size = grid;
    block_size = {threads, 1};
    kernel_ = &kernel;
    fibers_ = std::vector<Fiber>(threads);
    for (block_index.y = 0; block_index.y < grid.y; ++block_index.y) {
      for (block_index.x = 0; block_index.x < grid.x; ++block_index.x) run_block();
    }
  }

  // Lets every other thread of the block come to its barrier first.
  void synchronise() { swapcontext(&fibers_[thread_index.x].context, &scheduler_); }

  Index grid_size;
  Index block_size;
  Index block_index;
  Index thread_index;

 private:
  static constexpr std::size_t kStackBytes = 256 * 1024;

  struct Fiber {
    ucontext_t context{};
    std::unique_ptr<char[]> stack = std::make_unique<char[]>(kStackBytes);
    bool done = false;
  };

  static void fiber_main() {
    Block& block = current();
    (*block.kernel_)();
    block.fibers_[block.thread_index.x].done = true;
    block.synchronise();
  }

  void run_block() {
    for (Fiber& fiber : fibers_) {
      fiber.done = false;
      getcontext(&fiber.context);
      fiber.context.uc_stack.ss_sp = fiber.stack.get();
      fiber.context.uc_stack.ss_size = kStackBytes;
      makecontext(&fiber.context, fiber_main, 0);
    }
    for (bool any = true; any;) {
      any = false;
      for (unsigned i = 0; i < fibers_.size(); ++i) {
        if (fibers_[i].done) continue;
        any = true;
        thread_index.x = i;
        swapcontext(&scheduler_, &fibers_[i].context);
      }
    }
  }

  const std::function<void()>* kernel_ = nullptr;
  std::vector<Fiber> fibers_;
  ucontext_t scheduler_{};
};

}  // namespace cuda_on_host

#define __global__
#define __device__
#define __shared__ static
#define __align__(bytes) __attribute__((aligned(bytes)))
#define __launch_bounds__(...)
#define threadIdx (cuda_on_host::Block::current().thread_index)
#define blockIdx (cuda_on_host::Block::current().block_index)
#define blockDim (cuda_on_host::Block::current().block_size)
#define gridDim (cuda_on_host::Block::current().grid_size)

struct alignas(16) float4 {
  float x, y, z, w;
};
inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }
inline void __syncthreads() { cuda_on_host::Block::current().synchronise(); }
