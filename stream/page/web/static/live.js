// Keeps the page up with the shop: once a second it asks whether something changed, and takes over what did.
// Rows that stay the same stay where they are, so nothing jumps and nothing that is open closes.
"use strict";
(() => {
  const main = document.getElementById("main");
  const bar = document.getElementById("live");
  let revision = bar.dataset.revision;
  let asking = false;

  const key = (node, place) => node.nodeType === 1 && node.dataset.key ? node.dataset.key : node.nodeName + place;

  const isBusy = (node) => node.contains(document.activeElement) && document.activeElement !== document.body
    && !!document.activeElement.closest("form, details");

  const update = (old, fresh) => {
    if (old.isEqualNode(fresh)) return;
    if (old.nodeName !== fresh.nodeName || old.nodeType !== 1 || !old.children.length || !fresh.children.length) {
      if (!isBusy(old)) old.replaceWith(fresh);
      return;
    }
    if (old.nodeName === "DETAILS" && old.open) fresh.open = true;
    for (const name of old.getAttributeNames()) if (!fresh.hasAttribute(name)) old.removeAttribute(name);
    for (const name of fresh.getAttributeNames()) {
      if (old.getAttribute(name) !== fresh.getAttribute(name)) old.setAttribute(name, fresh.getAttribute(name));
    }
    if (old.nodeName === "FORM" && isBusy(old)) return;
    const known = new Map();
    [...old.childNodes].forEach((node, place) => known.set(key(node, place), node));
    let here = old.firstChild;
    [...fresh.childNodes].forEach((node, place) => {
      const same = known.get(key(node, place));
      if (!same) { old.insertBefore(node, here); return; }
      known.delete(key(node, place));
      if (same === here) here = here.nextSibling; else old.insertBefore(same, here);
      update(same, node);
    });
    for (const node of known.values()) if (node.parentNode === old && !isBusy(node)) node.remove();
  };

  const anchor = () => {
    for (const row of main.querySelectorAll("[data-key]")) {
      const top = row.getBoundingClientRect().top;
      if (top >= 0) return [row, top];
    }
    return null;
  };

  const take = async () => {
    const answer = await fetch(location.href, {headers: {"X-Live": "1"}});
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const seen = window.scrollY > 0 ? anchor() : null;
    update(main, fresh.getElementById("main"));
    if (seen && seen[0].isConnected) window.scrollBy(0, seen[0].getBoundingClientRect().top - seen[1]);
  };

  const ask = async () => {
    if (asking || document.hidden) return;
    asking = true;
    try {
      const answer = await fetch("/live", {cache: "no-store"});
      if (answer.ok) {
        const state = await answer.json();
        if (state.revision !== revision) { await take(); revision = state.revision; }
        update(bar, Object.assign(bar.cloneNode(false), {innerHTML: state.html}));
      }
    } catch {
      bar.querySelector(".trouble-list").textContent =
        "The dashboard does not answer: what you see is from before. It goes on by itself.";
    } finally {
      asking = false;
    }
  };

  setInterval(ask, 1000);
  document.addEventListener("visibilitychange", ask);
})();
