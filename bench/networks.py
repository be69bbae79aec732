"""The networks that are measured: each one's name, its model in zoo.cnn, its input, and what PyTorch has for it."""
import dataclasses


@dataclasses.dataclass(frozen=True)
class Network:
    name: str           # as it is published
    model: str          # in zoo.cnn
    input: tuple        # channels, height, width
    peer: str = ""      # a function of torchvision.models or of small_networks.py; "": PyTorch has none
    classes: int = 1000
    batch: int = 16     # of a training step and of the larger inference
    heads: float = 0    # what the auxiliary heads' losses count


NETWORKS = [
    Network("LeNet-5", "LeNet5", (1, 32, 32), "lenet5", 10, 128),
    Network("MLP", "MLP", (1, 28, 28), "mlp", 10, 128),
    Network("ResNet-20 (CIFAR)", "CifarResNet", (3, 32, 32), "cifar_resnet", 10, 128),
    Network("AlexNet", "AlexNet", (3, 224, 224), "alexnet"),
    Network("AlexNet (2012)", "AlexNet2012", (3, 227, 227), "alexnet_2012"),
    Network("VGG16", "VGG16", (3, 224, 224), "vgg16"),
    Network("VGG19", "VGG19", (3, 224, 224), "vgg19"),
    Network("GoogLeNet (2014)", "GoogLeNet", (3, 224, 224)),
    Network("GoogLeNet", "GoogLeNetBn", (3, 224, 224), "googlenet", heads=0.3),
    Network("Inception v3", "InceptionV3", (3, 299, 299), "inception_v3", heads=0.4),
    Network("ResNet-18", "ResNet18", (3, 224, 224), "resnet18"),
    Network("ResNet-34", "ResNet34", (3, 224, 224), "resnet34"),
    Network("ResNet-50", "ResNet50", (3, 224, 224), "resnet50"),
    Network("ResNet-101", "ResNet101", (3, 224, 224), "resnet101"),
    Network("Plain-34", "Plain34", (3, 224, 224), "plain34"),
    Network("DenseNet121", "DenseNet121", (3, 224, 224), "densenet121"),
    Network("DenseNet169", "DenseNet169", (3, 224, 224), "densenet169"),
    Network("MobileNet", "MobileNet", (3, 224, 224), "mobilenet"),
    Network("MobileNetV2", "MobileNetV2", (3, 224, 224), "mobilenet_v2"),
    Network("EfficientNet-B0", "EfficientNetB0", (3, 224, 224), "efficientnet_b0"),
]


def find(name):
    """The network called `name`, whatever its case and punctuation, or else the one whose model is."""
    def plain(text):
        return "".join(letter for letter in text.lower() if letter.isalnum())
    for known in ("name", "model"):
        for network in NETWORKS:
            if plain(name) == plain(getattr(network, known)):
                return network
    raise KeyError(name)
