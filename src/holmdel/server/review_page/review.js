// The review of lines: one at a time, by keyboard. The token of every request is in the address.

const token = location.hash.slice(1);
const find = (id) => document.getElementById(id);
const [form, crop, digits, end, said] = ["line", "crop", "digits", "end", "said"].map(find);

/** Lines by number, as promises: the next one is fetched while this one is looked at. */
const ahead = new Map();
let count = 0;
let at = 0; // the number of the line that is shown; count at the end

/** Says whether a line is still being fetched or kept; meanwhile no key counts. */
let busy = true;
function work(on) {
  busy = on;
  document.body.ariaBusy = String(on);
}

/** Returns what the server answers; throws its sentence. */
async function ask(path, body) {
  const answer = await fetch(path, {
    method: body === undefined ? "GET" : "POST",
    headers: { Authorization: `Bearer ${token}` },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const values = await answer.json();
  if (!answer.ok) throw new Error(values.error);
  return values;
}

function tell(sentence, wrong = false) {
  said.textContent = sentence;
  said.classList.toggle("wrong", wrong);
}

function line(number) {
  if (!ahead.has(number)) {
    const asked = ask(`/v1/lines/${number}`);
    asked.catch(() => ahead.delete(number));
    ahead.set(number, asked);
  }
  return ahead.get(number);
}

function progress(done) {
  find("progress").max = count || 1;
  find("progress").value = done;
  find("count").textContent = `${done} of ${count}`;
}

/** Shows a line, or the end. An image that cannot be used is told and can be passed over. */
async function show(number) {
  at = Math.min(Math.max(number, 0), count);
  end.hidden = at < count;
  form.hidden = at === count;
  if (at === count) return showEnd();
  try {
    fill(await line(at));
    if (at + 1 < count) line(at + 1);
  } catch (error) {
    crop.removeAttribute("src");
    find("about").textContent = "";
    digits.value = "";
    tell(error.message, true);
  }
  digits.focus();
  digits.select();
}

function fill(found) {
  const file = found.path.split(/[\\/]/).pop();
  const name = `${found.field ?? `line ${found.line}`} of ${file}`;
  const guess = found.raw ?? found.text;
  const before = found.said === null ? "" : `; you said ${found.said || "no digits"}`;
  crop.src = found.image;
  crop.alt = name;
  crop.title = found.path;
  digits.value = found.said ?? found.text;
  find("about").textContent =
    `${at + 1} of ${count}: ${name}, read as ${guess}, ` +
    `sure to ${Math.round(100 * found.confidence)} %${before}`;
}

async function showEnd() {
  const now = await ask("/v1/lines");
  const left = count - now.done;
  find("ended").textContent = left ? `${left} of ${count} lines are left for later` : "All done";
  find("kept").textContent = `What you said is kept in ${now.folder}.`;
  find("ended").focus();
}

/** Keeps what is written on this line, and shows the next. */
async function keep(text) {
  const kept = await ask(`/v1/lines/${at}`, { digits: text });
  ahead.delete(at);
  progress(kept.done);
  tell(kept.digits ? `Kept ${kept.digits}.` : "Kept: no digits.");
  await show(at + 1);
}

async function finish() {
  await ask("/v1/done", {});
  end.hidden = true;
  tell("Done. You can close this page.");
}

const actions = {
  keep: () => keep(digits.value),
  nothing: () => keep(""),
  skip: () => (tell("Left for later."), show(at + 1)),
  back: () => (tell(""), show(at - 1)),
  finish,
};

/** Does one thing at a time. */
async function act(name) {
  if (busy) return;
  work(true);
  try {
    await actions[name]();
  } catch (error) {
    tell(error.message, true);
  }
  work(false);
}

/** Returns what a key means while the text field, or the page's end, has the focus. */
function meaning(event) {
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return undefined;
  if (event.key === "ArrowUp") return "back";
  if (event.target instanceof HTMLButtonElement) return undefined;
  if (at === count) return event.key === "Enter" ? "finish" : undefined;
  if (event.key === "Enter") return event.shiftKey ? "back" : "keep";
  if (event.key === "Tab") return event.shiftKey ? undefined : "skip"; // back to the page's start
  return { Escape: "skip", n: "nothing", N: "nothing" }[event.key];
}

document.addEventListener("keydown", (event) => {
  const name = meaning(event);
  if (name === undefined || end.hidden === form.hidden) return;
  event.preventDefault();
  if (!event.repeat) act(name);
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  act("keep");
});
for (const name of ["nothing", "skip", "back", "finish"]) {
  find(name).addEventListener("click", () => act(name));
}
find("again").addEventListener("click", () => act("back"));

try {
  const now = await ask("/v1/lines");
  count = now.count;
  progress(now.done);
  await show(now.first);
} catch (error) {
  tell(error.message, true);
}
work(false);
