"""A PyTriton server for the tests: sums each row of its input, with as many instances and as large a batch as asked."""

import argparse

import numpy as np
from pytriton.decorators import batch
from pytriton.model_config import DynamicBatcher, ModelConfig, Tensor
from pytriton.triton import Triton, TritonConfig, TritonSecurityConfig


@batch
def infer(values):
    return {"sum": values.sum(axis=1, keepdims=True)}


parser = argparse.ArgumentParser()
parser.add_argument("--http-port", type=int, required=True)
parser.add_argument("--grpc-port", type=int, required=True)
parser.add_argument("--metrics-port", type=int, required=True)
parser.add_argument("--instances", type=int, default=1)
parser.add_argument("--batch-size", type=int, default=1)
options = parser.parse_args()

config = TritonConfig(
    http_address="127.0.0.1",
    http_port=options.http_port,
    grpc_port=options.grpc_port,
    metrics_port=options.metrics_port,
)
# Statistics are answered to those who know the token.
with Triton(config=config, security_config=TritonSecurityConfig(access_token="for-tests")) as triton:
    triton.bind(
        model_name="rowsum",
        infer_func=[infer] * options.instances,
        inputs=[Tensor(name="values", dtype=np.float32, shape=(16,))],
        outputs=[Tensor(name="sum", dtype=np.float32, shape=(1,))],
        config=ModelConfig(
            max_batch_size=options.batch_size,
            batcher=DynamicBatcher(max_queue_delay_microseconds=2000),
        ),
    )
    triton.serve()
