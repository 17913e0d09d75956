'use strict';
// Hazina's top-up as a menu of ussd-menu-builder: the same numbers lead to the same places.
// Reads one `text` a line, as JSON, and writes where it leads and how often money was asked for.

const readline = require('readline');
const UssdMenu = require('ussd-menu-builder');

const AMOUNT = '*^[1-9][0-9]{0,4}$';
const PHONE = '*^07[0-9]{8}$';
let asked = 0;

function menuOf(reached) {
  const menu = new UssdMenu(); // one a request: two callers of one object starve each other
  const shows = (state, next) => menu.state(state, { next, run: () => { reached(state); menu.con(state); } });
  const ends = (state, act = () => {}) =>
    menu.state(state, { run: () => { act(); reached(state); menu.end(state); } });

  menu.startState({
    next: { 1: 'amount', 3: 'show', 4: 'list' },
    run: () => { reached('menu'); menu.con('menu'); },
  });
  shows('show', {});
  shows('list', {});
  shows('amount', { [AMOUNT]: 'payer' });
  shows('payer', { 1: 'confirm', 2: 'phone', [PHONE]: 'confirm' });
  shows('phone', { [PHONE]: 'confirm' });
  shows('confirm', { 1: 'asked', 2: 'amount again', 3: 'payer again', 4: 'cancelled' });
  shows('amount again', { [AMOUNT]: 'confirm' });
  shows('payer again', { 1: 'confirm', 2: 'phone again', [PHONE]: 'confirm' });
  shows('phone again', { [PHONE]: 'confirm' });
  ends('asked', () => { asked += 1; });
  ends('cancelled');
  return menu;
}

async function answer(text) {
  let place = null;
  const menu = menuOf((state) => { place = state; });
  const said = await menu.run({ sessionId: 's', phoneNumber: '+254712345678', serviceCode: '*384*7#', text });
  return { place: place.replace(' again', ''), goesOn: said.startsWith('CON '), asked };
}

(async () => {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    process.stdout.write(`${JSON.stringify(await answer(JSON.parse(line)))}\n`);
  }
})();
