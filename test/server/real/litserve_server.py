"""A LitServe server for the tests: its model squares a number, a batch at a time."""
import argparse

import litserve


class SquareApi(litserve.LitAPI):
    def setup(self, device):
        self.model = lambda values: [value**2 for value in values]

    def decode_request(self, request):
        return request["input"]

    def predict(self, inputs):
        if isinstance(inputs, list):
            return self.model(inputs)
        return self.model([inputs])[0]

    def encode_response(self, output):
        return {"output": output}


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--batch-size", type=int, default=1)
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    api = SquareApi(max_batch_size=options.batch_size, batch_timeout=0.005)
    server = litserve.LitServer(api, accelerator="cpu", workers_per_device=options.workers)
    server.run(host="127.0.0.1", port=options.port, generate_client_file=False)
