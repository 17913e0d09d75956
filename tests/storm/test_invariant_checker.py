"""What a storm must not report as broken."""

from __future__ import annotations

from contextlib import closing

from bot.simulation.ncba.handsets import Handset
from bot.storm.storm_run import StormRun
from storage.sqlite.simulated import in_memory

DAY_S = 86_400


async def test_a_line_that_names_nobody_is_its_prompts_when_a_notification_names_it() -> None:
    with closing(in_memory()) as memory:
        story = StormRun(1, 24, 1, memory)
        await story.begin()
        owner, world, paybill = story.actors["p0"], story.world, story.world.bank.paybill
        world.bank.statements.names_payer = lambda receipt: False
        world.bank.set_handset(owner.phone, Handset.PAYS)
        for words in ("/topup", "1500"):
            world.submit(owner.say(words))
            await world.settle()
        for option in ("mine", "yes"):
            world.submit(owner.tap(option))
            await world.settle()
        await world.advance(DAY_S)
        await world.run_job("reconciliation")
        (arrived,) = await world.app.database.read(lambda tx: tx.payments.every())
        assert (arrived.operation, await story.watch.step()) == (None, [])
        (prompt,) = world.bank.paid()
        world.notify(paybill.notification_of(paybill.payment_of(prompt, prompt.account_no)))
        await world.settle()
        (arrived,) = await world.app.database.read(lambda tx: tx.payments.every())
        assert (arrived.operation is not None, await story.watch.step()) == (True, [])
        await world.close()
