"""The arithmetic of an image, against a count of what a matrix product per layer does."""

from workloads.cnn.definition import workload


def test_an_image_is_what_its_matrix_products_are():
    # (outputs, inputs of each, positions) of the layers, as PyTorch's FlopCounterMode counts them.
    layers = [(50, 27, 1024), (50, 450, 1024), (100, 450, 256), (100, 900, 256), (512, 6400, 1), (10, 512, 1)]
    forward = [2 * out * into * positions for out, into, positions in layers]
    assert workload.flop() == 3 * sum(forward) - forward[0]
    assert round(workload.flop() / 1e9, 3) == 0.371
