// The text of encoder_kernels.ptx; CMake turns the file into the definition. Thread: any.
#pragma once

namespace mpsbench {

extern const char kEncoderKernelsPtx[];

}  // namespace mpsbench
