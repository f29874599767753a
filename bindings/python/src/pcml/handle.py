"""Objects of the library: freed when nobody uses them any more, at the latest with the last reference."""

from __future__ import annotations

import ctypes
import threading
import weakref
from typing import Any, Callable, Optional, TypeVar

from .error import HandleError, check
from .library import lib

T = TypeVar("T", bound="Handle")


class Pointer(ctypes.c_void_p):
    """The address of an object, freed with its last reference. Calls hold one, so closing never pulls an object from under a call."""


def create(function: Callable[..., int], free: Callable[..., None], *arguments: Any) -> Pointer:
    """Calls a function whose last argument receives a new object."""
    pointer = Pointer()
    check(function(*arguments, ctypes.byref(pointer)))
    # Not at exit: other threads may be in a call then, and the system takes the memory.
    weakref.finalize(pointer, free, pointer.value).atexit = False
    return pointer


class Handle:
    """What all objects have: `with` and `close`. Closing twice is fine; calls after it raise HandleError."""

    def __init__(self, pointer: Pointer) -> None:
        self._pointer: Optional[Pointer] = pointer

    @property
    def pointer(self) -> Pointer:
        """The object for a call."""
        pointer = self._pointer
        if pointer is None:
            raise HandleError(f"the {type(self).__name__} is closed")
        return pointer

    def close(self) -> None:
        """Frees the object, once calls that are under way in other threads are over."""
        self._pointer = None

    def __enter__(self: T) -> T:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def expect(kind: type[Handle], name: str, value: Any, made: str = "") -> None:
    """Refuses what is not the object that a call takes, such as a path for a model. made: what makes one, if not the class."""
    if not isinstance(value, kind):
        made = f", as {made} returns" if made else ""
        raise TypeError(f"{name} is a {type(value).__name__}, expected a {kind.__name__}{made}")


class Exclusive:
    """A lock for what one thread at a time may use; another one gets HandleError, as from a busy workspace."""

    def __init__(self, what: str) -> None:
        self._what, self._lock = what, threading.Lock()

    def __enter__(self) -> None:
        if not self._lock.acquire(blocking=False):
            raise HandleError(f"the {self._what} is in use by another thread")

    def __exit__(self, *_: object) -> None:
        self._lock.release()


class Scratch(threading.local):
    """The calling thread's workspaces for one object, made when a call first needs them, and anew when one needs more room."""

    def __init__(self) -> None:
        self.found: dict[str, tuple[int, Pointer]] = {}

    def of(self, function: str, owner: Handle, room: Optional[int] = None) -> Pointer:
        """A workspace that `function` makes, of those that have room for slices or samples with room for so many."""
        found = self.found.get(function)
        if found is None or (room is not None and found[0] < room):
            arguments = (owner.pointer,) if room is None else (owner.pointer, room)
            found = self.found[function] = room or 0, create(getattr(lib, function), lib.pcml_workspace_free, *arguments)
        return found[1]
