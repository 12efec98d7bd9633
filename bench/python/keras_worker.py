"""Keras on TensorFlow, in graph mode: steps of training and inference, parity with ferkit."""
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import tensorflow as tf

# The public EfficientNetB0 has fixed dropout and stochastic depth; this function has options for them.
from keras.src.applications.efficientnet import EfficientNet

from reference.parity import RecordedStep
from serve import serve

NUM_CLASSES = 7


def build(variant, image_size, num_classes):
    if variant != "b0":
        raise ValueError(f"Expected b0 for variant but received {variant}: Keras lacks it")
    return EfficientNet(
        width_coefficient=1.0,
        depth_coefficient=1.0,
        default_size=224,
        dropout_rate=0.0,
        drop_connect_rate=0.0,
        weights=None,
        input_shape=(image_size, image_size, 3),
        classes=num_classes,
        classifier_activation=None,
    )


def prepare(kind, variant, image_size, batch_size):
    model = build(variant, image_size, NUM_CLASSES)
    random = np.random.default_rng(0)
    images = tf.constant(random.integers(256, size=(batch_size, image_size, image_size, 3)), tf.float32)
    labels = tf.constant(random.integers(NUM_CLASSES, size=batch_size))
    return {"train": training, "infer": inference}[kind](model, images, labels)


def training(model, images, labels):
    """The custom loop of Keras' guides, which is faster than `fit` and `train_on_batch`."""
    optimizer = keras.optimizers.Adam(1e-3)
    optimizer.build(model.trainable_variables)

    @tf.function
    def update():
        loss, gradients = differentiate(model, images, labels, model.trainable_variables)
        optimizer.apply(gradients, model.trainable_variables)
        return loss

    return lambda: update().numpy()


def inference(model, images, _labels):
    apply = tf.function(lambda batch: model(batch, training=False))
    return lambda: apply(images).numpy()


def parity(variant, file, names):
    """Compares ferkit's step in file with this engine's."""
    recorded = RecordedStep(file)
    model = build(variant, recorded.images.shape[1], recorded.weights["predictions/bias"].size)
    variables = {variable.path: variable for variable in model.weights}
    for name in names:
        variables[keras_name(name)].assign(recorded.weights[name])
    trained = [variables[keras_name(name)] for name in recorded.gradients]
    # The network divides by 255; its normalization does nothing as built.
    images = tf.constant(recorded.images * 255)
    loss, gradients = differentiate(model, images, recorded.labels, trained)
    return recorded.compare(float(loss), {name: g.numpy() for name, g in zip(recorded.gradients, gradients)})


def differentiate(model, images, labels, variables):
    with tf.GradientTape() as tape:
        logits = model(images, training=True)
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits))
    return loss, tape.gradient(loss, [variable.value for variable in variables])


def keras_name(name):
    return name.replace("depthwise_kernel", "kernel")


def versions():
    return {"keras": keras.__version__, "kerasTensorflow": tf.__version__}


serve(prepare, parity=parity, versions=versions)
