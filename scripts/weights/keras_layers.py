"""Accounts for every layer of a Keras model: those of its EfficientNet, and what is before and after it.

ferkit's network scales pixels, runs an EfficientNet, takes the mean over positions, and has one dense layer with softmax. Layers that
amount to a part of that are folded into it: scales and batch norms, dense layers one after the other. Any other is named.
"""
import re
from dataclasses import dataclass, field

import numpy as np

from weights.problem import Problem

BACKBONE = re.compile(r"stem_|block\d[a-z]_|top_(conv|bn|activation)$")
BACKBONE_KINDS = {
    "Activation", "Add", "BatchNormalization", "Conv2D", "DepthwiseConv2D", "GlobalAveragePooling2D", "Multiply", "ReLU",
    "Reshape", "ZeroPadding2D",
}  # fmt: skip
# Layers that do nothing in a prediction.
INACTIVE = re.compile(
    r"(InputLayer|Identity|ActivityRegularization|Gaussian(Noise|Dropout)|(Fixed|Spatial|Alpha)?Dropout(2D)?"
    r"|Rand(om\w+|Augment)|AugMix|CutMix|MixUp)$"
)
# Layers before the network that give images their size.
RESIZING = {"Resizing", "RandomCrop"}
STRIDED = re.compile(r"(stem_conv|block[2346]a_dwconv)$")
SWISH = {"swish", "silu"}


@dataclass
class Layer:
    kind: str
    name: str
    config: dict
    # Numbers by weight, such as `kernel`.
    weights: dict = field(default_factory=dict)
    # What is unusual about it, so that it is none of ferkit's network, whatever its class.
    fault: str = ""

    def __str__(self):
        return f"the layer {self.kind} {self.name}"


def refuse(found, where=""):
    return Problem(
        f"{found}{where}",
        expected="a Keras model whose layers are all in ferkit's network, or can be folded into it",
        fix="Remove the layer, apply what it does to the images instead, and save the model again as .keras.",
    )


def weights_of(kind, config):
    """Returns the names of a layer's arrays, in the order in which Keras numbers them."""
    has = lambda option: config.get(option, True)  # noqa: E731
    if kind == "BatchNormalization":
        own = ["gamma"] * bool(has("scale")) + ["beta"] * bool(has("center"))
        return [*own, "moving_mean", "moving_variance"]
    if kind == "Normalization":
        return [] if config.get("mean") is not None else ["mean", "variance"]
    kernels = {"Conv2D": "kernel", "DepthwiseConv2D": "depthwise_kernel", "Dense": "kernel"}
    return [kernels[kind], *["bias"] * bool(has("use_bias"))] if kind in kernels else []


def num_ends(ends):
    """Returns the number of inputs or outputs that a configuration lists, of which a single one need not be in a list."""
    if isinstance(ends, dict):
        return len(ends)
    return 1 if ends and isinstance(ends[0], str) else len(ends)


def is_training(value):
    """True if a layer is called as in training, by the arguments of its calls."""
    if isinstance(value, dict):
        return value.get("training") is True or any(map(is_training, value.values()))
    return isinstance(value, list) and any(map(is_training, value))


def snake_case(name):
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", name))
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def layers_of(model, arrays_of, path="", top=None):
    """Yields the layers of a model's configuration in the order in which they run, those of models within in their place."""
    config = model["config"]
    for ends in ("input_layers", "output_layers"):
        count = num_ends(config.get(ends, ["one"]))
        # Several outputs of the whole model are a matter of its last layers.
        if count != 1 and (path or ends == "input_layers"):
            raise refuse(f"{count} {ends.replace('_layers', 's')}")
    counts = {}
    for entry in config["layers"]:
        kind, options = entry["class_name"].split(">")[-1], entry["config"]
        name = options.get("name", kind)
        # Keras numbers the layers of each kind within a model.
        counts[kind] = counts.get(kind, -1) + 1
        own = f"{path}layers/{snake_case(kind)}" + (f"_{counts[kind]}" if counts[kind] else "")
        calls = entry.get("inbound_nodes") or []
        faults = [
            (len(calls) > 1, f", which is used {len(calls)} times"),
            (is_training(calls), ", which is called with training=True"),
            (options.get("data_format") == "channels_first", ", with channels first"),
        ]
        fault = next((text for is_found, text in faults if is_found), "")
        if isinstance(options.get("layers"), list):
            for layer in layers_of(entry, arrays_of, f"{own}/", top or name):
                layer.fault = layer.fault or (fault and f" of the model {name}{fault}")
                yield layer
        else:
            weights = weights_of(kind, options)
            arrays, others = arrays_of(own, top or name, name, weights)
            layer = Layer(kind, name, options, arrays, fault)
            # What the class of another layer does with its arrays is not known here.
            if others and not fault and (weights or is_inactive(layer)):
                layer.fault = f" with the array {others[0]}"
            yield layer


def numbers_of(value):
    """Returns numbers of a configuration, where Keras writes arrays as objects."""
    return np.asarray(value["config"]["value"] if isinstance(value, dict) else value, "f8")


def affine_of(layer):
    """Returns the factor and the term of a layer that scales and shifts its channels; None if it does something else."""
    get = lambda name: np.asarray(layer.weights[name], "f8")  # noqa: E731
    config = layer.config
    if layer.kind == "Rescaling":
        return numbers_of(config["scale"]).ravel(), numbers_of(config.get("offset", 0)).ravel()
    if layer.kind == "Normalization":
        given = config.get("mean") is not None
        mean, variance = (numbers_of(config[name]) if given else get(name) for name in ("mean", "variance"))
        mean, deviation = mean.ravel(), np.maximum(np.sqrt(variance.ravel()), 1e-7)
        return (deviation, mean) if config.get("invert") else (1 / deviation, -mean / deviation)
    if layer.kind == "BatchNormalization":
        factor = 1 / np.sqrt(get("moving_variance") + config.get("epsilon", 1e-3))
        factor = factor * get("gamma") if "gamma" in layer.weights else factor
        term = -get("moving_mean") * factor
        return factor, term + get("beta") if "beta" in layer.weights else term
    return None


def is_inactive(layer):
    is_linear = layer.kind == "Activation" and layer.config.get("activation") == "linear"
    return is_linear or INACTIVE.match(layer.kind) is not None


def input_of(layers):
    """Returns mean and std for pixels of 0-255 of the layers before the network (None if they scale nothing), and notes."""
    scale, shift, notes = np.ones(3), np.zeros(3), []
    is_scaled = False
    for layer in layers:
        affine = affine_of(layer)
        if layer.kind in RESIZING:
            notes.append(f"{layer} is left out, since ferkit resizes images itself")
        elif affine is not None and all(part.size in (1, 3) for part in affine):
            scale, shift, is_scaled = scale * affine[0], shift * affine[0] + affine[1], True
        elif not is_inactive(layer):
            raise refuse(layer, " before the network")
    return (((0 - shift / scale).tolist(), (1 / scale).tolist()) if is_scaled else None), notes


def check_backbone(layers):
    """Raises a Problem if a layer of the network computes something else than in EfficientNet; returns the epsilon of its norms."""
    names = [layer.name for layer in layers]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise refuse(f"two layers named {twice}")
    has_gates = any("_se_" in name for name in names)
    epsilons = {layer.config.get("epsilon", 1e-3) for layer in layers if layer.kind == "BatchNormalization"}
    if len(epsilons) > 1:
        raise refuse(f"batch norms of different epsilon ({', '.join(map(str, sorted(epsilons)))})")
    for layer in layers:
        config, kind = layer.config, layer.kind
        if kind not in BACKBONE_KINDS and not is_inactive(layer):
            raise refuse(layer)
        activation = config.get("activation", "linear")
        if kind == "ReLU":
            activation = "relu6" if config.get("max_value") == 6 else "relu"
        is_active = kind in ("Activation", "ReLU") or layer.name.endswith("_se_reduce")
        expected = (SWISH if has_gates else {"relu6"}) if is_active else {"linear"}
        if layer.name.endswith("_se_expand"):
            expected = {"sigmoid"}
        if not isinstance(activation, str) or activation not in expected:
            raise refuse(layer, f" with the activation {activation}")
        if kind in ("Conv2D", "DepthwiseConv2D"):
            steps = [2, 2] if STRIDED.match(layer.name) else [1, 1]
            if list(config.get("strides", steps)) != steps:
                raise refuse(layer, f" with strides {list(config['strides'])}")
            if max(config.get("dilation_rate", [1])) > 1:
                raise refuse(layer, " with dilation")
    return epsilons.pop() if epsilons else None


def head_of(layers, num_features):
    """Returns kernel and bias of the last layer that the layers after the network amount to.

    They are None if there is no dense layer, or ferkit's network cannot have it; then the reason follows, if there is one.
    """
    kernel, bias = np.eye(num_features), np.zeros(num_features)
    is_pooled, has_dense, activation, last = False, False, "linear", None
    for layer in layers:
        if layer.fault:
            return None, None, f"{layer}{layer.fault}"
        if is_inactive(layer):
            continue
        affine = affine_of(layer)
        width = len(bias)
        if activation != "linear":
            return None, None, f"{layer} after the activation {activation} of {last}"
        if affine is not None and all(part.size in (1, width) for part in affine):
            kernel, bias = kernel * affine[0], bias * affine[0] + affine[1]
        elif layer.kind == "GlobalAveragePooling2D":
            is_pooled = True
        elif layer.kind == "Flatten":
            is_pooled = True  # of one position, otherwise the next layer does not fit
        elif layer.kind == "Dense":
            own = layer.weights["kernel"]
            if own.dtype.kind == "i":
                return None, None, f"{layer} with integers for weights, as in a quantized network"
            if own.ndim != 2 or len(own) != width:
                return None, None, f"{layer} for {len(own)} features instead of {width}, as behind Flatten in place of a mean"
            kernel, bias = kernel @ own.astype("f8"), bias @ own.astype("f8") + layer.weights.get("bias", 0)
            has_dense, activation = True, layer.config.get("activation", "linear")
        elif layer.kind in ("Activation", "Softmax"):
            activation = layer.config.get("activation") if layer.kind == "Activation" else "softmax"
        else:
            return None, None, str(layer)
        last = layer
    if last is None or (not has_dense and last.kind in ("GlobalAveragePooling2D", "Flatten")):
        return None, None, None
    if not has_dense:
        return None, None, f"{last} without a dense layer"
    if not is_pooled:
        return None, None, f"{last} without GlobalAveragePooling2D before it"
    if len(bias) == 1 and activation == "sigmoid":
        return np.hstack([0 * kernel, kernel]), np.hstack([0 * bias, bias]), None
    if len(bias) == 1:
        return None, None, f"{last} with one output and the activation {activation}"
    if activation not in ("linear", "softmax"):
        return None, None, f"{last} with the activation {activation}"
    return kernel, bias, None


def read_model(model, arrays_of):
    """Returns the arrays of a model's network by its layers and weights, such as `stem_conv/kernel`, and what it computes.

    `arrays_of` returns a layer's arrays, by its path, the names of the outermost model's layer and its own, and those of its weights;
    then the names of its other arrays.
    """
    layers = list(layers_of(model, arrays_of))
    inside = [index for index, layer in enumerate(layers) if BACKBONE.match(layer.name)]
    if not any(layer.name == "stem_conv" for layer in layers):
        found = ", ".join(list(dict.fromkeys(layer.name for layer in layers if layer.kind != "InputLayer"))[:3])
        fix = "Choose weights of an EfficientNet from timm, torchvision or Keras."
        raise Problem(f"other layers ({found})", "the layers of keras.applications' EfficientNet, such as stem_conv", fix)
    faulty = next((layer for layer in layers[: inside[-1] + 1] if layer.fault), None)
    if faulty:
        raise refuse(faulty, faulty.fault)
    backbone = [layers[index] for index in inside]
    between = [layer for layer in layers[inside[0] : inside[-1]] if not BACKBONE.match(layer.name) and not is_inactive(layer)]
    if between:
        raise refuse(between[0], " within the network")
    scales, notes = input_of(layers[: inside[0]])
    epsilon = check_backbone(backbone)
    tensors = {f"{layer.name}/{name}": array for layer in backbone for name, array in layer.weights.items()}
    conventions = {"epsilon": epsilon, "notes": notes}
    if scales:
        conventions["preprocessing"] = {"mean": scales[0], "std": scales[1]}
    else:
        notes.append(
            "no layer scales its pixels, so the usual mean and deviation are taken; --mean and --std of `ferkit convert` take others"
        )
    num_features = tensors["top_bn/gamma"].size if "top_bn/gamma" in tensors else 0
    kernel, bias, reason = head_of(layers[inside[-1] + 1 :], num_features)
    num_outputs = num_ends(model["config"].get("output_layers", ["one"]))
    if num_outputs != 1:
        kernel, reason = None, f"{num_outputs} outputs"
    if kernel is not None:
        tensors |= {"predictions/kernel": kernel.astype("f4"), "predictions/bias": bias.astype("f4")}
    if reason:
        conventions["head"] = reason
    else:
        folded = [layer.name for layer in layers[inside[-1] + 1 :] if layer.weights]
        conventions |= {"folded": folded} if len(folded) > 1 else {}
    return tensors, conventions
