"""How long to wait before the next attempt."""

from __future__ import annotations

import random
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Backoff:
    """Exponential delays with jitter, so that many clients that lost the same server don't come back at once.

    Delay n lies between half of and the whole `first_s * factor ** (n - 1)`, at most `most_s`.
    """

    first_s: float = 1.0
    factor: float = 2.0
    most_s: float = 30.0
    rng: random.Random = field(default_factory=random.Random)

    def delay_s(self, attempt: int) -> float:
        """Seconds to wait before attempt number `attempt`, counted from 1."""
        whole_s: float = min(self.first_s * self.factor ** (min(attempt, 64) - 1), self.most_s)
        return whole_s * (0.5 + self.rng.random() / 2)
