"""What the library is given, as C lays it out. PyTorch is not loaded here."""

import ctypes

KINDS = ("conv", "linear", "avg", "max", "sigmoid", "tanh", "relu")
SLOTS = 2  # blocks of pictures a dense layer takes at once; measured: 1 and 4 are slower


class Described(ctypes.Structure):
    """A layer: its kind, by its place in `KINDS`, and its sizes."""

    _fields_ = (
        ("kind", ctypes.c_int32),
        ("input", ctypes.c_int32 * 3),
        ("output", ctypes.c_int32 * 3),
        ("kernel", ctypes.c_int32 * 2),
        ("stride", ctypes.c_int32 * 2),
        ("padding", ctypes.c_int32 * 2),
        ("count_padding", ctypes.c_int32),
    )


class Scaling(ctypes.Structure):
    """How bytes become what the network sees: where they lie in it, and byte * scale + shift."""

    _fields_ = (
        ("height", ctypes.c_int),
        ("width", ctypes.c_int),
        ("top", ctypes.c_int),
        ("left", ctypes.c_int),
        ("scale", ctypes.c_float),
        ("shift", ctypes.c_float),
    )


class Pictures(ctypes.Structure):
    """Where pictures lie: bytes or floats, and which rows of them are meant."""

    _fields_ = (
        ("memory", ctypes.c_void_p),
        ("bytes", ctypes.c_bool),
        ("rows", ctypes.c_void_p),
    )


class Sgd(ctypes.Structure):
    """A step of SGD for one parameter, by torch's formula."""

    _fields_ = (
        ("lr", ctypes.c_float),
        ("momentum", ctypes.c_float),
        ("decay", ctypes.c_float),
        ("nesterov", ctypes.c_int32),
    )
