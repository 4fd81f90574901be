"""Threads of machine code that share the rows of one kernel: no interpreter, so handing work over costs a microsecond.

The caller and its crew claim part after part of a task. Each begins with a share of its own, the same fraction of the
rows in every task, as what one task has written then lies in the cache of the thread that reads it in the next; who is
ready takes what others have not begun. Who has nothing to do waits in a short loop, then asleep, so that an idle crew
costs nothing. Whoever finds the crew busy (another thread of the program, a task inside a task) does
the work alone. A forked child has no crew until it makes one. Linux on x86-64; elsewhere `ops.threads.split` is used.
"""

from __future__ import annotations

import atexit
import ctypes
import functools
import os
import platform
import signal
import threading
from collections.abc import Callable
from typing import Any

from tinygrad_lite.native import elf

WAIT = 1_000_000
"""Cycles of the processor's clock that a thread waits in a loop before it sleeps: some 0.4 ms."""
PARTS = 8
"""Parts per thread that a task may have."""

# word 0: the task whose words can be read, 16: the newest task, 32: parts done, 48: function, arguments, their stride,
# rows, parts, 64: whether the crew is busy, 80: how many sleep, 96: whether to end, 112: threads, number of the next,
# from 128 on, 8 words apart: the last task in which a part was claimed
TEXT = """
declare i64 @syscall(i64, ...)
declare i32 @sched_yield()
declare void @llvm.x86.sse2.pause()
declare i64 @llvm.readcyclecounter()

define internal void @run(i64 %address, i64 %arguments, i64 %stride, i64 %rows, i64 %parts, i64 %part) {{
  %a = mul i64 %rows, %part
  %lo = udiv i64 %a, %parts
  %b = add i64 %a, %rows
  %hi = udiv i64 %b, %parts
  %offset = mul i64 %stride, %part
  %own = add i64 %arguments, %offset
  %pointer = inttoptr i64 %own to ptr
  %body = inttoptr i64 %address to ptr
  call void %body(i64 %lo, i64 %hi, ptr %pointer)
  ret void
}}

define internal void @take(ptr %crew, i64 %task, i64 %me) noinline {{
entry:
  %done = getelementptr i64, ptr %crew, i64 32
  %at_body = getelementptr i64, ptr %crew, i64 48
  %at_arguments = getelementptr i64, ptr %crew, i64 49
  %at_stride = getelementptr i64, ptr %crew, i64 50
  %at_rows = getelementptr i64, ptr %crew, i64 51
  %at_parts = getelementptr i64, ptr %crew, i64 52
  %at_threads = getelementptr i64, ptr %crew, i64 112
  %parts = load atomic i64, ptr %at_parts seq_cst, align 8
  %address = load atomic i64, ptr %at_body seq_cst, align 8
  %arguments = load atomic i64, ptr %at_arguments seq_cst, align 8
  %stride = load atomic i64, ptr %at_stride seq_cst, align 8
  %rows = load atomic i64, ptr %at_rows seq_cst, align 8
  %threads = load atomic i64, ptr %at_threads seq_cst, align 8
  %open = load atomic i64, ptr %crew seq_cst, align 8
  %same = icmp eq i64 %open, %task
  %scaled = mul i64 %me, %parts
  %first = udiv i64 %scaled, %threads
  br i1 %same, label %look, label %end
look:
  %turn = phi i64 [ 0, %entry ], [ %following, %next ]
  %left = icmp ult i64 %turn, %parts
  br i1 %left, label %see, label %end
see:
  %sum = add i64 %first, %turn
  %beyond = icmp uge i64 %sum, %parts
  %over = select i1 %beyond, i64 %parts, i64 0
  %part = sub i64 %sum, %over
  %far = mul i64 %part, 8
  %index = add i64 %far, 128
  %claim = getelementptr i64, ptr %crew, i64 %index
  %claimed = load atomic i64, ptr %claim seq_cst, align 8
  %free = icmp ult i64 %claimed, %task
  br i1 %free, label %more, label %next
more:
  %try = cmpxchg ptr %claim, i64 %claimed, i64 %task seq_cst seq_cst
  %mine = extractvalue {{ i64, i1 }} %try, 1
  br i1 %mine, label %work, label %next
work:
  call void @run(i64 %address, i64 %arguments, i64 %stride, i64 %rows, i64 %parts, i64 %part)
  %before = atomicrmw add ptr %done, i64 1 seq_cst
  br label %next
next:
  %following = add i64 %turn, 1
  br label %look
end:
  ret void
}}

define ptr @serve(ptr %crew) {{
entry:
  %at_task = getelementptr i64, ptr %crew, i64 16
  %sleeping = getelementptr i64, ptr %crew, i64 80
  %quit = getelementptr i64, ptr %crew, i64 96
  %at_next = getelementptr i64, ptr %crew, i64 113
  %me = atomicrmw add ptr %at_next, i64 1 seq_cst
  br label %wait
wait:
  %seen = phi i64 [ 0, %entry ], [ %now, %help ]
  %start = call i64 @llvm.readcyclecounter()
  br label %spin
spin:
  %now = load atomic i64, ptr %at_task seq_cst, align 8
  %same = icmp eq i64 %now, %seen
  br i1 %same, label %idle, label %serving
idle:
  call void @llvm.x86.sse2.pause()
  %clock = call i64 @llvm.readcyclecounter()
  %passed = sub i64 %clock, %start
  %long = icmp ugt i64 %passed, {wait}
  br i1 %long, label %sleep, label %spin
sleep:
  %more = atomicrmw add ptr %sleeping, i64 1 seq_cst
  %low = trunc i64 %seen to i32
  %woken = call i64 (i64, ...) @syscall(i64 202, ptr %at_task, i64 128, i32 %low, ptr null, ptr null, i64 0)
  %less = atomicrmw sub ptr %sleeping, i64 1 seq_cst
  %changed = load atomic i64, ptr %at_task seq_cst, align 8
  %still = icmp eq i64 %changed, %seen
  br i1 %still, label %sleep, label %spin
serving:
  %ending = load atomic i64, ptr %quit seq_cst, align 8
  %over = icmp ne i64 %ending, 0
  br i1 %over, label %end, label %help
help:
  call void @take(ptr %crew, i64 %now, i64 %me)
  br label %wait
end:
  ret ptr null
}}

define void @announce(ptr %crew, i64 %task, i64 %rouse) noinline {{
entry:
  %at_task = getelementptr i64, ptr %crew, i64 16
  %sleeping = getelementptr i64, ptr %crew, i64 80
  store atomic i64 %task, ptr %at_task seq_cst, align 8
  %asleep = load atomic i64, ptr %sleeping seq_cst, align 8
  %both = mul i64 %asleep, %rouse
  %any = icmp ne i64 %both, 0
  br i1 %any, label %wake, label %end
wake:
  %woken = call i64 (i64, ...) @syscall(i64 202, ptr %at_task, i64 129, i64 %rouse, ptr null, ptr null, i64 0)
  br label %end
end:
  ret void
}}

define void @share(ptr %crew, ptr %body, ptr %arguments, i64 %stride, i64 %rows, i64 %parts, i64 %rouse) {{
entry:
  %at_task = getelementptr i64, ptr %crew, i64 16
  %done = getelementptr i64, ptr %crew, i64 32
  %at_body = getelementptr i64, ptr %crew, i64 48
  %at_arguments = getelementptr i64, ptr %crew, i64 49
  %at_stride = getelementptr i64, ptr %crew, i64 50
  %at_rows = getelementptr i64, ptr %crew, i64 51
  %at_parts = getelementptr i64, ptr %crew, i64 52
  %busy = getelementptr i64, ptr %crew, i64 64
  %address = ptrtoint ptr %body to i64
  %given = ptrtoint ptr %arguments to i64
  %at_threads = getelementptr i64, ptr %crew, i64 112
  %threads = load atomic i64, ptr %at_threads seq_cst, align 8
  %most = mul i64 %threads, {each}
  %fits = icmp ule i64 %parts, %most
  br i1 %fits, label %ask, label %alone
ask:
  %try = cmpxchg ptr %busy, i64 0, i64 1 seq_cst seq_cst
  %mine = extractvalue {{ i64, i1 }} %try, 1
  br i1 %mine, label %post, label %alone
post:
  %last = load atomic i64, ptr %at_task seq_cst, align 8
  store atomic i64 0, ptr %crew seq_cst, align 8
  store atomic i64 %address, ptr %at_body seq_cst, align 8
  store atomic i64 %given, ptr %at_arguments seq_cst, align 8
  store atomic i64 %stride, ptr %at_stride seq_cst, align 8
  store atomic i64 %rows, ptr %at_rows seq_cst, align 8
  store atomic i64 %parts, ptr %at_parts seq_cst, align 8
  store atomic i64 0, ptr %done seq_cst, align 8
  %task = add i64 %last, 1
  store atomic i64 %task, ptr %crew seq_cst, align 8
  call void @announce(ptr %crew, i64 %task, i64 %rouse)
  call void @take(ptr %crew, i64 %task, i64 0)
  br label %finish
finish:
  %turns = phi i64 [ 0, %post ], [ %counted, %rest ]
  %ready = load atomic i64, ptr %done seq_cst, align 8
  %all = icmp eq i64 %ready, %parts
  br i1 %all, label %free, label %rest
rest:
  call void @llvm.x86.sse2.pause()
  %counted = add i64 %turns, 1
  %often = icmp ugt i64 %counted, 4000
  br i1 %often, label %lend, label %finish
lend:
  %lent = call i32 @sched_yield()
  br label %again
again:
  %ready2 = load atomic i64, ptr %done seq_cst, align 8
  %all2 = icmp eq i64 %ready2, %parts
  br i1 %all2, label %free, label %lend
free:
  store atomic i64 0, ptr %busy seq_cst, align 8
  ret void
alone:
  br label %each
each:
  %part = phi i64 [ 0, %alone ], [ %next, %each ]
  call void @run(i64 %address, i64 %given, i64 %stride, i64 %rows, i64 %parts, i64 %part)
  %next = add i64 %part, 1
  %some = icmp ult i64 %next, %parts
  br i1 %some, label %each, label %end
end:
  ret void
}}
"""


_memories: list[Any] = []
"""What threads may look at until the program ends, even if Ctrl-C has ended the making of a crew."""


class Crew:
    """The threads beside the calling one, and the memory that they share with it."""

    def __init__(self, threads: int, loaded: Callable[[Callable[[], str], list[str]], list[int]]) -> None:
        serve, announce, share = loaded(lambda: TEXT.format(wait=WAIT, each=PARTS), ["serve", "announce", "share"])
        # what is written often lies 128 bytes apart, the claims of parts 64
        self.memory = (ctypes.c_int64 * (128 + 8 * PARTS * threads))()
        self.memory[112:114] = [threads, 1]
        _memories.append(self.memory)
        self.threads, self.place, self.handles = threads, ctypes.addressof(self.memory), list[Any]()
        integer, pointer = ctypes.c_int64, ctypes.c_void_p
        self._announce = ctypes.CFUNCTYPE(None, pointer, integer, integer)(announce)
        self._share = ctypes.CFUNCTYPE(None, pointer, pointer, ctypes.c_char_p, integer, integer, integer, integer)(
            share
        )
        # signals are for the threads of Python
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        try:
            for _ in range(threads - 1):
                handle = ctypes.c_void_p()
                made = elf.library().pthread_create(ctypes.byref(handle), None, pointer(serve), pointer(self.place))
                if made:  # the system gives no more threads: the others do the work
                    break
                self.handles.append(handle)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)

    def share(self, body: int, arguments: bytes, stride: int, rows: int, parts: int, wake: int) -> None:
        """Call ``body(first row, row after the last, arguments)`` for every part of the rows.

        The arguments of one part begin ``stride`` bytes after those of the part before; 0: they are the same.
        ``wake``: how many may be woken, where the task is worth the time that it takes.
        """
        self._share(self.place, body, arguments, stride, rows, parts, wake)

    def asleep(self) -> bool:
        """Return whether no thread would take part without being woken."""
        return self.memory[80] >= len(self.handles)

    def close(self) -> None:
        """End the threads: memory with their code may be freed from then on."""
        self.memory[96] = 1
        # far from the numbers of tasks: meanwhile another thread may begin some, and back at a number that was used
        # it would wait for parts that seem to be claimed
        self._announce(self.place, self.memory[16] + (1 << 30), 0x7FFFFFFF)
        for handle in self.handles:
            elf.library().pthread_join(handle, None)
        self.handles.clear()


_crews: dict[int, Crew] = {}
"""The crew by its number of threads; at most one."""
_making = threading.Lock()
_over = False
"""Whether none can be made any more: the program ends, or LLVM has failed."""


def _forked() -> None:
    global _making
    _making = threading.Lock()
    _crews.clear()  # its threads are the parent's


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)


@atexit.register
def _end() -> None:
    global _over
    _over = True
    for other in _crews.values():
        other.close()
    _crews.clear()


@functools.cache
def possible() -> bool:
    """Return whether there can be a crew on this system."""
    return elf.possible() and platform.machine() == "x86_64" and hasattr(signal, "pthread_sigmask")


def crew(threads: int, loaded: Callable[[Callable[[], str], list[str]], list[int]]) -> Crew | None:
    """Return the crew of this many threads, the calling one included; None where there can be none.

    ``loaded`` makes machine code of a text and returns the addresses of functions in it.
    """
    global _over
    found = _crews.get(threads)
    if found is None and possible() and not _over:
        with _making:
            found = _crews.get(threads)
            if found is None:
                for other in _crews.values():
                    other.close()
                _crews.clear()
                try:
                    found = _crews[threads] = Crew(threads, loaded)
                except Exception:  # no LLVM for this processor: `ops.threads.split` does it
                    _over = True
    return found
