"""Lets timm be imported without torchvision: timm's EfficientNet computes nothing with it.

Import this before timm. Every name of every torchvision module is a class of its own, which nothing instantiates.
"""
import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

from torch import nn


class _Unused(type):
    """Its attributes are classes too, as InterpolationMode.BILINEAR is one of its enumeration."""

    def __getattr__(cls, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return _unused(name)


def _unused(name):
    return _Unused(name, (), {})


class _UnusedModule(ModuleType):
    __path__ = ()
    __version__ = "0.0.0"

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        # timm asks of layers whether they are of this class.
        return nn.Identity if name == "FrozenBatchNorm2d" else _unused(name)


class _StandIn(MetaPathFinder, Loader):
    def find_spec(self, fullname, path=None, target=None):
        return ModuleSpec(fullname, self) if fullname.partition(".")[0] == "torchvision" else None

    def create_module(self, spec):
        return _UnusedModule(spec.name)

    def exec_module(self, module):
        pass


sys.meta_path.insert(0, _StandIn())
