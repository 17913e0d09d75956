"""Matches the simulated bank's prompts with our top-ups."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.simulation.ncba.prompts import PromptState, SentPrompt
from services.domain.topup import CREDITED, TopUp, account_reference
from services.ports import Tx

if TYPE_CHECKING:
    from bot.simulation.world import World


@dataclass
class PromptMatches:
    """Prompts by our reference; ``unmatched_prompts`` belong to no top-up."""

    by_topup: dict[str, SentPrompt] = field(default_factory=dict)
    unmatched_prompts: list[SentPrompt] = field(default_factory=list)

    def topup_of(self, receipt: str) -> str | None:
        """The reference of the top-up whose prompt this receipt paid."""
        found = (topup for topup, prompt in self.by_topup.items() if prompt.receipt == receipt)
        return next(found, None)

    def is_paid(self, reference: str) -> bool:
        prompt = self.by_topup.get(reference)
        return prompt is not None and prompt.state is PromptState.PAID


def match_prompts(world: World, tx: Tx) -> PromptMatches:
    """Match by account number if it names the top-up, otherwise by the bank's id, then by receipt.

    Without any of these, match any prompt with the same payer and amount, because they cannot be
    told apart. Credited top-ups and paid prompts are matched first.
    """
    prompts = world.bank.prompts.every()
    template, account = world.settings.ncba_account_ref_template, world.settings.ncba_account_number
    if "{reference}" in template:
        ours = {
            template.format(account=account, reference=account_reference(topup)): topup
            for topup in tx.topups.prompted()
        }
        return _assigned((prompt, ours.get(prompt.account_no)) for prompt in prompts)
    return _by_payer(prompts, [topup for topup in tx.topups.every() if topup.sent_at is not None])


def _assigned(pairs: Iterable[tuple[SentPrompt, str | None]]) -> PromptMatches:
    found = PromptMatches()
    for prompt, topup in pairs:
        if topup is None or topup in found.by_topup:
            found.unmatched_prompts.append(prompt)
        else:
            found.by_topup[topup] = prompt
    return found


def _by_payer(prompts: Sequence[SentPrompt], topups: Sequence[TopUp]) -> PromptMatches:
    by_id = {topup.bank_id: topup for topup in topups if topup.bank_id}
    receipts = {
        prompt.receipt
        for prompt in prompts
        if prompt.receipt and prompt.transaction_id not in by_id
    }
    nameless = [topup for topup in topups if not topup.bank_id]
    by_receipt = {topup.receipt: topup for topup in nameless if topup.receipt in receipts}
    alike: defaultdict[tuple[str, int], list[TopUp]] = defaultdict(list)
    for topup in sorted(nameless, key=lambda topup: topup.state not in CREDITED):
        if topup.receipt not in by_receipt:
            alike[topup.phone.msisdn, topup.amount.whole_units].append(topup)
    pairs = []
    for prompt in sorted(prompts, key=lambda prompt: prompt.state is not PromptState.PAID):
        found = by_id.get(prompt.transaction_id) or by_receipt.get(prompt.receipt or "")
        others = alike[prompt.phone, prompt.amount_kes]
        if found is None and others:
            found = others.pop(0)
        pairs.append((prompt, None if found is None else found.reference))
    return _assigned(pairs)
