"""Panels that are made together and told one after the other."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator, Sequence

from anystory.story.model import Frame, Step


class Batches:
    """Frames that a backend makes several at once, each told as if it were made alone: what the others have meanwhile
    waits here."""

    def __init__(self) -> None:
        self._numbers: tuple[int, ...] = ()
        self._running: Generator[dict[int, Step]] | None = None
        self._waiting: dict[int, deque[Step]] = {}
        self._making: tuple[int, ...] = ()  # whose frames are begun and not finished: the model is theirs

    def __contains__(self, number: int) -> bool:
        return number in self._waiting

    def start(self, numbers: Sequence[int], running: Generator[dict[int, Step]]) -> None:
        """Go on with the panels `numbers`: `running` yields steps by their panel's place among them, as
        `Backend.denoise_batch` does. Of those before, finished ones are still to be told and others are left out."""
        self.close()
        self._numbers, self._running = tuple(numbers), running
        self._waiting |= {number: deque() for number in numbers}

    def steps(self, number: int) -> Iterator[Step]:
        """The steps of panel `number`, the last with its frame."""
        waiting = self._waiting[number]
        while True:
            while not waiting:
                self._go_on()
            step = waiting.popleft()
            if step.frame:
                del self._waiting[number]
            yield step
            if step.frame:
                return

    def leave_out(self, number: int) -> None:
        """Tell no more of panel `number`. Where nobody else's frame is being made with it, the model is free."""
        self._waiting.pop(number, None)
        if self._making and not self._waiting.keys() & set(self._making):
            self.close()

    def settle(self) -> None:
        """Finish the frames that are begun, so that the model is free for another one."""
        while self._making:
            self._go_on()

    def _go_on(self) -> None:
        """One step of whatever frames the backend makes."""
        together = next(self._running) if self._running else {}
        self._making = tuple(self._numbers[place] for place, step in together.items() if not step.frame)
        for place, step in together.items():
            if (meant := self._waiting.get(self._numbers[place])) is not None:
                if step.index == 1:
                    meant.clear()  # begun anew
                meant.append(step)

    def close(self) -> dict[int, Frame]:
        """Stop. Returns the frames that are finished and not told yet."""
        if self._running:
            self._running.close()
        self._making = ()
        self._waiting = {number: steps for number, steps in self._waiting.items() if steps and steps[-1].frame}
        return {number: steps[-1].finished for number, steps in self._waiting.items()}
