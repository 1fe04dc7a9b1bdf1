"""The stem over blocks is the plain convolution, in value and in gradient."""

import pytest
import torch
from torch import nn

from etpicker_plugin.engine.model.halving_conv import HalvingConv, blocks_of_two


def test_it_is_the_strided_convolution():
    torch.manual_seed(0)
    conv = HalvingConv(5)
    image = torch.randn(2, 1, 8, 10, 14)

    found = conv(image)
    expected = nn.functional.conv3d(image, conv.weight, stride=2, padding=1)

    assert found.shape == (2, 5, 4, 5, 7)
    torch.testing.assert_close(found, expected)
    for value in (found, expected):
        conv.zero_grad()
        value.square().sum().backward()
        gradient = conv.weight.grad.clone()
        if value is found:
            of_blocks = gradient
    torch.testing.assert_close(of_blocks, gradient, rtol=1e-5, atol=1e-3)


def test_the_weights_keep_the_name_and_shape_of_a_convolution():
    (name,), (weight,) = zip(*HalvingConv(3).state_dict().items(), strict=True)
    assert name == "weight"
    assert weight.shape == (3, 1, 4, 4, 4)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_a_block_is_channels_in_the_order_zyx(dtype):
    volume = torch.arange(2 * 4 * 6).reshape(1, 2, 4, 6).to(dtype)

    blocks = blocks_of_two(volume)

    assert blocks.shape == (1, 8, 1, 2, 3)
    # The block at y = 2..3, x = 4..5, of planes 0 and 1 (24 voxels a plane, 6 a row).
    assert blocks[0, :, 0, 1, 2].tolist() == [16, 17, 22, 23, 40, 41, 46, 47]
    assert blocks.is_contiguous(memory_format=torch.channels_last_3d)


def test_the_gradient_reaches_the_image():
    conv = HalvingConv(2)
    image = torch.randn(1, 1, 4, 6, 8, requires_grad=True)

    (found,) = torch.autograd.grad(conv(image).square().sum(), image)
    plain = nn.functional.conv3d(image, conv.weight, stride=2, padding=1)
    (expected,) = torch.autograd.grad(plain.square().sum(), image)

    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
