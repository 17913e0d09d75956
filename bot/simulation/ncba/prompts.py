"""The simulated bank's prompt books: every prompt it sent and its outcome."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto

from services.domain.ids import RandomSource, new_reference
from services.ports import Clock

PROMPT_LIFE = timedelta(seconds=120)
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_LETTERS_AND_DIGITS = _LETTERS + "0123456789"


class PromptState(Enum):
    OPEN = auto()
    PAID = auto()
    CANCELLED = auto()
    WRONG_PIN = auto()
    NO_FUNDS = auto()
    UNREACHABLE = auto()
    EXPIRED = auto()


@dataclass(slots=True)
class SentPrompt:
    """A prompt.

    ``reported_at`` is when a query about it was last answered SUCCESS: from then on the product
    knows of the payment, unless it died before recording it.
    """

    transaction_id: str
    reference_id: str
    phone: str
    amount_kes: int
    account_no: str
    sent_at: datetime
    state: PromptState = PromptState.OPEN
    ended_at: datetime | None = None
    receipt: str | None = None
    queries: int = 0
    reported_at: datetime | None = None


class PromptRegistry:
    """Prompts by id and by phone. Expiry is read off the clock, so no timer is needed."""

    def __init__(self, clock: Clock, random: RandomSource) -> None:
        self._clock = clock
        self._random = random
        self._by_id: dict[str, SentPrompt] = {}
        self._open_by_phone: defaultdict[str, list[SentPrompt]] = defaultdict(list)
        self._receipts: set[str] = set()
        self._paid: list[SentPrompt] = []

    def send(self, phone: str, amount_kes: int, account_no: str) -> SentPrompt:
        transaction_id = new_reference("STK", self._random, length=12)
        while transaction_id in self._by_id:
            transaction_id = new_reference("STK", self._random, length=12)
        prompt = SentPrompt(
            transaction_id=transaction_id,
            reference_id=new_reference("FT", self._random, length=10),
            phone=phone,
            amount_kes=amount_kes,
            account_no=account_no,
            sent_at=self._clock.now(),
        )
        self._by_id[transaction_id] = prompt
        self._open_by_phone[phone].append(prompt)
        return prompt

    def find(self, transaction_id: str) -> SentPrompt | None:
        prompt = self._by_id.get(transaction_id)
        if prompt:
            self._expire(prompt)
        return prompt

    def open(self) -> tuple[SentPrompt, ...]:
        """Prompts open on phones now, in sending order."""
        for prompt in self._by_id.values():
            self._expire(prompt)
        return tuple(p for p in self._by_id.values() if p.state is PromptState.OPEN)

    def every(self) -> tuple[SentPrompt, ...]:
        """In sending order."""
        return tuple(self._by_id.values())

    def newest_open(self, phone: str) -> SentPrompt | None:
        """The prompt on top of that phone's screen."""
        waiting = self._open_by_phone[phone]
        while waiting:
            self._expire(waiting[-1])
            if waiting[-1].state is PromptState.OPEN:
                return waiting[-1]
            waiting.pop()
        return None

    def end(self, prompt: SentPrompt, state: PromptState) -> None:
        """The payer acted on it. A prompt ends once."""
        if prompt.state is not PromptState.OPEN:
            raise ValueError(f"{prompt.transaction_id} has ended: {prompt.state.name}")
        prompt.state = state
        prompt.ended_at = self._clock.now()
        if state is PromptState.PAID:
            prompt.receipt = self.new_receipt()
            self._paid.append(prompt)

    def paid(self) -> tuple[SentPrompt, ...]:
        """In payment order."""
        return tuple(self._paid)

    def settled_total(self, account_no: str | None = None) -> int:
        """Whole shillings paid to one account number, or to all."""
        return sum(
            prompt.amount_kes
            for prompt in self._paid
            if account_no is None or prompt.account_no == account_no
        )

    def _expire(self, prompt: SentPrompt) -> None:
        expires_at = prompt.sent_at + PROMPT_LIFE
        if prompt.state is PromptState.OPEN and self._clock.now() >= expires_at:
            prompt.state = PromptState.EXPIRED
            prompt.ended_at = expires_at

    def new_receipt(self) -> str:
        """Ten characters, starting with a letter and including a digit, like M-PESA's:
        ``UF4OR6RP9Q``.
        """
        while True:
            receipt = _LETTERS[self._random.randrange(len(_LETTERS))] + "".join(
                _LETTERS_AND_DIGITS[self._random.randrange(len(_LETTERS_AND_DIGITS))]
                for _ in range(9)
            )
            if receipt.isalpha():
                receipt = f"{receipt[:-1]}{_LETTERS.index(receipt[-1]) % 10}"
            if receipt not in self._receipts:
                self._receipts.add(receipt)
                return receipt
