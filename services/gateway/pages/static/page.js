// What a page can't do without a script: the live figures, and posting with a key in a header.

const LIVE_MS = 2000;
const WATCH_MS = 1000;
const WATCH_TIMES = 90;

const number = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });

// Live figures

async function showLive() {
  if (document.hidden) return;
  let figures = null;
  try {
    const answer = await fetch("/live");
    if (answer.ok) figures = await answer.json();
  } catch {
    // The gateway is away: the dashes say so.
  }
  document.getElementById("live").classList.toggle("on", figures !== null);
  document.getElementById("pulse").textContent = figures ? "Live" : "Not live";
  for (const shown of document.querySelectorAll("[data-figure]")) {
    const value = figures && figure(figures, shown.dataset.figure);
    shown.textContent = text(value);
    shown.classList.toggle("alarm", shown.dataset.figure === "dead_letters" && value > 0);
  }
}

// "lag.saver" is figures.lag.saver; of several values it is the sum.
function figure(figures, path) {
  const value = path.split(".").reduce((inner, name) => inner[name], figures);
  return value !== null && typeof value === "object" ? Object.values(value).reduce((a, b) => a + b, 0) : value;
}

function text(value) {
  return value === null ? "–" : number.format(value);
}

async function keepLive() {
  await showLive();
  setTimeout(keepLive, LIVE_MS);
}

// Posting

async function post(event) {
  event.preventDefault();
  const form = event.target;
  const { publication, key, content } = Object.fromEntries(new FormData(form));
  const button = form.querySelector("button");
  button.disabled = true;
  try {
    const before = await articles(publication, key);
    tell("Sending …");
    const accepted = await send({ publication, content }, key);
    form.elements.content.value = "";
    const stored = `Stored as ${accepted.id} in partition ${accepted.partition} at offset ${accepted.offset}.`;
    if (before === null) {
      tell(`${stored} The counts can’t be read now.`);
    } else {
      tell(`${stored} Waiting for it to be counted …`);
      await watch(publication, key, before);
    }
  } catch (problem) {
    tell(problem.message, "bad");
  } finally {
    button.disabled = false;
  }
}

async function send(article, key) {
  const answer = await fetch("/post/enqueue", {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-API-Key": encodeKey(key) },
    body: JSON.stringify(article),
  }).catch(() => {
    throw new Error("The gateway does not answer. Nothing is known about this article.");
  });
  const said = await answer.json().catch(() => ({}));
  if (answer.status !== 201) throw new Error(reason(said.detail) || `Refused with status ${answer.status}.`);
  return said;
}

// Headers hold bytes; a key outside Latin-1 would make fetch throw without a word about the key.
function encodeKey(key) {
  if (/[^\x20-\x7e]/.test(key)) throw new Error("The API key is wrong.");
  return key;
}

function reason(detail) {
  if (typeof detail === "string") return detail;
  return (detail ?? []).map((problem) => `${problem.loc.at(-1)}: ${problem.msg}`).join("; ");
}

async function watch(publication, key, before) {
  for (let times = 0; times < WATCH_TIMES; times += 1) {
    const now = await articles(publication, key);
    if (now !== null && now > before) {
      await refresh();
      tell(`Counted: ${publication.trim()} has ${number.format(now)} ${now === 1 ? "article" : "articles"} now.`, "good");
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, WATCH_MS));
  }
  tell("Stored, but not counted yet. Is the pipeline running? Nothing is lost: it is counted when it is.", "bad");
}

// How many articles of the publication are counted, null when that can't be read now.
async function articles(publication, key) {
  const name = publication.trim();
  // Browsers take "." and ".." for steps in the path, however escaped, but not with a space.
  const segment = encodeURIComponent(name === "." || name === ".." ? ` ${name}` : name);
  const answer = await fetch(`/publications/${segment}/entities?limit=1`, { headers: { "X-API-Key": encodeKey(key) } });
  if (answer.status === 404) return 0;
  return answer.ok ? (await answer.json()).publication.articles : null;
}

// The counts on this page as they are now, from the same page fetched again: escaped by the server like the first time.
async function refresh() {
  const shown = document.getElementById("counts");
  const answer = await fetch(location.href);
  if (!answer.ok || !shown) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("counts");
  if (fresh) {
    fresh.classList.add("fresh");
    shown.replaceWith(document.adoptNode(fresh));
  }
}

function tell(news, kind = "") {
  const shown = document.getElementById("post-news");
  shown.textContent = news;
  shown.className = kind;
}

document.getElementById("post")?.addEventListener("submit", post);
document.addEventListener("visibilitychange", showLive);
keepLive();
