"""Models have torchvision's parameters and results, and find their weights."""

from __future__ import annotations

import pytest

import pytensor
from pytensor import nn
from pytensor.vision import models

# Name: parameters, entries of the state dict (as torchvision 0.28 has them).
SIZES = {
    "alexnet": (61100840, 16),
    "mobilenet_v2": (3504872, 314),
    "resnet18": (11689512, 122),
    "resnet34": (21797672, 218),
    "resnet50": (25557032, 320),
    "resnext50_32x4d": (25028904, 320),
    "vgg11": (132863336, 22),
    "vgg11_bn": (132868840, 62),
    "wide_resnet50_2": (68883240, 320),
}


@pytest.mark.parametrize("name", SIZES)
def test_parameters(name, monkeypatch):
    # Drawing hundreds of millions of numbers takes time, and only sizes are asked for.
    for function in ("kaiming_normal_", "kaiming_uniform_", "normal_", "uniform_"):
        monkeypatch.setattr(nn.init, function, lambda t, *args, **kwargs: t)
    network = models.get_model(name)
    parameters = sum(p.numel() for p in network.parameters())
    assert (parameters, len(network.state_dict())) == SIZES[name]
    assert models.get_model_weights(name).DEFAULT.url.endswith(".pth")


# What torchvision's models give in training mode after manual_seed(0).
RESULTS = {
    "resnet18": [0.23998, 0.2676, -0.32074, 0.23872, 0.11222, 0.62834, -0.28973, 0.36365],
    "mobilenet_v2": [-0.1773, 0.05263, -0.06685, -0.09454, -0.1358, 0.11061, -0.29486, 0.10568],
    "resnet50": [1.25205, -0.92159, 0.70255, -1.48127, 0.52776, -0.46186, 0.39967, -1.0857],
}


@pytest.mark.parametrize("name", RESULTS)
def test_results(name):
    pytensor.manual_seed(0)
    network = models.get_model(name, num_classes=4)
    if name == "mobilenet_v2":
        network.classifier[0].p = 0.0
    x = pytensor.linspace(-1, 1, 2 * 3 * 64 * 64).reshape(2, 3, 64, 64).sin()
    result = network(x).detach().flatten().tolist()
    assert result == pytest.approx(RESULTS[name], rel=2e-3, abs=2e-4)


def test_weights_of_a_file(tmp_path, monkeypatch):
    trained = models.resnet18(num_classes=3)
    pytensor.save(trained.state_dict(), tmp_path / "own.pth")
    again = models.resnet18(weights=tmp_path / "own.pth", num_classes=3)
    for a, b in zip(trained.parameters(), again.parameters()):
        assert bool((a == b).all())
    # The cache folder, where downloads go.
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    whole = models.resnet18()
    pytensor.save(whole.state_dict(), folder / "resnet18-f37072fd.pth")
    for weights in (models.ResNet18_Weights.DEFAULT, "IMAGENET1K_V1"):
        cached = models.resnet18(weights=weights)
        assert bool((cached.fc.weight == whole.fc.weight).all())
    assert bool((models.resnet18(pretrained=True).fc.bias == whole.fc.bias).all())
    assert models.resnet18(pretrained=False).fc.out_features == 1000


def test_weights_that_cannot_be_had(tmp_path, monkeypatch):
    def no_network(*args, **kwargs):
        raise OSError("no network")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr("urllib.request.urlopen", no_network)
    with pytest.raises(RuntimeError, match=r"resnet18-f37072fd.pth.*no network.*put the file"):
        models.resnet18(weights="DEFAULT")
    with pytest.raises(ValueError, match="neither a file nor one of IMAGENET1K_V1, DEFAULT"):
        models.resnet18(weights="missing.pth")
    with pytest.raises(TypeError, match="expected ResNet18_Weights but received ResNet34_Weights"):
        models.resnet18(weights=models.ResNet34_Weights.DEFAULT)
    with pytest.raises(ValueError, match="'num_classes' expected value 1000 but got 3"):
        models.resnet18(weights="DEFAULT", num_classes=3)
    with pytest.raises(ValueError, match="Unknown model resnet17"):
        models.get_model("resnet17")


def test_transforms_of_weights():
    preset = models.ResNet50_Weights.IMAGENET1K_V2.transforms()
    assert (preset.resize_size, preset.crop_size) == ([232], [224])
    image = pytensor.randint(0, 256, (3, 240, 300), dtype=pytensor.uint8)
    assert preset(image).shape == (3, 224, 224)
    assert preset(image).dtype == pytensor.float32


def test_arguments_of_blocks():
    still = models.resnet18(num_classes=2, zero_init_residual=True)
    assert float(still.layer1[0].bn2.weight.abs().sum().item()) == 0
    dilated = models.resnet50(num_classes=2, replace_stride_with_dilation=[False, True, True])
    assert dilated.layer4[2].conv2.dilation == (4, 4)
    with pytest.raises(ValueError, match="3-element tuple"):
        models.resnet50(replace_stride_with_dilation=[True])
    with pytest.raises(ValueError, match="only supports groups=1"):
        models.resnet18(groups=2)
    grouped = models.resnet18(norm_layer=lambda n: nn.GroupNorm(4, n), num_classes=2)
    assert isinstance(grouped.bn1, nn.GroupNorm)
    narrow = models.mobilenet_v2(width_mult=0.35, num_classes=2)
    assert narrow.features[1].out_channels == 8
