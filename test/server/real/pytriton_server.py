"""A PyTriton server for the tests: sums each row of its input, with as many instances and as large a batch as asked."""

import argparse

import numpy as np
from pytriton.decorators import batch
from pytriton.model_config import DynamicBatcher, ModelConfig, Tensor
from pytriton.models.model import Model
from pytriton.triton import Triton, TritonConfig, TritonSecurityConfig


# Triton starts the instances of a model at the same time, each in a process of its own. The first one serves the others'
# settings on a Unix socket, whose file is there once it is bound, a moment before it is listened on. PyTriton 0.7.0 waits
# for the file alone and for a second at most, so that on a busy machine another instance is refused and the model, with
# it the server, fails to load. Here a refusal means "not yet" for half a minute, and what lasts longer is raised as before.
PATIENT_HANDSHAKE = b'''

_get_config_at_once = get_config_from_handshake_server


def get_config_from_handshake_server(socket_path, timeout_s=30.0):
    should_stop_before_s = time.time() + timeout_s
    while True:
        try:
            return _get_config_at_once(socket_path, max(0.1, should_stop_before_s - time.time()))
        except ConnectionRefusedError:
            if time.time() > should_stop_before_s:
                raise
            time.sleep(0.01)
'''


plain_files = Model.get_proxy_model_files


def patient_files(model):
    files = plain_files(model)
    # A version without this file has another handshake: better told by a KeyError than by a race.
    files[f"file:{model.model_version}/communication.py"] += PATIENT_HANDSHAKE
    return files


Model.get_proxy_model_files = patient_files


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
