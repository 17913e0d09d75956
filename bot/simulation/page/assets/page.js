// What htmx leaves to us: tabs, messages and their history, keys, scrolling, focus, copying.
"use strict";

const WIDE = "(min-width: 1001px)";
const roomForTwo = matchMedia("(min-width: 1200px)");
const HISTORY_MAX = 50;
const typedLines = {};  // by message box
const { view, token } = document.body.dataset;
const NO_ANSWER = "The simulator does not answer. Is it still running?";
const AT_END = 80;  // pixels from the end of a chat within which it is followed
const notice = document.getElementById("notice");

function say(text) {
  notice.textContent = text;
}

// Tabs: one of each list can be reached by Tab, the arrow keys move among them. A phone whose USSD
// is chosen shows its chat beside it where there is room.
function select(tab) {
  const list = tab.closest("[role=tablist]");
  const beside = tab.dataset.beside && hasRoom() ? tab.dataset.beside : null;
  list.closest(".phone")?.classList.toggle("is-wide", beside !== null);
  list.setAttribute("aria-multiselectable", String(beside !== null));
  for (const other of list.querySelectorAll("[role=tab]")) {
    const chosen = other === tab || other.id === beside;
    other.setAttribute("aria-selected", String(chosen));
    other.tabIndex = other === tab ? 0 : -1;
    if (!tab.closest(".drawer")) document.getElementById(other.getAttribute("aria-controls")).hidden = !chosen;
    if (chosen) other.classList.remove("has-news");
  }
}

function hasRoom() {
  return roomForTwo.matches && !document.querySelector(".shows-two");
}

function makeRoom() {
  for (const tab of document.querySelectorAll("[data-beside][tabindex='0']")) select(tab);
}

roomForTwo.addEventListener("change", makeRoom);

document.addEventListener("click", (event) => {
  const tab = event.target.closest("[role=tab]");
  if (tab) select(tab);
});

document.addEventListener("keydown", (event) => {
  const tab = event.target.closest("[role=tab]");
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (tab && step) {
    const tabs = [...tab.closest("[role=tablist]").querySelectorAll("[role=tab]")];
    const next = tabs[(tabs.indexOf(tab) + step + tabs.length) % tabs.length];
    next.focus();
    next.click();
    event.preventDefault();
  }
  if (event.target.name === "text" && (event.key === "ArrowUp" || event.key === "ArrowDown")) {
    recall(event.target, event.key === "ArrowUp" ? -1 : 1);
    event.preventDefault();
  }
});

// What was typed before comes back with the arrow keys.
function recall(input, step) {
  const typed = (typedLines[input.id] ??= { lines: [], at: 0 });
  typed.at = Math.max(0, Math.min(typed.lines.length, typed.at + step));
  input.value = typed.lines[typed.at] ?? "";
}

function remember(input) {
  const typed = (typedLines[input.id] ??= { lines: [], at: 0 });
  typed.lines.push(input.value);
  typed.lines.splice(0, typed.lines.length - HISTORY_MAX);
  typed.at = typed.lines.length;
}

// A message leaves its box when it is sent, as whoever has the phone then, and comes back if it was
// not taken. The messages of a phone go one after the other.
const underWay = {};  // by phone

function inTurn(phone, work) {
  const queue = (underWay[phone.id] ??= { last: Promise.resolve(), length: 0 });
  queue.length += 1;
  queue.last = queue.last.then(work).finally(() => { queue.length -= 1; });
}

function post(action, fields) {
  return send(`/page/do/${action}`, new URLSearchParams({ view, ...fields }));
}

async function send(address, body) {
  say("");
  let problem = NO_ANSWER;
  try {
    const answer = await fetch(address, { method: "POST", headers: { "x-hazina-token": token }, body });
    problem = answer.ok ? "" : await answer.text();
  } catch {
    // no answer: said below
  }
  if (problem) say(problem);
  return !problem;
}

document.addEventListener("submit", (event) => {
  const form = event.target.closest("form[data-do]");
  if (!form) return;
  event.preventDefault();
  const input = form.elements.text;
  const text = input.value;
  if (!text.trim()) return;
  const phone = form.closest("[data-phone]");
  const person = personOf(phone).value;
  remember(input);
  if ("clears" in form.dataset) input.value = "";
  inTurn(phone, async () => {
    if (!(await post(form.dataset.do, { person, text })) && !input.value) input.value = text;
  });
});

// A file is sent as soon as it is chosen, as it is.
document.addEventListener("change", (event) => {
  const input = event.target.closest("input[type=file]");
  const file = input?.files[0];
  if (!file) return;
  const phone = attached(input);
  input.value = "";  // so that the same file can be chosen again
  if (file.size > input.dataset.bytesMax) {
    say(`${file.name} is over 1 MiB, the most that a file may have.`);
    return;
  }
  const fields = { view, person: personOf(phone).value, name: file.name };
  inTurn(phone, () => send(`/page/file?${new URLSearchParams(fields)}`, file));
});

document.addEventListener("click", (event) => {
  const rows = event.target.closest("[data-sample]")?.dataset.sample;
  if (!rows) return;
  const phone = attached(event.target);
  const fields = { person: personOf(phone).value, rows };
  inTurn(phone, () => post("sample", fields));
});

function attached(choice) {
  closeChoices(choice.closest(".attach"));
  return choice.closest("[data-phone]");
}

function closeChoices(attach) {
  attach.open = false;
  attach.querySelector("summary").focus({ preventScroll: true });
}

document.addEventListener("keydown", (event) => {
  const attach = event.target.closest(".attach[open]");
  if (attach && event.key === "Escape") closeChoices(attach);
});

// The keys of a phone write the answer that its page asks for, else the code to dial.
const ON_KEYS = /^[0-9*#]$/;

function asked(handset) {
  return handset.querySelector(handset.querySelector("[data-asks]") ? "form.answer" : "form.dial");
}

function press(handset, key) {
  const form = asked(handset);
  const input = form.elements.text;
  if (key === "call") form.requestSubmit();
  else if (key === "erase") input.value = input.value.slice(0, -1);
  else input.value += key;
}

document.addEventListener("click", (event) => {
  const button = event.target.closest(".handset button");
  const phone = button?.closest("[data-phone]");
  if (button?.dataset.key) press(button.closest(".handset"), button.dataset.key);
  if (button?.dataset.redial) {
    const fields = { person: personOf(phone).value, what: button.dataset.redial };
    inTurn(phone, () => post("redial", fields));
  }
});

document.addEventListener("keydown", (event) => {
  const handset = event.target.closest(".handset");
  if (!handset || event.target.matches("input") || event.ctrlKey || event.altKey || event.metaKey) return;
  const key = ON_KEYS.test(event.key) ? event.key : { Backspace: "erase" }[event.key];
  if (key) press(handset, key);
});

// A page that asks has an answer box, one that has ended has none. Whoever has typed can go on
// typing.
function showPage(handset) {
  const here = document.activeElement;
  const answer = handset.querySelector("form.answer");
  const typed = here.closest(".handset form") && handset.contains(here);
  const asks = handset.querySelector("[data-asks]") !== null;
  for (const part of answer.elements) part.disabled = !asks;
  if (typed && asks) answer.elements.text.focus({ preventScroll: true });
  else if (typed) handset.querySelector("[data-redial=dial]").focus({ preventScroll: true });
}

document.querySelectorAll(".handset").forEach(showPage);

function personOf(phone) {
  return phone.querySelector("select[name=person]");
}

// The phone is somebody else's now; what is on its way stays as it was sent.
document.addEventListener("change", (event) => {
  const phone = event.target.closest("[data-phone]");
  if (phone && event.target === personOf(phone)) {
    const fields = { person: event.target.value, phone: phone.dataset.phone };
    inTurn(phone, async () => {
      if (!(await post("look", fields))) showPerson(phone);
    });
  }
});

function showPerson(phone) {
  const shown = phone.querySelector("[data-person]");
  if (shown) personOf(phone).value = shown.dataset.person;
}

document.addEventListener("htmx:configRequest", (event) => {
  event.detail.headers["x-hazina-token"] = token;
  event.detail.parameters.view = view;
});
document.addEventListener("htmx:beforeRequest", () => say(""));
document.addEventListener("htmx:sendError", () => say(NO_ANSWER));
document.addEventListener("htmx:responseError", (event) => {
  say(event.detail.xhr.responseText);
  for (const option of event.target.options ?? []) option.selected = option.defaultSelected;
});
document.getElementById("reload").addEventListener("htmx:beforeRequest", (event) => {
  event.preventDefault();
  location.reload();
});

// A chat that is read at its end stays there when messages and pictures come in, or a prompt makes
// it smaller; whoever scrolls up is left where they read.
function follow(log) {
  if (log.dataset.follows !== "no") log.scrollTop = log.scrollHeight;
}

const resized = new ResizeObserver((entries) => entries.forEach((entry) => follow(entry.target)));

for (const log of document.querySelectorAll("[role=log]")) {
  let top = 0;
  log.addEventListener("scroll", () => {
    if (log.scrollHeight - log.scrollTop - log.clientHeight < AT_END) log.dataset.follows = "yes";
    else if (log.scrollTop < top) log.dataset.follows = "no";
    top = log.scrollTop;
  });
  resized.observe(log);
}

document.addEventListener("load", (event) => {
  const log = event.target.closest?.("[role=log]");
  if (log) follow(log);
}, true);

// Closed tabs show that they have news, and a prompt asks for its PIN.
document.addEventListener("htmx:oobAfterSwap", (event) => {
  const target = event.detail.target;
  if (target.id === "story-bar") {
    document.getElementById("story").value = target.querySelector("[data-story]")?.dataset.story ?? "";
    showStory(target.querySelector("[data-shows]")?.dataset);
  }
  if (target.id === "phones-state") queueMicrotask(makeRoom);  // htmx sets attributes after this
  const phone = target.closest("[data-phone]");
  if (!phone) return;
  if (target.classList.contains("lcd")) showPage(target.closest(".handset"));
  if (target.classList.contains("who") && !underWay[phone.id]?.length) showPerson(phone);
  const log = target.closest("[role=log]");
  if (log) {
    follow(log);
    return;
  }
  const tab = target.closest("[role=tabpanel]") && document.getElementById(target.closest("[role=tabpanel]").getAttribute("aria-labelledby"));
  if (tab && tab.getAttribute("aria-selected") === "false" && target.querySelector("article, [data-page]")) tab.classList.add("has-news");
  if (target.classList.contains("prompt")) promptFor(phone, target);
});

// A story begins with what it is about in sight.
let storyWorld = null;

function showStory(story) {
  if (!story || story.world === storyWorld) return;
  storyWorld = story.world;
  for (const tab of document.querySelectorAll(`.phone [id^=tab-${story.shows}-]`)) select(tab);
}

// The pop-up takes the focus from its phone, unless something is being typed, and gives it back.
let pinHadFocus = false;

document.addEventListener("focusin", (event) => {
  pinHadFocus = event.target.closest(".dialog") !== null;
});

function promptFor(phone, target) {
  const pin = target.querySelector("input");
  const chat = phone.querySelector("form.say input");
  const here = document.activeElement;
  const isTyping = chat.value || phone.querySelector("form.answer input").value;
  if (pin && !isTyping && phone.contains(here)) pin.focus({ preventScroll: true });
  if (pin || !pinHadFocus || here !== document.body) return;
  const box = chat.closest("[hidden]") ? phone.querySelector("[data-redial=dial]") : chat;
  box.focus({ preventScroll: true });
}

document.addEventListener("htmx:afterSwap", () => {
  for (const captions of document.querySelectorAll(".captions")) captions.scrollTop = captions.scrollHeight;
});

// Copies are shown, so that they can be read, and put where they can be pasted.
const copied = document.getElementById("copied");
const copiedText = document.getElementById("copied-text");

document.addEventListener("click", async (event) => {
  const what = event.target.closest("[data-copy]")?.dataset.copy;
  if (!what) return;
  const answer = await fetch(`/page/copy/${what}`);
  if (!answer.ok) {
    say(await answer.text());
    return;
  }
  copiedText.value = await answer.text();
  document.getElementById("copied-title").textContent = what === "script" ? "Script" : "Calls with curl";
  copied.hidden = false;
  copiedText.focus();
  copiedText.select();
  try {
    await navigator.clipboard.writeText(copiedText.value);
  } catch {
    say("");  // not allowed to: the text is selected, and can be copied by hand
  }
});

document.getElementById("copied-close").addEventListener("click", () => {
  copied.hidden = true;
  document.querySelector("[data-copy]").focus();
});

if (!matchMedia(WIDE).matches) document.getElementById("drawer").open = false;
