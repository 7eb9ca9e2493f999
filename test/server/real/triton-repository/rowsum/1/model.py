"""A model of Triton's Python backend for the tests: sums each row of its input."""

import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def execute(self, requests):
        replies = []
        for request in requests:
            values = pb_utils.get_input_tensor_by_name(request, "values").as_numpy()
            total = pb_utils.Tensor("sum", values.sum(axis=1, keepdims=True))
            replies.append(pb_utils.InferenceResponse(output_tensors=[total]))
        return replies
